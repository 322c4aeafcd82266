// bench/made_loads.h: loads of many shapes and sizes, made as Poisson counts a minute.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <vector>

#include "forecast/retrain.h"

namespace warmfront::forecast::made_loads {

inline constexpr std::size_t kDay = 1'440, kWeek = 7 * kDay;
inline constexpr std::int64_t kMonday_s = 1'767'571'200;  // 2026-01-05T00:00:00Z

// Of this thread.
inline double cpu_s() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
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

inline double bump(double hour, double at, double width) {
    const double apart = std::remainder(hour - at, 24) / width;
    return std::exp(-apart * apart);
}

// The rate of a shape through a week of minutes, about 1 in the mean; `shift` hours later than the shape's
// own.
inline std::vector<double> week_of(std::size_t shape, double shift) {
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

}  // namespace warmfront::forecast::made_loads
