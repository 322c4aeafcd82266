#include "forecast/heavy_hitters.h"

#include <cmath>
#include <map>
#include <random>
#include <string>

#include <doctest/doctest.h>

using namespace warmfront::forecast;

namespace {

// Keys 0 to 9,999, the n-th with a probability proportional to 1 / (n + 1)^skew.
std::vector<std::string> zipf_stream(double skew, std::size_t length, unsigned seed) {
    std::vector<double> weights;
    for (int rank = 1; rank <= 10'000; ++rank) weights.push_back(1 / std::pow(rank, skew));
    std::discrete_distribution<int> keys(weights.begin(), weights.end());
    std::mt19937 random(seed);
    std::vector<std::string> stream;
    for (std::size_t i = 0; i < length; ++i) stream.push_back("key " + std::to_string(keys(random)));
    return stream;
}

}  // namespace

TEST_CASE("heavy hitters: what is asked for more than N / keys_max times is counted, and bounds its error") {
    struct Row {
        double skew;
        std::size_t keys_max;
    };
    for (const auto& [skew, keys_max] :
         std::vector<Row>{{0, 100}, {0.6, 100}, {1, 100}, {1.2, 50}, {1.5, 20}, {1, 1}}) {
        CAPTURE(skew);
        CAPTURE(keys_max);
        HeavyHitters hitters(keys_max);
        std::map<std::string, double> exact;
        for (const std::string& key : zipf_stream(skew, 50'000, 7)) {
            (void)hitters.add(key);
            exact[key] += 1;
        }
        const double allowed = 50'000.0 / static_cast<double>(keys_max);
        CHECK(hitters.total() == 50'000);
        CHECK(hitters.size() == keys_max);
        for (const auto& [key, count] : exact)
            if (count > allowed) CHECK_MESSAGE(hitters.contains(key), key);
        for (const auto& counted : hitters.top(keys_max)) {
            CAPTURE(counted.key);
            CHECK(counted.count >= exact[counted.key]);
            CHECK(counted.count - counted.error <= exact[counted.key]);
            CHECK(counted.error <= allowed);
        }
    }
}

TEST_CASE("heavy hitters: weights count as often as they say") {
    HeavyHitters weighted(3), single(3);
    for (const auto& [key, weight] : std::vector<std::pair<std::string, int>>{
             {"a", 5}, {"b", 3}, {"c", 1}, {"d", 2}, {"a", 1}, {"e", 1}}) {
        (void)weighted.add(key, weight);
        for (int i = 0; i < weight; ++i) (void)single.add(key);
    }
    const auto most = weighted.top(1);
    REQUIRE(most.size() == 1);
    CHECK(most[0].key == "a");
    CHECK(most[0].count == 6);
    CHECK(single.top(1)[0].count == 6);
    CHECK(weighted.total() == single.total());
}

TEST_CASE("heavy hitters: who gives way is told") {
    HeavyHitters hitters(2);
    CHECK(hitters.add("a", 2).entered);
    CHECK(hitters.add("b").entered);
    CHECK_FALSE(hitters.add("a").entered);
    const auto offered = hitters.add("c");
    CHECK(offered.entered);
    CHECK(offered.evicted == "b");
    CHECK_FALSE(hitters.contains("b"));
    CHECK(hitters.top(9)[1].error == 1);
}

TEST_CASE("heavy hitters: decay makes old requests count less, and forgets") {
    HeavyHitters hitters(10);
    (void)hitters.add("old", 100);
    (void)hitters.add("rare", 1);
    hitters.decay(0.5, 1);
    CHECK_FALSE(hitters.contains("rare"));
    CHECK(hitters.total() == doctest::Approx(50.5));
    (void)hitters.add("new", 60);
    const auto most = hitters.top(2);
    CHECK(most[0].key == "new");
    CHECK(most[1].count == doctest::Approx(50));
}
