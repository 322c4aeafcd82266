// forecast/features.h: what is known at one bucket about a later one, as the inputs of trees.
//
// Works on one scale (forecast/load_scale.h), and speaks of how far the load is off what its slot of the
// season usually has, so that series of any size, and those of several seasons, give alike rows. What is not
// known is NaN, which trees take as it is. Causal: a row for (origin, target) uses nothing after the origin,
// but for the calendar, which is known beforehand. Buckets on holidays and events do not spoil the slots'
// means. Pure; not thread-safe; some 45 bytes a bucket.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "forecast/day_effects.h"

namespace warmfront::forecast {

enum class FeatureGroup : std::uint8_t {
    RecentLoad,  // the load now, its rolling means, its trend
    Season,      // the load of the same slot before, the season's shape
    TimeOfDay,   // or the place within the shortest season
    DayOfWeek,   // or which of the short seasons within the long one; weekends
    Date,        // day of the month and of the year
    Holidays,
    Events,
    Horizon,  // how far ahead
    Size      // how much load the series has
};
inline constexpr std::size_t kFeatureGroups = 9;
[[nodiscard]] std::string_view name_of(FeatureGroup group);  // "time of day"

struct Feature {
    std::string_view name;
    FeatureGroup group;
};
inline constexpr std::size_t kFeatures = 31;
// Places in a row of what base() and damping are made of: a row begins with the terms, and base() is the mean
// of the season up to the origin, plus kSlotAt, plus those of the two effects that are known.
inline constexpr std::size_t kSlotAt = 14, kHolidayEffectAt = 22, kEventEffectAt = 27, kAheadAt = 29;
[[nodiscard]] const std::array<Feature, kFeatures>& feature_table();

class Features {
public:
    struct Shape {
        std::int64_t start_s = 0, step_s = 60;
        std::size_t season = 1, long_season = 1;  // in steps; 1: none
        double typical = 1;                       // load of a bucket, in requests
        const Calendar* calendar = nullptr;       // outlives this object
    };
    // A series' shape: the seasons of which there is history enough, so that models need not judge it again.
    // `typical` is left at 1.
    [[nodiscard]] static Shape shape_of(const Series& series, const Calendar* calendar);

    explicit Features(const Shape& shape);

    // The next bucket on the series' scale; NaN: not known, then what was expected stands in.
    void append(double scaled);
    void reserve(std::size_t buckets);

    [[nodiscard]] std::size_t size() const { return value_.size(); }
    [[nodiscard]] const Shape& shape() const { return shape_; }
    // What was appended; what was expected where nothing was known.
    [[nodiscard]] double value(std::size_t bucket) const { return static_cast<double>(value_[bucket]); }
    [[nodiscard]] bool known(std::size_t bucket) const { return known_[bucket]; }
    // The first origin worth learning from: two seasons are known then, and a long one where four were seen.
    [[nodiscard]] std::size_t warm_up() const {
        const bool longer = shape_.long_season > 1 && size() >= 4 * shape_.long_season;
        return longer ? shape_.long_season + std::max<std::size_t>(shape_.season, 12)
                      : std::max<std::size_t>(2 * shape_.season, 3);
    }

    // Writes kFeatures numbers in the order of feature_table(). warm_up() <= origin < size(), target >
    // origin.
    void write(std::size_t origin, std::size_t target, float* row) const;
    // What is to be expected of the target as a rule: its slot's mean and what days of this name did before.
    [[nodiscard]] double base(std::size_t origin, std::size_t target) const;

    // What hints linearly at how far the target will be off its base, days' effects apart
    // (forecast/damping.h): how far the load is off its slots' means at the origin, and what came after the
    // same moments of seasons before. NaN: not known. The first of a row.
    static constexpr std::size_t kTerms = 7;
    using Terms = std::array<double, kTerms>;
    [[nodiscard]] Terms terms(std::size_t origin, std::size_t target) const;

private:
    [[nodiscard]] std::size_t same_slot(std::size_t origin, std::size_t target, std::size_t season) const;
    // The value, or on holidays and events what a common day was expected to have.
    [[nodiscard]] double likened(std::size_t bucket) const {
        return static_cast<double>(unlike_[bucket] ? value_[bucket] - off_[bucket] : value_[bucket]);
    }
    [[nodiscard]] double mean(std::size_t end, std::size_t count) const;
    [[nodiscard]] double slot_base(std::size_t origin, std::size_t target) const;
    [[nodiscard]] double effect(const DayEffects& days, std::size_t origin, std::size_t target) const;
    [[nodiscard]] double came_after(std::size_t origin, std::size_t target, std::size_t season) const;
    void write_recent(std::size_t origin, float*& row) const;
    void write_season(std::size_t origin, std::size_t target, float*& row) const;
    void write_clock(std::size_t target, float*& row) const;
    void write_days(std::size_t origin, std::size_t target, float*& row) const;
    [[nodiscard]] std::int64_t time_of(std::size_t bucket) const {
        return shape_.start_s + static_cast<std::int64_t>(bucket) * shape_.step_s;
    }

    Shape shape_;
    DayEffects holidays_, events_;
    std::vector<float> value_, slot_, long_slot_;          // slots' means: with the bucket's own value
    std::vector<float> off_;                               // the value less what was expected of it
    std::vector<float> off_fast_, off_medium_, off_slow_;  // decayed means of it
    std::vector<double> sum_, off_sum_;  // of all up to the bucket, it included; sum_ of likened ones
    std::vector<bool> known_, unlike_;   // unlike_: on a holiday or event
    // How much the long season's slot is believed against the short one's, 0 to 1, as of the bucket: by how
    // far either was off lately.
    std::vector<float> trust_;
    double spread_ = 0, slot_spread_ = 0, long_spread_ = 0;  // decayed means of |off|, and off either slot
};

}  // namespace warmfront::forecast
