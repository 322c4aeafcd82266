#include "forecast/rollup.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace warmfront::forecast {
namespace {

constexpr std::size_t kCoarseASeason = 24;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// The largest divisor of `of` that is at most `most`.
std::size_t divisor_up_to(std::size_t of, std::size_t most) {
    for (std::size_t per = std::max<std::size_t>(most, 1); per > 1; --per)
        if (of % per == 0) return per;
    return 1;
}

}  // namespace

std::int64_t Grain::coarse_of(std::int64_t time_s) const {
    return time_s / coarse_s() - (time_s % coarse_s() < 0 ? 1 : 0);
}

std::size_t Grain::place_of(std::int64_t time_s) const {
    const auto season_s = static_cast<std::int64_t>(fine_season()) * step_s;
    const std::int64_t within = (time_s % season_s + season_s) % season_s;
    return static_cast<std::size_t>(within / step_s);
}

Grain grain_of(const Series& series) {
    Grain grain{series.step_s, 60, 0, 0};
    if (series.seasons.empty()) return grain;
    const std::size_t season = series.seasons[0];
    grain.per = season > kFineSeasonMax ? 1 : divisor_up_to(season, season / kCoarseASeason);
    grain.season = season / grain.per;
    if (series.seasons.size() > 1 && series.seasons[1] % grain.per == 0)
        grain.long_season = series.seasons[1] / grain.per;
    return grain;
}

Rollup roll_up(const Series& series, const Grain& grain, std::size_t coarse_max) {
    Rollup rollup;
    rollup.place_sum.resize(grain.fine_season());
    rollup.place_known.resize(grain.fine_season());
    const std::size_t most = (coarse_max + 1) * grain.per;
    std::size_t i = series.size() - std::min(series.size(), most);
    rollup.first = grain.coarse_of(series.time_of(i));
    std::size_t place = grain.place_of(series.time_of(i));
    std::size_t seen = place % grain.per;  // the first coarse bucket may have begun before the series
    rollup.coarse.reserve((series.size() - i) / grain.per + 1);
    float sum = 0;
    std::uint32_t known = 0;
    for (; i < series.size(); ++i) {
        const auto value = static_cast<float>(series.values[i]);
        if (!std::isnan(value)) {
            sum += value;
            ++known;
            rollup.place_sum[place] += value;
            rollup.place_known[place] += 1;
        }
        if (++place == rollup.place_sum.size()) place = 0;
        if (++seen < grain.per) continue;
        rollup.coarse.push_back(2 * known >= grain.per ? sum / static_cast<float>(known) : kNan);
        sum = 0;
        known = 0;
        seen = 0;
    }
    rollup.open_sum = sum;
    rollup.open_known = known;
    rollup.open_seen = static_cast<std::uint32_t>(seen);
    return rollup;
}

std::vector<float> fine_shape(std::span<const float> place_sum, std::span<const float> place_known,
                              std::size_t per, std::span<const float> prior, double prior_load) {
    std::vector<float> shape(place_sum.size(), 1.0F);
    for (std::size_t begin = 0; begin + per <= shape.size(); begin += per) {
        float sum = 0, known = 0;
        for (std::size_t i = begin; i < begin + per; ++i) {
            sum += place_sum[i];
            known += place_known[i];
        }
        const float mean = known > 0 ? sum / known : 0.0F;
        float total = 0;
        for (std::size_t i = begin; i < begin + per; ++i) {
            const float before = prior.empty() ? 1.0F : prior[i], belief = static_cast<float>(prior_load);
            const float expected = mean * place_known[i];  // were the coarse bucket flat
            shape[i] =
                expected + belief > 0 ? (place_sum[i] + belief * before) / (expected + belief) : before;
            total += shape[i];
        }
        if (!(total > 0)) continue;
        for (std::size_t i = begin; i < begin + per; ++i) shape[i] *= static_cast<float>(per) / total;
    }
    return shape;
}

}  // namespace warmfront::forecast
