// Two origins are forecast: one season before the end, to weigh a series' own history against its cluster's
// on buckets that the trees have not seen, and the end itself. Series go through the trees in batches, so
// that only a batch of inputs is ever held.
#include "forecast/retrain.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "forecast/deviation.h"

namespace warmfront::forecast {
namespace {

constexpr std::size_t kExamplesEach = 500;
constexpr double kShapePrior = 30;  // requests in a place of the season before its own shape counts half
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Result<void> check_values(const Series& series, std::size_t i) {
    for (const double value : series.values)
        if (value < 0 || std::isinf(value))
            return fail("22023", fmt::format("retraining: series {} holds {}, which is no load", i, value));
    return {};
}

Deviation present(float load, float expected) {
    return {static_cast<double>(load), static_cast<double>(expected)};
}

double sum_of_last(const std::vector<double>& values, std::size_t count) {
    double sum = 0;
    for (std::size_t i = values.size() - std::min(values.size(), count); i < values.size(); ++i)
        if (!std::isnan(values[i])) sum += values[i];
    return sum;
}

// The mean of each slot of the long season, on the series' own scale.
std::vector<float> slot_profile(const Rollup& rollup, const Grain& grain) {
    const std::size_t slots = std::max<std::size_t>(std::max(grain.long_season, grain.season), 1);
    std::vector<float> sum(slots), known(slots);
    const LoadScale scale{std::span<const float>(rollup.coarse)};
    auto slot = static_cast<std::size_t>(rollup.first % static_cast<std::int64_t>(slots));
    for (const float value : rollup.coarse) {
        if (!std::isnan(value)) {
            sum[slot] += static_cast<float>(scale.forward(static_cast<double>(value)));
            known[slot] += 1;
        }
        if (++slot == slots) slot = 0;
    }
    const float all = std::accumulate(known.begin(), known.end(), 0.0F);
    const float mean = all > 0 ? std::accumulate(sum.begin(), sum.end(), 0.0F) / all : 0.0F;
    for (std::size_t i = 0; i < slots; ++i) sum[i] = known[i] > 0 ? sum[i] / known[i] : mean;
    return sum;
}

}  // namespace

MassModel::MassModel(const Options& options) : options_(options), clusters_(options.clusters) {}

std::size_t MassModel::horizon() const {
    return std::max<std::size_t>(grain_.season, 1) + 1;  // the open bucket as well
}

std::size_t MassModel::horizon_max() const {
    return grain_.per * std::max<std::size_t>(grain_.season, 1);
}

Result<MassModel> MassModel::train(SeriesSource& source, const Options& options) {
    if (source.size() > kSeriesMax)
        return fail("54000", fmt::format("retraining: at most {} series", kSeriesMax));
    MassModel model(options);
    Series series;
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (options.stop && options.stop()) return fail("57014", "retraining was stopped");
        if (auto done = source.read(i, series); !done) return tl::unexpected(done.error());
        if (auto done = model.add(series); !done) return tl::unexpected(done.error());
    }
    if (auto done = model.learn(); !done) return tl::unexpected(done.error());
    return model;
}

Result<void> MassModel::add(const Series& series) {
    const std::size_t i = series_.size();
    if (i == kSeriesMax) return fail("54000", fmt::format("retraining: at most {} series", kSeriesMax));
    if (auto done = check_values(series, i); !done) return done;
    const std::int64_t end_s = series.time_of(series.size());
    const Grain grain = grain_of(series);
    if (i == 0) {
        grain_ = grain;
        end_s_ = end_s;
    }
    if (end_s != end_s_ || grain != grain_)
        return fail("22023", fmt::format("retraining: series {} differs in its end, step or seasons", i));
    One& one = series_.emplace_back();
    one.rollup = roll_up(series, grain_, options_.coarse_max);
    one.shape.assign(grain_.places(), 1.0F);  // until it is learnt, or settled
    return {};
}

Result<void> MassModel::settle() {
    for (std::size_t i = settled_; i < series_.size(); ++i) {
        One& one = series_[i];
        const LoadScale scale{std::span<const float>(one.rollup.coarse)};
        one.typical = static_cast<float>(scale.typical());
        const auto nearest = clusters_.nearest(slot_profile(one.rollup, grain_));
        if (nearest && nearest->likeness >= options_.clusters.alike_min)
            one.cluster = static_cast<std::int32_t>(nearest->cluster);
        shape(one);
    }
    return forecast_from(settled_);
}

void MassModel::keep(const std::vector<bool>& kept) {
    std::size_t to = 0, settled = 0;
    for (std::size_t i = 0; i < series_.size(); ++i) {
        if (!kept[i]) continue;
        if (i < settled_) ++settled;
        if (i != to) series_[to] = std::move(series_[i]);
        ++to;
    }
    series_.resize(to);
    settled_ = settled;
}

Result<void> MassModel::learn() {
    for (One& one : series_) {
        const LoadScale scale{std::span<const float>(one.rollup.coarse)};
        one.typical = static_cast<float>(scale.typical());
    }
    find_clusters();
    shape_fine_seasons();
    if (auto done = grow_trees(); !done) return done;
    if (auto done = judge(); !done) return done;
    return forecast_from(0);
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

void MassModel::find_clusters() {
    clusters_ = Clusters(options_.clusters);
    for (One& one : series_) {
        const auto place = clusters_.add(slot_profile(one.rollup, grain_));
        one.cluster = place ? static_cast<std::int32_t>(place->cluster) : -1;
    }
    report_.clusters = clusters_.size();
}

// A cluster's fine season is that of all its requests; a series' own is drawn to it.
void MassModel::shape_fine_seasons() {
    const std::size_t places = grain_.places();
    std::vector<std::vector<float>> sums(clusters_.size(), std::vector<float>(places)), known = sums;
    for (const One& one : series_) {
        if (one.cluster < 0) continue;
        const auto cluster = static_cast<std::size_t>(one.cluster);
        for (std::size_t i = 0; i < places; ++i) {  // each series counts alike
            sums[cluster][i] += one.rollup.place_sum[i] / one.typical;
            known[cluster][i] += one.rollup.place_known[i];
        }
    }
    shapes_.clear();
    for (std::size_t i = 0; i < sums.size(); ++i)
        shapes_.push_back(fine_shape(sums[i], known[i], grain_.per / grain_.place, {}, 1));
    for (One& one : series_) shape(one);
}

void MassModel::shape(One& one) const {
    const std::span<const float> prior =
        one.cluster < 0 ? std::span<const float>() : shapes_[static_cast<std::size_t>(one.cluster)];
    one.shape = fine_shape(one.rollup.place_sum, one.rollup.place_known, grain_.per / grain_.place, prior,
                           kShapePrior);
}

// Rare shapes get more than their part of the examples: a cluster's share grows with the root of its size.
Result<void> MassModel::grow_trees() {
    GlobalTrees::Options options;
    options.horizon_max = horizon();
    options.examples_max = std::min(options_.examples_max, kExamplesEach * series_.size());
    options.calendar = options_.calendar;
    options.seed = options_.seed;
    options.stop = options_.stop;
    options.grow_on_everything = false;  // what is held back judges, below
    trees_grown_ = false;
    trees_ = std::make_unique<GlobalTrees>(options);
    double roots = 0;
    for (std::size_t i = 0; i < clusters_.size(); ++i)
        roots += std::sqrt(static_cast<double>(clusters_.members(i)));
    const auto all = static_cast<double>(options.examples_max);
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

bool MassModel::alarms(std::size_t series) const {
    const One& one = series_[series];
    return one.judged && intervals_.learnt(0, expected_at(one, 0));
}

double MassModel::level_so_far(const Rollup& rollup) const {
    double seen = static_cast<double>(rollup.open_sum), buckets = static_cast<double>(rollup.open_known);
    for (const float mean : rollup.coarse) {
        if (std::isnan(mean)) continue;
        seen += static_cast<double>(mean) * static_cast<double>(grain_.per);
        buckets += static_cast<double>(grain_.per);
    }
    return buckets > 0 ? seen / buckets : 0.0;
}

// Those from `first` on.
Result<void> MassModel::forecast_from(std::size_t first) {
    const bool lending = std::any_of(series_.begin() + static_cast<std::ptrdiff_t>(first), series_.end(),
                                     [](const One& one) { return one.own_weight < 1; });
    const std::vector<Series> clusters = lending ? cluster_series(0) : std::vector<Series>();
    const auto shared = trees_forecast(clusters, horizon());
    if (!shared) return tl::unexpected(shared.error());
    for (std::size_t begin = first; begin < series_.size(); begin += kBatch) {
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
            if (forecast.empty()) forecast.assign(horizon(), level_so_far(one.rollup));
            one.next.assign(forecast.begin(), forecast.end());
        }
    }
    settled_ = series_.size();
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
    const double deviation = present(one.recent, one.recent_expected).log_ratio();
    for (std::size_t i = 0; i < forecast.size(); ++i)
        forecast[i] = expected_at(one, i) * Deviation::factor(deviation, i);
    return forecast;
}

std::vector<double> MassModel::ordinary(std::size_t series, std::size_t count) const {
    std::vector<double> ordinary(std::min(count, horizon_max()));
    for (std::size_t i = 0; i < ordinary.size(); ++i) ordinary[i] = expected_at(series_[series], i);
    return ordinary;
}

Prediction MassModel::predict(std::size_t series, std::size_t count) const {
    Prediction made;
    made.point = forecast(series, count);
    for (auto* bound : {&made.lo95, &made.hi95, &made.lo99, &made.hi99}) bound->reserve(made.point.size());
    for (std::size_t i = 0; i < made.point.size(); ++i) {
        const auto bounds = interval(series, i, made.point[i]);
        made.lo95.push_back(bounds.lo95);
        made.hi95.push_back(bounds.hi95);
        made.lo99.push_back(bounds.lo99);
        made.hi99.push_back(bounds.hi99);
    }
    return made;
}

Series MassModel::recent(std::size_t series, std::size_t count) const {
    const std::vector<float>& lately = series_[series].rollup.lately;
    const auto kept = static_cast<std::ptrdiff_t>(std::min(count, lately.size()));
    Series recent;
    recent.step_s = grain_.step_s;
    recent.start_s = end_s_ - kept * grain_.step_s;
    recent.values.assign(lately.end() - kept, lately.end());
    return recent;
}

Result<std::vector<Importance>> MassModel::importance() const {
    if (!trees_grown_) return std::vector<Importance>();
    return trees_->importance();
}

Result<void> MassModel::step(std::span<const double> values) {
    if (values.size() != series_.size())
        return fail("22023", fmt::format("expected {} values, found {}", series_.size(), values.size()));
    const bool closes = (end_s_ + grain_.step_s) % grain_.coarse_s() == 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        One& one = series_[i];
        const bool known = !std::isnan(values[i]) && !std::isinf(values[i]) && values[i] >= 0;
        const double value = known ? values[i] : kNan;
        Deviation now = present(one.recent, one.recent_expected);
        now.take(value, expected_at(one, 0));
        one.recent = static_cast<float>(now.load);
        one.recent_expected = static_cast<float>(now.expected);
        one.rollup.take(grain_, end_s_, static_cast<float>(value));
        if (closes) one.rollup.close(grain_, options_.coarse_max);
    }
    end_s_ += grain_.step_s;
    return closes ? forecast_from(0) : Result<void>();
}

}  // namespace warmfront::forecast
