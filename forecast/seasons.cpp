// By autocorrelation of the load on its log scale. Where that shows nothing, once more without outliers: a
// few spikes have most of the variance. Not without them at first: what is busy for one bucket a day is all
// outliers.
#include "forecast/seasons.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "forecast/prepare.h"

namespace warmfront::forecast {
namespace {

constexpr std::int64_t kDay_s = 86'400, kWeek_s = 7 * kDay_s;
constexpr std::size_t kBucketsSeen = 3'000;
constexpr std::size_t kKnownMin = 8;
constexpr double kCalendarMin = 0.15;    // a day or a week is believed from this autocorrelation on
constexpr double kFoundMin = 0.4;        // any other lag
constexpr std::size_t kHalfWindow = 12;  // of the Hampel filter, and its robust deviations
constexpr double kDeviations = 6;

double autocorrelation(const std::vector<double>& values, std::size_t lag) {
    double mean = 0, variance = 0, product = 0;
    for (const double value : values) mean += value / static_cast<double>(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        variance += (values[i] - mean) * (values[i] - mean);
        if (i >= lag) product += (values[i] - mean) * (values[i - lag] - mean);
    }
    // Per pair, so that long lags are not made small by having fewer pairs.
    const double pairs = static_cast<double>(values.size() - lag) / static_cast<double>(values.size());
    return variance > 1e-12 ? product / variance / pairs : 0;
}

// The highest peak of the autocorrelation after it first fell below a half of kFoundMin; 0: none.
std::size_t likeliest_lag(const std::vector<double>& values) {
    std::vector<double> at;
    for (std::size_t lag = 0; lag <= values.size() / 3; ++lag) at.push_back(autocorrelation(values, lag));
    std::size_t lag = 1, best = 0;
    while (lag < at.size() && at[lag] > kFoundMin / 2) ++lag;
    for (; lag + 1 < at.size(); ++lag)
        // A multiple of a season is as good a peak as the season; the first that is nearly best counts.
        if (at[lag] >= kFoundMin && at[lag] >= at[lag - 1] && at[lag] >= at[lag + 1] &&
            (best == 0 || at[lag] > at[best] + 0.1))
            best = lag;
    return best;
}

std::vector<std::size_t> seasons_in(const std::vector<double>& values, std::int64_t step_s) {
    std::vector<std::size_t> seasons;
    for (const std::int64_t length_s : {kDay_s, kWeek_s}) {
        const auto season = static_cast<std::size_t>(length_s / step_s);
        if (length_s % step_s != 0 || season < 2 || 2 * season > values.size()) continue;
        if (autocorrelation(values, season) >= kCalendarMin) seasons.push_back(season);
    }
    if (seasons.empty())
        if (const std::size_t lag = likeliest_lag(values); lag >= 2) seasons.push_back(lag);
    return seasons;
}

}  // namespace

std::vector<std::size_t> guess_seasons(const Series& series) {
    const Series recent = latest(series, kBucketsSeen);
    const auto known = std::ranges::count_if(recent.values, [](double value) { return !std::isnan(value); });
    if (static_cast<std::size_t>(known) < kKnownMin) return {};
    std::vector<double> values = LogScale(recent.values).forward(fill_gaps(recent.values, 0));
    std::vector<std::size_t> seasons = seasons_in(values, series.step_s);
    if (seasons.empty() && remove_outliers(values, kHalfWindow, kDeviations) > 0)
        seasons = seasons_in(values, series.step_s);
    return seasons;
}

}  // namespace warmfront::forecast
