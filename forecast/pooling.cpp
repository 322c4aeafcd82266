#include "forecast/pooling.h"

#include <algorithm>
#include <cmath>

namespace warmfront::forecast {

double pooled_share(std::span<const double> child, std::span<const double> parent, const PooledShare& prior) {
    double part = prior.prior_share * prior.prior_weight, whole = prior.prior_weight;
    for (std::size_t i = 0; i < std::min(child.size(), parent.size()); ++i) {
        if (std::isnan(child[i]) || std::isnan(parent[i])) continue;
        part += child[i];
        whole += parent[i];
    }
    return whole > 0 ? std::clamp(part / whole, 0.0, 1.0) : 0.0;
}

std::vector<double> pooled_forecast(std::span<const double> parent_forecast, double share) {
    std::vector<double> forecast(parent_forecast.begin(), parent_forecast.end());
    for (double& value : forecast) value *= share;
    return forecast;
}

}  // namespace warmfront::forecast
