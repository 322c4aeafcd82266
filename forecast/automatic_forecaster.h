// forecast/automatic_forecaster.h: the automatic choice (forecast/automatic.h) as the training's Forecaster.
#pragma once

#include <optional>

#include "forecast/automatic.h"
#include "forecast/forecaster.h"

namespace warmfront::forecast {

class AutomaticForecaster final : public Forecaster {
public:
    [[nodiscard]] Result<void> fit(const Series& series, const FitOptions& options) override;
    [[nodiscard]] bool extend(const std::vector<double>& values) override;
    [[nodiscard]] Prediction forecast(std::size_t horizon) const override;
    [[nodiscard]] std::string model() const override;
    // Of the choice, over the validation part.
    [[nodiscard]] double mase() const override { return mase_; }

private:
    std::optional<Automatic> choice_;
    double mase_ = 0;
};

}  // namespace warmfront::forecast
