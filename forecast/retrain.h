// forecast/retrain.h: a model of thousands of series at once, within a minute of one core and 512 MiB.
//
// What is costly is shared, what is a series' own is cheap. Each series is read once and rolled up
// (forecast/rollup.h), and goes on from there; all of them learn from what they hold. One ensemble of trees,
// grown on examples of all of them, forecasts the coarse buckets (forecast/global_trees.h). Series of one
// shape (forecast/clusters.h) lend each other that shape: each is forecast from its own history and from its
// cluster's, weighted by how either did on the last season, which the trees had not seen; and a minute's
// share of its hour is learnt from the cluster where the series' own requests are too few. Every new bucket
// moves each series' present level; trees, clusters and intervals (forecast/pooled_intervals.h, from the
// errors on that last season) stay until learn() is called again. Memory: some 32 KB a series of four weeks
// of minutes. Lives on one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "forecast/clusters.h"
#include "forecast/forecaster.h"
#include "forecast/global_trees.h"
#include "forecast/pooled_intervals.h"
#include "forecast/rollup.h"

namespace warmfront::forecast {

// Where the series are. All end at the same time and have the same step and seasons; they may begin at
// different times.
class SeriesSource {
public:
    virtual ~SeriesSource() = default;
    [[nodiscard]] virtual std::size_t size() const = 0;
    // Fills `into`, whose memory may be used again. Called once for each, ascending.
    [[nodiscard]] virtual Result<void> read(std::size_t i, Series& into) = 0;
};

class MassModel {
public:
    struct Options {
        std::size_t coarse_max = 24 * 7 * 8;  // coarse buckets that are remembered of a series
        std::size_t examples_max = 100'000;  // for the trees, of all series together, 500 of each in the mean
        Clusters::Options clusters{};
        const Calendar* calendar = nullptr;  // outlives this object
        std::uint64_t seed = 1;
        StopCheck stop{};  // asked by learn(): for each series, each round of trees, each 512 forecasts
    };
    static constexpr std::size_t kSeriesMax = 20'000;
    static constexpr std::size_t kBatch = 512;  // series that go through the trees at once

    explicit MassModel(const Options& options);
    // add() of all, and learn(). Fails as they do, or as the source does.
    [[nodiscard]] static Result<MassModel> train(SeriesSource& source, const Options& options);

    // One more series, as the last one; the first one decides about step, seasons and end. Fails with 54000
    // above kSeriesMax series, with 22023 if it does not fit those that are there or holds what is no load.
    [[nodiscard]] Result<void> add(const Series& series);
    // Forecasts those that were added since, with the trees and clusters that there are. Fails as XGBoost
    // does.
    [[nodiscard]] Result<void> settle();
    // Forgets all series but these; the order stays. One flag a series.
    void keep(const std::vector<bool>& kept);

    // Learns anew from all that is held. Series too few or too short for trees are forecast by what their
    // slots of the season had. Fails with 57014 if it was stopped, or as XGBoost does; the forecasts then
    // stay as they are, and are to be learnt again.
    [[nodiscard]] Result<void> learn();

    // The next fine bucket of every series, in their order; NaN: not known. When it ends a coarse bucket, all
    // coarse forecasts are made anew. Fails with 22023 for another number of values, or as XGBoost does; the
    // bucket is taken in all the same.
    [[nodiscard]] Result<void> step(std::span<const double> values);

    // The mean load of each of the `count` fine buckets to come; at most horizon_max() of them.
    [[nodiscard]] std::vector<double> forecast(std::size_t series, std::size_t count) const;
    // The same as on any such day, whatever is off at present.
    [[nodiscard]] std::vector<double> ordinary(std::size_t series, std::size_t count) const;
    // forecast() with intervals. They are worth an alarm where alarms() says so: they come of errors that
    // were made, on this series among others; else they are those of a chance in counts, and wide.
    [[nodiscard]] Prediction predict(std::size_t series, std::size_t count) const;
    [[nodiscard]] PooledIntervals::Bounds interval(std::size_t series, std::size_t ahead,
                                                   double point) const {
        return intervals_.at(ahead, point, series_[series].spread);
    }
    [[nodiscard]] bool alarms(std::size_t series) const;
    [[nodiscard]] std::size_t horizon_max() const;  // one season
    // The last fine buckets, at most kLately.
    [[nodiscard]] Series recent(std::size_t series, std::size_t count) const;
    // Its cluster, below report().clusters; -1: it has no shape.
    [[nodiscard]] std::int32_t cluster(std::size_t series) const { return series_[series].cluster; }
    // Mean absolute error on the last season's coarse buckets over the naive one's; NaN: not judged.
    [[nodiscard]] double mase(std::size_t series) const { return static_cast<double>(series_[series].mase); }
    [[nodiscard]] std::size_t size() const { return series_.size(); }
    [[nodiscard]] std::int64_t end_s() const { return end_s_; }  // begin of the next fine bucket

    struct Report {
        std::size_t clusters = 0;
        std::size_t trees = 0;  // 0: slots' means alone
        // Absolute errors on the last season's coarse buckets, which the trees had not seen, over those of
        // the seasonal naive forecast: of the series' own forecasts, of their clusters', of both weighted.
        double own = 0, shared = 0, combined = 0;
    };
    [[nodiscard]] const Report& report() const { return report_; }
    // Of the trees; empty where there are none.
    [[nodiscard]] Result<std::vector<Importance>> importance() const;

private:
    struct One {
        Rollup rollup;
        std::vector<float> shape;  // of the fine season
        std::vector<float> next;   // mean load of the coarse buckets to come, the open one first
        float typical = 1;
        std::int32_t cluster = -1;
        float own_weight = 1;
        float recent = 0, recent_expected = 0;  // decayed sums of the load and of what was expected
        PooledIntervals::Spread spread{1, 1, 1};
        float mase = std::numeric_limits<float>::quiet_NaN();
        bool judged = false;
    };
    struct Judged {  // sums over all series, in units of their typical loads
        double own = 0, shared = 0, combined = 0, naive = 0;
    };

    void shape(One& one) const;
    // Of a series that has hardly begun: as it was so far.
    [[nodiscard]] double level_so_far(const Rollup& rollup) const;
    void find_clusters();
    void shape_fine_seasons();
    [[nodiscard]] Result<void> grow_trees();
    [[nodiscard]] Result<void> judge();
    // `own`, `lent`: forecasts of the last season, from before it; lent is empty where there is none.
    void judge_one(One& one, const std::vector<double>& own, const std::vector<double>& lent, Judged& sums);
    void learn_intervals(One& one, const std::vector<double>& coarse);
    [[nodiscard]] Result<void> forecast_from(std::size_t first);

    // As of `held_back` coarse buckets before the last.
    [[nodiscard]] Series coarse_series(const One& one, std::size_t held_back) const;
    [[nodiscard]] std::vector<Series> cluster_series(std::size_t held_back) const;
    [[nodiscard]] Result<std::vector<std::vector<double>>> trees_forecast(std::span<const Series> series,
                                                                          std::size_t horizon) const;
    [[nodiscard]] std::vector<double> borrowed(const Series& own, const Series& cluster,
                                               const std::vector<double>& cluster_forecast) const;
    [[nodiscard]] double expected_at(const One& one, std::size_t ahead) const;
    [[nodiscard]] std::size_t horizon() const;  // in coarse buckets

    Options options_;
    Grain grain_;
    std::int64_t end_s_ = 0;  // begin of the next fine bucket
    std::vector<One> series_;
    Clusters clusters_;
    std::vector<std::vector<float>> shapes_;  // of the clusters' fine seasons
    PooledIntervals intervals_;
    std::unique_ptr<GlobalTrees> trees_;
    bool trees_grown_ = false;
    std::size_t settled_ = 0;  // so many of the series have a forecast
    Report report_;
};

}  // namespace warmfront::forecast
