// forecast/model.h: what every model of a load can do: be fitted to a series, and say what comes next.
//
// A model lives on one thread at a time; it holds no reference to what it was fitted to. All randomness comes
// from FitOptions::seed: same input, same forecast. Intervals are not a model's matter: forecast/conformal.h
// makes them from the errors that a model made before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "config/result.h"
#include "forecast/calendar.h"
#include "forecast/series.h"

namespace warmfront::forecast {

struct FitOptions {
    const Calendar* calendar = nullptr;  // holidays and events, past and to come; nullptr: none are known
    std::size_t horizon_max = 1;         // the longest horizon that forecast() will be asked for
    std::uint64_t seed = 1;
};

class Model {
public:
    virtual ~Model() = default;
    [[nodiscard]] virtual std::string_view name() const = 0;
    // Learns from the whole series, gaps (NaN) included. Fails with 22023 where the series is too short for
    // this model or holds something that is no load (infinite, negative); the text says what is needed.
    [[nodiscard]] virtual Result<void> fit(const Series& series, const FitOptions& options) = 0;
    // The mean of each of the `horizon` buckets after the last one seen, never negative, never NaN. After a
    // successful fit(); horizon <= FitOptions::horizon_max.
    [[nodiscard]] virtual std::vector<double> forecast(std::size_t horizon) const = 0;
    // Goes on with the buckets that came after those seen, without learning anew what is costly to learn.
    // False where the model cannot: then it is to be fitted again.
    [[nodiscard]] virtual bool extend(const std::vector<double>& values) {
        static_cast<void>(values);
        return false;
    }
};

}  // namespace warmfront::forecast
