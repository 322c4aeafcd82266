#include "forecast/shared_training.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace warmfront::forecast {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

MassModel::Options model_options(const SharedTraining::Options& of) {
    MassModel::Options options;
    options.calendar = of.calendar;
    options.stop = of.stop;
    return options;
}

std::size_t known_in(const std::vector<double>& values) {
    return static_cast<std::size_t>(std::ranges::count_if(values, [](double v) { return !std::isnan(v); }));
}

}  // namespace

AlarmChange judge_bucket(AlarmWatch& watch, const SeriesName& name, std::int64_t time_s, double actual,
                         const Expectation& newest) {
    const Alarm before = watch.alarm();
    const AlarmEvent event = watch.on_bucket(time_s, actual, newest);
    const Alarm& now = watch.alarm();
    const bool began = event == AlarmEvent::Began;
    return {name, event, began ? now.side : before.side, began ? now.since_s : before.since_s, now};
}

SharedTraining::SharedTraining(Options options, LoadSource& source)
    : options_(std::move(options)), source_(source), model_(model_options(options_)) {}

void SharedTraining::choose(const std::vector<SeriesName>& names, std::set<SeriesName> apart) {
    apart_ = std::move(apart);
    std::set<SeriesName> wanted(names.begin(), names.end());
    std::vector<bool> kept;
    for (const Member& member : members_) kept.push_back(wanted.erase(member.name) > 0);
    model_.keep(kept);
    std::size_t i = 0;
    std::erase_if(members_, [&](const Member&) { return !kept[i++]; });
    waiting_.clear();
    for (const SeriesName& name : names)
        if (wanted.contains(name)) waiting_.push_back(name);
}

void SharedTraining::begin_anew() {
    for (const Member& member : members_) waiting_.push_back(member.name);
    members_.clear();
    model_ = MassModel(model_options(options_));
    longest_ = learnt_size_ = learnt_longest_ = 0;
    learnt_s_ = not_before_s_ = 0;
}

Result<void> SharedTraining::follow(std::int64_t end_s, std::vector<AlarmChange>& changes) {
    const std::int64_t from_s = model_.end_s();
    if (members_.empty() || end_s <= from_s) return {};
    if ((end_s - from_s) / options_.step_s > static_cast<std::int64_t>(kReach)) {
        begin_anew();
        return {};
    }
    std::vector<SeriesName> names;
    for (const Member& member : members_) names.push_back(member.name);
    const auto came = source_.load_all(names, from_s, end_s, options_.step_s);
    if (!came) return tl::unexpected(came.error());
    std::int64_t until_s = from_s;  // what is recorded of any
    for (const Series& series : *came)
        if (series.size() > 0) until_s = std::max(until_s, series.time_of(series.size()));
    std::vector<double> values(members_.size());
    for (std::int64_t time_s = from_s; time_s < until_s; time_s += options_.step_s) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            const Series& series = (*came)[i];
            const std::int64_t at = (time_s - series.start_s) / options_.step_s;
            const bool told = time_s >= series.start_s && at < static_cast<std::int64_t>(series.size());
            values[i] = told ? series.values[static_cast<std::size_t>(at)] : kNan;
        }
        if (auto done = take_in(time_s, values, changes); !done) return done;
    }
    return {};
}

Result<void> SharedTraining::take_in(std::int64_t time_s, const std::vector<double>& values,
                                     std::vector<AlarmChange>& changes) {
    for (std::size_t i = 0; i < members_.size(); ++i) {
        Member& member = members_[i];
        if (!std::isnan(values[i])) ++member.known;
        if (member.expected.point.empty()) continue;
        auto change = judge_bucket(member.watch, member.name, time_s, values[i], member.expected);
        if (change.event != AlarmEvent::None) changes.push_back(std::move(change));
    }
    longest_ = std::min(options_.history, longest_ + 1);
    return model_.step(values);
}

Result<void> SharedTraining::study(std::int64_t end_s, const Clock& clock, std::uint64_t until_us,
                                   TrainingEffort& effort) {
    auto joined = join(end_s, clock, until_us);
    effort.shared_waiting = waiting_.size();
    if (learning_due(end_s)) {
        const std::uint64_t begun_us = clock.now_us();
        const auto learnt = learn(end_s);
        effort.shared_seconds = static_cast<double>(clock.now_us() - begun_us) / 1e6;
        ++(learnt ? effort.shared_fits : effort.fits_failed);
        failure_ = learnt ? std::nullopt : std::optional(learnt.error());
    }
    if (!joined) return joined;
    return failure_ ? Result<void>(tl::unexpected(*failure_)) : Result<void>();
}

Result<void> SharedTraining::join(std::int64_t end_s, const Clock& clock, std::uint64_t until_us) {
    std::vector<SeriesName> later;
    std::size_t unsettled = 0;
    Result<void> result;
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
        if ((i >= kJoinAtOnce && clock.now_us() >= until_us) || (options_.stop && options_.stop()) ||
            !result) {
            later.insert(later.end(), waiting_.begin() + static_cast<std::ptrdiff_t>(i), waiting_.end());
            break;
        }
        const auto joined = join_one(waiting_[i], end_s);
        if (!joined) result = tl::unexpected(joined.error());
        if (!joined || !*joined) {
            later.push_back(waiting_[i]);
            continue;
        }
        if (++unsettled < kJoinAtOnce) continue;
        if (learnt_s_ != 0) result = model_.settle();
        unsettled = 0;
    }
    waiting_ = std::move(later);
    if (result && unsettled > 0 && learnt_s_ != 0) result = model_.settle();
    return result;
}

// False: nothing is known of it yet, or it is no load.
Result<bool> SharedTraining::join_one(const SeriesName& name, std::int64_t end_s) {
    const std::int64_t until_s = members_.empty() ? end_s : model_.end_s();
    const std::int64_t from_s = until_s - static_cast<std::int64_t>(options_.history) * options_.step_s;
    auto series = source_.load(name, from_s, until_s, options_.step_s);
    if (!series) return tl::unexpected(series.error());
    if (series->size() == 0) return false;
    series->seasons = options_.seasons;
    if (!members_.empty()) {
        const std::int64_t missing = (until_s - series->time_of(series->size())) / options_.step_s;
        series->values.resize(series->size() + static_cast<std::size_t>(missing), kNan);
    }
    if (!model_.add(*series)) return false;  // no load: it is not to keep the others out
    members_.push_back({name, AlarmWatch(options_.alarm_buckets), known_in(series->values)});
    longest_ = std::max(longest_, series->size());
    return true;
}

bool SharedTraining::learning_due(std::int64_t end_s) const {
    if (members_.empty() || end_s < not_before_s_) return false;
    return learnt_s_ == 0 || end_s - learnt_s_ >= options_.retrain_s || members_.size() >= 2 * learnt_size_ ||
           longest_ >= 2 * learnt_longest_;
}

Result<void> SharedTraining::learn(std::int64_t end_s) {
    if (auto done = model_.learn(); !done) {
        not_before_s_ = end_s + options_.retrain_s / 8;
        return done;
    }
    learnt_s_ = end_s;
    learnt_size_ = members_.size();
    learnt_longest_ = longest_;
    drivers_.clear();
    const auto important = model_.importance();
    if (!important) return tl::unexpected(important.error());
    for (const Importance& each : *important)
        if (each.share > 0 && drivers_.size() < kDriversMax)
            drivers_.push_back({std::string(each.group), each.share});
    return {};
}

Expectation SharedTraining::expectation(std::size_t i, const SeriesForecast& of) const {
    Expectation wide{of.from_s, options_.step_s, of.point, of.lo99, of.hi99};
    const auto widen = [&](std::size_t h, double point, double lo, double hi) {
        wide.lo[h] = std::min(wide.lo[h], std::max(0.0, point - kAlarmWidth * (point - lo)));
        wide.hi[h] = std::max(wide.hi[h], point + kAlarmWidth * (hi - point));
    };
    const std::vector<double> ordinary = model_.ordinary(i, wide.point.size());
    for (std::size_t h = 0; h < wide.point.size(); ++h) {
        widen(h, of.point[h], of.lo99[h], of.hi99[h]);
        const auto bounds = model_.interval(i, h, ordinary[h]);
        widen(h, ordinary[h], bounds.lo99, bounds.hi99);
    }
    return wide;
}

void SharedTraining::tell(Forecasts& forecasts, Outlook& outlook) {
    if (learnt_s_ == 0) return;
    const std::string model(model_.report().trees > 0 ? kModel : kYoungModel);
    const std::size_t horizon = std::min(options_.horizon, kHorizonMax);
    for (std::size_t i = 0; i < members_.size(); ++i) {
        Member& member = members_[i];
        const SeriesName& name = member.name;
        member.expected = {};
        if (apart_.contains(name)) {
            member.watch = AlarmWatch(options_.alarm_buckets);
            continue;
        }
        Prediction made = model_.predict(i, horizon);
        SeriesForecast forecast;
        forecast.recent = model_.recent(i, kRecent);
        forecast.from_s = model_.end_s();
        forecast.point = std::move(made.point);
        forecast.lo95 = std::move(made.lo95);
        forecast.hi95 = std::move(made.hi95);
        forecast.lo99 = std::move(made.lo99);
        forecast.hi99 = std::move(made.hi99);
        forecast.model = model;
        forecast.mase = model_.mase(i);
        if (member.known >= options_.alarms_need && model_.alarms(i))
            member.expected = expectation(i, forecast);
        forecasts.series.emplace(name, std::move(forecast));
        SeriesOutlook seen;
        seen.alarm = member.watch.alarm();
        seen.fitted_s = learnt_s_;
        seen.shape = model_.cluster(i) + 1;
        outlook.series.emplace(name, std::move(seen));
    }
    if (!drivers_.empty()) outlook.drivers.emplace(kModel, drivers_);
}

}  // namespace warmfront::forecast
