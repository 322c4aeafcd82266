// A tick has three parts: take in what came, fit what is due, say what there is to say. A series' buckets are
// never missed: Track::next_s moves on only by what the source gave.
#include "forecast/training.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <span>
#include <utility>

#include "forecast/pooling.h"
#include "forecast/recent_level.h"

namespace warmfront::forecast {

static std::vector<std::size_t> seasons_of(const TrainingOptions& options) {
    std::set<std::size_t> seasons;
    for (const std::int64_t season_s : options.seasons_s)
        if (season_s / options.step_s >= 2)
            seasons.insert(static_cast<std::size_t>(season_s / options.step_s));
    return {seasons.begin(), seasons.end()};
}

static std::size_t alarm_history(const std::vector<std::size_t>& seasons) {
    return seasons.empty() ? Training::kAlarmHistory : std::min(2 * seasons.front(), Training::kHistory / 2);
}

static SharedTraining::Options shared_options(const TrainingOptions& of) {
    SharedTraining::Options options;
    options.step_s = of.step_s;
    options.horizon = of.horizon;
    options.retrain_s = of.retrain_s;
    options.seasons = seasons_of(of);
    options.history = Training::kHistory;
    options.alarm_buckets = of.alarm_buckets;
    options.alarms_need = alarm_history(options.seasons);
    options.calendar = &of.calendar;
    options.stop = of.stop;
    return options;
}

Training::Training(TrainingOptions options, LoadSource& source, MakeForecaster make, const Clock& clock)
    : options_(std::move(options)),
      source_(source),
      make_(std::move(make)),
      clock_(clock),
      seasons_(seasons_of(options_)),
      alarms_need_(alarm_history(seasons_)),
      shared_(shared_options(options_), source),
      plan_(options_.capacity) {}

TickResult Training::on_tick(std::int64_t now_s, const ProcessTotals& totals) {
    const std::uint64_t begun_us = clock_.now_us();
    end_s_ = now_s / options_.step_s * options_.step_s;
    changes_.clear();
    problem_.clear();
    if (effort_.ticks < kNamesEvery || effort_.ticks % kNamesEvery == 0) {
        if (auto names = source_.names(options_.series_max + options_.shared_max))
            refresh_names(*std::move(names));
        else
            note_source_failure(names.error());
    }
    ++effort_.ticks;
    for (const SeriesName& name : order_) {
        Track& track = tracks_.at(name);
        track.forecaster ? go_on(name, track, end_s_) : begin(name, track, end_s_);
    }
    if (auto followed = shared_.follow(end_s_, changes_); !followed) note_source_failure(followed.error());
    const auto budget_us = std::chrono::microseconds(options_.fit_budget).count();
    fit_within_budget(end_s_, begun_us + static_cast<std::uint64_t>(budget_us));
    pool_young();
    cost_.on_totals(totals.cpu_s, totals.queries);
    plan_.on_demand({now_s, peak_per_s(), cost_.cpu_s_per_query()});
    effort_.tick_seconds = static_cast<double>(clock_.now_us() - begun_us) / 1e6;
    effort_.seconds += effort_.tick_seconds;
    return {outlook(now_s), std::exchange(changes_, {})};
}

void Training::study() {
    if (options_.shared_max == 0) return;
    const std::uint64_t begun_us = clock_.now_us();
    const auto budget_us = std::chrono::microseconds(options_.fit_budget).count();
    const auto done =
        shared_.study(end_s_, clock_, begun_us + static_cast<std::uint64_t>(budget_us), effort_);
    shared_problem_ = done ? std::string() : done.error().text;
    effort_.seconds += static_cast<double>(clock_.now_us() - begun_us) / 1e6;
}

void Training::note_source_failure(const Error& error) {
    ++effort_.sources_failed;
    problem_ = error.text;
}

// Series that are named no longer are forgotten.
void Training::refresh_names(std::vector<SeriesName> names) {
    const std::size_t most = options_.series_max + options_.shared_max;
    if (names.size() > most) names.resize(most);
    order_ = with_own_model(names);
    const std::set<SeriesName> wanted(order_.begin(), order_.end());
    std::erase_if(tracks_, [&](const auto& each) { return !wanted.contains(each.first); });
    for (const SeriesName& name : order_) tracks_.try_emplace(name, options_.alarm_buckets);
    if (options_.shared_max > 0) shared_.choose(names, wanted);
}

// The first series_max of them, but that who has a model keeps it until it has fallen behind by a quarter of
// them: those at the edge change places all the time, and each change costs a fit.
std::vector<SeriesName> Training::with_own_model(const std::vector<SeriesName>& names) const {
    std::vector<std::size_t> places(names.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    std::ranges::stable_sort(places, {}, [&](std::size_t place) {
        const std::size_t behind = tracks_.contains(names[place]) ? 0 : options_.series_max / 4;
        return place + behind;
    });
    places.resize(std::min(places.size(), options_.series_max));
    std::ranges::sort(places);
    std::vector<SeriesName> own;
    own.reserve(places.size());
    for (const std::size_t place : places) own.push_back(names[place]);
    return own;
}

static auto first_load(const std::vector<double>& values) {
    return std::ranges::find_if(values, [](double value) { return value > 0; });
}

// Before its first request a table or statement was not without load, it was not there. What never had any
// stays as it is.
static void drop_before_first(Series& series) {
    const auto first = first_load(series.values);
    if (first == series.values.end()) return;
    series.start_s = series.time_of(static_cast<std::size_t>(first - series.values.begin()));
    series.values.erase(series.values.begin(), first);
}

Result<Series> Training::history_of(const SeriesName& name, std::int64_t end_s, std::size_t buckets) {
    const auto from_s = end_s - static_cast<std::int64_t>(buckets) * options_.step_s;
    auto series = source_.load(name, from_s, end_s, options_.step_s);
    if (!series) return series;
    series->seasons = seasons_;
    if (name.kind != SeriesName::Kind::Database) drop_before_first(*series);
    return series;
}

static std::size_t known_in(const std::vector<double>& values) {
    return static_cast<std::size_t>(std::ranges::count_if(values, [](double v) { return !std::isnan(v); }));
}

// Known buckets; of a table or statement since its first request.
static std::size_t known_since_load(const SeriesName& name, const std::vector<double>& values) {
    if (name.kind == SeriesName::Kind::Database) return known_in(values);
    return known_in({first_load(values), values.end()});
}

FitOptions Training::fit_options(const SeriesName& name) const {
    FitOptions fit;
    fit.calendar = options_.calendar_of ? &options_.calendar_of(name) : &options_.calendar;
    fit.horizon_max = options_.horizon;
    return fit;
}

// A series that is new here: forecast at once by its level, until its turn to be fitted comes. Only then its
// whole history is read, within the budget.
void Training::begin(const SeriesName& name, Track& track, std::int64_t end_s) {
    auto series = history_of(name, end_s, kRecent);
    if (!series) return note_source_failure(series.error());
    if (series->size() == 0) return;
    auto level = std::make_unique<RecentLevel>();
    if (!level->fit(*series, fit_options(name))) return;
    track.forecaster = std::move(level);
    track.seen = known_since_load(name, series->values);
    track.next_s = series->time_of(series->size());
    track.recent = *std::move(series);
    predict(track);
}

void Training::go_on(const SeriesName& name, Track& track, std::int64_t end_s) {
    if (end_s <= track.next_s) return;
    // After a long sleep the series begins anew; the model learns the gap at its next fit.
    const auto reach = static_cast<std::int64_t>(kRecent) * options_.step_s;
    if (end_s - track.next_s > reach) {
        track = Track(options_.alarm_buckets);
        return begin(name, track, end_s);
    }
    const auto series = source_.load(name, track.next_s, end_s, options_.step_s);
    if (!series) return note_source_failure(series.error());
    if (series->size() == 0 && end_s > track.next_s) return;
    std::vector<double> came;
    for (std::int64_t time_s = track.next_s; time_s < series->time_of(series->size());
         time_s += options_.step_s) {
        const bool told = time_s >= series->start_s;
        const auto place = static_cast<std::size_t>((time_s - series->start_s) / options_.step_s);
        came.push_back(told ? series->values[place] : std::numeric_limits<double>::quiet_NaN());
        judge(name, track, time_s, came.back());
    }
    auto& recent = track.recent;
    recent.values.insert(recent.values.end(), came.begin(), came.end());
    if (recent.size() > kRecent) {
        const std::size_t left_out = recent.size() - kRecent;
        recent.start_s = recent.time_of(left_out);
        recent.values.erase(recent.values.begin(),
                            recent.values.begin() + static_cast<std::ptrdiff_t>(left_out));
    }
    track.seen =
        std::min(kHistory, track.seen + (track.seen > 0 ? known_in(came) : known_since_load(name, came)));
    track.next_s += static_cast<std::int64_t>(came.size()) * options_.step_s;
    if (!track.cannot_extend && track.forecaster->extend(came)) {
        ++effort_.extended;
        predict(track);
    } else {
        track.cannot_extend = true;  // the former forecast goes on to hold until it is fitted
    }
}

void Training::judge(const SeriesName& name, Track& track, std::int64_t time_s, double actual) {
    const Prediction& made = track.prediction;
    const Expectation newest{track.predicted_from_s, options_.step_s, made.point, made.lo99, made.hi99};
    if (const auto bucket = newest.at(time_s)) {
        track.outcomes.push_back(
            {time_s, actual, made.point[*bucket], made.lo95[*bucket], made.hi95[*bucket]});
        if (track.outcomes.size() > kOutcomes) track.outcomes.pop_front();
    }
    if (track.fitted_s == 0 || track.fitted_seen < alarms_need_) return;
    auto change = judge_bucket(track.watch, name, time_s, actual, newest);
    if (change.event != AlarmEvent::None) changes_.push_back(std::move(change));
}

bool Training::fit_due(const Track& track, std::int64_t end_s) const {
    if (!track.forecaster) return false;
    if (track.tried_s == 0 || end_s - track.tried_s >= options_.retrain_s) return true;
    if (track.cannot_extend) return true;
    return track.seen >= 2 * track.fitted_seen && track.seen < kHistory;
}

// Those that were never tried first, in the order of their weight; then those that wait longest.
void Training::fit_within_budget(std::int64_t end_s, std::uint64_t until_us) {
    std::vector<const SeriesName*> due;
    for (const SeriesName& name : order_)
        if (fit_due(tracks_.at(name), end_s)) due.push_back(&name);
    std::ranges::stable_sort(due, {}, [&](const SeriesName* name) { return tracks_.at(*name).tried_s; });
    std::size_t done = 0;
    while (done < due.size() && (done == 0 || clock_.now_us() < until_us)) {
        fit(*due[done], tracks_.at(*due[done]), end_s);
        ++done;
    }
    effort_.waiting = due.size() - done;
}

void Training::fit(const SeriesName& name, Track& track, std::int64_t end_s) {
    track.tried_s = end_s;
    const auto series = history_of(name, track.next_s, kHistory);
    if (!series) return note_source_failure(series.error());
    track.seen = known_since_load(name, series->values);
    track.fitted_seen = std::max<std::size_t>(track.seen, 1);
    auto forecaster = make_();
    const auto fitted = forecaster->fit(*series, fit_options(name));
    ++effort_.fits;
    if (fitted) {
        track.forecaster = std::move(forecaster);
        track.fitted_s = end_s;
        track.problem.clear();
    } else {
        ++effort_.fits_failed;
        track.problem = fitted.error().text;
        auto level = std::make_unique<RecentLevel>();
        if (!level->fit(*series, fit_options(name))) return;
        track.forecaster = std::move(level);
    }
    track.cannot_extend = false;
    predict(track);
}

void Training::predict(Track& track) const {
    track.prediction = track.forecaster->forecast(options_.horizon);
    track.predicted_from_s = track.next_s;
    track.pooled = false;
}

// A series younger than a season knows no day; its database does.
void Training::pool_young() {
    if (seasons_.empty()) return;
    for (auto& [name, track] : tracks_) {
        if (name.kind == SeriesName::Kind::Database || track.tried_s == 0 || track.seen >= seasons_.front())
            continue;
        const auto parent = tracks_.find({SeriesName::Kind::Database, name.database, "", Measure::Requests});
        if (parent == tracks_.end() || parent->second.fitted_seen < 2 * seasons_.front() ||
            parent->second.predicted_from_s != track.next_s || track.predicted_from_s != track.next_s)
            continue;
        const auto& child = track.recent.values;
        const auto& whole = parent->second.recent.values;
        const std::size_t both = std::min({child.size(), whole.size(), track.seen});
        const double share = pooled_share(std::span(child).last(both), std::span(whole).last(both), {});
        const Prediction& made = parent->second.prediction;
        track.prediction = {pooled_forecast(made.point, share), pooled_forecast(made.lo95, share),
                            pooled_forecast(made.hi95, share), pooled_forecast(made.lo99, share),
                            pooled_forecast(made.hi99, share)};
        track.pooled = true;
    }
}

// Of the sum of the databases. Not known until a model is fitted to each: the level of a few buckets is too
// rough to ask for more sidecars after every start.
double Training::peak_per_s() const {
    std::vector<double> sum;
    bool any = false;
    for (const auto& [name, track] : tracks_) {
        if (name.kind != SeriesName::Kind::Database || name.measure != Measure::Requests) continue;
        const auto& upper = track.prediction.hi95;
        if (upper.empty()) continue;
        if (track.fitted_s == 0) return std::numeric_limits<double>::quiet_NaN();
        any = true;
        if (sum.size() < upper.size()) sum.resize(upper.size(), 0);
        std::ranges::transform(upper, sum, sum.begin(), std::plus<>());
    }
    if (!any) return std::numeric_limits<double>::quiet_NaN();
    return std::ranges::max(sum) / static_cast<double>(options_.step_s);
}

// Without the buckets that have come since it was made.
static SeriesForecast forecast_of(const Series& recent, const Prediction& made, std::int64_t made_from_s,
                                  std::int64_t next_s) {
    const auto passed = static_cast<std::size_t>((next_s - made_from_s) / recent.step_s);
    const auto left = [&](const std::vector<double>& all) {
        const std::size_t from = std::min(passed, all.size());
        return std::vector<double>(all.begin() + static_cast<std::ptrdiff_t>(from), all.end());
    };
    SeriesForecast forecast;
    forecast.recent = recent;
    forecast.from_s = next_s;
    forecast.point = left(made.point);
    forecast.lo95 = left(made.lo95);
    forecast.hi95 = left(made.hi95);
    forecast.lo99 = left(made.lo99);
    forecast.hi99 = left(made.hi99);
    return forecast;
}

std::shared_ptr<const Outlook> Training::outlook(std::int64_t now_s) {
    auto forecasts = std::make_shared<Forecasts>();
    auto outlook = std::make_shared<Outlook>();
    forecasts->made_s = now_s;
    for (const auto& [name, track] : tracks_) {
        if (!track.forecaster) continue;
        auto forecast = forecast_of(track.recent, track.prediction, track.predicted_from_s, track.next_s);
        forecast.model = track.pooled ? std::string(kPooled) : track.forecaster->model();
        forecast.mase = track.forecaster->mase();
        forecasts->series.emplace(name, std::move(forecast));
        outlook->series.emplace(name, SeriesOutlook{track.watch.alarm(),
                                                    {track.outcomes.begin(), track.outcomes.end()},
                                                    track.fitted_s,
                                                    track.problem,
                                                    0});
    }
    shared_.tell(*forecasts, *outlook);
    outlook->forecasts = std::move(forecasts);
    outlook->capacity = plan_.current();
    outlook->effort = effort_;
    outlook->problem = problem_.empty() ? shared_problem_ : problem_;
    return outlook;
}

}  // namespace warmfront::forecast
