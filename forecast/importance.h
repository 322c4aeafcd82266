// forecast/importance.h: what drives a load, by what its forecast loses without knowing it.
//
// Permutation importance (Breiman, 2001; Fisher, Rudin, Dominici, 2019): the inputs of one group are shuffled
// among the examples, all of the group alike, and the error that this adds is what the group is worth. To be
// asked of examples that the model has not learnt from. Pure; randomness from the seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "forecast/booster.h"

namespace warmfront::forecast {

struct Importance {
    std::string_view group;  // lives as long as the group's name that was given
    double added_error = 0;  // mean absolute error with the group shuffled, less that without; may be below 0
    double share = 0;        // of all errors added, 0 to 1; what lessens the error counts as 0
};

// Which columns belong together, under what name.
struct ColumnGroup {
    std::string_view name;
    std::vector<std::size_t> columns;
};

using Predict = std::function<Result<std::vector<float>>(const Rows&)>;

// The most important first. `rows` have targets; weights do not count. Fails as `predict` does, and with
// 22023 for less than two rows. Shuffles each group `repeats` times; the work is that many predictions a
// group.
[[nodiscard]] Result<std::vector<Importance>> permutation_importance(const Rows& rows,
                                                                     std::span<const ColumnGroup> groups,
                                                                     const Predict& predict,
                                                                     std::uint64_t seed,
                                                                     std::size_t repeats = 3);

}  // namespace warmfront::forecast
