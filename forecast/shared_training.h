// forecast/shared_training.h: the training of the many: thousands of series that share one model
// (forecast/retrain.h).
//
// follow() takes in the buckets that came, for all series at once, and judges them (alarms); study() lets
// series join, whose history is read within a budget, and has the model learn anew when it is time: at the
// first, each `retrain_s`, and when the series or their history have doubled; a learning that failed is tried
// again after an eighth of `retrain_s`. Between, the model goes on
// from bucket to bucket, and nothing is read from the history again. Series that have a model of their own
// are in it too, and are learnt from; they are not told of.
//
// Alarms: of series that have been known for alarms_need buckets and whose intervals come of errors that were
// made (MassModel::alarms); no others. They ask for more than those of a series with a model of its own:
// among thousands some leave a 99 % interval all the time, so it is taken kAlarmWidth times as wide. Of what
// was forecast before there are no Outcomes. Bounds: series_max series, some 40 KB each at a horizon of 60;
// kHorizonMax buckets are forecast. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/clock.h"
#include "forecast/load_source.h"
#include "forecast/outlook.h"
#include "forecast/retrain.h"

namespace warmfront::forecast {

struct AlarmChange {
    SeriesName name;
    AlarmEvent event = AlarmEvent::None;
    Side side = Side::Within;  // that began, or was left
    std::int64_t since_s = 0;  // when the alarm began
    Alarm alarm;               // as it is now
};
// What the bucket at time_s, which `newest` covers, does to the watch.
[[nodiscard]] AlarmChange judge_bucket(AlarmWatch& watch, const SeriesName& name, std::int64_t time_s,
                                       double actual, const Expectation& newest);

class SharedTraining {
public:
    static constexpr std::size_t kHorizonMax = 240;
    static constexpr std::size_t kRecent = 120;     // buckets for a chart
    static constexpr std::size_t kReach = 360;      // after a longer sleep all begin anew
    static constexpr std::size_t kJoinAtOnce = 16;  // forecast together; at least these join in each study()
    static constexpr std::size_t kDriversMax = 5;
    static constexpr double kAlarmWidth = 2;
    static constexpr std::string_view kModel = "shared trees", kYoungModel = "slot means";

    struct Options {
        std::int64_t step_s = 60;
        std::size_t horizon = 60;
        std::int64_t retrain_s = 3600;
        std::vector<std::size_t> seasons;  // in buckets, ascending
        std::size_t history = 40'320;      // buckets that are read of a series that joins
        std::size_t alarm_buckets = 3, alarms_need = 60;
        const Calendar* calendar = nullptr;  // outlives this
        StopCheck stop{};                    // ends a learning under way
    };
    SharedTraining(Options options, LoadSource& source);

    // All series that there are now; those `apart` are learnt from only.
    void choose(const std::vector<SeriesName>& names, std::set<SeriesName> apart);

    // Buckets until end_s.
    [[nodiscard]] Result<void> follow(std::int64_t end_s, std::vector<AlarmChange>& changes);
    // Reads until clock says until_us. Fails as the source or the model does, and then until it has learnt
    // again; what was reached stays.
    [[nodiscard]] Result<void> study(std::int64_t end_s, const Clock& clock, std::uint64_t until_us,
                                     TrainingEffort& effort);

    // Adds what there is to say of each series, and remembers it, to judge by it what comes.
    void tell(Forecasts& forecasts, Outlook& outlook);

    [[nodiscard]] std::size_t size() const { return members_.size(); }

private:
    struct Member {
        SeriesName name;
        AlarmWatch watch;
        std::size_t known = 0;   // buckets
        Expectation expected{};  // alarms lie beyond; empty: there can be none
    };
    [[nodiscard]] Expectation expectation(std::size_t i, const SeriesForecast& of) const;
    [[nodiscard]] Result<void> take_in(std::int64_t time_s, const std::vector<double>& values,
                                       std::vector<AlarmChange>& changes);
    [[nodiscard]] Result<void> join(std::int64_t end_s, const Clock& clock, std::uint64_t until_us);
    [[nodiscard]] Result<bool> join_one(const SeriesName& name, std::int64_t end_s);
    [[nodiscard]] bool learning_due(std::int64_t end_s) const;
    [[nodiscard]] Result<void> learn(std::int64_t end_s);
    void begin_anew();

    const Options options_;
    LoadSource& source_;
    MassModel model_;
    std::vector<Member> members_;      // in the model's order
    std::vector<SeriesName> waiting_;  // to join, what matters most first
    std::set<SeriesName> apart_;
    std::size_t longest_ = 0;        // buckets of the longest history
    std::int64_t learnt_s_ = 0;      // 0: not yet
    std::int64_t not_before_s_ = 0;  // after a failure
    std::optional<Error> failure_;   // of the last learning
    std::size_t learnt_size_ = 0, learnt_longest_ = 0;
    std::vector<Driver> drivers_;
};

}  // namespace warmfront::forecast
