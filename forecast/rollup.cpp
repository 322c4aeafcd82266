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

// The fine bucket's own place in the season, counted from the epoch.
static std::size_t season_place(const Grain& grain, std::int64_t time_s) {
    const auto season_s = static_cast<std::int64_t>(grain.fine_season()) * grain.step_s;
    const std::int64_t within = (time_s % season_s + season_s) % season_s;
    return static_cast<std::size_t>(within / grain.step_s);
}

std::size_t Grain::place_of(std::int64_t time_s) const {
    return season_place(*this, time_s) / place;
}

Grain grain_of(const Series& series) {
    Grain grain{series.step_s, 60, 0, 0};
    if (series.seasons.empty()) return grain;
    const std::size_t season = series.seasons[0];
    grain.per = divisor_up_to(season, season / kCoarseASeason);
    grain.season = season / grain.per;
    grain.place = (grain.fine_season() + kPlacesMax - 1) / kPlacesMax;
    while (grain.place <= grain.per && grain.per % grain.place != 0) ++grain.place;
    if (grain.place > grain.per) return {series.step_s, 60, 0, 0};  // a long season that nothing divides
    if (series.seasons.size() > 1 && series.seasons[1] % grain.per == 0)
        grain.long_season = series.seasons[1] / grain.per;
    return grain;
}

static void count(Rollup& rollup, std::size_t place, float value, float known_max) {
    ++rollup.open_seen;
    if (std::isnan(value)) return;
    rollup.open_sum += value;
    ++rollup.open_known;
    float& sum = rollup.place_sum[place];
    float& known = rollup.place_known[place];
    if (known >= known_max) {
        sum *= (known_max - 1) / known;
        known = known_max - 1;
    }
    sum += value;
    known += 1;
}

static float known_max(const Grain& grain) {
    return kShapeSeasons * static_cast<float>(grain.place);
}

void Rollup::take(const Grain& grain, std::int64_t time_s, float value) {
    if (lately.size() >= kLately + kLatelySlack)
        lately.erase(lately.begin(), lately.end() - static_cast<std::ptrdiff_t>(kLately));
    lately.push_back(value);
    count(*this, grain.place_of(time_s), value, known_max(grain));
}

void Rollup::close(const Grain& grain, std::size_t coarse_max) {
    coarse.push_back(2 * open_known >= grain.per ? open_sum / static_cast<float>(open_known) : kNan);
    open_sum = 0;
    open_known = open_seen = 0;
    const std::size_t season = std::max<std::size_t>(std::max(grain.season, grain.long_season), 1);
    if (coarse.size() < coarse_max + season) return;
    coarse.erase(coarse.begin(), coarse.begin() + static_cast<std::ptrdiff_t>(season));
    first += static_cast<std::int64_t>(season);
}

Rollup roll_up(const Series& series, const Grain& grain, std::size_t coarse_max) {
    Rollup rollup;
    rollup.place_sum.resize(grain.places());
    rollup.place_known.resize(grain.places());
    const std::size_t most = (coarse_max + 1) * grain.per;
    const std::size_t from = series.size() - std::min(series.size(), most);
    rollup.first = grain.coarse_of(series.time_of(from));
    rollup.coarse.reserve((series.size() - from) / grain.per + 1);
    // The first coarse bucket may have begun before the series.
    const std::int64_t missed_s = series.time_of(from) - rollup.first * grain.coarse_s();
    rollup.open_seen = static_cast<std::uint32_t>(missed_s / grain.step_s);
    const std::size_t season = grain.fine_season();
    std::size_t at = season_place(grain, series.time_of(from));
    for (std::size_t i = from; i < series.size(); ++i) {
        count(rollup, at / grain.place, static_cast<float>(series.values[i]), known_max(grain));
        if (++at == season) at = 0;
        if (rollup.open_seen == grain.per) rollup.close(grain, most);
    }
    const auto lately = static_cast<std::ptrdiff_t>(std::min(series.size() - from, kLately));
    rollup.lately.assign(series.values.end() - lately, series.values.end());
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
