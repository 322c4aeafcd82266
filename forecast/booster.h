// forecast/booster.h: ensembles of regression trees. The one door to XGBoost.
//
// XGBoost 1.7's C interface, method "hist" (Chen, Guestrin, "XGBoost: a scalable tree boosting system",
// 2016), one thread. Why XGBoost: one library grows boosted trees, random forests and single trees alike,
// takes unknown inputs (NaN) as they are, and is a Debian package with a C interface that does not throw.
// Errors are returned with SQLSTATE XX000 and XGBoost's text. A Booster lives on one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "config/result.h"

namespace warmfront::forecast {

// A table of numbers, row by row; NaN: not known.
struct Rows {
    std::size_t columns = 0;
    std::vector<float> inputs;   // size() * columns
    std::vector<float> targets;  // one a row; not needed to predict
    std::vector<float> weights;  // one a row, or empty: all alike

    [[nodiscard]] std::size_t size() const { return columns == 0 ? 0 : inputs.size() / columns; }
    // A row to be filled, its inputs and its target.
    float* add(float target, float weight = 1);
};

// Asked often during long work; true: stop now. Empty: never.
using StopCheck = std::function<bool()>;

class Booster {
public:
    enum class Kind {
        Boosted,  // each tree corrects those before it
        Forest,   // trees on random parts of rows and columns, averaged (Breiman, 2001)
        Tree      // a single one
    };
    struct Options {
        Kind kind = Kind::Boosted;
        std::size_t rounds_max = 200;  // trees of a boosted ensemble, or of the forest
        std::size_t patience = 10;     // rounds without a better validation error before boosting stops
        unsigned depth = 5;
        double learning_rate = 0.1;
        double rows_min = 20;                        // in a leaf, in weight
        double row_share = 0.8, column_share = 0.7;  // that a tree sees
        unsigned bins = 64;                          // an input is told apart into so many values
        std::uint64_t seed = 1;
    };

    // Boosting stops early on `validation`, which must come after `train` in time; empty: all rounds are
    // made. Fails with 22023 without rows, with 57014 when `stop` says so.
    [[nodiscard]] static Result<Booster> train(const Rows& train, const Rows& validation,
                                               const Options& options, const StopCheck& stop = {});

    // One number a row.
    [[nodiscard]] Result<std::vector<float>> predict(const Rows& rows) const;

    // Rounds in use: those up to the best validation error; 0 where no tree bettered it, then all is 0.
    [[nodiscard]] std::size_t rounds() const { return rounds_; }
    // Rounds that were made until it was clear that no better one would come.
    [[nodiscard]] std::size_t rounds_made() const { return rounds_made_; }

private:
    struct Free {
        void operator()(void* handle) const;
    };
    Booster() = default;
    std::unique_ptr<void, Free> handle_;
    std::size_t rounds_ = 0, rounds_made_ = 0;
};

}  // namespace warmfront::forecast
