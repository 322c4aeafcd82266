// forecast/automatic.h: chooses the model of a series by backtest, and forecasts with honest intervals.
//
// The history is split in time order: every model of the roster is fitted on the first part and asked, origin
// by origin, for what it can be held to on the rest (the validation part). From these errors come the choice
// (the best single model or the combination of the good ones, each corrected by its own late errors) and the
// intervals; then what was chosen is fitted on all of the history. Bounded: a few fits a model, kOriginsMax
// origins.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "forecast/combination.h"
#include "forecast/conformal.h"
#include "forecast/error_correction.h"
#include "forecast/model.h"

namespace warmfront::forecast {

struct ModelScore {
    std::string model;
    double mase = 0, smape = 0, rmse = 0, mse = 0;  // over the validation part, all horizons asked
    double coverage = 0;                            // of the 95 % interval there; NaN: not asked
    double cpu_s = 0;                               // fit and backtest
    std::string failure;                            // not empty: why it took no part; no numbers then
};

struct Share {
    std::string model;
    double weight = 0;  // mean over the steps forecast
};

struct Forecast {
    std::vector<double> point, lo95, hi95, lo99, hi99;
    std::string model;
    std::vector<Share> shares;       // of a combination, the largest first; empty: one model alone
    std::vector<ModelScore> scores;  // of every model that was tried, the choice first
};

struct AutomaticOptions {
    FitOptions fit;              // horizon_max counts; the calendar outlives the Automatic made
    std::string model = "auto";  // or a name of the roster, or "combination"
    bool thorough = false;       // let the slow models of the roster take part
    bool coverages = false;      // ModelScore::coverage of every model, not of the choice alone
};

inline constexpr std::size_t kOriginsMax = 600;

class Automatic {
public:
    // Fails with 22023 where no model can be fitted (text: the reason of the simplest), or an unknown model
    // is named (text: those known).
    [[nodiscard]] static Result<Automatic> choose(const Series& series, const AutomaticOptions& options);

    // horizon <= FitOptions::horizon_max.
    [[nodiscard]] Forecast forecast(std::size_t horizon) const;
    // Goes on with the buckets that came; false where a model in use cannot: then choose anew.
    [[nodiscard]] bool extend(const std::vector<double>& values);
    [[nodiscard]] const std::string& model() const { return model_; }

private:
    struct Member {
        std::unique_ptr<Model> model;
        std::size_t place;                          // among the combination's members
        std::optional<ErrorCorrection> correction;  // in a combination
    };
    Automatic() = default;
    // One a candidate, each corrected in place by what it learns.
    [[nodiscard]] static std::vector<ErrorCorrection> correct(const Series& series,
                                                              std::vector<Rolled>& rolled,
                                                              std::size_t horizon);

    std::string model_;
    std::vector<Member> members_;
    std::shared_ptr<const Combination> weights_;  // nullptr: the one member alone
    std::size_t candidates_ = 0;
    std::shared_ptr<const Conformal> intervals_;
    std::vector<ModelScore> scores_;
};

}  // namespace warmfront::forecast
