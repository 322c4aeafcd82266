// forecast/recent_level.h: what is said of a load of which too little is known for a model: that it goes on
// as it was.
//
// The point is a mean that fades over kFade buckets; the intervals are quantiles of the values of the last
// kRemembered buckets, widened while they are few. No season, no trend. Fits any series with one known value.
#pragma once

#include <deque>

#include "forecast/forecaster.h"

namespace warmfront::forecast {

class RecentLevel final : public Forecaster {
public:
    static constexpr double kFade = 8;
    static constexpr std::size_t kRemembered = 120;
    // Fails with 22023 if no value is known.
    [[nodiscard]] Result<void> fit(const Series& series, const FitOptions& options) override;
    [[nodiscard]] bool extend(const std::vector<double>& values) override;
    [[nodiscard]] Prediction forecast(std::size_t horizon) const override;
    [[nodiscard]] std::string model() const override { return "recent level"; }
    [[nodiscard]] double mase() const override;

private:
    void take(double value);
    std::deque<double> values_;
    double weighted_ = 0, weight_ = 0;
};

}  // namespace warmfront::forecast
