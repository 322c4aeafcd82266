#include "forecast/backtest_report.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "forecast/backtest.h"
#include "forecast/boosted_trees.h"
#include "forecast/prepare.h"
#include "forecast/roster.h"
#include "forecast/score.h"

namespace warmfront::forecast {
namespace {

constexpr std::size_t kTestShare = 5;      // a fifth
constexpr double kDriverShareMin = 0.005;  // less would be printed as 0 %

struct Collected {
    std::vector<double> actual, point, lo, hi;
    double cpu_s = 0;
    std::string failure;
    Forecast last;
};

Collected collect(const Series& series, const std::vector<Origin>& origins, const AutomaticOptions& options) {
    Collected collected;
    for (const Origin& origin : origins) {
        const double begun_s = thread_cpu_s();
        const auto chosen = Automatic::choose(first(series, origin.bucket), options);
        if (!chosen) {
            collected.failure = chosen.error().text;
            return collected;
        }
        collected.last = chosen->forecast(origin.horizon);
        collected.cpu_s += thread_cpu_s() - begun_s;
        for (std::size_t step = 0; step < origin.horizon; ++step) {
            collected.actual.push_back(actual_of(series, origin, step));
            collected.point.push_back(collected.last.point[step]);
            collected.lo.push_back(collected.last.lo95[step]);
            collected.hi.push_back(collected.last.hi95[step]);
        }
    }
    return collected;
}

std::string row(const std::string& model, const Collected& seen, double scale, std::size_t origins) {
    if (!seen.failure.empty()) return fmt::format("{:<20} {}\n", model, seen.failure);
    return fmt::format("{:<20} {:>8.3f} {:>7.1f}% {:>12.4g} {:>12.4g} {:>9.1f}% {:>10.1f}\n", model,
                       mae(seen.actual, seen.point) / scale, smape(seen.actual, seen.point),
                       rmse(seen.actual, seen.point), mse(seen.actual, seen.point),
                       100 * coverage(seen.actual, seen.lo, seen.hi),
                       1e3 * seen.cpu_s / static_cast<double>(origins));
}

std::vector<std::string> models_of(const AutomaticOptions& options) {
    std::vector<std::string> models{options.model};
    if (options.model == "auto")
        for (const RosterEntry& entry : roster())
            if (entry.quick || options.thorough) models.emplace_back(entry.name);
    return models;
}

// The share of each group of features in what is known of the load; empty for a model that does not say, or
// a series too short for it.
std::string drivers(const Series& series, const AutomaticOptions& asked) {
    const std::string_view name = asked.model == "auto" ? "boosted-trees" : std::string_view(asked.model);
    const RosterEntry* const entry = find_model(name);
    const auto model = entry ? entry->make() : nullptr;
    auto* const trees = dynamic_cast<BoostedTrees*>(model.get());
    if (trees == nullptr || !trees->fit(series, asked.fit)) return {};
    const auto importance = trees->importance();
    if (!importance) return {};
    std::string text;
    for (const Importance& each : *importance) {
        if (each.share < kDriverShareMin) break;  // the most important come first
        text += fmt::format("{} {} {:.0f}%", text.empty() ? "" : ",", each.group, 100 * each.share);
    }
    return text.empty() ? text : fmt::format("what drives this load, as {} see it:{}\n", name, text);
}

}  // namespace

Result<BacktestReport> backtest_report(const Series& series, const AutomaticOptions& asked) {
    const std::size_t size = series.size(), horizon = asked.fit.horizon_max;
    if (size < kTestShare || size - size / kTestShare + horizon > size)
        return fail("22023", fmt::format("{} steps are too few to hold back a fifth and {} steps of it be "
                                         "forecast: give a longer history or a shorter --horizon",
                                         size, horizon));
    const auto origins = spread_origins(size - size / kTestShare, size - horizon, kReportOrigins, horizon);
    const std::size_t season = series.seasons.empty() ? 1 : series.seasons.front();
    const double scale = naive_scale(std::span(series.values).first(origins.front().bucket), season);
    BacktestReport report;
    report.text = fmt::format(
        "{} origins from step {} to {}, {} steps ahead each; MASE is scaled by the seasonal "
        "naive of {} steps\n{:<20} {:>8} {:>8} {:>12} {:>12} {:>10} {:>10}\n",
        origins.size(), origins.front().bucket, origins.back().bucket, horizon, season, "model", "MASE",
        "sMAPE", "RMSE", "MSE", "in 95 %", "CPU ms");
    for (const std::string& model : models_of(asked)) {
        AutomaticOptions options = asked;
        options.model = model;
        Collected collected = collect(series, origins, options);
        if (!collected.failure.empty() && model == asked.model) return fail("22023", collected.failure);
        report.text += row(model, collected, scale, origins.size());
        if (model == asked.model) report.last = std::move(collected.last);
    }
    report.last_origin = origins.back().bucket;
    for (std::size_t step = 0; step < horizon; ++step)
        report.last_actual.push_back(actual_of(series, origins.back(), step));
    report.text += fmt::format("choice at the last origin: {}", report.last.model);
    for (const Share& share : report.last.shares)
        report.text += fmt::format("{} {} {:.0f}%", &share == report.last.shares.data() ? ":" : ",",
                                   share.model, 100 * share.weight);
    report.text += "\n" + drivers(series, asked);
    return report;
}

}  // namespace warmfront::forecast
