#include "forecast/analogs.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace warmfront::forecast {
namespace {

constexpr double kSameDay = 0.8;              // of the belief: to the same day of the longer cycle
constexpr double kHolidayBelief = 0.85;       // of a holiday's: to earlier holidays
constexpr double kNewHoliday = 0.5;           // of a holiday's that has none before it: to none of the days
constexpr double kOtherwise = 0.05;           // a holiday counts so little on other days
constexpr double kSameName = 3;               // and a holiday of the same name so much more
constexpr double kUnlike = 0.3;               // days' worth of belief in a day unlike all others
constexpr double kSharpness = 4;              // a resemblance of 0.9 to one of 0.5 is as ten to one
constexpr double kNeutral = 0.5;              // resemblance where too little was asked to tell
constexpr double kLeast = 0.05;               // resemblance that counts as none
constexpr double kAlike = 0.5;                // resemblance of days that make one case
constexpr double kRequestsMin = 30;           // that a resemblance is judged by
constexpr std::int64_t kRecentParts = 12;     // of the cycle: how far back today is compared, and
constexpr std::int64_t kEpochCycles = 4'000;  // that steps added later may lie before the first
constexpr int kRecentDoublings = 2;           // twice as far, and again, where little was asked

double sum(const std::vector<double>& counts) {
    return std::accumulate(counts.begin(), counts.end(), 0.0);
}

// The cosine between what two samples were drawn from: chance alone adds each count's own variance to the
// squares, which is its mean. Neutral where the samples are too small.
double resemblance(const std::vector<double>& a, const std::vector<double>& b) {
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        ab += a[i] * b[i];
        aa += a[i] * std::max(0.0, a[i] - 1);
        bb += b[i] * std::max(0.0, b[i] - 1);
    }
    if (sum(a) < kRequestsMin || sum(b) < kRequestsMin || aa <= 0 || bb <= 0) return kNeutral;
    return std::clamp(ab / std::sqrt(aa * bb), 0.0, 1.0);
}

double belief_in(double resemblance) {
    return std::pow(std::max(resemblance, kLeast), kSharpness);
}

// How sure a key is, is judged by the middle (in ratio) of what is forecast and what the days had: the
// forecast knows the level of late, the days know when it changes.
double hedged(double scale) {
    return std::sqrt(scale);
}

// P(at least one request) in a day of `scale` times the size of those counted.
double chance_of(double counted, double days, double scale) {
    return 1 - std::pow(days / (days + scale), counted);
}

}  // namespace

Analogs::Analogs(const Options& options)
    : options_(options),
      slot_s_(std::max({options.resolution_s, options.cycle_s / kSlots, std::int64_t{1}})) {}

// A step longer than a slot is spread over those it touches.
void Analogs::count(std::vector<Count>& counts, const Step& step) {
    const std::int64_t end_s = step.begin_s + step.step_s;
    for (std::int64_t at_s = step.begin_s; at_s < end_s;) {
        const std::int64_t slot = (at_s - epoch_s_) / slot_s_;
        const std::int64_t next_s = std::min(end_s, epoch_s_ + (slot + 1) * slot_s_);
        const double part = static_cast<double>(next_s - at_s) / static_cast<double>(step.step_s);
        const auto requests = static_cast<float>(step.requests * part);
        if (!counts.empty() && counts.back().slot == slot) {
            counts.back().requests += requests;
        } else if (counted_ < options_.counts_max) {
            counts.push_back({static_cast<std::uint32_t>(slot), requests});
            ++counted_;
        }
        at_s = next_s;
    }
}

bool Analogs::add(std::uint64_t key, std::span<const Step> steps) {
    if (steps.empty()) return places_.contains(key);
    auto place = places_.find(key);
    if (place == places_.end()) {
        if (keys_.size() >= options_.keys_max || counted_ >= options_.counts_max) return false;
        place = places_.emplace(key, keys_.size()).first;
        keys_.push_back(key);
        counts_.emplace_back();
    }
    // Slots begin where cycles do, so that the same time of two days is in the same part of one.
    if (keys_.size() == 1 && counted_ == 0)
        epoch_s_ = (steps.front().begin_s / options_.cycle_s - kEpochCycles) * options_.cycle_s;
    for (const Step& step : steps)
        if (step.step_s > 0 && step.begin_s >= epoch_s_) count(counts_[place->second], step);
    first_s_ = std::min(first_s_, steps.front().begin_s);
    last_s_ = std::max(last_s_, steps.back().begin_s + steps.back().step_s);
    return true;
}

const Span* Analogs::holiday_at(std::int64_t time_s) const {
    for (const Span& span : options_.calendar.holidays)
        if (span.contains(time_s)) return &span;
    for (const Event& event : options_.calendar.events)
        if (event.tables.empty() && event.span.contains(time_s)) return &event.span;
    return nullptr;
}

std::vector<std::int64_t> Analogs::days_before(std::int64_t time_s) const {
    std::vector<std::int64_t> days;
    for (std::int64_t day = 1; day <= kDays; ++day) days.push_back(day * options_.cycle_s);
    const Span* holiday = holiday_at(time_s);
    if (holiday == nullptr) return days;
    std::vector<std::int64_t> earlier;
    for (const Span& span : options_.calendar.holidays) {
        const std::int64_t cycles = (holiday->from_s - span.from_s + options_.cycle_s / 2) / options_.cycle_s;
        if (cycles > kDays) earlier.push_back(cycles * options_.cycle_s);
    }
    std::ranges::sort(earlier);
    earlier.resize(std::min(earlier.size(), kHolidays));
    days.insert(days.end(), earlier.begin(), earlier.end());
    return days;
}

double Analogs::recent_least_s() const {
    return std::max(1.0, static_cast<double>(options_.cycle_s / kRecentParts));
}

Analogs::Counts Analogs::counts(double from_s, double to_s) const {
    Counts counts(keys_.size());
    const double from = (from_s - static_cast<double>(epoch_s_)) / static_cast<double>(slot_s_);
    const double to = (to_s - static_cast<double>(epoch_s_)) / static_cast<double>(slot_s_);
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        const auto ended = [&](const Count& count) { return static_cast<double>(count.slot) + 1 <= from; };
        for (auto count = std::ranges::partition_point(counts_[i], ended);
             count != counts_[i].end() && static_cast<double>(count->slot) < to; ++count) {
            const double begin = static_cast<double>(count->slot);
            const double within = std::min(to, begin + 1) - std::max(from, begin);
            counts[i] += static_cast<double>(count->requests) * within;
        }
    }
    return counts;
}

void Analogs::weigh_beforehand(std::vector<Day>& days, std::int64_t target_s, double& none) const {
    const Span* holiday = holiday_at(target_s);
    double like = 0, others = 0;  // sums of weights
    std::vector<bool> is_like(days.size());
    for (std::size_t i = 0; i < days.size(); ++i) {
        Day& day = days[i];
        const Span* then = holiday_at(target_s - day.before_s);
        day.weight =
            std::exp2(-static_cast<double>(day.before_s) / static_cast<double>(kDays * options_.cycle_s));
        if (holiday != nullptr) {
            is_like[i] = then != nullptr;
            if (then != nullptr && !holiday->name.empty() && then->name == holiday->name)
                day.weight *= kSameName;
        } else {
            is_like[i] = then == nullptr && options_.longer_s > 0 && day.before_s % options_.longer_s == 0;
            if (then != nullptr) day.weight *= kOtherwise;
        }
        (is_like[i] ? like : others) += day.weight;
    }
    none = kUnlike / (kUnlike + static_cast<double>(days.size()));
    double to_like = like == 0 ? 0 : holiday != nullptr ? kHolidayBelief : kSameDay;
    if (others == 0 && like > 0) to_like = 1;
    if (holiday != nullptr && like == 0) none = std::max(none, kNewHoliday);
    for (std::size_t i = 0; i < days.size(); ++i)
        days[i].weight *= (1 - none) * (is_like[i] ? to_like / like : (1 - to_like) / others);
}

void Analogs::weigh_by_resemblance(std::vector<Day>& days, std::int64_t known_s, double& none) const {
    const double known = static_cast<double>(known_s);
    double recent_s = recent_least_s();
    Counts today = counts(known - recent_s, known);
    for (int i = 0; i < kRecentDoublings && sum(today) < kRequestsMin; ++i) {
        recent_s *= 2;
        today = counts(known - recent_s, known);
    }
    // A day unlike all others may begin like any of them.
    double best = belief_in(kNeutral), all = 0;
    for (Day& day : days) {
        const double then = known - static_cast<double>(day.before_s);
        const double belief = belief_in(resemblance(today, counts(then - recent_s, then)));
        day.weight *= belief;
        all += day.weight;
        best = std::max(best, belief);
    }
    none *= best;
    all += none;
    none /= all;
    for (Day& day : days) day.weight /= all;
}

std::vector<Analogs::Day> Analogs::weigh(const Window& window, double& none) const {
    std::vector<Day> days;
    const auto target_s = window.from_s + static_cast<std::int64_t>(window.soon_s);
    for (const std::int64_t before_s : days_before(target_s)) {
        if (window.from_s - before_s < first_s_) continue;
        const double from = static_cast<double>(window.from_s - before_s);
        Counts ahead = counts(from, from + window.within_s);
        // Neither then nor before: nothing was counted that day.
        if (sum(ahead) == 0 && sum(counts(from - recent_least_s(), from)) == 0) continue;
        days.push_back({before_s, 0, std::move(ahead)});
    }
    if (days.empty()) return days;
    weigh_beforehand(days, target_s, none);
    weigh_by_resemblance(days, window.known_s, none);
    std::ranges::stable_sort(days, std::greater{}, &Day::weight);
    return days;
}

// As much again as came just now.
Analogs::Case Analogs::going_on(const Window& window, double probability) const {
    const double known = static_cast<double>(window.known_s);
    const double recent_s = std::clamp(window.within_s, 1.0, recent_least_s());
    Case of{probability, recent_s / window.within_s, counts(known - recent_s, known), {}};
    of.ahead_soon = of.ahead;
    for (double& count : of.ahead) count *= window.within_s / recent_s;
    for (double& count : of.ahead_soon) count *= window.soon_s / recent_s;
    return of;
}

std::vector<Analogs::Case> Analogs::cases(const Window& window) const {
    double none = 1;
    const auto days = weigh(window, none);
    std::vector<Case> cases;
    if (days.empty()) return cases;
    std::vector<const Day*> leaders;
    std::vector<double> squares;  // of the weights in each case
    for (const Day& day : days) {
        const auto leader = std::ranges::find_if(
            leaders, [&](const Day* each) { return resemblance(each->ahead, day.ahead) >= kAlike; });
        const auto number = static_cast<std::size_t>(leader - leaders.begin());
        if (leader == leaders.end()) {
            leaders.push_back(&day);
            squares.push_back(0);
            cases.push_back({0, 0, Counts(keys_.size()), Counts(keys_.size())});
        }
        Case& of = cases[number];
        of.probability += day.weight;
        squares[number] += day.weight * day.weight;
        const double from = static_cast<double>(window.from_s - day.before_s);
        const Counts soon = counts(from, from + window.soon_s);
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            of.ahead[i] += day.weight * day.ahead[i];
            of.ahead_soon[i] += day.weight * soon[i];
        }
    }
    for (std::size_t number = 0; number < cases.size(); ++number) {
        Case& of = cases[number];
        if (of.probability <= 0) continue;
        of.days = of.probability * of.probability / squares[number];
        for (double& count : of.ahead) count /= of.probability;
        for (double& count : of.ahead_soon) count /= of.probability;
    }
    cases.push_back(going_on(window, none));
    return cases;
}

// Of all cases, whatever their volume: a rush on one day says no more of others than any day.
Analogs::Counts Analogs::mean_shares(const std::vector<Case>& all, Counts Case::*counted) {
    Counts shares;
    for (const Case& of : all) {
        const Counts& counts = of.*counted;
        const double requests = sum(counts);
        shares.resize(counts.size());
        for (std::size_t i = 0; requests > 0 && i < counts.size(); ++i)
            shares[i] += of.probability * counts[i] / requests;
    }
    return shares;
}

std::vector<Analogs::Key> Analogs::ahead(const Window& window) const {
    std::vector<Key> found;
    const auto all = cases(window);
    if (all.empty()) return found;
    std::vector<Key> keys(keys_.size());
    const Counts prior = mean_shares(all, &Case::ahead), prior_soon = mean_shares(all, &Case::ahead_soon);
    for (const Case& of : all) {
        const double counted = sum(of.ahead), counted_soon = sum(of.ahead_soon);
        if (counted <= 0) continue;
        const double prior_days = std::min(kPriorDays, kPriorRequests / counted);
        const double days = of.days + prior_days;
        const double scale = window.requests / counted;
        const double scale_soon = counted_soon > 0 ? window.requests_soon / counted_soon : 0;
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            const double seen = of.days * of.ahead[i] + prior_days * counted * prior[i];
            const double seen_soon = of.days * of.ahead_soon[i] + prior_days * counted_soon * prior_soon[i];
            keys[i].requests += of.probability * scale * seen / days;
            keys[i].requests_soon += of.probability * scale_soon * seen_soon / days;
            keys[i].chance += of.probability * chance_of(seen, days, hedged(scale));
            keys[i].chance_soon += of.probability * chance_of(seen_soon, days, hedged(scale_soon));
        }
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
        keys[i].key = keys_[i];
        if (keys[i].chance >= kChanceMin) found.push_back(keys[i]);
    }
    return found;
}

}  // namespace warmfront::forecast
