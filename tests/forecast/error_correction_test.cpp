#include "forecast/error_correction.h"

#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "forecast/score.h"

using namespace warmfront::forecast;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// A level that wanders and a model that says 100 whatever came before: its errors carry on.
struct Wandering {
    Series series{0, 60, {}, {}};
    Rolled rolled;
    Wandering(double carried, std::size_t size, std::size_t from) {
        unsigned noise = 3;
        double off = 0;
        for (std::size_t i = 0; i < size; ++i) {
            noise = noise * 1'664'525u + 1'013'904'223u;
            off = carried * off + static_cast<double>(noise >> 24) / 16 - 8;
            series.values.push_back(100 + off);
        }
        for (std::size_t at = from; at < size; ++at) {
            rolled.origins.push_back({at, 4});
            rolled.forecasts.push_back({100, 100, 100, 100});
        }
    }
    [[nodiscard]] double error(const Rolled& of, std::size_t step) const {
        std::vector<double> actual, said;
        for (std::size_t o = 0; o < of.origins.size(); ++o) {
            actual.push_back(actual_of(series, of.origins[o], step));
            said.push_back(of.forecasts[o][step]);
        }
        return mae(actual, said);
    }
};

}  // namespace

TEST_CASE("error correction: what carries on is taken out, near steps more than far ones") {
    const Wandering load(0.8, 600, 200);
    const ErrorCorrection correction(load.series, load.rolled, 4);
    const Rolled corrected = correction.corrected(load.series, load.rolled);
    // Of an error that carries on by 0.8, sqrt(1 - 0.64) of the deviation is left one step ahead.
    CHECK(load.error(corrected, 0) / load.error(load.rolled, 0) == doctest::Approx(0.6).epsilon(0.15));
    CHECK(load.error(corrected, 3) < load.error(load.rolled, 3));
    std::vector<double> forecast{100, 100, 100, 100};
    correction.correct(forecast);
    const double off = load.series.values.back() - 100;
    CHECK((forecast[0] - 100) / off == doctest::Approx(0.8).epsilon(0.25));
    CHECK(std::abs(forecast[3] - 100) < std::abs(forecast[0] - 100));
}

TEST_CASE("error correction: errors that tell nothing of the next are left alone") {
    const Wandering load(0, 600, 200);
    const ErrorCorrection correction(load.series, load.rolled, 4);
    std::vector<double> forecast{100, 100, 100, 100};
    correction.correct(forecast);
    for (const double point : forecast) CHECK(point == doctest::Approx(100).epsilon(0.02));
}

TEST_CASE("error correction: too few errors, or a model that never errs, correct nothing") {
    for (const auto& load : {Wandering(0.8, 200 + ErrorCorrection::kErrorsMin - 1, 200), [] {
                                 Wandering sure(0.8, 600, 200);
                                 for (double& value : sure.series.values) value = 100;
                                 return sure;
                             }()}) {
        const ErrorCorrection correction(load.series, load.rolled, 4);
        std::vector<double> forecast{100, 1, 2, 3};
        correction.correct(forecast);
        CHECK(forecast == std::vector<double>{100, 1, 2, 3});
        CHECK(correction.corrected(load.series, load.rolled).forecasts == load.rolled.forecasts);
    }
}

TEST_CASE("error correction: seen bucket by bucket it knows what it would have learnt of the whole") {
    const Wandering load(0.8, 600, 200);
    ErrorCorrection correction(load.series, load.rolled, 4);
    correction.see(-6);
    std::vector<double> low{100};
    correction.correct(low);
    correction.see(kNan);
    std::vector<double> unknown{100};
    correction.correct(unknown);
    CHECK(low[0] < 98);
    CHECK(unknown[0] > low[0]);
    std::vector<double> small{1};
    correction.see(-60);
    correction.correct(small);
    CHECK(small[0] == 0);  // a load is never negative
}

TEST_CASE("error correction: a forecast in the backtest is corrected by nothing that came after its origin") {
    const Wandering load(0.8, 600, 200);
    const ErrorCorrection correction(load.series, load.rolled, 4);
    Wandering other = load;
    for (std::size_t i = 400; i < 600; ++i) other.series.values[i] = 7;
    const Rolled one = correction.corrected(load.series, load.rolled);
    const Rolled two = correction.corrected(other.series, load.rolled);
    for (std::size_t o = 0; o <= 200; ++o) CHECK(one.forecasts[o] == two.forecasts[o]);
}
