#include "forecast/automatic_forecaster.h"

#include <limits>
#include <utility>

namespace warmfront::forecast {

Result<void> AutomaticForecaster::fit(const Series& series, const FitOptions& options) {
    AutomaticOptions how;
    how.fit = options;
    auto chosen = Automatic::choose(series, how);
    if (!chosen) return tl::unexpected(chosen.error());
    choice_.emplace(*std::move(chosen));
    const auto scores = choice_->forecast(1).scores;
    mase_ = scores.empty() ? std::numeric_limits<double>::quiet_NaN() : scores.front().mase;
    return {};
}

bool AutomaticForecaster::extend(const std::vector<double>& values) {
    return choice_ && choice_->extend(values);
}

Prediction AutomaticForecaster::forecast(std::size_t horizon) const {
    if (!choice_) return {};
    Forecast made = choice_->forecast(horizon);
    return {std::move(made.point), std::move(made.lo95), std::move(made.hi95), std::move(made.lo99),
            std::move(made.hi99)};
}

std::string AutomaticForecaster::model() const {
    return choice_ ? choice_->model() : std::string();
}

}  // namespace warmfront::forecast
