// forecast/training.h: keeps the forecasts up to date: bucket by bucket, within a bound of time and memory.
//
// At each tick, one a bucket, the buckets that ended are read from the LoadSource, judged (alarms), handed to
// the models (extend), and, within `fit_budget`, those models are fitted anew whose turn it is: new series,
// those whose history has doubled, those that cannot extend, and each every `retrain_s`. What did not find
// room waits for the next tick and is forecast meanwhile by what there is: the former model, or RecentLevel.
// A table or statement that has been known for less than the shortest season is forecast by its share of its
// database (forecast/pooling.h). So many series have a model of their own; all others share one
// (forecast/shared_training.h), which learns in study(). Alarms need a model that has seen two of the
// shortest season: to who knows no day every morning is a surge.
//
// Not thread-safe: one thread calls on_tick(); what it returns is a value that any thread may keep.
// Bounds: series_max series with a model each, kRecent buckets and kOutcomes outcomes; a fit sees kHistory
// buckets at most, one series at a time; shared_max series more.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/clock.h"
#include "forecast/calendar.h"
#include "forecast/forecaster.h"
#include "forecast/load_source.h"
#include "forecast/outlook.h"
#include "forecast/shared_training.h"

namespace warmfront::forecast {

struct TrainingOptions {
    std::int64_t step_s = 60;                              // a bucket
    std::size_t horizon = 60;                              // buckets forecast, >= 1
    std::int64_t retrain_s = 3600;                         // the longest that a model goes without a new fit
    std::size_t series_max = 100;                          // with a model of their own
    std::size_t shared_max = 0;                            // more, that share one; 0: no such model
    std::vector<std::int64_t> seasons_s{86'400, 604'800};  // those of two buckets at least count
    std::chrono::milliseconds fit_budget{10'000};          // of one tick; one fit is always made
    std::size_t alarm_buckets = 3;
    CapacityOptions capacity;
    Calendar calendar;
    // Of a series with a model of its own; outlives the training. Empty: each has `calendar`.
    std::function<const Calendar&(const SeriesName&)> calendar_of{};
    StopCheck stop{};  // ends a study under way
};

struct ProcessTotals {  // since the process began, without the training itself
    double cpu_s = 0, queries = 0;
};

struct TickResult {
    std::shared_ptr<const Outlook> outlook;
    std::vector<AlarmChange> alarms;
};

class Training {
public:
    static constexpr std::size_t kRecent = 360;       // buckets for a chart
    static constexpr std::size_t kOutcomes = 360;     //
    static constexpr std::size_t kHistory = 40'320;   // four weeks of minutes
    static constexpr std::size_t kAlarmHistory = 60;  // buckets that alarms need where there is no season
    static constexpr std::string_view kPooled = "share of its database";
    static constexpr std::uint64_t kNamesEvery = 10;  // ticks; each of the first so many

    // All that is referred to outlives this. clock measures the budget.
    Training(TrainingOptions options, LoadSource& source, MakeForecaster make, const Clock& clock);
    Training(const Training&) = delete;
    Training& operator=(const Training&) = delete;

    // now_s: Unix seconds; not before an earlier one.
    [[nodiscard]] TickResult on_tick(std::int64_t now_s, const ProcessTotals& totals);
    // What can wait until the tick's forecasts are out: series join the shared model, within `fit_budget`,
    // and it learns anew when it is time (some 3 s for 5,000 series). After each on_tick(); the next one
    // tells.
    void study();

private:
    struct Track {
        explicit Track(std::size_t alarm_buckets) : watch(alarm_buckets) {}
        std::unique_ptr<Forecaster> forecaster;  // nullptr: nothing known yet
        Series recent;
        std::int64_t next_s = 0;  // begin of the first bucket not seen
        std::size_t seen = 0;     // known buckets, of the last kHistory
        std::size_t fitted_seen = 0;
        std::int64_t fitted_s = 0, tried_s = 0;
        bool cannot_extend = false;
        bool pooled = false;  // the prediction is a share of the database's
        std::string problem;
        Prediction prediction;
        std::int64_t predicted_from_s = 0;
        AlarmWatch watch;
        std::deque<Outcome> outcomes;
    };

    void refresh_names(std::vector<SeriesName> names);
    [[nodiscard]] std::vector<SeriesName> with_own_model(const std::vector<SeriesName>& names) const;
    [[nodiscard]] Result<Series> history_of(const SeriesName& name, std::int64_t end_s, std::size_t buckets);
    void begin(const SeriesName& name, Track& track, std::int64_t end_s);
    void go_on(const SeriesName& name, Track& track, std::int64_t end_s);
    void judge(const SeriesName& name, Track& track, std::int64_t time_s, double actual);
    [[nodiscard]] bool fit_due(const Track& track, std::int64_t end_s) const;
    void fit_within_budget(std::int64_t end_s, std::uint64_t until_us);
    void fit(const SeriesName& name, Track& track, std::int64_t end_s);
    void predict(Track& track) const;
    void pool_young();
    void note_source_failure(const Error& error);
    [[nodiscard]] FitOptions fit_options(const SeriesName& name) const;
    [[nodiscard]] double peak_per_s() const;
    [[nodiscard]] std::shared_ptr<const Outlook> outlook(std::int64_t now_s);

    const TrainingOptions options_;
    LoadSource& source_;
    const MakeForecaster make_;
    const Clock& clock_;
    std::vector<std::size_t> seasons_;         // in buckets, ascending
    std::size_t alarms_need_ = kAlarmHistory;  // known buckets
    std::vector<SeriesName> order_;            // of those with a model of their own
    std::map<SeriesName, Track> tracks_;
    SharedTraining shared_;
    std::int64_t end_s_ = 0;            // of the last tick
    std::vector<AlarmChange> changes_;  // of the tick under way
    CapacityPlan plan_;
    QueryCost cost_;
    TrainingEffort effort_;
    std::string problem_, shared_problem_;
};

}  // namespace warmfront::forecast
