// forecast/retrain.h: a model of thousands of series at once, within a minute of one core and 512 MiB.
//
// What is costly is shared, what is a series' own is cheap. All series are read once, one at a time, and
// rolled up (forecast/rollup.h). One ensemble of trees, grown on examples of all of them, forecasts the
// coarse buckets (forecast/global_trees.h). Series of one shape (forecast/clusters.h) lend each other that
// shape: each is forecast from its own history and from its cluster's, weighted by how either did on the last
// season, which the trees had not seen; and a minute's share of its hour is learnt from the cluster where the
// series' own requests are too few. Every new bucket moves each series' present level; trees and clusters
// stay until the next retraining. Memory: some 15 KB a series of four weeks of minutes. Lives on one thread
// at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "forecast/clusters.h"
#include "forecast/global_trees.h"
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
        std::size_t examples_max = 100'000;   // for the trees, of all series together
        Clusters::Options clusters{};
        const Calendar* calendar = nullptr;  // outlives this object
        std::uint64_t seed = 1;
        StopCheck stop{};  // asked by train(): for each series, each round of trees, each 512 forecasts
    };
    static constexpr std::size_t kSeriesMax = 20'000;

    // Fails with 54000 above kSeriesMax series, with 22023 if they do not fit together or hold what is no
    // load, with 57014 if it was stopped, or as the source does. Series too few or too short for trees are
    // forecast by what their slots of the season had.
    [[nodiscard]] static Result<MassModel> train(SeriesSource& source, const Options& options);

    // The next fine bucket of every series, in the source's order; NaN: not known. When it ends a coarse
    // bucket, all coarse forecasts are made anew. Fails with 22023 for another number of values, or as
    // XGBoost does; the bucket is taken in all the same.
    [[nodiscard]] Result<void> step(std::span<const double> values);

    // The mean load of each of the `count` fine buckets to come; at most horizon_max() of them.
    [[nodiscard]] std::vector<double> forecast(std::size_t series, std::size_t count) const;
    [[nodiscard]] std::size_t horizon_max() const;  // one season
    [[nodiscard]] std::size_t size() const { return series_.size(); }

    struct Report {
        std::size_t clusters = 0;
        std::size_t trees = 0;  // 0: slots' means alone
        // Absolute errors on the last season's coarse buckets, which the trees had not seen, over those of
        // the seasonal naive forecast: of the series' own forecasts, of their clusters', of both weighted.
        double own = 0, shared = 0, combined = 0;
    };
    [[nodiscard]] const Report& report() const { return report_; }
    [[nodiscard]] Result<std::vector<Importance>> importance() const { return trees_->importance(); }

private:
    struct One {
        Rollup rollup;
        std::vector<float> shape;  // of the fine season
        std::vector<float> next;   // mean load of the coarse buckets to come, the open one first
        float typical = 1;
        std::int32_t cluster = -1;
        float own_weight = 1;
        float recent = 0, recent_expected = 0;  // decayed sums of the load and of what was expected
    };

    MassModel(const Options& options, const Grain& grain);
    [[nodiscard]] Result<void> read_all(SeriesSource& source);
    void find_clusters();
    void shape_fine_seasons();
    [[nodiscard]] Result<void> grow_trees();
    [[nodiscard]] Result<void> judge();
    [[nodiscard]] Result<void> forecast_all();

    // As of `held_back` coarse buckets before the last.
    [[nodiscard]] Series coarse_series(const One& one, std::size_t held_back) const;
    [[nodiscard]] std::vector<Series> cluster_series(std::size_t held_back) const;
    [[nodiscard]] Result<std::vector<std::vector<double>>> trees_forecast(std::span<const Series> series,
                                                                          std::size_t horizon) const;
    [[nodiscard]] std::vector<double> borrowed(const Series& own, const Series& cluster,
                                               const std::vector<double>& cluster_forecast) const;
    void close_coarse(One& one) const;
    [[nodiscard]] double expected_at(const One& one, std::size_t ahead) const;
    [[nodiscard]] std::size_t horizon() const;  // in coarse buckets

    Options options_;
    Grain grain_;
    std::int64_t end_s_ = 0;  // begin of the next fine bucket
    std::vector<One> series_;
    Clusters clusters_;
    std::unique_ptr<GlobalTrees> trees_;
    bool trees_grown_ = false;
    Report report_;
};

}  // namespace warmfront::forecast
