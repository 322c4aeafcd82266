#include "proxy/admin/forecast_rows.h"

#include <cmath>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "forecast/summary.h"

namespace warmfront::admin {

using Row = std::vector<std::string>;

static std::string number(double value) {
    if (!std::isfinite(value)) return {};
    return std::abs(value) < 100 ? fmt::format("{:.2f}", value) : fmt::format("{:.0f}", value);
}

static std::string number_exact(double value) {
    return std::isfinite(value) ? fmt::format("{:.6g}", value) : std::string();
}

static std::string time_text(std::int64_t time_s) {
    return time_s == 0 ? std::string()
                       : fmt::format("{:%F %T}", fmt::gmtime(static_cast<std::time_t>(time_s)));
}

static Row named(const forecast::SeriesName& name) {
    return {std::string(forecast::word_for(name.kind)), name.database, name.name,
            std::string(forecast::word_for(name.measure))};
}

static void append(Row& row, const forecast::Bound& bound) {
    for (const double value : {bound.point, bound.lo95, bound.hi95}) row.push_back(number(value));
}

std::vector<Row> forecast_rows(const forecast::Outlook& outlook) {
    std::vector<Row> rows;
    for (const auto& [name, of] : outlook.forecasts->series) {
        const auto summary = forecast::summarise(of);
        if (!summary) continue;
        Row row = named(name);
        row.push_back(of.model);
        row.push_back(std::isfinite(of.mase) ? fmt::format("{:.3f}", of.mase) : std::string());
        row.push_back(number(summary->last));
        append(row, summary->next);
        row.push_back(number(summary->total));
        row.push_back(std::to_string(summary->seconds));
        append(row, summary->peak);
        row.push_back(time_text(summary->peak_s));
        const auto seen = outlook.series.find(name);
        const bool known = seen != outlook.series.end();
        row.emplace_back(known && seen->second.alarm.side != forecast::Side::Within
                             ? forecast::name_of(seen->second.alarm.side)
                             : "");
        row.push_back(known ? seen->second.problem : std::string());
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<Row> alarm_rows(const forecast::Outlook& outlook) {
    std::vector<Row> rows;
    for (const auto& [name, of] : outlook.series) {
        if (of.alarm.side == forecast::Side::Within) continue;
        Row row = named(name);
        row.insert(row.end(), {std::string(forecast::name_of(of.alarm.side)), time_text(of.alarm.since_s),
                               number(of.alarm.actual), number(of.alarm.lo), number(of.alarm.hi)});
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<Row> capacity_rows(const forecast::Capacity& capacity) {
    return {{"recommended_sidecars",
             capacity.recommended == 0 ? std::string() : std::to_string(capacity.recommended)},
            {"needed_sidecars", number_exact(capacity.needed)},
            {"needed_sidecars_now", number_exact(capacity.needed_now)},
            {"peak_queries_per_second", number_exact(capacity.peak_per_s)},
            {"cpu_seconds_per_query", number_exact(capacity.cpu_s_per_query)},
            {"sidecar_queries_per_second", number_exact(capacity.carries_per_s)},
            {"reason", capacity.reason}};
}

}  // namespace warmfront::admin
