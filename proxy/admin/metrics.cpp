#include "proxy/admin/metrics.h"

#include <cmath>
#include <limits>
#include <optional>
#include <sstream>

#include <prometheus/text_serializer.h>

#include "config/version.h"
#include "forecast/summary.h"

namespace warmfront::admin {

using prometheus::ClientMetric;
using Samples = std::vector<ClientMetric>;
using Label = ClientMetric::Label;

// A sample is a counter or a gauge by its family's type; both members get the value, the serializer takes the
// right one.
static ClientMetric sample(std::vector<Label> labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.counter.value = value;
    metric.gauge.value = value;
    return metric;
}

static Samples one(double value) {
    return {sample({}, value)};
}

// One sample per database, of a number in its totals.
template <auto Member>
static Samples by_database(const Observation& seen) {
    Samples samples;
    for (const auto& [name, totals] : seen.databases)
        samples.push_back(sample({{"database", name}}, static_cast<double>(totals.*Member)));
    return samples;
}

template <auto Member>
static Samples of_store(const Observation& seen) {
    return one(static_cast<double>(seen.store.*Member));
}

template <auto Member>
static Samples of_process(const Observation& seen) {
    return one(static_cast<double>(seen.process.*Member));
}

template <auto Member>
static Samples of_all(const Observation& seen) {
    return one(static_cast<double>(seen.*Member));
}

static Samples queries(const Observation& seen) {
    Samples samples;
    for (const auto& [name, totals] : seen.databases) {
        for (const sql::QueryClass each : kQueryClasses) {
            const auto count = static_cast<double>(totals.queries[static_cast<std::size_t>(each)]);
            samples.push_back(
                sample({{"database", name}, {"class", std::string(sql::name_of(each))}}, count));
        }
    }
    return samples;
}

static Samples refusals(const Observation& seen) {
    Samples samples;
    for (const auto& [name, totals] : seen.databases) {
        for (const auto& [reason, count] : totals.refusals) {
            samples.push_back(
                sample({{"database", name}, {"reason", std::string(reason)}}, static_cast<double>(count)));
        }
    }
    return samples;
}

static Samples invalidations(const Observation& seen) {
    Samples samples;
    for (const auto& [name, totals] : seen.databases) {
        for (const session::DropCause each : kDropCauses) {
            const auto count = static_cast<double>(totals.invalidations[static_cast<std::size_t>(each)]);
            samples.push_back(sample({{"database", name}, {"cause", std::string(name_of(each))}}, count));
        }
    }
    return samples;
}

static ClientMetric histogram(const std::string& database, const char* outcome, const Latencies& latencies) {
    ClientMetric metric;
    metric.label = {{"database", database}, {"outcome", outcome}};
    auto& histogram = metric.histogram;
    for (std::size_t bucket = 0; bucket < Latencies::kBuckets; ++bucket) {
        const bool last = bucket + 1 == Latencies::kBuckets;
        histogram.sample_count += latencies.counts[bucket];
        histogram.bucket.push_back({histogram.sample_count, last ? std::numeric_limits<double>::infinity()
                                                                 : static_cast<double>(1U << bucket) / 1e6});
    }
    histogram.sample_sum = static_cast<double>(latencies.sum_us) / 1e6;
    return metric;
}

static Samples durations(const Observation& seen) {
    Samples samples;
    for (const auto& [name, totals] : seen.databases) {
        samples.push_back(histogram(name, "hit", totals.hit_latency));
        samples.push_back(histogram(name, "miss", totals.miss_latency));
        samples.push_back(histogram(name, "forwarded", totals.forwarded_latency));
    }
    return samples;
}

static Samples saved_seconds(const Observation& seen) {
    return one(static_cast<double>(seen.ledger.saved_us) / 1e6);
}

template <auto Member>
static Samples of_ledger(const Observation& seen) {
    return one(static_cast<double>(seen.ledger.*Member));
}

static Samples templates_off(const Observation& seen) {
    return {sample({{"reason", "break_even"}}, static_cast<double>(seen.ledger.off_by_break_even)),
            sample({{"reason", "mismatch"}}, static_cast<double>(seen.ledger.off_by_mismatch))};
}

static Samples observing(const Observation& seen) {
    return one(seen.observing ? 1 : 0);
}

// One sample per database and table that is forecast; statements would be too many.
template <typename Value>
static Samples by_series(const Observation& seen, Value value_of) {
    Samples samples;
    for (const auto& [name, of] : seen.outlook->forecasts->series) {
        if (name.kind == forecast::SeriesName::Kind::Template) continue;
        const std::optional<double> value = value_of(name, of);
        if (!value) continue;
        samples.push_back(sample({{"database", name.database},
                                  {"kind", std::string(forecast::word_for(name.kind))},
                                  {"name", name.name},
                                  {"measure", std::string(forecast::word_for(name.measure))}},
                                 *value));
    }
    return samples;
}

template <auto Bound>
static Samples forecast_next(const Observation& seen) {
    return by_series(seen, [](const auto&, const forecast::SeriesForecast& of) -> std::optional<double> {
        if ((of.*Bound).empty()) return std::nullopt;
        return (of.*Bound).front();
    });
}

static Samples forecast_mase(const Observation& seen) {
    return by_series(seen, [](const auto&, const forecast::SeriesForecast& of) -> std::optional<double> {
        if (std::isnan(of.mase)) return std::nullopt;
        return of.mase;
    });
}

static double alarm_value(const forecast::SeriesOutlook& of) {
    return of.alarm.side == forecast::Side::Above ? 1 : of.alarm.side == forecast::Side::Below ? -1 : 0;
}

static Samples forecast_alarm(const Observation& seen) {
    return by_series(seen, [&](const forecast::SeriesName& name, const auto&) -> std::optional<double> {
        const auto of = seen.outlook->series.find(name);
        if (of == seen.outlook->series.end()) return std::nullopt;
        return alarm_value(of->second);
    });
}

static Samples forecast_alarms(const Observation& seen) {
    using enum forecast::SeriesName::Kind;
    Samples samples;
    for (const auto kind : {Database, Table, Template}) {
        double alarms = 0;
        for (const auto& [name, of] : seen.outlook->series)
            alarms += name.kind == kind && alarm_value(of) != 0;
        samples.push_back(sample({{"kind", std::string(forecast::word_for(kind))}}, alarms));
    }
    return samples;
}

static Samples forecast_series(const Observation& seen) {
    return one(static_cast<double>(seen.outlook->forecasts->series.size()));
}

static Samples forecast_made(const Observation& seen) {
    return one(static_cast<double>(seen.outlook->forecasts->made_s));
}

template <auto Member>
static Samples of_training(const Observation& seen) {
    return one(static_cast<double>(seen.outlook->effort.*Member));
}

// Nothing while it is not known: an autoscaler then leaves the number as it is.
template <auto Member>
static Samples of_capacity(const Observation& seen) {
    const auto value = static_cast<double>(seen.outlook->capacity.*Member);
    return seen.outlook->capacity.recommended == 0 || std::isnan(value) ? Samples{} : one(value);
}

static Samples build_info(const Observation&) {
    return {sample({{"version", std::string(version())}}, 1)};
}
static Samples ready(const Observation& seen) {
    return one(seen.not_ready.empty() ? 1 : 0);
}

std::span<const Metric> metrics_table() {
    using enum prometheus::MetricType;
    using Total = DatabaseTotals;
    using Store = cache::StoreStats;
    using Process = ProcessStats;
    using Ledger = session::LedgerTotals;
    using Forecast = forecast::SeriesForecast;
    using Effort = forecast::TrainingEffort;
    using Capacity = forecast::Capacity;
    static constexpr Metric kTable[] = {
        {"warmfront_build_info", Gauge, "1; the label says which version runs.", build_info},
        {"warmfront_ready", Gauge, "1 while queries can be served, as /readyz says.", ready},

        {"warmfront_queries_total", Counter, "Query strings answered, by what they do; hits among the reads.",
         queries},
        {"warmfront_hits_total", Counter, "Reads answered from memory.", by_database<&Total::hits>},
        {"warmfront_stale_answers_total", Counter,
         "Hits that were given because PostgreSQL could not be reached.", by_database<&Total::stales>},
        {"warmfront_misses_total", Counter,
         "Reads that could have been answered from memory and were not there.", by_database<&Total::misses>},
        {"warmfront_refusals_total", Counter, "Reads whose answer is not kept, by reason.", refusals},
        {"warmfront_fills_total", Counter, "Answers stored.", by_database<&Total::fills>},
        {"warmfront_fills_refused_total", Counter,
         "Answers not stored because a write overtook them or there is no room.",
         by_database<&Total::fills_refused>},
        {"warmfront_invalidations_total", Counter, "Events that voided answers, by cause.", invalidations},
        {"warmfront_client_connections", Gauge, "Client connections that are open.",
         by_database<&Total::connections>},
        {"warmfront_client_connections_total", Counter, "Client connections that were opened.",
         by_database<&Total::connections_total>},
        {"warmfront_client_received_bytes_total", Counter, "Bytes from clients.",
         by_database<&Total::received_bytes>},
        {"warmfront_client_sent_bytes_total", Counter, "Bytes to clients.", by_database<&Total::sent_bytes>},
        {"warmfront_query_duration_seconds", Histogram,
         "From a request's arrival to its answer: from memory, from PostgreSQL after a miss, forwarded "
         "otherwise.",
         durations},

        {"warmfront_cache_entries", Gauge, "Answers in memory.", of_store<&Store::entries>},
        {"warmfront_cache_bytes", Gauge, "Memory of answers and of what finds and orders them.",
         of_store<&Store::bytes>},
        {"warmfront_cache_max_bytes", Gauge, "The budget of warmfront_cache_bytes.",
         of_all<&Observation::store_bytes_max>},
        {"warmfront_cache_evictions_total", Counter, "Answers given up for room.",
         of_store<&Store::evictions>},
        {"warmfront_cache_expired_total", Counter, "Look-ups that found an answer older than its TTL.",
         of_store<&Store::expired>},
        {"warmfront_cache_voided_total", Counter,
         "Look-ups that found an answer overtaken by a write or a loss.", of_store<&Store::voided>},
        {"warmfront_flights", Gauge, "Misses under way that equal ones may share.",
         of_all<&Observation::flights>},
        {"warmfront_templates", Gauge, "Statements whose analysis is remembered.",
         of_all<&Observation::templates>},

        {"warmfront_templates_off", Gauge, "Statements that are not kept for what was measured, by reason.",
         templates_off},
        {"warmfront_saved_seconds_total", Counter,
         "PostgreSQL's time that hits saved; in observe mode, would have saved.", saved_seconds},
        {"warmfront_observing", Gauge, "1 in observe mode: nothing is answered from memory.", observing},
        {"warmfront_would_be_hits_total", Counter, "Reads that observe mode would have answered from memory.",
         of_ledger<&Ledger::would_hits>},
        {"warmfront_verified_total", Counter, "Hits that PostgreSQL was asked as well, and compared.",
         of_ledger<&Ledger::verified>},
        {"warmfront_mismatches_total", Counter, "Verified hits whose answer was not PostgreSQL's.",
         of_ledger<&Ledger::mismatches>},

        {"warmfront_forecast_series", Gauge, "Loads that are forecast.", forecast_series},
        {"warmfront_forecast_made_timestamp_seconds", Gauge,
         "When the forecasts were last brought up to date, since 1970; 0: not yet.", forecast_made},
        {"warmfront_forecast_next_requests", Gauge, "The load forecast for the bucket under way or to come.",
         forecast_next<&Forecast::point>},
        {"warmfront_forecast_next_lower_requests", Gauge, "The lower bound of its 99 % interval.",
         forecast_next<&Forecast::lo99>},
        {"warmfront_forecast_next_upper_requests", Gauge, "The upper bound of its 99 % interval.",
         forecast_next<&Forecast::hi99>},
        {"warmfront_forecast_mase", Gauge,
         "The model's mean absolute scaled error on buckets that it had not seen; below 1 is better than "
         "repeating the last season.",
         forecast_mase},
        {"warmfront_forecast_alarm", Gauge,
         "1 while the load is above the 99 % interval, -1 while it is below it, else 0.", forecast_alarm},
        {"warmfront_forecast_alarms", Gauge, "Loads outside their 99 % interval, by kind.", forecast_alarms},
        {"warmfront_training_fits_total", Counter, "Models fitted.", of_training<&Effort::fits>},
        {"warmfront_training_fits_failed_total", Counter,
         "Fits that failed, mostly because the history is short: such a load is forecast by its level.",
         of_training<&Effort::fits_failed>},
        {"warmfront_training_waiting", Gauge, "Loads whose fit is due and found no time yet.",
         of_training<&Effort::waiting>},
        {"warmfront_training_seconds_total", Counter, "Time spent on forecasts, on a thread of its own.",
         of_training<&Effort::seconds>},
        {"warmfront_recommended_sidecars", Gauge,
         "Sidecars that the load to come needs, of what this one sees; within capacity.min and capacity.max.",
         of_capacity<&Capacity::recommended>},
        {"warmfront_needed_sidecars", Gauge,
         "The same, not rounded and without these bounds: of several sidecars it can be summed.",
         of_capacity<&Capacity::needed>},
        {"warmfront_predicted_peak_queries_per_second", Gauge,
         "The highest upper bound (95 %) of the load within the horizon.",
         of_capacity<&Capacity::peak_per_s>},
        {"warmfront_cpu_seconds_per_query", Gauge, "The CPU time that a query takes here, as measured.",
         of_capacity<&Capacity::cpu_s_per_query>},

        {"process_resident_memory_bytes", Gauge, "Resident memory.", of_process<&Process::resident_bytes>},
        {"process_virtual_memory_bytes", Gauge, "Virtual memory.", of_process<&Process::virtual_bytes>},
        {"process_cpu_seconds_total", Counter, "User and system CPU time.",
         of_process<&Process::cpu_seconds>},
        {"process_start_time_seconds", Gauge, "When the process started, since 1970.",
         of_process<&Process::start_time_seconds>},
        {"process_threads", Gauge, "Threads.", of_process<&Process::threads>},
        {"process_open_fds", Gauge, "Open file descriptors.", of_process<&Process::open_fds>},
        {"process_max_fds", Gauge, "File descriptors that may be open.", of_process<&Process::max_fds>},
    };
    return kTable;
}

std::string metrics_text(const Observation& observation) {
    std::vector<prometheus::MetricFamily> families;
    for (const Metric& metric : metrics_table()) {
        families.push_back(
            {std::string(metric.name), std::string(metric.help), metric.type, metric.read(observation)});
    }
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, families);
    return text.str();
}

}  // namespace warmfront::admin
