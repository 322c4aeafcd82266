// forecast/error_correction.h: what a model's own late errors say of its next ones.
//
// A model that was too low at the last buckets is likely too low at the next: by how much, for each range of
// horizons, is learnt from a backtest by a regression of its errors on its latest error one step ahead and on
// a decayed mean of those (the correction by the last error of Taylor, 2003, for any model and any horizon).
// Shrunk towards no correction, the more the fewer forecasts of that length do not overlap. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "forecast/backtest.h"

namespace warmfront::forecast {

class ErrorCorrection {
public:
    // rolled: what the model would have said. With fewer than kErrorsMin known errors nothing is corrected.
    ErrorCorrection(const Series& series, const Rolled& rolled, std::size_t horizon_max);
    static constexpr std::size_t kErrorsMin = 40;

    // What this model would have said with the correction: the coefficients are those learnt from all, the
    // errors that a forecast is corrected by are those known at its origin.
    [[nodiscard]] Rolled corrected(const Series& series, const Rolled& rolled) const;

    // The forecast that the model makes after the last bucket seen, corrected in place; never negative.
    void correct(std::vector<double>& forecast) const;
    // The next bucket came; error: actual less what the model forecast one step before, without correction.
    // NaN: not known.
    void see(double error);

private:
    struct Errors {
        double last = 0, late = 0;  // of the last bucket; their decayed mean
    };
    struct Range {
        std::size_t to;  // the first step after
        double last = 0, late = 0;
    };
    struct Example {
        Errors known;
        double off;
    };
    [[nodiscard]] Errors after(const Errors& errors, double error) const;
    // The errors known at each origin; one more: after the last bucket of the series.
    [[nodiscard]] std::vector<Errors> known_at(const Series& series, const Rolled& rolled) const;
    // penalty: of the errors' own squares.
    [[nodiscard]] static Range learnt(const std::vector<Example>& examples, double penalty);
    void correct(std::vector<double>& forecast, const Errors& known) const;

    double error_max_ = 0;  // beyond, an error counts as this; 0: nothing is corrected
    std::vector<Range> ranges_;
    Errors now_;
};

}  // namespace warmfront::forecast
