// How well each series would have been forecast through the last season, from before it: by itself and by its
// cluster, and how far off. The trees have not seen that season.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "forecast/deviation.h"
#include "forecast/retrain.h"

namespace warmfront::forecast {
namespace {

constexpr std::size_t kSharingMin = 3;   // members that make a cluster worth asking
constexpr std::size_t kOriginEvery = 5;  // fine buckets
constexpr std::array<std::size_t, PooledIntervals::kRanges> kAsked{3, 25, 120};  // fine buckets ahead
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

Result<void> MassModel::judge() {
    const std::size_t season = std::max<std::size_t>(grain_.season, 1);
    const std::vector<Series> clusters = cluster_series(season);
    const auto shared = trees_forecast(clusters, season);
    if (!shared) return tl::unexpected(shared.error());
    Judged sums;
    intervals_ = {};
    for (std::size_t begin = 0; begin < series_.size(); begin += kBatch) {
        const std::size_t end = std::min(begin + kBatch, series_.size());
        if (options_.stop && options_.stop()) return fail("57014", "retraining was stopped");
        std::vector<Series> batch;
        for (std::size_t i = begin; i < end; ++i) batch.push_back(coarse_series(series_[i], season));
        const auto own = trees_forecast(batch, season);
        if (!own) return tl::unexpected(own.error());
        for (std::size_t i = begin; i < end; ++i) {
            One& one = series_[i];
            std::vector<double> lent;
            const auto cluster = static_cast<std::size_t>(std::max(one.cluster, 0));
            if (one.cluster >= 0 && clusters_.members(cluster) >= kSharingMin)
                lent = borrowed(batch[i - begin], clusters[cluster], (*shared)[cluster]);
            judge_one(one, (*own)[i - begin], lent, sums);
        }
    }
    intervals_.finish();
    if (!(sums.naive > 0)) sums.naive = kNan;
    report_.own = sums.own / sums.naive;
    report_.shared = sums.shared / sums.naive;
    report_.combined = sums.combined / sums.naive;
    return {};
}

void MassModel::judge_one(One& one, const std::vector<double>& own, const std::vector<double>& lent,
                          Judged& sums) {
    const std::size_t season = std::max<std::size_t>(grain_.season, 1);
    one.own_weight = 1;
    one.judged = false;
    one.mase = static_cast<float>(kNan);
    one.spread = {1, 1, 1};
    if (own.size() < season || one.rollup.coarse.size() < season) return;
    const std::size_t from = one.rollup.coarse.size() - season;
    const bool lends = lent.size() >= season;
    const auto actual = [&](std::size_t h) { return static_cast<double>(one.rollup.coarse[from + h]); };
    double own_error = 0, lent_error = 0;
    for (std::size_t h = 0; h < season; ++h) {
        if (std::isnan(actual(h))) continue;
        own_error += std::abs(actual(h) - own[h]);
        if (lends) lent_error += std::abs(actual(h) - lent[h]);
    }
    const double own_square = own_error * own_error, lent_square = lent_error * lent_error;
    if (lends)
        one.own_weight = own_square + lent_square > 0
                             ? static_cast<float>(lent_square / (own_square + lent_square))
                             : 0.5F;
    const auto weight = static_cast<double>(one.own_weight);
    std::vector<double> both = own;
    if (lends)
        for (std::size_t h = 0; h < season; ++h) both[h] = weight * own[h] + (1 - weight) * lent[h];
    double error = 0, naive_error = 0;
    for (std::size_t h = 0; h < season; ++h) {
        const double naive =
            from + h >= season ? static_cast<double>(one.rollup.coarse[from + h - season]) : kNan;
        if (std::isnan(actual(h)) || std::isnan(naive)) continue;
        error += std::abs(actual(h) - both[h]);
        naive_error += std::abs(actual(h) - naive);
        if (!lends) continue;
        const auto unit = static_cast<double>(one.typical);
        sums.own += std::abs(actual(h) - own[h]) / unit;
        sums.shared += std::abs(actual(h) - lent[h]) / unit;
        sums.combined += std::abs(actual(h) - both[h]) / unit;
        sums.naive += std::abs(actual(h) - naive) / unit;
    }
    if (naive_error > 0) one.mase = static_cast<float>(error / naive_error);
    learn_intervals(one, both);
}

// Goes through the last season's fine buckets once more, as step() would have: the coarse forecast is that
// from before the season, so what is forecast with a newer one errs rather less. From every kOriginEvery-th
// bucket, in each range of horizons, one bucket is forecast.
void MassModel::learn_intervals(One& one, const std::vector<double>& coarse) {
    const std::vector<float>& actual = one.rollup.lately;
    const std::int64_t begin =
        one.rollup.first + static_cast<std::int64_t>(one.rollup.coarse.size() - coarse.size());
    const std::int64_t start_s = end_s_ - static_cast<std::int64_t>(actual.size()) * grain_.step_s;
    std::vector<double> expected(actual.size(), kNan), deviation(actual.size());
    Deviation now;
    for (std::size_t i = 0; i < actual.size(); ++i) {
        const std::int64_t time_s = start_s + static_cast<std::int64_t>(i) * grain_.step_s;
        const std::int64_t at = grain_.coarse_of(time_s) - begin;
        deviation[i] = now.log_ratio();
        if (at < 0 || at >= static_cast<std::int64_t>(coarse.size())) continue;
        expected[i] =
            coarse[static_cast<std::size_t>(at)] * static_cast<double>(one.shape[grain_.place_of(time_s)]);
        now.take(static_cast<double>(actual[i]), expected[i]);
    }
    const double share = static_cast<double>(PooledIntervals::kPoolMax) /
                         (static_cast<double>(kLately / kOriginEvery) * static_cast<double>(series_.size()));
    for (std::size_t range = 0; range < kAsked.size(); ++range) {
        std::vector<PooledIntervals::Sample> samples;
        for (std::size_t i = 0; i + kAsked[range] < actual.size(); i += kOriginEvery) {
            const std::size_t target = i + kAsked[range];
            if (std::isnan(expected[i]) || std::isnan(expected[target]) || std::isnan(actual[target]))
                continue;
            const double point = expected[target] * Deviation::factor(deviation[i], kAsked[range]);
            samples.push_back({static_cast<float>(point), actual[target]});
        }
        if (samples.empty()) {  // the season is shorter, or hardly known
            one.spread[range] = one.spread[range - std::min<std::size_t>(range, 1)];
            continue;
        }
        one.spread[range] = intervals_.learn(range, samples, std::min(share, 1.0));
        one.judged = true;
    }
}

}  // namespace warmfront::forecast
