#include "forecast/clusters.h"

#include <cmath>
#include <random>

#include <doctest/doctest.h>

#include "tests/forecast/trees_support.h"

using namespace warmfront::forecast;
using trees_support::noise;

namespace {

std::vector<float> wave(double phase, double size, double level, std::mt19937_64& random,
                        double noisy = 0.1) {
    std::vector<float> profile(48);
    for (std::size_t i = 0; i < profile.size(); ++i)
        profile[i] = static_cast<float>(
            level + size * (std::sin(2 * 3.14159265 * (static_cast<double>(i) / 48 + phase)) +
                            noisy * noise(random)));
    return profile;
}

}  // namespace

TEST_CASE("clusters: series of one shape are found together, whatever their size and level") {
    std::mt19937_64 random(1);
    Clusters clusters({});
    for (int i = 0; i < 300; ++i) {
        const auto kind = static_cast<std::size_t>(i % 3);
        const double size = std::pow(10.0, i % 7), level = 5 * size;
        const auto place = clusters.add(wave(static_cast<double>(kind) / 3, size, level, random));
        REQUIRE(place);
        CHECK(place->cluster == kind);
    }
    CHECK(clusters.size() == 3);
    CHECK(clusters.members(0) == 100);
    double norm = 0;
    for (const float value : clusters.centroid(1)) norm += static_cast<double>(value * value);
    CHECK(norm == doctest::Approx(1));
    const auto nearest = clusters.nearest(wave(1.0 / 3, 1, 0, random));
    REQUIRE(nearest);
    CHECK(nearest->cluster == 1);
    CHECK(nearest->likeness > 0.98);
}

TEST_CASE(
    "clusters: the table is bounded, what is unlike does not move a centroid, what is flat has no shape") {
    std::mt19937_64 random(1);
    Clusters clusters({2, 0.9});
    CHECK_FALSE(clusters.nearest(wave(0, 1, 0, random)));
    clusters.add(wave(0, 1, 0, random));
    clusters.add(wave(0.5, 1, 0, random));
    const auto before = clusters.centroid(0);
    const auto place = clusters.add(wave(0.2, 1, 0, random));
    REQUIRE(place);
    CHECK(place->likeness < 0.9);
    CHECK(clusters.size() == 2);
    CHECK(clusters.centroid(0) == before);
    CHECK_FALSE(clusters.add(std::vector<float>(48, 1e6F)));
    CHECK_FALSE(clusters.add({}));
}
