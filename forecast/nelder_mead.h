// forecast/nelder_mead.h: the minimum of a function of few variables in a box, without derivatives.
//
// Nelder, Mead, "A simplex method for function minimization" (1965). Pure, deterministic, bounded by
// evaluations_max, which a model's time is planned by.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace warmfront::forecast {

struct Bounded {
    double start = 0, lo = 0, hi = 1;
};

// The best point seen; never worse than the start. Points outside of the box are moved to its border. A NaN
// counts as worse than anything.
[[nodiscard]] std::vector<double> nelder_mead(const std::vector<Bounded>& variables,
                                              const std::function<double(const std::vector<double>&)>& cost,
                                              std::size_t evaluations_max);

}  // namespace warmfront::forecast
