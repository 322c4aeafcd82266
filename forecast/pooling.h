// forecast/pooling.h: what to expect of a series with little history of its own: its share of the series that
// it is part of, times that one's forecast.
//
// Pure. A share is a posterior mean under a Beta prior.
#pragma once

#include <span>
#include <vector>

namespace warmfront::forecast {

// The share of its parent over the buckets that both have: `prior_weight` parent's requests with
// `prior_share` of them are added. NaN buckets do not count.
struct PooledShare {
    double prior_share = 0, prior_weight = 20;
};
[[nodiscard]] double pooled_share(std::span<const double> child, std::span<const double> parent,
                                  const PooledShare& prior);
// The parent's forecast times the share.
[[nodiscard]] std::vector<double> pooled_forecast(std::span<const double> parent_forecast, double share);

}  // namespace warmfront::forecast
