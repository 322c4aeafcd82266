// forecast/rollup.h: a long fine series as what is worth keeping of it.
//
// Four weeks of minutes are 40,320 numbers, of which few say anything of their own. Kept are: the mean load
// of each coarse bucket (an hour, of a day's season), the shape of the season at the fine step (what a minute
// has of its hour's mean), and the last kLately fine buckets as they were. A rollup goes on bucket by bucket
// as if it had been made of all of them, but that the shape forgets what is older than kShapeSeasons. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "forecast/series.h"

namespace warmfront::forecast {

// How fine buckets make coarse ones. Coarse buckets begin at multiples of coarse_s.
struct Grain {
    std::int64_t step_s = 60;  // of a fine bucket
    std::size_t per = 1;       // fine buckets in a coarse one
    std::size_t season = 0;    // in coarse buckets; 0: none
    std::size_t long_season = 0;
    std::size_t place = 1;  // fine buckets of one place of the shape; divides `per`

    [[nodiscard]] std::int64_t coarse_s() const { return step_s * static_cast<std::int64_t>(per); }
    // Fine buckets in the season (without one: in a coarse bucket).
    [[nodiscard]] std::size_t fine_season() const { return per * std::max<std::size_t>(season, 1); }
    [[nodiscard]] std::size_t places() const { return fine_season() / place; }
    // The coarse bucket of a time, and the place that it has in the season, counted from the epoch.
    [[nodiscard]] std::int64_t coarse_of(std::int64_t time_s) const;
    [[nodiscard]] std::size_t place_of(std::int64_t time_s) const;
    bool operator==(const Grain&) const = default;
};
// About 24 coarse buckets a season, a whole number of fine ones each; 60 fine ones where there is no season.
// The shape has at most kPlacesMax places: beyond, neighbours share one. A season too long for that, and of a
// number of fine buckets that nothing divides, counts as none.
inline constexpr std::size_t kPlacesMax = 1'440;
[[nodiscard]] Grain grain_of(const Series& series);
inline constexpr std::size_t kLately = 1'440, kLatelySlack = 360;  // fine buckets that are kept
inline constexpr float kShapeSeasons = 28;

struct Rollup {
    std::int64_t first = 0;     // the first coarse bucket, counted from the epoch
    std::vector<float> coarse;  // mean load of a fine bucket; NaN: less than half of it was known
    float open_sum = 0;         // of the last coarse bucket, which is not over yet
    std::uint32_t open_known = 0, open_seen = 0;
    std::vector<float> place_sum;    // load by place in the season
    std::vector<float> place_known;  // fine buckets by place
    // The last fine buckets, NaN: not known; at most kLatelySlack more than kLately.
    std::vector<float> lately;

    // The next fine bucket, which begins at time_s; NaN: not known.
    void take(const Grain& grain, std::int64_t time_s, float value);
    // The coarse bucket is over. The oldest ones go when there are a long season more than coarse_max.
    void close(const Grain& grain, std::size_t coarse_max);
};
// The latest coarse_max coarse buckets.
[[nodiscard]] Rollup roll_up(const Series& series, const Grain& grain, std::size_t coarse_max);

// What each place of the season has over the mean of its coarse bucket of `per` places; their mean in a
// coarse bucket is 1. Shrunk towards `prior` (empty: towards 1) as by prior_load requests in each place.
[[nodiscard]] std::vector<float> fine_shape(std::span<const float> place_sum,
                                            std::span<const float> place_known, std::size_t per,
                                            std::span<const float> prior, double prior_load);

}  // namespace warmfront::forecast
