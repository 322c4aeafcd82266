#include "forecast/day_effects.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace warmfront::forecast {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kDay_s = 86'400;

}  // namespace

DayEffects::DayEffects(std::vector<Span> spans, std::int64_t start_s, std::int64_t step_s)
    : spans_(std::move(spans)), start_s_(start_s), step_s_(step_s) {
    std::ranges::stable_sort(spans_, {}, &Span::from_s);
    if (spans_.size() > kSpansMax) spans_.erase(spans_.begin(), spans_.end() - kSpansMax);
    for (const Span& span : spans_) longest_s_ = std::max(longest_s_, span.to_s - span.from_s);
}

double DayEffects::share(std::size_t bucket) const {
    if (spans_.empty()) return 0;
    const std::int64_t from = time_of(bucket), to = from + step_s_;
    std::int64_t within = 0, seen_to = from;
    auto span = std::ranges::lower_bound(spans_, from - longest_s_, {}, &Span::from_s);
    for (; span != spans_.end() && span->from_s < to; ++span) {  // overlaps count once
        const std::int64_t begin = std::max(span->from_s, seen_to), end = std::min(span->to_s, to);
        if (end <= begin) continue;
        within += end - begin;
        seen_to = end;
    }
    return static_cast<double>(within) / static_cast<double>(step_s_);
}

const Span* DayEffects::span_at(std::size_t bucket) const {
    const std::int64_t middle = time_of(bucket) + step_s_ / 2;
    auto after = std::ranges::upper_bound(spans_, middle, {}, &Span::from_s);
    while (after != spans_.begin() && (--after)->from_s >= middle - longest_s_)
        if (after->contains(middle)) return &*after;
    return nullptr;
}

DayEffects::Effect DayEffects::of_name(std::size_t origin, std::size_t target, std::span<const float> off,
                                       std::size_t from) const {
    const Span* own = spans_.empty() ? nullptr : span_at(target);
    if (own == nullptr) return {kNan, 0};
    const std::int64_t within_s = time_of(target) - own->from_s;
    double sum = 0;
    std::size_t counted = 0, alike = 0;
    for (const Span* past = own; past != spans_.data() && alike < kAlikeMax;) {
        --past;
        if (past->name != own->name || past->to_s > time_of(origin) + step_s_) continue;
        const std::int64_t at = (past->from_s + within_s - start_s_) / step_s_;
        bool any = false;
        for (std::int64_t near = at - 1; near <= at + 1; ++near) {
            if (near < static_cast<std::int64_t>(from) || near > static_cast<std::int64_t>(origin)) continue;
            const auto bucket = static_cast<std::size_t>(near);
            const std::int64_t middle = time_of(bucket) + step_s_ / 2;
            if (!past->contains(middle)) continue;
            sum += static_cast<double>(off[bucket]);
            ++counted;
            any = true;
        }
        alike += any ? 1 : 0;
    }
    return {counted == 0 ? kNan : sum / static_cast<double>(counted), alike};
}

double DayEffects::of_any(std::size_t origin, std::span<const double> off_sum, std::size_t from) const {
    double sum = 0;
    std::size_t counted = 0, seen = 0;
    const std::int64_t now = time_of(origin) + step_s_;
    auto past = std::ranges::upper_bound(spans_, now, {}, &Span::from_s);
    while (past != spans_.begin() && seen < kAlikeMax) {
        --past;
        if (past->to_s > now || past->to_s <= start_s_) continue;
        const auto begin = std::max<std::int64_t>((past->from_s - start_s_ + step_s_ - 1) / step_s_,
                                                  static_cast<std::int64_t>(from));
        const std::int64_t end =
            std::min<std::int64_t>((past->to_s - start_s_) / step_s_, static_cast<std::int64_t>(origin) + 1);
        if (begin >= end) continue;
        const auto first = static_cast<std::size_t>(begin), last = static_cast<std::size_t>(end) - 1;
        sum += off_sum[last] - (first > 0 ? off_sum[first - 1] : 0.0);
        counted += last - first + 1;
        ++seen;
    }
    return counted == 0 ? kNan : sum / static_cast<double>(counted);
}

double DayEffects::days_until(std::size_t bucket) const {
    if (spans_.empty()) return kNan;
    if (span_at(bucket) != nullptr) return 0;
    const auto next = std::ranges::lower_bound(spans_, time_of(bucket), {}, &Span::from_s);
    if (next == spans_.end()) return kNan;
    const double days = static_cast<double>(next->from_s - time_of(bucket)) / kDay_s;
    return days > kNearDays ? kNan : days;
}

double DayEffects::days_since(std::size_t bucket) const {
    if (spans_.empty()) return kNan;
    if (span_at(bucket) != nullptr) return 0;
    const std::int64_t now = time_of(bucket);
    const auto near_s = static_cast<std::int64_t>(kNearDays * kDay_s);
    std::int64_t last = std::numeric_limits<std::int64_t>::min();
    auto span = std::ranges::lower_bound(spans_, now - longest_s_ - near_s, {}, &Span::from_s);
    for (; span != spans_.end() && span->from_s < now; ++span)
        if (span->to_s <= now) last = std::max(last, span->to_s);
    return last < now - near_s ? kNan : static_cast<double>(now - last) / kDay_s;
}

}  // namespace warmfront::forecast
