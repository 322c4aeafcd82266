#include "proxy/admin/forecast_json.h"

#include <map>

#include "forecast/summary.h"
#include "proxy/admin/json.h"

namespace warmfront::admin {

using forecast::Outlook;
using forecast::SeriesForecast;
using forecast::SeriesName;
using forecast::SeriesOutlook;
using json::number;
using json::numbers;
using json::object;
using json::quoted;

static std::string whole(std::int64_t count) {
    return std::to_string(count);
}

static std::string bound(const forecast::Bound& of) {
    return object({{"point", number(of.point)}, {"lo95", number(of.lo95)}, {"hi95", number(of.hi95)}});
}

static std::string alarm(const forecast::Alarm& of) {
    return object({{"side", quoted(forecast::name_of(of.side))},
                   {"since", of.since_s == 0 ? "null" : whole(of.since_s)},
                   {"actual", number(of.actual)},
                   {"point", number(of.point)},
                   {"lo99", number(of.lo)},
                   {"hi99", number(of.hi)}});
}

static std::string summary(const SeriesForecast& of) {
    const auto told = forecast::summarise(of);
    if (!told) return "null";
    return object({{"last", number(told->last)},
                   {"next", bound(told->next)},
                   {"total", number(told->total)},
                   {"seconds", whole(told->seconds)},
                   {"peak", bound(told->peak)},
                   {"peak_at", whole(told->peak_s)}});
}

// The members that both forms have, without the brace at the end.
static std::string head_of(const SeriesName& name, const SeriesForecast& of, const SeriesOutlook& seen) {
    std::string text = object({{"id", quoted(forecast::id_of(name))},
                               {"kind", quoted(forecast::word_for(name.kind))},
                               {"database", quoted(name.database)},
                               {"name", quoted(name.name)},
                               {"measure", quoted(forecast::word_for(name.measure))},
                               {"model", quoted(of.model)},
                               {"mase", number(of.mase)},
                               {"fitted", seen.fitted_s == 0 ? "null" : whole(seen.fitted_s)},
                               {"problem", quoted(seen.problem)},
                               {"summary", summary(of)},
                               {"alarm", alarm(seen.alarm)}});
    text.pop_back();
    return text;
}

static std::string outcomes(const std::vector<forecast::Outcome>& seen) {
    std::vector<double> actual, point, lo95, hi95;
    std::vector<std::string> times;
    for (const forecast::Outcome& each : seen) {
        times.push_back(whole(each.time_s));
        actual.push_back(each.actual);
        point.push_back(each.point);
        lo95.push_back(each.lo95);
        hi95.push_back(each.hi95);
    }
    return object({{"time", json::array(times)},
                   {"actual", numbers(actual)},
                   {"point", numbers(point)},
                   {"lo95", numbers(lo95)},
                   {"hi95", numbers(hi95)}});
}

static std::string whole_series(const SeriesName& name, const SeriesForecast& of, const SeriesOutlook& seen) {
    const std::string recent =
        object({{"from", whole(of.recent.start_s)}, {"values", numbers(of.recent.values)}});
    return head_of(name, of, seen) + ",\"step\":" + whole(of.recent.step_s) + ",\"recent\":" + recent +
           ",\"forecast\":" +
           object({{"from", whole(of.from_s)},
                   {"point", numbers(of.point)},
                   {"lo95", numbers(of.lo95)},
                   {"hi95", numbers(of.hi95)},
                   {"lo99", numbers(of.lo99)},
                   {"hi99", numbers(of.hi99)}}) +
           ",\"past\":" + outcomes(seen.outcomes) + "}";
}

static const SeriesOutlook& outlook_of(const Outlook& outlook, const SeriesName& name) {
    static const SeriesOutlook none;
    const auto found = outlook.series.find(name);
    return found == outlook.series.end() ? none : found->second;
}

static std::string envelope(const Outlook& outlook, const std::vector<std::string>& series) {
    return object({{"made", outlook.forecasts->made_s == 0 ? "null" : whole(outlook.forecasts->made_s)},
                   {"problem", quoted(outlook.problem)},
                   {"waiting", std::to_string(outlook.effort.waiting)},
                   {"series", json::array(series)}});
}

std::string forecasts_json(const Outlook& outlook) {
    std::vector<std::string> series;
    for (const auto& [name, of] : outlook.forecasts->series)
        series.push_back(head_of(name, of, outlook_of(outlook, name)) + "}");
    return envelope(outlook, series);
}

std::string forecasts_json(const Outlook& outlook, const std::vector<std::string>& ids) {
    std::map<std::string, const SeriesName*> by_id;
    for (const auto& [name, of] : outlook.forecasts->series) by_id.emplace(forecast::id_of(name), &name);
    std::vector<std::string> series;
    for (const std::string& id : ids) {
        const auto found = by_id.find(id);
        if (found == by_id.end() || series.size() == kSeriesAskedMax) continue;
        const SeriesName& name = *found->second;
        series.push_back(whole_series(name, outlook.forecasts->series.at(name), outlook_of(outlook, name)));
    }
    return envelope(outlook, series);
}

std::string capacity_json(const forecast::Capacity& capacity) {
    return object(
        {{"recommended_sidecars", capacity.recommended == 0 ? "null" : std::to_string(capacity.recommended)},
         {"needed_sidecars", number(capacity.needed)},
         {"needed_sidecars_now", number(capacity.needed_now)},
         {"peak_queries_per_second", number(capacity.peak_per_s)},
         {"cpu_seconds_per_query", number(capacity.cpu_s_per_query)},
         {"sidecar_queries_per_second", number(capacity.carries_per_s)},
         {"reason", quoted(capacity.reason)}});
}

}  // namespace warmfront::admin
