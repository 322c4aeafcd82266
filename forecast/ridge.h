// forecast/ridge.h: a linear regression for each range of horizons, on lags, slot means and the calendar.
//
// Direct forecasts: each horizon range has coefficients of its own, so that what happened just now counts for
// the next bucket and not for next week's. Ridge regression on standardized terms (Hoerl, Kennard, 1970);
// errors are counted in absolute value and in requests (iteratively reweighted), since that is what forecasts
// are judged by, and old buckets count less than new ones.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "forecast/decomposition.h"
#include "forecast/lag_terms.h"
#include "forecast/model.h"
#include "forecast/prepare.h"

namespace warmfront::forecast {

class Ridge : public Model {
public:
    enum class Scale { Log, Plain };
    // What is regressed: the load, or what a decomposition (decomposition.h) leaves of it.
    enum class Of { Load, Remainder };
    explicit Ridge(Scale scale = Scale::Log, Of of = Of::Load) : wanted_(scale), of_(of) {}

    [[nodiscard]] std::string_view name() const override {
        if (of_ == Of::Remainder) return "decomposed-ridge";
        return wanted_ == Scale::Log ? "ridge" : "ridge-plain";
    }
    // Needs 30 known values, and more than two seasons for a season to be used. FitOptions::calendar must
    // outlive the model.
    [[nodiscard]] Result<void> fit(const Series& series, const FitOptions& options) override;
    [[nodiscard]] std::vector<double> forecast(std::size_t horizon) const override;
    [[nodiscard]] bool extend(const std::vector<double>& values) override;

private:
    struct Range {
        std::size_t from = 1, to = 1;      // horizons
        std::vector<double> coefficients;  // one a term; empty: too little to learn from, the base alone
    };
    void learn(Range& range, const std::vector<double>& scaled);
    [[nodiscard]] double forward(double value) const { return scale_ ? scale_->forward(value) : value; }
    [[nodiscard]] double back(double value) const {
        return scale_ ? scale_->back(value) : value > 0 ? value : 0.0;
    }

    // The seasons' part of a bucket; 0 where the load itself is regressed.
    [[nodiscard]] double profile(std::size_t bucket) const {
        return profiles_.season[bucket % profiles_.season.size()] +
               profiles_.long_season[bucket % profiles_.long_season.size()];
    }

    Scale wanted_;
    Of of_;
    Profiles profiles_{{0.0}, {0.0}};
    std::optional<LogScale> scale_;  // nullopt: plain
    std::optional<LagTerms> terms_;
    std::vector<Range> ranges_;
};

}  // namespace warmfront::forecast
