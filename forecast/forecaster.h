// forecast/forecaster.h: a model together with its intervals, as the training keeps one for each series.
//
// Like forecast/model.h's Model, whose rules hold here too, with the intervals and the measured error that
// go with it: which model it is and how the intervals come about is the maker's choice.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/result.h"
#include "forecast/model.h"

namespace warmfront::forecast {

struct Prediction {  // of the buckets after the last one seen; all of one length, lo99 <= lo95 <= point ...
    std::vector<double> point, lo95, hi95, lo99, hi99;
};

class Forecaster {
public:
    virtual ~Forecaster() = default;
    [[nodiscard]] virtual Result<void> fit(const Series& series, const FitOptions& options) = 0;
    // The buckets that came after those seen. False where that needs a new fit.
    [[nodiscard]] virtual bool extend(const std::vector<double>& values) = 0;
    [[nodiscard]] virtual Prediction forecast(std::size_t horizon) const = 0;
    [[nodiscard]] virtual std::string model() const = 0;  // after fit()
    [[nodiscard]] virtual double mase() const = 0;        // on buckets not learnt from; NaN: not known
};

using MakeForecaster = std::function<std::unique_ptr<Forecaster>()>;

}  // namespace warmfront::forecast
