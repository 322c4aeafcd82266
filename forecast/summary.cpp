#include "forecast/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace warmfront::forecast {

std::optional<Summary> summarise(const SeriesForecast& forecast) {
    if (forecast.point.empty()) return std::nullopt;
    const auto bound_at = [&](std::size_t bucket) {
        return Bound{forecast.point[bucket], forecast.lo95[bucket], forecast.hi95[bucket]};
    };
    Summary summary;
    summary.last = std::numeric_limits<double>::quiet_NaN();
    for (const double value : forecast.recent.values)
        if (!std::isnan(value)) summary.last = value;
    summary.next = bound_at(0);
    for (const double point : forecast.point) summary.total += point;
    summary.seconds = static_cast<std::int64_t>(forecast.point.size()) * forecast.recent.step_s;
    const auto peak = std::ranges::max_element(forecast.point) - forecast.point.begin();
    summary.peak = bound_at(static_cast<std::size_t>(peak));
    summary.peak_s = forecast.from_s + peak * forecast.recent.step_s;
    return summary;
}

std::string_view word_for(SeriesName::Kind kind) {
    switch (kind) {
        case SeriesName::Kind::Database: return "database";
        case SeriesName::Kind::Table: return "table";
        case SeriesName::Kind::Template: return "statement";
    }
    return "database";
}

std::string_view word_for(Measure measure) {
    switch (measure) {
        case Measure::Requests: return "requests";
        case Measure::Reads: return "reads";
        case Measure::Writes: return "writes";
    }
    return "requests";
}

static std::string escaped(std::string_view name) {
    std::string out;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '%' || c == ':' || byte < 0x20 || byte == 0x7f)
            out += fmt::format("%{:02X}", byte);
        else
            out += c;
    }
    return out;
}

std::string id_of(const SeriesName& name) {
    return fmt::format("{}:{}:{}:{}", word_for(name.kind), word_for(name.measure), escaped(name.database),
                       escaped(name.name));
}

}  // namespace warmfront::forecast
