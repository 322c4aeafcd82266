// Prewarming in virtual time: what is asked for is drawn at random from hot sets that change with the hour
// and the day, the history is kept in memory, and the key book and the plan decide what is fetched ahead.
#include <array>
#include <cmath>
#include <map>

#include <doctest/doctest.h>

#include "forecast/prewarm_plan.h"
#include "proxy/control/key_book.h"
#include "tests/live/twin/random.h"

using namespace warmfront;
using namespace warmfront::control;

namespace {

constexpr std::int64_t kDay = 120, kBegin = 1'000'000'037;
constexpr double kTtl_s = 30, kTick_s = 0.1, kPlan_s = 0.5;
constexpr int kRows = 200;  // of a hot set

struct Phase {
    double rate = 0;  // requests a second
    int set = 0;      // which rows are hot
};

// A quiet night, two sets of the working day, others on the sixth and seventh day.
Phase phase_at(double time_s) {
    const int day = static_cast<int>(time_s / kDay);
    const double second = time_s - static_cast<double>(day * kDay);
    const bool weekend = day % 7 >= 5;
    if (second < 41) return {20, 0};
    if (second < 80) return weekend ? Phase{300, 3} : Phase{200, 1};
    return weekend ? Phase{200, 4} : Phase{300, 2};
}

bool rises_at(int second) {
    return second % kDay == 41 || second % kDay == 80;
}

struct Count {
    double requests = 0, misses = 0;
    [[nodiscard]] double hit_ratio() const { return 1 - misses / requests; }
};

class Rehearsal {
public:
    explicit Rehearsal(bool prewarms) : prewarms_(prewarms) {}
    // From its beginning on.
    void run(double until_s);

    std::map<int, Count> rises;  // first second of each, by when it is
    std::uint64_t used = 0, unused = 0;

private:
    struct Kept {
        double until_s = 0;
        bool unused = false;  // fetched ahead, not asked for yet
    };
    void ask(double time_s);
    void plan(double time_s);
    void fetch(double time_s);
    void show(std::int64_t from_s, std::int64_t to_s, const KeyBook::Visit& visit) const;

    bool prewarms_;
    test::Random random_{7};
    std::map<int, std::map<std::int64_t, std::uint64_t>> history_;  // row: second: requests
    std::map<std::int64_t, double> totals_;
    std::int64_t recorded_s_ = 0;  // what happened before is in the history
    KeyBook book_{{.keys = [this](const forecast::SeriesName&, std::int64_t from_s, std::int64_t to_s,
                                  std::size_t, const KeyBook::Visit& visit) { show(from_s, to_s, visit); },
                   .requests = [](const forecast::SeriesName&, std::int64_t,
                                  std::int64_t) { return std::uint64_t{0}; }}};
    std::vector<forecast::HotKey> hot_;
    std::map<int, Kept> kept_;
};

void Rehearsal::show(std::int64_t from_s, std::int64_t to_s, const KeyBook::Visit& visit) const {
    for (const auto& [row, seconds] : history_) {
        KeyRecord record{static_cast<std::uint64_t>(row), std::to_string(row), {}};
        const auto end = seconds.lower_bound(std::min(to_s, recorded_s_));
        for (auto each = seconds.lower_bound(from_s); each != seconds.end() && each != end; ++each)
            record.steps.push_back({each->first, 1, each->second});
        if (!record.steps.empty()) visit(record);
    }
}

// The load is forecast as it was a day ago.
void Rehearsal::plan(double time_s) {
    const std::int64_t now_s = kBegin + static_cast<std::int64_t>(time_s);
    recorded_s_ = now_s - 1;
    forecast::Forecasts forecasts;
    auto& forecast = forecasts.series[{forecast::SeriesName::Kind::Template, "app", "a", {}}];
    forecast.recent.step_s = 1;
    forecast.recent.seasons = {kDay, 7 * kDay};
    forecast.from_s = now_s;
    for (std::int64_t ahead = 0; ahead < 60; ++ahead) forecast.point.push_back(totals_[now_s + ahead - kDay]);
    hot_ = book_.hot(forecasts, {.now_s = now_s, .within_s = kTtl_s, .soon_s = 6});
}

void Rehearsal::fetch(double time_s) {
    std::vector<forecast::PrewarmCandidate> candidates;
    std::vector<int> rows;
    for (const auto& hot : hot_) {
        auto& each = candidates.emplace_back();
        each.key = rows.size();
        rows.push_back(std::stoi(book_.known(hot.key)->replay));
        const Kept& kept = kept_[rows.back()];
        each.there = kept.until_s > time_s;
        each.expires_in_s = kept.until_s - time_s;
        each.chance = hot.chance;
        each.later = hot.chance_soon < 0.05 * hot.chance;
        each.saves_us = each.bytes = 1000;
    }
    const forecast::PrewarmLimits limits{
        .fetches_max = 40, .bytes_max = 1e9, .refresh_s = 3, .explains = false};
    for (const auto& each : forecast::prewarm_plan(candidates, limits).fetches) {
        Kept& kept = kept_[rows[each.key]];
        unused += kept.unused ? 1 : 0;
        kept = {time_s + kTtl_s, true};
    }
}

void Rehearsal::ask(double time_s) {
    const Phase phase = phase_at(time_s);
    const double uniform = static_cast<double>(random_.below(1'000'000)) / 1e6;
    const int row = phase.set * kRows + static_cast<int>(kRows * std::pow(uniform, 3));
    const std::int64_t second = kBegin + static_cast<std::int64_t>(time_s);
    ++history_[row][second];
    ++totals_[second];
    Kept& kept = kept_[row];
    const bool hit = kept.until_s > time_s;
    if (kept.unused) ++(hit ? used : unused);
    kept = {hit ? kept.until_s : time_s + kTtl_s, false};
    if (!rises_at(static_cast<int>(time_s))) return;
    Count& count = rises[static_cast<int>(time_s)];
    ++count.requests;
    count.misses += hit ? 0 : 1;
}

void Rehearsal::run(double until_s) {
    double next_s = 0, next_plan_s = 0;
    for (double time_s = 0; time_s < until_s; time_s += kTick_s) {
        if (prewarms_ && time_s >= next_plan_s) {
            plan(time_s);
            next_plan_s += kPlan_s;
        }
        if (prewarms_) fetch(time_s);
        for (; next_s < time_s + kTick_s;
             next_s -=
             std::log((static_cast<double>(random_.below(1'000'000)) + 1) / 1e6) / phase_at(next_s).rate)
            ask(next_s);
    }
}

// Of the days from the third on, but the first of the weekend, which is like no day before.
Count at_known_rises(const Rehearsal& rehearsal) {
    Count all;
    for (const auto& [second, count] : rehearsal.rises) {
        const int day = second / static_cast<int>(kDay);
        if (day < 2 || day == 5) continue;
        all.requests += count.requests;
        all.misses += count.misses;
    }
    return all;
}

}  // namespace

TEST_CASE("prewarming rehearsed: rises like those of days before find their answers, with little in vain") {
    constexpr double kDays = 8.5 * kDay;
    Rehearsal with(true), without(false);
    with.run(kDays);
    without.run(kDays);
    const Count warmed = at_known_rises(with), cold = at_known_rises(without);
    CAPTURE(warmed.misses);
    CAPTURE(cold.misses);
    CHECK(warmed.hit_ratio() > 0.9);
    CHECK(5 * warmed.misses < cold.misses);
    const double wasted = static_cast<double>(with.unused) / static_cast<double>(with.used + with.unused);
    CHECK(wasted < 0.25);
    CHECK(with.used > 1000);
}
