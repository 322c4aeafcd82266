// forecast/lag_terms.h: what is known at one bucket about a later one, as numbers for a linear model.
//
// Works on one scale (see prepare.h). Keeps, bucket by bucket, what is needed to look a term up in constant
// time: the value, the decayed mean of its slot of each season, decayed means of how far the load was off its
// slot. Terms speak of deviations from the slot's mean, so that a model shrunk to nothing still forecasts the
// season. Causal: a term of (origin, target) uses nothing after the origin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "forecast/calendar.h"
#include "forecast/series.h"

namespace warmfront::forecast {

class LagTerms {
public:
    struct Shape {
        std::int64_t start_s = 0, step_s = 60;
        std::size_t season = 1, long_season = 1;  // 1: none
        bool weekends = false;                    // long enough to tell Saturdays and Sundays from other days
        const Calendar* calendar = nullptr;       // outlives this object
    };

    // deviation_max: an input further off its slot's mean is taken for an outlier and cut to that.
    LagTerms(const Shape& shape, double first_value, double deviation_max);

    // The next bucket; NaN: not known, then what was expected stands in.
    void append(double value);

    [[nodiscard]] std::size_t size() const { return value_.size(); }
    // The number of terms; the same for every target.
    [[nodiscard]] std::size_t count() const { return count_; }
    // Writes count() terms. origin < size(), target > origin; origin >= warm_up().
    void write(std::size_t origin, std::size_t target, double* terms) const;
    // What the terms are deviations from: the mean of the target's slot as known at the origin.
    [[nodiscard]] double base(std::size_t origin, std::size_t target) const;
    // The first origin whose terms are all known.
    [[nodiscard]] std::size_t warm_up() const;

private:
    [[nodiscard]] std::size_t same_slot(std::size_t origin, std::size_t target, std::size_t season) const;
    void write_calendar(std::size_t target, std::size_t same, std::size_t long_same, double* terms) const;
    [[nodiscard]] bool is_weekend(std::size_t bucket) const;
    [[nodiscard]] double holiday_share(std::size_t bucket) const;

    Shape shape_;
    double deviation_max_;
    std::size_t count_ = 0;
    std::vector<double> waves_, long_waves_;  // Fourier terms by slot
    std::vector<double> value_;               // outliers cut
    std::vector<double> slot_, slot_fast_;    // mean of the bucket's slot of the season, it included
    std::vector<double> long_slot_;           // likewise of the long season
    std::vector<double> off_, long_off_;      // value less its slot's mean before it
    std::vector<double> off_fast_, off_medium_, off_slow_, long_off_medium_;  // decayed means of these
    std::vector<double> level_;  // decayed mean of the value over a season
};

}  // namespace warmfront::forecast
