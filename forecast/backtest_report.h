// forecast/backtest_report.h: every model and the automatic choice, held against what came: for a person.
#pragma once

#include <string>
#include <vector>

#include "forecast/automatic.h"

namespace warmfront::forecast {

struct BacktestReport {
    std::string text;  // a table, one line a model, the choice, and what drives the load
    // The last origin, for a plot: the number of buckets known, what was forecast, what came.
    std::size_t last_origin = 0;
    Forecast last;
    std::vector<double> last_actual;
};

inline constexpr std::size_t kReportOrigins = 12;

// Rolling origins over the last fifth of the series, each forecast as if that day were today: choice, fit and
// intervals from what was known then. options.model "auto": all that the roster offers; a name: that alone.
// What drives the load is said by the trees of the asked name, of "auto" by boosted trees (one more fit):
// permutation importance on the part that they hold back of the whole series.
// Fails with 22023 where the series is too short to hold any of it back.
[[nodiscard]] Result<BacktestReport> backtest_report(const Series& series, const AutomaticOptions& options);

}  // namespace warmfront::forecast
