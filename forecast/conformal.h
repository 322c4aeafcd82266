// forecast/conformal.h: intervals from the errors that a forecaster really made.
//
// Split-conformal prediction (Vovk, Gammerman, Shafer, 2005; Lei et al., 2018) per range of horizons: the
// interval is spanned by quantiles of errors on buckets that the model had not seen, each side for itself. An
// error is taken relative to a power of the forecast, 0 (errors are alike whatever the load), 1/2 (as counts
// are) or 1 (relative), whichever gives the sharper intervals on the same errors. Errors of overlapping
// forecasts are not independent: with few that do not overlap intervals are widened. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "forecast/backtest.h"

namespace warmfront::forecast {

struct Interval {
    double lo = 0, hi = 0;
};

class Conformal {
public:
    // Without a single known error intervals are a point. widening: of the whole interval, where these errors
    // are known to be smaller than those to come.
    Conformal(const Series& series, const Rolled& rolled, std::size_t horizon_max, double widening = 1);

    // level: 0.95, 0.99. step counts from 0; beyond horizon_max the last range counts. Never negative, holds
    // the point, and grows with the level.
    [[nodiscard]] Interval at(std::size_t step, double point, double level) const;

private:
    struct Range {
        std::size_t to;              // the first step after
        std::vector<double> errors;  // scaled, signed (actual - forecast), ascending
        double widening = 1;         // for how few errors there are that do not overlap
    };
    [[nodiscard]] double scale(double point) const;

    double power_ = 0;
    double floor_ = 1;           // added to the forecast before the power is taken
    std::vector<Range> ranges_;  // ascending, never empty
};

}  // namespace warmfront::forecast
