// What a retraining of thousands of series costs, and what it brings.
//
//   ninja -C build retrain_bench && build/retrain_bench [series] [days] [seed]      (5000 28 1)
//
// Makes loads of many shapes and sizes as Poisson counts a minute, trains forecast/retrain.h on them, goes on
// minute by minute, and compares the forecasts of the day after with what came, with the seasonal naive
// forecasts, and with an oracle that knows each load's pattern, size and growth, but
// neither the moods of some hours that come over it nor the chance in each count. Making the loads is not
// counted.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <numeric>
#include <vector>

#include <sys/resource.h>

#include "forecast/retrain.h"

using namespace warmfront;
using namespace warmfront::forecast;

namespace {

constexpr std::size_t kDay = 1'440, kWeek = 7 * kDay;
constexpr std::int64_t kMonday_s = 1'767'571'200;  // 2026-01-05T00:00:00Z

double cpu_s() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double peak_mib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1'024;
}

// SplitMix64 (Steele, Lea, Flood, 2014).
struct Random {
    std::uint64_t state;
    std::uint64_t next() {
        std::uint64_t z = (state += 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
    double normal() {
        return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(2 * 3.14159265358979 * uniform());
    }
    double poisson(double rate) {
        if (rate > 30) return std::max(0.0, std::round(rate + std::sqrt(rate) * normal()));
        double count = 0, product = uniform();
        for (const double limit = std::exp(-rate); product > limit; product *= uniform()) ++count;
        return count;
    }
};

double bump(double hour, double at, double width) {
    const double apart = std::remainder(hour - at, 24) / width;
    return std::exp(-apart * apart);
}

// The rate of a shape through a week of minutes, about 1 in the mean; `shift` hours later than the shape's
// own.
std::vector<double> week_of(std::size_t shape, double shift) {
    std::vector<double> rates(kWeek);
    for (std::size_t i = 0; i < kWeek; ++i) {
        const double hour = std::fmod(static_cast<double>(i % kDay) / 60 + 24 - shift, 24);
        const bool weekend = i / kDay >= 5;
        const std::size_t minute = i % 60;
        double rate = 1;
        switch (shape % 8) {
            case 0: rate = 0.1 + (hour >= 8 && hour < 18 ? (weekend ? 0.2 : 2.2) : 0); break;  // office
            case 1:
                rate = 0.2 + 3 * bump(hour, 20, 3) + (weekend ? bump(hour, 14, 4) : 0);
                break;                                                                         // evenings
            case 2: rate = 0.3 + bump(hour, 12, 4) * (weekend ? 4 : 1.5); break;               // shop
            case 3: rate = hour >= 2 && hour < 3 ? 15 : 0.4; break;                            // nightly
            case 4: rate = minute == 0 ? 30 : minute == 30 ? 10 : 0.3; break;                  // cron
            case 5: rate = 0.6 + 0.8 * bump(hour, 9, 1.5) + 1.4 * bump(hour, 17.5, 2); break;  // commuters
            case 6: rate = 1; break;                                                           // flat
            case 7: rate = 0.2 + 6 * bump(hour, 7, 0.7) * (weekend ? 0.3 : 1); break;          // mornings
        }
        rates[i] = rate;
    }
    return rates;
}

class Loads : public SeriesSource {
public:
    Loads(std::size_t count, std::size_t days, std::uint64_t seed)
        : count_(count), minutes_(days * kDay), seed_(seed) {
        for (std::size_t shape = 0; shape < 8; ++shape)
            for (std::size_t shift = 0; shift < 3; ++shift)
                weeks_.push_back(week_of(shape, static_cast<double>(shift) * 1.5));
    }
    std::size_t size() const override { return count_; }
    Result<void> read(std::size_t i, Series& into) override {
        const double before = cpu_s();
        make(i, minutes_, into, nullptr);
        making_s_ += cpu_s() - before;
        return {};
    }
    // Likewise of any length; the same up to any minute. rates: what the oracle knows.
    void make(std::size_t i, std::size_t minutes, Series& into, std::vector<double>* rates) const {
        Random random{seed_ * 1'000'003 + i * 7'919};
        const std::vector<double>& week = weeks_[random.next() % weeks_.size()];
        const double size = 0.3 * std::pow(10, 3.5 * random.uniform());       // 0.3 to 1,000 a minute
        const double growth = random.uniform() < 0.2 ? random.uniform() : 0;  // up to double in four weeks
        into.start_s = kMonday_s;
        into.step_s = 60;
        into.seasons = {kDay, kWeek};
        into.values.resize(minutes);
        if (rates != nullptr) rates->resize(minutes);
        double mood = 0;  // a slow deviation, of hours
        for (std::size_t t = 0; t < minutes; ++t) {
            if (t % 60 == 0) mood = 0.85 * mood + 0.06 * random.normal();
            const double grown = 1 + growth * static_cast<double>(t) / (28 * kDay);
            const double rate = size * grown * week[t % kWeek] * std::exp(mood);
            into.values[t] = random.poisson(rate);
            if (rates != nullptr) (*rates)[t] = size * grown * week[t % kWeek];
        }
    }
    [[nodiscard]] double making_s() const { return making_s_; }

private:
    std::size_t count_, minutes_;
    std::uint64_t seed_;
    std::vector<std::vector<double>> weeks_;
    double making_s_ = 0;
};

struct Errors {
    double model = 0, day = 0, week = 0, oracle = 0;
};

// Mean absolute errors of the minutes [from, from + count) after the end.
Errors errors_of(const Series& actual, const std::vector<double>& rates, const std::vector<double>& forecast,
                 std::size_t end, std::size_t count) {
    Errors errors;
    for (std::size_t h = 0; h < count; ++h) {
        const double value = actual.values[end + h], share = 1 / static_cast<double>(count);
        errors.model += share * std::abs(value - forecast[h]);
        errors.day += share * std::abs(value - actual.values[end + h - kDay]);
        errors.week += share * std::abs(value - actual.values[end + h - kWeek]);
        errors.oracle += share * std::abs(value - rates[end + h]);
    }
    return errors;
}

void print_accuracy(const Loads& loads, const MassModel& model, std::size_t end, std::size_t count,
                    const char* what) {
    std::array<double, 3> logs{};
    std::size_t judged = 0, beaten = 0;
    Series series;
    std::vector<double> rates;
    for (std::size_t i = 0; i < model.size(); i += std::max<std::size_t>(model.size() / 500, 1)) {
        loads.make(i, end + count, series, &rates);
        const Errors errors = errors_of(series, rates, model.forecast(i, count), end, count);
        if (!(errors.day > 0) || !(errors.week > 0) || !(errors.oracle > 0) || !(errors.model > 0)) continue;
        logs[0] += std::log(errors.model / errors.day);
        logs[1] += std::log(errors.model / errors.week);
        logs[2] += std::log(errors.model / errors.oracle);
        beaten += errors.model < std::min(errors.day, errors.week) ? 1 : 0;
        ++judged;
    }
    const auto n = static_cast<double>(std::max<std::size_t>(judged, 1));
    std::printf(
        "%s: error over that of the day before %.3f, of the week before %.3f, of the oracle %.3f "
        "(geometric means of %zu series); better than both naive ones on %.1f %%\n",
        what, std::exp(logs[0] / n), std::exp(logs[1] / n), std::exp(logs[2] / n), judged,
        100 * static_cast<double>(beaten) / n);
}

// How often the minutes of the next hour fell into their intervals.
void print_coverage(const Loads& loads, const MassModel& model, std::size_t end, std::size_t count,
                    const char* what) {
    std::array<std::size_t, 3> within95{}, within99{}, asked{};  // by size of the load forecast
    Series series;
    for (std::size_t i = 0; i < model.size(); i += std::max<std::size_t>(model.size() / 500, 1)) {
        loads.make(i, end + count, series, nullptr);
        const Prediction made = model.predict(i, count);
        for (std::size_t h = 0; h < made.point.size(); ++h) {
            const double value = series.values[end + h];
            const std::size_t size = made.point[h] < 1 ? 0 : made.point[h] < 10 ? 1 : 2;
            ++asked[size];
            within95[size] += value >= made.lo95[h] && value <= made.hi95[h] ? 1 : 0;
            within99[size] += value >= made.lo99[h] && value <= made.hi99[h] ? 1 : 0;
        }
    }
    constexpr std::array kSizes{"below 1", "1 to 10", "above 10"};
    for (std::size_t size = 0; size < 3; ++size) {
        const double of = 100 / static_cast<double>(std::max<std::size_t>(asked[size], 1));
        std::printf(
            "%s, loads %s a minute: %.1f %% in the 95 %% interval, %.2f %% in that of 99 %% (of %zu)\n", what,
            kSizes[size], of * static_cast<double>(within95[size]), of * static_cast<double>(within99[size]),
            asked[size]);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto argument = [&](int i, std::size_t otherwise) {
        return argc > i ? std::strtoul(argv[i], nullptr, 10) : otherwise;
    };
    const std::size_t count = argument(1, 5'000), days = argument(2, 28), end = days * kDay;
    Loads loads(count, days, argument(3, 1));
    const double before = cpu_s();
    auto model = MassModel::train(loads, {});
    const double retrain_s = cpu_s() - before - loads.making_s();
    if (!model) {
        std::printf("failed: %s\n", model.error().text.c_str());
        return 1;
    }
    std::printf(
        "%zu series of %zu minutes: retraining %.2f s of CPU (making them: %.2f s more), peak RSS %.0f MiB\n",
        count, end, retrain_s, loads.making_s(), peak_mib());
    const MassModel::Report& report = model->report();
    std::printf(
        "%zu clusters, %zu trees; on the last day, over the naive error: own %.3f, cluster's %.3f, both "
        "%.3f\n",
        report.clusters, report.trees, report.own, report.shared, report.combined);
    print_accuracy(loads, *model, end, 60, "next hour of minutes");
    print_accuracy(loads, *model, end, kDay, "next day of minutes");
    print_coverage(loads, *model, end, 60, "next hour of minutes");
    print_coverage(loads, *model, end, kDay, "next day of minutes");

    // Two hours of minutes, one value of each series a step; making them is not counted.
    std::vector<std::vector<double>> columns(121, std::vector<double>(count));
    Series series;
    for (std::size_t i = 0; i < count; ++i) {
        loads.make(i, end + columns.size(), series, nullptr);
        for (std::size_t t = 0; t < columns.size(); ++t) columns[t][i] = series.values[end + t];
    }
    std::vector<double> took;
    for (const auto& values : columns) {
        const double started = cpu_s();
        if (auto done = model->step(values); !done) {
            std::printf("failed: %s\n", done.error().text.c_str());
            return 1;
        }
        took.push_back(cpu_s() - started);
    }
    std::ranges::sort(took);
    std::printf("incremental step: %.2f ms of CPU (median of %zu), at most %.0f ms (at the end of an hour)\n",
                1e3 * took[took.size() / 2], took.size(), 1e3 * took.back());
    print_accuracy(loads, *model, end + columns.size(), 60, "next hour of minutes, two hours later");
    std::printf("peak RSS %.0f MiB\n", peak_mib());
}
