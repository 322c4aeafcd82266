// forecast/holt_winters.h: exponential smoothing of level, damped trend and up to two seasons.
//
// Holt-Winters with damped trend (Gardner, McKenzie, 1985), a second season and a first-order correction by
// the last error (Taylor, "Short-term electricity demand forecasting using double seasonal exponential
// smoothing", 2003). Additive on the log scale of prepare.h (that is, multiplicative in requests), or on the
// plain one, whichever fits the series better. Errors beyond a few robust deviations move the state no more
// than that (Gelper, Fried, Croux, 2010), so that one spike does not become the new level. Parameters
// minimise the absolute error one step ahead, with a bounded number of evaluations.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "forecast/decomposition.h"
#include "forecast/model.h"
#include "forecast/prepare.h"

namespace warmfront::forecast {

struct SmoothingParameters {
    double level = 0.3;        // alpha
    double trend = 0.01;       // beta
    double damping = 0.95;     // phi
    double season = 0.1;       // gamma of the shorter season
    double long_season = 0.1;  // gamma of the longer one
    double carry = 0.3;        // how much of the last error is carried into the next forecast
};

class HoltWinters : public Model {
public:
    enum class Scale { Log, Plain, Better };
    // Where the seasons come from: smoothed along from the first few cycles on, or taken out of the whole
    // history at once (decomposition.h) and only kept up afterwards, which is surer where seasons do not
    // change.
    enum class Seasons { Smoothed, Decomposed };
    // evaluations_max bounds fit(): each is one pass over the series.
    explicit HoltWinters(Seasons seasons = Seasons::Smoothed, Scale scale = Scale::Better,
                         std::size_t evaluations_max = 90)
        : seasons_(seasons), wanted_(scale), evaluations_max_(evaluations_max) {}

    [[nodiscard]] std::string_view name() const override {
        return seasons_ == Seasons::Smoothed ? "holt-winters" : "decomposed-ets";
    }
    // Needs 3 known values. A season of which the series does not hold two whole ones is left out. With
    // smoothed seasons, fitted before (to a shorter history of the same load), the search goes on from the
    // parameters found then, with half of the evaluations.
    [[nodiscard]] Result<void> fit(const Series& series, const FitOptions& options) override;
    [[nodiscard]] std::vector<double> forecast(std::size_t horizon) const override;
    [[nodiscard]] bool extend(const std::vector<double>& values) override;

    [[nodiscard]] const SmoothingParameters& parameters() const { return parameters_; }

private:
    struct State {
        double level = 0, trend = 0, last_error = 0;
        std::vector<double> season, long_season;  // of one entry, 0, where there is none
        std::size_t slot = 0, long_slot = 0;
    };
    struct Fitted {
        SmoothingParameters parameters;
        State start;
        double error_max = 0;
        double cost = 0;  // mean absolute error one step ahead, in requests
    };

    [[nodiscard]] static double expected(const State& state, const SmoothingParameters& p);
    static void learn(State& state, const SmoothingParameters& p, double value, double error_max);
    // before: expected().
    static void learn(State& state, const SmoothingParameters& p, double value, double error_max,
                      double before);
    [[nodiscard]] static State initial(std::span<const double> values, std::size_t season,
                                       std::size_t long_season);
    // At the first bucket, the seasons being those of the whole history.
    [[nodiscard]] static State decomposed(std::span<const double> values, const Profiles& profiles);
    [[nodiscard]] static double cost(std::span<const double> values, std::span<const double> weights,
                                     State state, const SmoothingParameters& p, double error_max);
    [[nodiscard]] Fitted fitted(const std::vector<double>& values, const std::vector<double>& weights,
                                std::size_t season, std::size_t long_season,
                                const std::optional<SmoothingParameters>& found,
                                std::size_t evaluations) const;
    [[nodiscard]] double forward(double value) const { return scale_ ? scale_->forward(value) : value; }
    [[nodiscard]] double back(double value) const {
        return scale_ ? scale_->back(value) : value > 0 ? value : 0.0;
    }

    Seasons seasons_;
    Scale wanted_;
    std::size_t evaluations_max_;
    std::optional<LogScale> scale_;  // nullopt: plain
    SmoothingParameters parameters_;
    std::optional<SmoothingParameters> found_on_log_, found_on_plain_;  // by the last searches
    State state_;
    double error_max_ = 0;
};

}  // namespace warmfront::forecast
