#include "forecast/seasonal_naive.h"

#include <cmath>

#include "forecast/prepare.h"

namespace warmfront::forecast {

Result<void> SeasonalNaive::fit(const Series& series, const FitOptions&) {
    if (auto sound = require_load(series, 1, name()); !sound) return sound;
    std::size_t season = 1;
    if (of_ == Of::LongestSeason && (series.seasons.size() < 2 || series.seasons.back() > series.size()))
        return fail("22023", "seasonal-naive-long: needs a second season and one whole of it");
    for (const std::size_t candidate : series.seasons) {
        if (candidate > series.size()) break;
        season = candidate;
        if (of_ == Of::ShortestSeason) break;
    }
    const std::vector<double> filled = fill_gaps(series.values, season);
    last_.assign(filled.end() - static_cast<std::ptrdiff_t>(season), filled.end());
    next_ = 0;
    return {};
}

std::vector<double> SeasonalNaive::forecast(std::size_t horizon) const {
    std::vector<double> forecast(horizon);
    for (std::size_t h = 0; h < horizon; ++h) forecast[h] = last_[(next_ + h) % last_.size()];
    return forecast;
}

bool SeasonalNaive::extend(const std::vector<double>& values) {
    for (const double value : values) {
        if (!std::isnan(value)) last_[next_] = value;
        next_ = (next_ + 1) % last_.size();
    }
    return true;
}

}  // namespace warmfront::forecast
