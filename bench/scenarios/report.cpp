#include "bench/scenarios/report.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace warmfront::bench {
namespace {

constexpr int kWidth = 960, kHeight = 300, kLeft = 46, kTop = 26, kBottom = 24;
constexpr double kSettled_s = 5;
constexpr std::array kColours{"#c0392b", "#1f6fb4", "#2e8b57", "#8e44ad"};

struct Range {
    std::size_t from = 0, to = 0;  // seconds
};

double most_requests(const Outcome& outcome, Range range) {
    double most = 1;
    for (std::size_t i = range.from; i < range.to; ++i)
        most = std::max(most, static_cast<double>(outcome.buckets[i].requests));
    return most;
}

template <typename Value>
std::string line(const Outcome& outcome, Range range, double most, std::string_view style, Value value) {
    std::string points;
    for (std::size_t i = range.from; i < range.to; ++i) {
        const double x = kLeft + static_cast<double>(i - range.from) * (kWidth - kLeft - 8) /
                                     static_cast<double>(range.to - range.from);
        const double y = kHeight - kBottom - value(outcome.buckets[i]) / most * (kHeight - kTop - kBottom);
        points += fmt::format("{:.1f},{:.1f} ", x, y);
    }
    return fmt::format("<polyline fill=\"none\" {} points=\"{}\"/>\n", style, points);
}

std::string label(double x, double y, std::string_view colour, std::string_view text) {
    return fmt::format("<text x=\"{}\" y=\"{}\" fill=\"{}\">{}</text>\n", x, y, colour, text);
}

}  // namespace

AtRises at_rises(const Scenario& scenario, const Outcome& outcome, const Days& days) {
    AtRises found;
    std::vector<const Bucket*> first, steady;
    for (const double rise_s : rises(scenario, days.first)) {
        const auto second = static_cast<std::size_t>(rise_s);
        if (second >= outcome.buckets.size()) break;
        const Now now = at(scenario, rise_s + 0.001);
        if (now.burst || (days.seen_before && !seen_before(scenario, now.day))) continue;
        ++found.rises;
        found.requests += static_cast<double>(outcome.buckets[second].requests);
        found.misses += outcome.buckets[second].misses;
        first.push_back(&outcome.buckets[second]);
        const auto end = std::min(outcome.buckets.size(), static_cast<std::size_t>(now.phase_to_s));
        for (auto i = second + static_cast<std::size_t>(kSettled_s); i < end; ++i)
            steady.push_back(&outcome.buckets[i]);
    }
    found.p99_us = percentile_us(first, 0.99);
    found.steady_p99_us = percentile_us(steady, 0.99);
    return found;
}

std::string table_of(const Scenario& scenario, const std::vector<Outcome>& outcomes, const Days& days) {
    std::string text =
        "| run | rises | requests | misses | hit ratio | p99 at the rise, µs | p99 later, µs |\n"
        "| --- | --: | --: | --: | --: | --: | --: |\n";
    for (const auto& outcome : outcomes) {
        const AtRises found = at_rises(scenario, outcome, days);
        text += fmt::format("| {} | {} | {:.0f} | {:.0f} | {:.2f} % | {:.0f} | {:.0f} |\n", outcome.name,
                            found.rises, found.requests, found.misses, 100 * found.hit_ratio(), found.p99_us,
                            found.steady_p99_us);
    }
    return text;
}

std::string chart_of(const Scenario& scenario, const std::vector<Outcome>& outcomes, int days) {
    Range range;
    range.to = outcomes.front().buckets.size();
    const auto shown = static_cast<std::size_t>(days * scenario.day_s);
    range.from = range.to > shown ? range.to - shown : 0;
    const double most = most_requests(outcomes.front(), range);
    std::string svg = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" "
        "font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        kWidth, kHeight);
    svg += line(outcomes.front(), range, most, "stroke=\"#bbb\"",
                [](const Bucket& bucket) { return static_cast<double>(bucket.requests); });
    double x = kLeft;
    svg += label(x, 16, "#888", "requests a second");
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        const std::string_view colour = kColours[i % kColours.size()];
        svg += line(outcomes[i], range, most, fmt::format("stroke=\"{}\"", colour),
                    [](const Bucket& bucket) { return std::max(0.0, bucket.misses); });
        svg += label(x += 150, 16, colour, "misses: " + outcomes[i].name);
    }
    svg += label(4, kTop + 8, "#888", fmt::format("{:.0f}", most));
    svg += label(4, kHeight - kBottom, "#888", "0");
    for (int day = 0; day < days; ++day)
        svg += label(kLeft + static_cast<double>(day) * (kWidth - kLeft - 8) / days, kHeight - 6, "#888",
                     fmt::format("day {}", scenario.days - days + day + 1));
    return svg + "</svg>\n";
}

}  // namespace warmfront::bench
