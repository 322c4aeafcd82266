#include "forecast/shared_training.h"

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <optional>

#include <doctest/doctest.h>

#include "forecast/recent_level.h"
#include "forecast/training.h"

using namespace warmfront;
using namespace warmfront::forecast;

namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kStep = 10, kDay = 240 * kStep;  // 24 coarse buckets of ten
constexpr std::int64_t kStart = 400 * 7 * kDay;         // a multiple of the seasons
constexpr std::int64_t kOpens = kStart - 28 * kDay;     // the history's begin

SeriesName statement(std::size_t i) {
    return {SeriesName::Kind::Template, "shop", std::to_string(1'000 + i), Measure::Requests};
}
std::size_t number_of(const SeriesName& name) {
    return std::stoul(name.name) - 1'000;
}

// Two shapes, busy in the first or in the second half of the day, quiet on two days of seven; sizes differ.
double rate_of(std::size_t i, std::int64_t time_s) {
    const std::int64_t of_day = (time_s % kDay + kDay) % kDay, day = time_s / kDay % 7;
    const bool busy = (2 * of_day < kDay) == (i % 2 == 0);
    return static_cast<double>(10 + i % 5 * 20) * (busy ? 4 : 1) * (day >= 5 ? 0.3 : 1);
}

// SplitMix64's mixing (Steele, Lea, Flood, 2014): the same for the same number.
double uniform(std::uint64_t number) {
    std::uint64_t z = (number + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

// Nearly a Poisson count; the same for the same bucket.
double count_of(std::size_t i, std::int64_t time_s) {
    const auto number = 2 * (static_cast<std::uint64_t>(time_s / kStep) * 1'000 + i);
    const double normal =
        std::sqrt(-2 * std::log(1 - uniform(number))) * std::cos(2 * 3.14159265358979 * uniform(number + 1));
    const double rate = rate_of(i, time_s);
    return std::max(0.0, std::round(rate + std::sqrt(rate) * normal));
}

struct FakeSource final : LoadSource {
    std::vector<SeriesName> named;
    std::function<double(std::size_t, std::int64_t)> load_at = count_of;
    std::map<std::size_t, std::int64_t> begins;  // of those that do not begin at kOpens
    SimulatedClock* clock = nullptr;             // a second passes with each history read
    bool broken = false;
    std::size_t histories = 0;                                        // longer than a few buckets
    std::int64_t until_s = std::numeric_limits<std::int64_t>::max();  // recorded

    Result<std::vector<SeriesName>> names(std::size_t series_max) override {
        auto first = named;
        first.resize(std::min(first.size(), series_max));
        return first;
    }
    Result<Series> load(const SeriesName& name, std::int64_t from_s, std::int64_t to_s,
                        std::int64_t step_s) override {
        if (broken) return fail("58030", "the disk is gone");
        const std::size_t i = number_of(name);
        if (to_s - from_s > 400 * kStep) {
            ++histories;
            if (clock) clock->advance(std::chrono::seconds(1));
        }
        Series series{std::max(from_s, begins.contains(i) ? begins[i] : kOpens), step_s, {}, {}};
        for (std::int64_t time_s = series.start_s; time_s < std::min(to_s, until_s); time_s += step_s)
            series.values.push_back(load_at(i, time_s));
        return series;
    }
};

struct Desk {
    FakeSource source;
    SimulatedClock clock;
    TrainingOptions options = [] {
        TrainingOptions made;
        made.step_s = kStep;
        made.horizon = 240;
        made.retrain_s = kDay;
        made.series_max = 2;
        made.shared_max = 1'000;
        made.seasons_s = {kDay, 7 * kDay};
        made.fit_budget = std::chrono::milliseconds(60'000);
        return made;
    }();
    std::optional<Training> training;
    std::int64_t now_s = kStart;
    std::vector<AlarmChange> changes;

    explicit Desk(std::size_t series) {
        for (std::size_t i = 0; i < series; ++i) source.named.push_back(statement(i));
    }
    std::shared_ptr<const Outlook> after(std::size_t buckets) {
        if (!training)
            training.emplace(
                options, source, [] { return std::make_unique<RecentLevel>(); }, clock);
        std::shared_ptr<const Outlook> outlook;
        for (std::size_t i = 0; i < buckets; ++i) {
            now_s += kStep;
            auto result = training->on_tick(now_s + 3, {});
            training->study();
            outlook = std::move(result.outlook);
            changes.insert(changes.end(), result.alarms.begin(), result.alarms.end());
        }
        return outlook;
    }
    // Of what is forecast of the series, over the load.
    [[nodiscard]] static double error_of(const Outlook& outlook, std::size_t i) {
        const SeriesForecast& of = outlook.forecasts->series.at(statement(i));
        double off = 0, load = 0;
        for (std::size_t h = 0; h < of.point.size(); ++h) {
            const double rate = rate_of(i, of.from_s + static_cast<std::int64_t>(h) * kStep);
            off += std::abs(of.point[h] - rate);
            load += rate;
        }
        return off / load;
    }
};

}  // namespace

TEST_CASE("shared training: what has no model of its own is forecast by the one that all share") {
    Desk desk(40);
    const auto outlook = desk.after(2);
    REQUIRE(outlook->forecasts->series.size() == 40);
    CHECK(outlook->forecasts->series.at(statement(0)).model == "recent level");
    CHECK(outlook->forecasts->series.at(statement(1)).model == "recent level");
    CHECK(outlook->effort.shared_fits == 1);
    CHECK(outlook->effort.shared_waiting == 0);
    std::map<std::int32_t, std::size_t> shapes[2];
    for (std::size_t i = 2; i < 40; ++i) {
        CAPTURE(i);
        const SeriesForecast& of = outlook->forecasts->series.at(statement(i));
        CHECK(of.model == SharedTraining::kModel);
        CHECK(of.from_s == desk.now_s);
        CHECK(of.point.size() == 240);
        CHECK(of.hi99.size() == 240);
        CHECK(of.mase < 1.2);
        CHECK(of.recent.size() == SharedTraining::kRecent);
        CHECK(of.recent.values.back() == count_of(i, desk.now_s - kStep));
        CHECK(of.recent.time_of(of.recent.size()) == of.from_s);
        CHECK(Desk::error_of(*outlook, i) < 0.1);
        CHECK(outlook->series.at(statement(i)).fitted_s == kStart + kStep);
        ++shapes[i % 2][outlook->series.at(statement(i)).shape];
    }
    REQUIRE(shapes[0].size() == 1);  // all of one shape have one number, and the other shape another
    REQUIRE(shapes[1].size() == 1);
    CHECK(shapes[0].begin()->first > 0);
    CHECK(shapes[0].begin()->first != shapes[1].begin()->first);
    CHECK(outlook->series.at(statement(0)).shape == 0);
}

TEST_CASE("shared training: what drives the loads is told, five terms at most") {
    Desk desk(40);
    const auto outlook = desk.after(2);
    REQUIRE(outlook->drivers.contains(std::string(SharedTraining::kModel)));
    const auto& drivers = outlook->drivers.at(std::string(SharedTraining::kModel));
    REQUIRE_FALSE(drivers.empty());
    CHECK(drivers.size() <= SharedTraining::kDriversMax);
    double sum = 0;
    for (std::size_t i = 0; i < drivers.size(); ++i) {
        CHECK_FALSE(drivers[i].term.empty());
        CHECK((i == 0 || drivers[i].share <= drivers[i - 1].share));
        sum += drivers[i].share;
    }
    CHECK(sum <= 1.0001);
}

TEST_CASE("shared training: a history is read once, and what comes is learnt from where it is") {
    Desk desk(30);
    desk.after(3);
    // Two with models of their own are read for those models as well.
    const std::size_t read = desk.source.histories;
    CHECK(read <= 30 + 2);
    CHECK(desk.after(250)->effort.shared_fits == 2);  // the second after a day
    CHECK(desk.source.histories <= read + 4);
    // From now on there is three times the load.
    const std::int64_t turned_s = desk.now_s;
    desk.source.load_at = [turned_s](std::size_t i, std::int64_t time_s) {
        return count_of(i, time_s) * (time_s >= turned_s ? 3 : 1);
    };
    const auto later = desk.after(2 * 240);
    CHECK(later->effort.shared_fits == 4);
    CHECK(desk.source.histories <= read + 8);
    const SeriesForecast& of = later->forecasts->series.at(statement(11));
    double load = 0, expected = 0;
    for (std::size_t h = 0; h < of.point.size(); ++h) {
        load += of.point[h];
        expected += 3 * rate_of(11, of.from_s + static_cast<std::int64_t>(h) * kStep);
    }
    CHECK(load / expected > 0.7);
    CHECK(load / expected < 1.3);
}

TEST_CASE("shared training: intervals hold what comes as often as they say") {
    Desk desk(60);
    desk.options.horizon = 60;
    std::size_t asked = 0, within95 = 0, within99 = 0;
    for (int i = 0; i < 12; ++i) {
        const auto outlook = desk.after(i == 0 ? 2 : 20);
        for (const auto& [name, of] : outlook->forecasts->series) {
            if (of.model != SharedTraining::kModel) continue;
            for (std::size_t h = 0; h < of.point.size(); ++h) {
                CHECK_FALSE(of.lo99[h] > of.lo95[h]);
                CHECK_FALSE(of.lo95[h] > of.point[h]);
                CHECK_FALSE(of.point[h] > of.hi95[h]);
                CHECK_FALSE(of.hi95[h] > of.hi99[h]);
                const double came =
                    count_of(number_of(name), of.from_s + static_cast<std::int64_t>(h) * kStep);
                ++asked;
                within95 += came >= of.lo95[h] && came <= of.hi95[h];
                within99 += came >= of.lo99[h] && came <= of.hi99[h];
            }
        }
    }
    REQUIRE(asked > 20'000);
    const double of = 1 / static_cast<double>(asked);
    CHECK(of * static_cast<double>(within95) > 0.92);
    CHECK(of * static_cast<double>(within95) < 0.98);
    CHECK(of * static_cast<double>(within99) > 0.975);
}

TEST_CASE("shared training: a surge is an alarm, an ordinary day is none") {
    Desk desk(60);
    const auto alarms = [&desk] {  // of those that share the model
        std::size_t alarms = 0;
        for (const AlarmChange& change : desk.changes) alarms += number_of(change.name) >= 2;
        return alarms;
    };
    desk.after(480);
    CHECK(alarms() <= 2);  // of 58 series in two days
    desk.changes.clear();
    const std::int64_t from_s = desk.now_s;
    desk.source.load_at = [from_s](std::size_t i, std::int64_t time_s) {
        return count_of(i, time_s) * (i == 7 && time_s >= from_s && time_s < from_s + 8 * kStep ? 6 : 1);
    };
    const auto during = desk.after(4);
    CHECK(during->series.at(statement(7)).alarm.side == Side::Above);
    CHECK(during->series.at(statement(7)).alarm.since_s == from_s);
    const auto later = desk.after(16);  // it does not find the ordinary load low either
    CHECK(later->series.at(statement(7)).alarm.side == Side::Within);
    CHECK(alarms() == 2);
}

TEST_CASE("shared training: a series too young for intervals raises no alarm") {
    Desk desk(60);
    desk.source.begins[9] = kStart - 200 * kStep;  // less than a day
    desk.after(3);
    const std::int64_t from_s = desk.now_s;
    desk.source.load_at = [from_s](std::size_t i, std::int64_t time_s) {
        return count_of(i, time_s) * (i == 9 && time_s >= from_s ? 20 : 1);
    };
    desk.after(20);
    for (const AlarmChange& change : desk.changes) CHECK(change.name != statement(9));
}

TEST_CASE(
    "shared training: series join later, leave, and get a model of their own, without being read anew") {
    Desk desk(30);
    desk.after(12);
    const std::size_t read = desk.source.histories;
    desk.source.named.push_back(statement(30));
    desk.source.named.erase(desk.source.named.begin() + 20);
    auto outlook = desk.after(11);
    REQUIRE(outlook->forecasts->series.size() == 30);
    CHECK_FALSE(outlook->forecasts->series.contains(statement(20)));
    CHECK(outlook->forecasts->series.at(statement(30)).model == SharedTraining::kModel);
    CHECK(Desk::error_of(*outlook, 30) < 0.2);
    CHECK(Desk::error_of(*outlook, 29) < 0.1);  // those behind the one that left are still themselves
    CHECK(outlook->effort.shared_fits == 1);
    CHECK(desk.source.histories == read + 1);
    // The tenth becomes the first.
    std::swap(desk.source.named[0], desk.source.named[10]);
    outlook = desk.after(10);
    CHECK(outlook->forecasts->series.at(statement(10)).model == "recent level");
    CHECK(outlook->forecasts->series.at(statement(0)).model == SharedTraining::kModel);
    CHECK(Desk::error_of(*outlook, 0) < 0.1);
}

TEST_CASE("training: who has a model of its own keeps it while it is hardly behind") {
    Desk desk(30);
    desk.options.series_max = 8;
    desk.after(12);
    std::swap(desk.source.named[7], desk.source.named[8]);
    auto outlook = desk.after(10);
    CHECK(outlook->forecasts->series.at(statement(7)).model == "recent level");
    CHECK(outlook->forecasts->series.at(statement(8)).model == SharedTraining::kModel);
    std::swap(desk.source.named[8], desk.source.named[15]);  // the former seventh has now fallen far behind
    outlook = desk.after(10);
    CHECK(outlook->forecasts->series.at(statement(7)).model == SharedTraining::kModel);
    CHECK(outlook->forecasts->series.at(statement(8)).model == "recent level");
}

TEST_CASE("shared training: histories are read within the budget, sixteen at least each time") {
    Desk desk(100);
    desk.source.clock = &desk.clock;
    desk.options.fit_budget = std::chrono::seconds(20);
    auto outlook = desk.after(2);
    CHECK(outlook->effort.shared_waiting == 80);
    CHECK(outlook->forecasts->series.size() == 2 + 20 - 2);
    outlook = desk.after(8);
    CHECK(outlook->effort.shared_waiting == 0);
    CHECK(outlook->forecasts->series.size() == 100);
    CHECK(outlook->effort.shared_fits == 3);  // with 20, 40 and 80
}

TEST_CASE("shared training: no more series than the bound, and none where it is 0") {
    Desk desk(30);
    desk.options.shared_max = 10;
    CHECK(desk.after(2)->forecasts->series.size() == 12);
    Desk none(30);
    none.options.shared_max = 0;
    const auto outlook = none.after(2);
    CHECK(outlook->forecasts->series.size() == 2);
    CHECK(outlook->effort.shared_fits == 0);
}

TEST_CASE("shared training: gaps are not known, and a long sleep begins anew") {
    Desk desk(30);
    desk.after(3);
    const std::int64_t gap_s = desk.now_s;
    desk.source.load_at = [gap_s](std::size_t i, std::int64_t time_s) {
        return time_s >= gap_s && time_s < gap_s + 5 * kStep ? kUnknown : count_of(i, time_s);
    };
    desk.now_s += 9 * kStep;  // ticks were missed
    auto outlook = desk.after(1);
    const SeriesForecast& of = outlook->forecasts->series.at(statement(5));
    CHECK(of.from_s == desk.now_s);
    CHECK(std::isnan(of.recent.values[of.recent.size() - 10]));
    CHECK(of.recent.values.back() == count_of(5, desk.now_s - kStep));
    CHECK(Desk::error_of(*outlook, 5) < 0.1);
    const std::size_t read = desk.source.histories;
    desk.now_s += 2 * static_cast<std::int64_t>(SharedTraining::kReach) * kStep;
    outlook = desk.after(2);
    CHECK(outlook->forecasts->series.at(statement(5)).from_s == desk.now_s);
    CHECK(Desk::error_of(*outlook, 5) < 0.1);
    CHECK(desk.source.histories >= read + 30);
}

TEST_CASE("shared training: what is recorded late is waited for, and nothing is counted twice") {
    Desk desk(30);
    desk.after(3);
    desk.source.until_s = desk.now_s;
    const std::int64_t recorded_s = desk.now_s;
    auto outlook = desk.after(2);
    CHECK(outlook->forecasts->series.at(statement(5)).from_s == recorded_s);
    desk.source.until_s = std::numeric_limits<std::int64_t>::max();
    outlook = desk.after(1);
    const SeriesForecast& of = outlook->forecasts->series.at(statement(5));
    CHECK(of.from_s == recorded_s + 3 * kStep);
    for (std::size_t i = 0; i < of.recent.size(); ++i)
        CHECK(of.recent.values[i] == count_of(5, of.recent.time_of(i)));
}

TEST_CASE("shared training: a history that cannot be read is said, and forecasts stay") {
    Desk desk(30);
    desk.after(3);
    desk.source.broken = true;
    auto outlook = desk.after(2);
    CHECK(outlook->problem == "the disk is gone");
    CHECK(outlook->forecasts->series.size() == 30);
    desk.source.broken = false;
    outlook = desk.after(2);
    CHECK(outlook->problem.empty());
    CHECK(outlook->forecasts->series.at(statement(5)).from_s == desk.now_s);
}

TEST_CASE("shared training: a learning that was stopped tells nothing, and is tried again later") {
    Desk desk(30);
    int asked = 0;
    desk.options.stop = [&asked] { return ++asked > 40; };  // when all have joined
    auto outlook = desk.after(3);
    CHECK(outlook->effort.shared_waiting == 0);
    CHECK(outlook->effort.shared_fits == 0);
    CHECK(outlook->forecasts->series.size() == 2);
    CHECK(outlook->problem == "retraining was stopped");
    asked = -1'000'000;
    outlook = desk.after(2);
    CHECK(outlook->effort.shared_fits == 0);
    outlook = desk.after(240 / 8);
    CHECK(outlook->effort.shared_fits == 1);
    CHECK(outlook->forecasts->series.size() == 30);
    CHECK(outlook->problem.empty());
}

TEST_CASE("shared training: what is no load is left out, and keeps nobody else out") {
    Desk desk(30);
    desk.source.load_at = [](std::size_t i, std::int64_t time_s) {
        return i == 3 ? -1.0 : count_of(i, time_s);
    };
    const auto outlook = desk.after(2);
    CHECK(outlook->forecasts->series.size() == 29);
    CHECK(outlook->effort.shared_waiting == 1);
}

TEST_CASE(
    "shared training: from the first bucket of a new history on there is a forecast, and it gets better") {
    Desk desk(30);
    for (std::size_t i = 0; i < 30; ++i) desk.source.begins[i] = kStart;
    auto outlook = desk.after(2);
    REQUIRE(outlook->forecasts->series.size() == 30);
    const SeriesForecast& first = outlook->forecasts->series.at(statement(5));
    CHECK(first.model == SharedTraining::kYoungModel);
    CHECK(first.point.front() > 0);
    outlook = desk.after(4 * 240);
    CHECK(Desk::error_of(*outlook, 5) < 0.2);
    CHECK(outlook->effort.shared_fits < 20);
}
