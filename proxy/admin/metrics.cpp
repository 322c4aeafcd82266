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
static Samples of_disk(const Observation& seen) {
    return one(static_cast<double>(seen.disk.*Member));
}

static Samples disk_reads_seconds(const Observation& seen) {
    return one(static_cast<double>(seen.disk.reads_us) / 1e6);
}

static Samples disk_reads_refused(const Observation& seen) {
    return {sample({{"reason", "slower_than_postgresql"}}, static_cast<double>(seen.disk.reads_slow)),
            sample({{"reason", "queue_full"}}, static_cast<double>(seen.disk.reads_full))};
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
static Samples of_history(const Observation& seen) {
    return one(static_cast<double>(seen.history.*Member));
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

static Samples by_name(std::string_view label,
                       const std::vector<std::pair<std::string_view, std::uint64_t>>& counts) {
    Samples samples;
    for (const auto& [name, count] : counts)
        samples.push_back(sample({{std::string(label), std::string(name)}}, static_cast<double>(count)));
    return samples;
}
static Samples prewarm_fetches(const Observation& seen) {
    return by_name("outcome", seen.prewarm.outcomes);
}
static Samples prewarm_stored(const Observation& seen) {
    return by_name("reason", seen.prewarm.stored);
}
template <auto Member>
static Samples of_prewarm(const Observation& seen) {
    return one(static_cast<double>(seen.prewarm.*Member));
}
static Samples prewarm_spent(const Observation& seen) {
    return one(static_cast<double>(seen.ledger.fetch_spent_us) / 1e6);
}
static Samples prewarm_saved(const Observation& seen) {
    return one(static_cast<double>(seen.ledger.fetch_saved_us) / 1e6);
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

static Samples next_query_fetches(const Observation& seen) {
    const forecast::NextQueryCounts& counts = seen.next_query;
    return {sample({{"outcome", "used"}}, static_cast<double>(counts.used)),
            sample({{"outcome", "late"}}, static_cast<double>(counts.late)),
            sample({{"outcome", "wasted"}}, static_cast<double>(counts.wasted))};
}
template <auto Member>
static Samples of_next_query(const Observation& seen) {
    return one(static_cast<double>(seen.next_query.*Member));
}
template <auto Member>
static Samples next_query_seconds(const Observation& seen) {
    return one(static_cast<double>(seen.next_query.*Member) / 1e6);
}

std::span<const Metric> metrics_table() {
    using enum prometheus::MetricType;
    using Total = DatabaseTotals;
    using Store = cache::StoreStats;
    using Disk = cache::DiskStats;
    using Process = ProcessStats;
    using Ledger = session::LedgerTotals;
    using Forecast = forecast::SeriesForecast;
    using Effort = forecast::TrainingEffort;
    using Capacity = forecast::Capacity;
    using History = HistoryNumbers;
    using Next = forecast::NextQueryCounts;
    static constexpr Metric kTable[] = {
        {"warmfront_build_info", Gauge, "1; the label says which version runs.", build_info},
        {"warmfront_ready", Gauge, "1 while queries can be served, as /readyz says.", ready},

        {"warmfront_queries_total", Counter, "Query strings answered, by what they do; hits among the reads.",
         queries},
        {"warmfront_hits_total", Counter, "Reads answered from memory or from the disk tier.",
         by_database<&Total::hits>},
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
        {"warmfront_disk_up", Gauge, "1 while the disk tier works, 0 without one or after it failed.",
         of_disk<&Disk::on>},
        {"warmfront_disk_entries", Gauge, "Answers on disk.", of_disk<&Disk::entries>},
        {"warmfront_disk_bytes", Gauge, "Bytes of the disk tier's files.", of_disk<&Disk::bytes>},
        {"warmfront_disk_max_bytes", Gauge, "The budget of warmfront_disk_bytes.", of_disk<&Disk::bytes_max>},
        {"warmfront_disk_memory_bytes", Gauge,
         "What the disk tier takes of the memory budget: index, buffers, queue.",
         of_disk<&Disk::memory_bytes>},
        {"warmfront_disk_hits_total", Counter, "Answers brought back from disk.", of_disk<&Disk::hits>},
        {"warmfront_disk_reads_total", Counter, "Reads of the disk tier.", of_disk<&Disk::reads>},
        {"warmfront_disk_reads_seconds_total", Counter, "What they took, waiting included.",
         disk_reads_seconds},
        {"warmfront_disk_read_bytes_total", Counter, "Bytes that they brought.", of_disk<&Disk::read_bytes>},
        {"warmfront_disk_reads_in_vain_total", Counter, "Reads whose answer was void or gone when it came.",
         of_disk<&Disk::reads_void>},
        {"warmfront_disk_reads_refused_total", Counter,
         "Answers on disk for which PostgreSQL was asked all the same, by reason.", disk_reads_refused},
        {"warmfront_disk_voided_total", Counter, "Answers on disk found overtaken by a write when asked for.",
         of_disk<&Disk::voided>},
        {"warmfront_disk_expired_total", Counter,
         "Answers on disk found older than their TTL when asked for.", of_disk<&Disk::expired>},
        {"warmfront_disk_writes_total", Counter, "Answers written to disk.", of_disk<&Disk::writes>},
        {"warmfront_disk_written_bytes_total", Counter, "Bytes of them.", of_disk<&Disk::written_bytes>},
        {"warmfront_disk_dropped_total", Counter,
         "Answers that memory gave up and that were not written: the queue was full.",
         of_disk<&Disk::dropped>},
        {"warmfront_disk_set_aside_total", Counter, "Times that files were set aside as torn or foreign.",
         of_disk<&Disk::set_aside>},
        {"warmfront_disk_errors_total", Counter, "Failures of the disk tier's files.",
         of_disk<&Disk::errors>},
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

        {"warmfront_prewarm_fetches_total", Counter,
         "Answers that were to be fetched before they are asked for, by what came of it.", prewarm_fetches},
        {"warmfront_prewarm_stored_total", Counter, "Of those, the ones stored, by why they were fetched.",
         prewarm_stored},
        {"warmfront_prewarm_dropped_total", Counter, "Fetches not begun because too many waited.",
         of_prewarm<&PrewarmNumbers::dropped>},
        {"warmfront_prewarm_used_total", Counter, "Fetched answers that were asked for.",
         of_ledger<&Ledger::fetched_used>},
        {"warmfront_prewarm_unused_total", Counter,
         "Fetched answers that were given up before anybody asked.", of_ledger<&Ledger::fetched_unused>},
        {"warmfront_prewarm_spent_seconds_total", Counter, "PostgreSQL's time for fetching ahead.",
         prewarm_spent},
        {"warmfront_prewarm_saved_seconds_total", Counter,
         "PostgreSQL's time that the first use of fetched answers would have cost while a client waited.",
         prewarm_saved},
        {"warmfront_prewarm_waiting", Gauge, "Fetches that wait for their turn.",
         of_prewarm<&PrewarmNumbers::waiting>},
        {"warmfront_prewarm_rate", Gauge,
         "Fetches a second that are allowed now; below prewarm.rate while clients' misses take long.",
         of_prewarm<&PrewarmNumbers::rate>},
        {"warmfront_prewarm_hot_keys", Gauge, "Reads that are predicted to be asked for.",
         of_prewarm<&PrewarmNumbers::hot_keys>},
        {"warmfront_prewarm_templates_off", Gauge, "Statements left out because fetching ahead did not pay.",
         of_prewarm<&PrewarmNumbers::templates_off>},

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

        {"warmfront_history_buckets_written_total", Counter, "Buckets of the request history written.",
         of_history<&History::written>},
        {"warmfront_history_buckets_dropped_total", Counter,
         "Buckets of the request history that could not be written.", of_history<&History::dropped>},
        {"warmfront_history_file_bytes", Gauge, "The request history's file, with its log.",
         of_history<&History::file_bytes>},
        {"warmfront_history_write_seconds", Gauge, "How long the last bucket took to be written.",
         of_history<&History::write_seconds>},

        {"warmfront_next_query_predicted_total", Counter,
         "Queries that a session was expected to send next, with their parameters.",
         of_next_query<&Next::predicted>},
        {"warmfront_next_query_there_total", Counter,
         "Of those, the ones whose answer was in memory already.", of_next_query<&Next::there>},
        {"warmfront_next_query_prefetched_total", Counter, "Of those, the ones handed out to be fetched.",
         of_next_query<&Next::prefetched>},
        {"warmfront_next_query_fetches_total", Counter,
         "Of those, by what came of it: answered from memory when they were sent, sent before the answer was "
         "there, not sent in time.",
         next_query_fetches},
        {"warmfront_next_query_saved_seconds_total", Counter,
         "PostgreSQL's time that clients did not wait for because the answer was fetched ahead.",
         next_query_seconds<&Next::saved_us>},
        {"warmfront_next_query_wasted_seconds_total", Counter,
         "PostgreSQL's time for answers fetched ahead that the session did not ask for.",
         next_query_seconds<&Next::wasted_us>},

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
