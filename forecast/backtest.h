// forecast/backtest.h: what a model would have said, had it been asked before: rolling-origin evaluation.
//
// Tashman, "Out-of-sample tests of forecasting accuracy" (2000). A model is fitted on what comes before the
// first origin and from there extended, so that a backtest costs a fit or a few. A model that cannot be
// extended is fitted again at each origin.
#pragma once

#include <cstddef>
#include <vector>

#include "forecast/model.h"

namespace warmfront::forecast {

struct Origin {
    std::size_t bucket = 0;   // the first that is forecast; all before it are known
    std::size_t horizon = 1;  // how far is asked
};

// `count` origins evenly over [from, to], ascending and different; all with one horizon. from > 0.
[[nodiscard]] std::vector<Origin> spread_origins(std::size_t from, std::size_t to, std::size_t count,
                                                 std::size_t horizon);

struct Rolled {
    std::vector<Origin> origins;
    std::vector<std::vector<double>> forecasts;  // one an origin, Origin::horizon long
    double cpu_s = 0;                            // of this thread, all origins and the fit together
};

// fits: how many times the model is fitted on the way, at least once, evenly; more make the errors truer to
// those of a model that has seen all. Fails as fit() does. Origins are ascending, at least one, none beyond
// the series' end; a horizon may be.
[[nodiscard]] Result<Rolled> roll(Model& model, const Series& series, const std::vector<Origin>& origins,
                                  const FitOptions& options, std::size_t fits = 1);

// The actual value where origins look, or NaN beyond the series' end. `step` counts from 0.
[[nodiscard]] double actual_of(const Series& series, const Origin& origin, std::size_t step);

// CPU time of the calling thread.
[[nodiscard]] double thread_cpu_s();

}  // namespace warmfront::forecast
