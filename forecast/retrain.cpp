// Two origins are forecast: one season before the end, to weigh a series' own history against its cluster's
// on buckets that the trees have not seen, and the end itself. Series go through the trees in batches, so
// that only a batch of inputs is ever held.
#include "forecast/retrain.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

namespace warmfront::forecast {
namespace {

constexpr std::size_t kBatch = 512;
constexpr std::size_t kSharingMin = 3;  // members that make a cluster worth asking
constexpr double kShapePrior = 30;      // requests in a place of the season before its own shape counts half
constexpr double kRecentDecay = 0.9;    // a fine bucket; the last ten count
constexpr double kRecentPrior = 20;     // requests before a present deviation counts half
constexpr double kDeviationDecay = 0.97;  // of the present deviation, a fine bucket ahead
constexpr double kDeviationMax = 4;       // times, up or down
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Result<void> check_values(const Series& series, std::size_t i) {
    for (const double value : series.values)
        if (value < 0 || std::isinf(value))
            return fail("22023", fmt::format("retraining: series {} holds {}, which is no load", i, value));
    return {};
}

double sum_of_last(const std::vector<double>& values, std::size_t count) {
    double sum = 0;
    for (std::size_t i = values.size() - std::min(values.size(), count); i < values.size(); ++i)
        if (!std::isnan(values[i])) sum += values[i];
    return sum;
}

}  // namespace

MassModel::MassModel(const Options& options, const Grain& grain)
    : options_(options), grain_(grain), clusters_(options.clusters) {}

std::size_t MassModel::horizon() const {
    return std::max<std::size_t>(grain_.season, 1) + 1;  // the open bucket as well
}

std::size_t MassModel::horizon_max() const {
    return grain_.per * std::max<std::size_t>(grain_.season, 1);
}

Result<MassModel> MassModel::train(SeriesSource& source, const Options& options) {
    if (source.size() > kSeriesMax)
        return fail("54000", fmt::format("retraining: at most {} series", kSeriesMax));
    MassModel model(options, {});
    if (auto done = model.read_all(source); !done) return tl::unexpected(done.error());
    model.find_clusters();
    model.shape_fine_seasons();
    if (auto done = model.grow_trees(); !done) return tl::unexpected(done.error());
    if (auto done = model.judge(); !done) return tl::unexpected(done.error());
    if (auto done = model.forecast_all(); !done) return tl::unexpected(done.error());
    return model;
}

Result<void> MassModel::read_all(SeriesSource& source) {
    Series series;
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (options_.stop && options_.stop()) return fail("57014", "retraining was stopped");
        if (auto done = source.read(i, series); !done) return done;
        if (auto done = check_values(series, i); !done) return done;
        const std::int64_t end_s = series.time_of(series.size());
        if (i == 0) {
            grain_ = grain_of(series);
            end_s_ = end_s;
        }
        if (end_s != end_s_ || grain_of(series) != grain_)
            return fail("22023", fmt::format("retraining: series {} differs in its end, step or seasons", i));
        series_.push_back({roll_up(series, grain_, options_.coarse_max), {}, {}});
        One& one = series_.back();
        const LoadScale scale{std::span<const float>(one.rollup.coarse)};
        one.typical = static_cast<float>(scale.typical());
    }
    return {};
}

Series MassModel::coarse_series(const One& one, std::size_t held_back) const {
    const std::vector<float>& coarse = one.rollup.coarse;
    Series series;
    series.step_s = grain_.coarse_s();
    series.start_s = one.rollup.first * series.step_s;
    series.values.assign(coarse.begin(),
                         coarse.end() - static_cast<std::ptrdiff_t>(std::min(held_back, coarse.size())));
    if (grain_.season > 1) series.seasons.push_back(grain_.season);
    if (grain_.long_season > grain_.season && grain_.season > 1) series.seasons.push_back(grain_.long_season);
    return series;
}

// By the mean of each slot of the long season, on the series' own scale.
void MassModel::find_clusters() {
    const std::size_t slots = std::max<std::size_t>(std::max(grain_.long_season, grain_.season), 1);
    std::vector<float> sum(slots), known(slots);
    for (One& one : series_) {
        std::ranges::fill(sum, 0.0F);
        std::ranges::fill(known, 0.0F);
        const LoadScale scale{std::span<const float>(one.rollup.coarse)};
        auto slot = static_cast<std::size_t>(one.rollup.first % static_cast<std::int64_t>(slots));
        for (const float value : one.rollup.coarse) {
            if (!std::isnan(value)) {
                sum[slot] += static_cast<float>(scale.forward(static_cast<double>(value)));
                known[slot] += 1;
            }
            if (++slot == slots) slot = 0;
        }
        const float all = std::accumulate(known.begin(), known.end(), 0.0F);
        const float mean = all > 0 ? std::accumulate(sum.begin(), sum.end(), 0.0F) / all : 0.0F;
        for (std::size_t i = 0; i < slots; ++i) sum[i] = known[i] > 0 ? sum[i] / known[i] : mean;
        const auto place = clusters_.add(sum);
        one.cluster = place ? static_cast<std::int32_t>(place->cluster) : -1;
    }
    report_.clusters = clusters_.size();
}

// A cluster's fine season is that of all its requests; a series' own is drawn to it.
void MassModel::shape_fine_seasons() {
    const std::size_t places = grain_.fine_season();
    std::vector<std::vector<float>> sums(clusters_.size(), std::vector<float>(places)), known = sums;
    for (const One& one : series_) {
        if (one.cluster < 0) continue;
        const auto cluster = static_cast<std::size_t>(one.cluster);
        for (std::size_t i = 0; i < places; ++i) {  // each series counts alike
            sums[cluster][i] += one.rollup.place_sum[i] / one.typical;
            known[cluster][i] += one.rollup.place_known[i];
        }
    }
    std::vector<std::vector<float>> shapes;
    for (std::size_t i = 0; i < sums.size(); ++i)
        shapes.push_back(fine_shape(sums[i], known[i], grain_.per, {}, 1));
    for (One& one : series_) {
        const std::span<const float> prior =
            one.cluster < 0 ? std::span<const float>() : shapes[static_cast<std::size_t>(one.cluster)];
        one.shape = fine_shape(one.rollup.place_sum, one.rollup.place_known, grain_.per, prior, kShapePrior);
        one.rollup.place_sum = one.rollup.place_known = {};
    }
}

// Rare shapes get more than their part of the examples: a cluster's share grows with the root of its size.
Result<void> MassModel::grow_trees() {
    GlobalTrees::Options options;
    options.horizon_max = horizon();
    options.examples_max = options_.examples_max;
    options.calendar = options_.calendar;
    options.seed = options_.seed;
    options.stop = options_.stop;
    options.grow_on_everything = false;  // what is held back judges, below
    trees_ = std::make_unique<GlobalTrees>(options);
    double roots = 0;
    for (std::size_t i = 0; i < clusters_.size(); ++i)
        roots += std::sqrt(static_cast<double>(clusters_.members(i)));
    const auto all = static_cast<double>(options_.examples_max);
    for (const One& one : series_) {
        if (options_.stop && options_.stop()) return fail("57014", "retraining was stopped");
        const double members =
            one.cluster < 0 ? static_cast<double>(series_.size())
                            : static_cast<double>(clusters_.members(static_cast<std::size_t>(one.cluster)));
        const double examples = one.cluster < 0 ? all / members : all / (roots * std::sqrt(members));
        trees_->sample_some(coarse_series(one, 0), static_cast<std::size_t>(std::ceil(examples)));
    }
    const auto grown = trees_->learn();
    if (!grown && grown.error().sqlstate != "22023") return grown;
    trees_grown_ = grown.has_value();
    report_.trees = trees_grown_ ? trees_->learner().rounds() : 0;
    return {};
}

Result<std::vector<std::vector<double>>> MassModel::trees_forecast(std::span<const Series> series,
                                                                   std::size_t horizon) const {
    if (trees_grown_) return trees_->forecast(series, horizon);
    std::vector<std::vector<double>> forecasts;
    for (const Series& one : series) {
        auto& forecast = forecasts.emplace_back();
        if (one.size() < 2) continue;
        const auto prepared = GlobalTrees::prepare(one, options_.calendar);
        const std::size_t origin = prepared.features.size() - 1;
        for (std::size_t ahead = 1; ahead <= horizon; ++ahead)
            forecast.push_back(prepared.scale.back(prepared.features.base(origin, origin + ahead)));
    }
    return forecasts;
}

// The mean of each cluster's members, each over its own typical load, from the end backwards.
std::vector<Series> MassModel::cluster_series(std::size_t held_back) const {
    std::vector<Series> all(clusters_.size());
    std::vector<std::vector<double>> known(clusters_.size());
    std::int64_t end = 0;
    for (const One& one : series_) {
        if (one.cluster < 0) continue;
        const auto cluster = static_cast<std::size_t>(one.cluster);
        const std::vector<float>& coarse = one.rollup.coarse;
        const std::size_t size = coarse.size() - std::min(held_back, coarse.size());
        end = one.rollup.first + static_cast<std::int64_t>(size);
        auto& sums = all[cluster].values;  // newest first, until turned below
        if (sums.size() < size) sums.resize(size);
        if (known[cluster].size() < size) known[cluster].resize(size);
        for (std::size_t i = 0; i < size; ++i) {
            const float value = coarse[size - 1 - i];
            if (std::isnan(value)) continue;
            sums[i] += static_cast<double>(value / one.typical);
            known[cluster][i] += 1;
        }
    }
    for (std::size_t c = 0; c < all.size(); ++c) {
        Series& series = all[c];
        for (std::size_t i = 0; i < series.size(); ++i)
            series.values[i] = known[c][i] > 0 ? series.values[i] / known[c][i] : kNan;
        std::ranges::reverse(series.values);
        const Series like = coarse_series({}, 0);
        series.step_s = like.step_s;
        series.seasons = like.seasons;
        series.start_s = (end - static_cast<std::int64_t>(series.size())) * series.step_s;
    }
    return all;
}

// The cluster's forecast at the series' own level, which is what it had of the cluster's load lately.
std::vector<double> MassModel::borrowed(const Series& own, const Series& cluster,
                                        const std::vector<double>& cluster_forecast) const {
    const std::size_t window = std::max<std::size_t>(std::max(grain_.season, grain_.long_season), 12);
    const std::size_t common = std::min({window, own.size(), cluster.size()});
    const double theirs = sum_of_last(cluster.values, common);
    const double level = theirs > 0 ? sum_of_last(own.values, common) / theirs : 0.0;
    std::vector<double> forecast = cluster_forecast;
    for (double& value : forecast) value *= level;
    return forecast;
}

Result<void> MassModel::judge() {
    const std::size_t season = std::max<std::size_t>(grain_.season, 1);
    const std::vector<Series> clusters = cluster_series(season);
    const auto shared = trees_forecast(clusters, season);
    if (!shared) return tl::unexpected(shared.error());
    double own_sum = 0, shared_sum = 0, combined_sum = 0, naive_sum = 0;
    for (std::size_t begin = 0; begin < series_.size(); begin += kBatch) {
        const std::size_t end = std::min(begin + kBatch, series_.size());
        if (options_.stop && options_.stop()) return fail("57014", "retraining was stopped");
        std::vector<Series> batch;
        for (std::size_t i = begin; i < end; ++i) batch.push_back(coarse_series(series_[i], season));
        const auto own = trees_forecast(batch, season);
        if (!own) return tl::unexpected(own.error());
        for (std::size_t i = begin; i < end; ++i) {
            One& one = series_[i];
            const auto& forecast = (*own)[i - begin];
            if (one.cluster < 0 || forecast.empty() ||
                clusters_.members(static_cast<std::size_t>(one.cluster)) < kSharingMin)
                continue;
            const auto cluster = static_cast<std::size_t>(one.cluster);
            const auto lent = borrowed(batch[i - begin], clusters[cluster], (*shared)[cluster]);
            if (lent.size() < season) continue;
            const std::size_t from = one.rollup.coarse.size() - season;
            double own_error = 0, lent_error = 0;
            const auto actual = [&](std::size_t h) {
                return static_cast<double>(one.rollup.coarse[from + h]);
            };
            for (std::size_t h = 0; h < season; ++h) {
                if (std::isnan(actual(h))) continue;
                own_error += std::abs(actual(h) - forecast[h]);
                lent_error += std::abs(actual(h) - lent[h]);
            }
            const double own_square = own_error * own_error, lent_square = lent_error * lent_error;
            one.own_weight = own_square + lent_square > 0
                                 ? static_cast<float>(lent_square / (own_square + lent_square))
                                 : 0.5F;
            for (std::size_t h = 0; h < season; ++h) {
                const double naive =
                    from + h >= season ? static_cast<double>(one.rollup.coarse[from + h - season]) : kNan;
                if (std::isnan(actual(h)) || std::isnan(naive)) continue;
                const auto weight = static_cast<double>(one.own_weight),
                           unit = static_cast<double>(one.typical);
                own_sum += std::abs(actual(h) - forecast[h]) / unit;
                shared_sum += std::abs(actual(h) - lent[h]) / unit;
                combined_sum += std::abs(actual(h) - weight * forecast[h] - (1 - weight) * lent[h]) / unit;
                naive_sum += std::abs(actual(h) - naive) / unit;
            }
        }
    }
    if (!(naive_sum > 0)) naive_sum = kNan;
    report_.own = own_sum / naive_sum;
    report_.shared = shared_sum / naive_sum;
    report_.combined = combined_sum / naive_sum;
    return {};
}

Result<void> MassModel::forecast_all() {
    const std::vector<Series> clusters = cluster_series(0);
    const auto shared = trees_forecast(clusters, horizon());
    if (!shared) return tl::unexpected(shared.error());
    for (std::size_t begin = 0; begin < series_.size(); begin += kBatch) {
        const std::size_t end = std::min(begin + kBatch, series_.size());
        std::vector<Series> batch;
        for (std::size_t i = begin; i < end; ++i) batch.push_back(coarse_series(series_[i], 0));
        const auto own = trees_forecast(batch, horizon());
        if (!own) return tl::unexpected(own.error());
        for (std::size_t i = begin; i < end; ++i) {
            One& one = series_[i];
            std::vector<double> forecast = (*own)[i - begin];
            if (one.cluster >= 0 && one.own_weight < 1 && !forecast.empty()) {
                const auto cluster = static_cast<std::size_t>(one.cluster);
                const auto lent = borrowed(batch[i - begin], clusters[cluster], (*shared)[cluster]);
                const auto weight = static_cast<double>(one.own_weight);
                for (std::size_t h = 0; h < std::min(forecast.size(), lent.size()); ++h)
                    forecast[h] = weight * forecast[h] + (1 - weight) * lent[h];
            }
            if (forecast.empty()) {  // hardly begun: as it was so far
                const double seen = static_cast<double>(one.rollup.open_sum) +
                                    sum_of_last(batch[i - begin].values, 2) * static_cast<double>(grain_.per);
                const double buckets = static_cast<double>(one.rollup.open_known) +
                                       static_cast<double>(batch[i - begin].size() * grain_.per);
                forecast.assign(horizon(), buckets > 0 ? seen / buckets : 0.0);
            }
            one.next.assign(forecast.begin(), forecast.end());
        }
    }
    return {};
}

// `ahead` fine buckets after the next one, without the present deviation.
double MassModel::expected_at(const One& one, std::size_t ahead) const {
    if (one.next.empty()) return 0;
    const std::int64_t time_s = end_s_ + static_cast<std::int64_t>(ahead) * grain_.step_s;
    const auto bucket = static_cast<std::size_t>(grain_.coarse_of(time_s) - grain_.coarse_of(end_s_));
    const float mean = one.next[std::min(bucket, one.next.size() - 1)];
    return static_cast<double>(mean * one.shape[grain_.place_of(time_s)]);
}

std::vector<double> MassModel::forecast(std::size_t series, std::size_t count) const {
    const One& one = series_[series];
    std::vector<double> forecast(std::min(count, horizon_max()));
    const double ratio = (static_cast<double>(one.recent) + kRecentPrior) /
                         (static_cast<double>(one.recent_expected) + kRecentPrior);
    double deviation = std::log(std::clamp(ratio, 1 / kDeviationMax, kDeviationMax));
    for (std::size_t i = 0; i < forecast.size(); ++i) {
        deviation *= kDeviationDecay;
        forecast[i] = expected_at(one, i) * std::exp(deviation);
    }
    return forecast;
}

void MassModel::close_coarse(One& one) const {
    Rollup& rollup = one.rollup;
    const bool half = 2 * rollup.open_known >= grain_.per;
    rollup.coarse.push_back(half ? rollup.open_sum / static_cast<float>(rollup.open_known)
                                 : static_cast<float>(kNan));
    rollup.open_sum = 0;
    rollup.open_known = rollup.open_seen = 0;
    const std::size_t season = std::max<std::size_t>(std::max(grain_.season, grain_.long_season), 1);
    if (rollup.coarse.size() < options_.coarse_max + season) return;
    rollup.coarse.erase(rollup.coarse.begin(), rollup.coarse.begin() + static_cast<std::ptrdiff_t>(season));
    rollup.first += static_cast<std::int64_t>(season);
}

Result<void> MassModel::step(std::span<const double> values) {
    if (values.size() != series_.size())
        return fail("22023", fmt::format("expected {} values, found {}", series_.size(), values.size()));
    for (std::size_t i = 0; i < values.size(); ++i) {
        One& one = series_[i];
        ++one.rollup.open_seen;
        const double value = values[i];
        if (std::isnan(value) || std::isinf(value) || value < 0) continue;
        const auto decay = static_cast<float>(kRecentDecay);
        one.recent = decay * one.recent + static_cast<float>(value);
        one.recent_expected = decay * one.recent_expected + static_cast<float>(expected_at(one, 0));
        one.rollup.open_sum += static_cast<float>(value);
        ++one.rollup.open_known;
    }
    end_s_ += grain_.step_s;
    if (end_s_ % grain_.coarse_s() != 0) return {};
    for (One& one : series_) close_coarse(one);
    return forecast_all();
}

}  // namespace warmfront::forecast
