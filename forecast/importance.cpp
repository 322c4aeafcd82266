#include "forecast/importance.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace warmfront::forecast {
namespace {

double mean_error(const Rows& rows, const std::vector<float>& predicted) {
    double sum = 0;
    for (std::size_t i = 0; i < rows.size(); ++i)
        sum += std::abs(static_cast<double>(rows.targets[i]) - static_cast<double>(predicted[i]));
    return sum / static_cast<double>(rows.size());
}

// std::shuffle may differ between libraries; the same seed is to give the same answer everywhere.
void shuffle(std::vector<std::size_t>& order, std::mt19937_64& random) {
    for (std::size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[random() % (i + 1)]);
}

}  // namespace

Result<std::vector<Importance>> permutation_importance(const Rows& rows, std::span<const ColumnGroup> groups,
                                                       const Predict& predict, std::uint64_t seed,
                                                       std::size_t repeats) {
    if (rows.size() < 2) return fail("22023", "importance: expected two examples at least");
    const auto plain = predict(rows);
    if (!plain) return tl::unexpected(plain.error());
    const double error = mean_error(rows, *plain);

    std::vector<Importance> found;
    std::vector<std::size_t> order(rows.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::mt19937_64 random(seed);
    Rows shuffled = rows;
    for (const ColumnGroup& group : groups) {
        Importance importance{group.name};
        for (std::size_t repeat = 0; repeat < repeats; ++repeat) {
            shuffle(order, random);
            for (std::size_t i = 0; i < rows.size(); ++i)
                for (const std::size_t column : group.columns)
                    shuffled.inputs[i * rows.columns + column] =
                        rows.inputs[order[i] * rows.columns + column];
            const auto predicted = predict(shuffled);
            if (!predicted) return tl::unexpected(predicted.error());
            importance.added_error += (mean_error(rows, *predicted) - error) / static_cast<double>(repeats);
        }
        for (std::size_t i = 0; i < rows.size(); ++i)
            for (const std::size_t column : group.columns)
                shuffled.inputs[i * rows.columns + column] = rows.inputs[i * rows.columns + column];
        found.push_back(importance);
    }
    double all = 0;
    for (const Importance& importance : found) all += std::max(importance.added_error, 0.0);
    for (Importance& importance : found)
        importance.share = all > 0 ? std::max(importance.added_error, 0.0) / all : 0.0;
    std::ranges::stable_sort(found, std::greater<>{}, &Importance::added_error);
    return found;
}

}  // namespace warmfront::forecast
