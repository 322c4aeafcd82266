// forecast/clusters.h: which loads have the same shape.
//
// Online leader clustering (Hartigan, 1975) by cosine: a profile joins the nearest cluster if it is alike
// enough and moves its centroid, or founds a new one. Profiles are compared free of level and size: "doubles
// at nine" is the same shape at ten requests and at ten thousand. As in QueryBot 5000 this lets a series with
// little or noisy history use what its like know. Bounded; one pass, constant work a profile. Pure; not
// thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace warmfront::forecast {

class Clusters {
public:
    struct Options {
        std::size_t clusters_max = 64;  // beyond it a profile joins the nearest one, however unlike
        double alike_min = 0.8;         // cosine; 1 is the same shape
    };
    explicit Clusters(const Options& options) : options_(options) {}

    struct Place {
        std::size_t cluster;
        double likeness;  // cosine to the centroid as it was, -1 to 1; 1 for a founder
    };
    // Of one length, the same at each call; no NaN. nullopt: the profile is flat, and has no shape.
    // An unlike profile in a full table does not move the centroid that it is given to.
    std::optional<Place> add(std::span<const float> profile);
    // As add(), but nothing moves. nullopt too while there is no cluster.
    [[nodiscard]] std::optional<Place> nearest(std::span<const float> profile) const;

    [[nodiscard]] std::size_t size() const { return clusters_.size(); }
    [[nodiscard]] std::size_t members(std::size_t cluster) const { return clusters_[cluster].members; }
    // The shape: mean 0, sum of squares 1.
    [[nodiscard]] std::vector<float> centroid(std::size_t cluster) const;

private:
    struct Cluster {
        std::vector<float> sum;  // of its members' shapes
        double norm = 1;         // of sum
        std::size_t members = 0;
    };
    Options options_;
    std::vector<Cluster> clusters_;
};

// A profile less its mean, over its norm; empty: flat.
[[nodiscard]] std::vector<float> shape_of_profile(std::span<const float> profile);

}  // namespace warmfront::forecast
