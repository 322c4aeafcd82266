#include "forecast/clusters.h"

#include <cmath>
#include <numeric>

namespace warmfront::forecast {
namespace {

double dot(std::span<const float> a, std::span<const float> b) {
    float sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return static_cast<double>(sum);
}

}  // namespace

std::vector<float> shape_of_profile(std::span<const float> profile) {
    if (profile.empty()) return {};
    const double mean =
        std::accumulate(profile.begin(), profile.end(), 0.0) / static_cast<double>(profile.size());
    std::vector<float> shape(profile.begin(), profile.end());
    for (float& value : shape) value -= static_cast<float>(mean);
    const double norm = std::sqrt(dot(shape, shape));
    // What rounding leaves of a flat profile is no shape.
    if (!(norm > 1e-5 * (std::abs(mean) + 1e-6) * std::sqrt(static_cast<double>(profile.size())))) return {};
    for (float& value : shape) value /= static_cast<float>(norm);
    return shape;
}

std::optional<Clusters::Place> Clusters::nearest(std::span<const float> profile) const {
    const std::vector<float> shape = shape_of_profile(profile);
    if (shape.empty() || clusters_.empty()) return std::nullopt;
    Place best{0, -2};
    for (std::size_t i = 0; i < clusters_.size(); ++i) {
        const double likeness = dot(shape, clusters_[i].sum) / clusters_[i].norm;
        if (likeness > best.likeness) best = {i, likeness};
    }
    return best;
}

std::optional<Clusters::Place> Clusters::add(std::span<const float> profile) {
    const std::vector<float> shape = shape_of_profile(profile);
    if (shape.empty()) return std::nullopt;
    const auto best = nearest(shape);
    const bool alike = best && best->likeness >= options_.alike_min;
    if (!alike && clusters_.size() < options_.clusters_max) {
        clusters_.push_back({shape, 1, 1});
        return Place{clusters_.size() - 1, 1};
    }
    if (!best) return std::nullopt;
    Cluster& cluster = clusters_[best->cluster];
    ++cluster.members;
    if (!alike) return best;
    for (std::size_t i = 0; i < shape.size(); ++i) cluster.sum[i] += shape[i];
    cluster.norm = std::sqrt(dot(cluster.sum, cluster.sum));
    return best;
}

std::vector<float> Clusters::centroid(std::size_t cluster) const {
    std::vector<float> shape = clusters_[cluster].sum;
    for (float& value : shape) value /= static_cast<float>(clusters_[cluster].norm);
    return shape;
}

}  // namespace warmfront::forecast
