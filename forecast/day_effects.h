// forecast/day_effects.h: what holidays, or events, of one name did to the load before.
//
// Spans of one name are alike hour by hour, counted from their begin: this year's from last year's. Unnamed
// ones are alike among themselves. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "forecast/calendar.h"
#include "forecast/series.h"

namespace warmfront::forecast {

class DayEffects {
public:
    DayEffects() = default;
    // Of spans that concern the series, ascending by begin; beyond kSpansMax the latest ones. Buckets begin
    // at start_s and last step_s.
    DayEffects(std::vector<Span> spans, std::int64_t start_s, std::int64_t step_s);
    static constexpr std::size_t kSpansMax = 10'000, kAlikeMax = 8;

    [[nodiscard]] bool empty() const { return spans_.empty(); }
    // The share of the bucket's time that lies within a span, 0 to 1.
    [[nodiscard]] double share(std::size_t bucket) const;

    // The mean of `off` where past spans of the target's name were as far from their begin as the target is
    // from its own, and the neighbours of that place; of the latest kAlikeMax that had ended by the origin.
    // NaN: the target is in no span, or none like it is known. `from`: the first bucket with a meaning in
    // `off`.
    struct Effect {
        double mean;
        std::size_t spans = 0;
    };
    [[nodiscard]] Effect of_name(std::size_t origin, std::size_t target, std::span<const float> off,
                                 std::size_t from) const;
    // The mean of `off` over all buckets of the latest kAlikeMax spans that had ended by the origin, whatever
    // their name. NaN: none. off_sum: of `off` up to each bucket, it included.
    [[nodiscard]] double of_any(std::size_t origin, std::span<const double> off_sum, std::size_t from) const;
    // Days from the bucket's begin to the next span's begin, and from the last span's end; NaN: above
    // kNearDays or none. Within a span both are 0.
    [[nodiscard]] double days_until(std::size_t bucket) const;
    [[nodiscard]] double days_since(std::size_t bucket) const;
    static constexpr double kNearDays = 7;

private:
    // The span that the bucket's middle lies in; the one that began last. nullptr: none.
    [[nodiscard]] const Span* span_at(std::size_t bucket) const;
    [[nodiscard]] std::int64_t time_of(std::size_t bucket) const {
        return start_s_ + static_cast<std::int64_t>(bucket) * step_s_;
    }
    std::vector<Span> spans_;
    std::int64_t longest_s_ = 0;
    std::int64_t start_s_ = 0, step_s_ = 60;
};

}  // namespace warmfront::forecast
