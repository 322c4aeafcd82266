#include "forecast/backtest.h"

#include <cmath>
#include <ctime>
#include <limits>

#include "config/ensure.h"
#include "forecast/prepare.h"

namespace warmfront::forecast {

std::vector<Origin> spread_origins(std::size_t from, std::size_t to, std::size_t count, std::size_t horizon) {
    std::vector<Origin> origins;
    for (std::size_t i = 0; i < count && from <= to; ++i) {
        const double share = count > 1 ? static_cast<double>(i) / static_cast<double>(count - 1) : 0.0;
        const auto bucket =
            from + static_cast<std::size_t>(std::lround(share * static_cast<double>(to - from)));
        if (origins.empty() || origins.back().bucket < bucket) origins.push_back({bucket, horizon});
    }
    return origins;
}

Result<Rolled> roll(Model& model, const Series& series, const std::vector<Origin>& origins,
                    const FitOptions& options, std::size_t fits) {
    ensure(!origins.empty() && origins.front().bucket > 0, "a backtest has an origin with history before it");
    const double begun_s = thread_cpu_s();
    Rolled rolled{origins, {}, 0};
    std::size_t known = 0;
    const std::size_t span = origins.back().bucket - origins.front().bucket;
    std::size_t next_fit = origins.front().bucket;
    for (const Origin& origin : origins) {
        ensure(origin.bucket >= known && origin.bucket <= series.size(), "origins ascend within the series");
        const auto at = series.values.begin();
        const std::vector<double> since(at + static_cast<std::ptrdiff_t>(known),
                                        at + static_cast<std::ptrdiff_t>(origin.bucket));
        const bool due = origin.bucket >= next_fit;
        if (due) next_fit += span / fits + 1;
        if (due || !model.extend(since))
            if (auto fitted = model.fit(first(series, origin.bucket), options); !fitted)
                return tl::unexpected(fitted.error());
        known = origin.bucket;
        rolled.forecasts.push_back(model.forecast(origin.horizon));
    }
    rolled.cpu_s = thread_cpu_s() - begun_s;
    return rolled;
}

double actual_of(const Series& series, const Origin& origin, std::size_t step) {
    const std::size_t bucket = origin.bucket + step;
    return bucket < series.size() ? series.values[bucket] : std::numeric_limits<double>::quiet_NaN();
}

double thread_cpu_s() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace warmfront::forecast
