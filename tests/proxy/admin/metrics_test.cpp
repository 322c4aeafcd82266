#include "proxy/admin/metrics.h"

#include <map>
#include <set>
#include <sstream>

#include <doctest/doctest.h>

#include "tests/proxy/admin/sample.h"

using namespace warmfront;
using namespace warmfront::admin;

namespace {

// The text as promtool reads it; `problem` is what it would complain of.
struct Exposition {
    std::map<std::string, std::string> types;
    std::set<std::string> helped;
    std::map<std::string, double> samples;  // by name and labels
    std::string problem;
};

// "x_bucket", "x_sum" and "x_count" belong to the histogram x.
std::string family_of(const std::string& name, const Exposition& seen) {
    for (const std::string suffix : {"_bucket", "_sum", "_count"}) {
        if (!name.ends_with(suffix)) continue;
        const std::string base = name.substr(0, name.size() - suffix.size());
        if (const auto type = seen.types.find(base); type != seen.types.end() && type->second == "histogram")
            return base;
    }
    return name;
}

Exposition parsed(const std::string& text) {
    Exposition seen;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string hash, what, name, type;
        if (line.starts_with("# ")) {
            words >> hash >> what >> name >> type;
            if (what == "HELP" && !seen.helped.insert(name).second) seen.problem = "HELP twice: " + line;
            if (what == "TYPE" && !seen.types.emplace(name, type).second)
                seen.problem = "TYPE twice: " + line;
            continue;
        }
        const std::size_t blank = line.rfind(' ');
        const std::string labelled = line.substr(0, blank);
        const std::string family = family_of(labelled.substr(0, labelled.find('{')), seen);
        if (!seen.types.contains(family) || !seen.helped.contains(family))
            seen.problem = "no HELP or TYPE: " + line;
        if (!seen.samples.emplace(labelled, std::strtod(line.c_str() + blank, nullptr)).second)
            seen.problem = "twice: " + line;
    }
    return seen;
}

}  // namespace

TEST_CASE("metrics: every sample has its HELP and TYPE, once") {
    for (const Observation& observation : {Observation{}, sample_observation()}) {
        const Exposition seen = parsed(metrics_text(observation));
        CHECK(seen.problem == "");
        for (const Metric& metric : metrics_table()) {
            CAPTURE(metric.name);
            CHECK(seen.types.contains(std::string(metric.name)));
        }
    }
}

TEST_CASE("metrics: the checker of these tests finds what is wrong") {
    CHECK(parsed("a 1\n").problem != "");
    CHECK(parsed("# HELP a x\n# TYPE a gauge\na 1\na 1\n").problem != "");
    CHECK(parsed("# HELP a x\n# TYPE a counter\na_bucket 1\n").problem != "");
    CHECK(parsed("# HELP a x\n# TYPE a histogram\na_bucket 1\n").problem == "");
}

TEST_CASE("metrics: names follow Prometheus' rules") {
    for (const Metric& metric : metrics_table()) {
        CAPTURE(metric.name);
        CHECK((metric.name.starts_with("warmfront_") || metric.name.starts_with("process_")));
        CHECK(metric.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
        CHECK(metric.help.ends_with("."));
        if (metric.type == prometheus::MetricType::Counter) CHECK(metric.name.ends_with("_total"));
        const bool is_connections = metric.name == "warmfront_client_connections_total";
        if (metric.type == prometheus::MetricType::Gauge && !is_connections)
            CHECK_FALSE(metric.name.ends_with("_total"));
    }
}

TEST_CASE("metrics: values are where they belong") {
    const Exposition seen = parsed(metrics_text(sample_observation()));
    struct Row {
        std::string name;
        double value;
    };
    for (
        const auto& [name, value] : std::vector<Row>{
            {R"(warmfront_queries_total{database="shop",class="read"})", 23},
            {R"(warmfront_queries_total{database="shop",class="opaque"})", 0},
            {R"(warmfront_hits_total{database="shop"})", 21},
            {R"(warmfront_hits_total{database="a \"strange\\\nname"})", 1},
            {R"(warmfront_refusals_total{database="shop",reason="volatile_function"})", 1},
            {R"(warmfront_invalidations_total{database="shop",cause="write"})", 5},
            {R"(warmfront_client_connections{database="shop"})", 2},
            {R"(warmfront_query_duration_seconds_count{database="shop",outcome="hit"})", 2},
            {R"(warmfront_query_duration_seconds_sum{database="shop",outcome="hit"})", 100.000003},
            {R"(warmfront_query_duration_seconds_bucket{database="shop",outcome="hit",le="2e-06"})", 0},
            {R"(warmfront_query_duration_seconds_bucket{database="shop",outcome="hit",le="+Inf"})", 2},
            {"warmfront_cache_entries", 7},
            {"warmfront_cache_bytes", 4'096},
            {"warmfront_ready", 1},
            {"warmfront_forecast_series", 3},
            {R"(warmfront_forecast_next_requests{database="shop",kind="database",name="",measure="requests"})",
             20},
            {R"(warmfront_forecast_next_upper_requests{database="shop",kind="table",name="public.\"o\"",measure="reads"})",
             30},
            {R"(warmfront_forecast_mase{database="shop",kind="database",name="",measure="requests"})", 0.75},
            {R"(warmfront_forecast_alarm{database="shop",kind="database",name="",measure="requests"})", 0},
            {R"(warmfront_forecast_alarm{database="shop",kind="table",name="public.\"o\"",measure="reads"})",
             1},
            {R"(warmfront_forecast_alarms{kind="table"})", 1},
            {R"(warmfront_forecast_alarms{kind="statement"})", 1},
            {R"(warmfront_forecast_alarms{kind="database"})", 0},
            {"warmfront_training_fits_total", 4},
            {"warmfront_recommended_sidecars", 3},
            {"warmfront_needed_sidecars", 2.75},
            {"warmfront_predicted_peak_queries_per_second", 5500},
            {"warmfront_cpu_seconds_per_query", 0.0005},
            {R"(warmfront_prewarm_fetches_total{outcome="refused"})", 1},
            {R"(warmfront_prewarm_stored_total{reason="rise"})", 3},
            {"warmfront_next_query_prefetched_total", 7},
            {R"(warmfront_next_query_fetches_total{outcome="used"})", 4},
            {R"(warmfront_next_query_fetches_total{outcome="wasted"})", 1},
            {"warmfront_next_query_saved_seconds_total", 0.008},
            {"warmfront_prewarm_used_total", 3},
            {"warmfront_prewarm_spent_seconds_total", 1.5},
            {"warmfront_prewarm_waiting", 2},
            {"warmfront_prewarm_rate", 12.5},
            {"warmfront_prewarm_hot_keys", 6},
            {"process_cpu_seconds_total", 1.5},
            {"process_threads", 3}}) {
        CAPTURE(name);
        REQUIRE(seen.samples.contains(name));
        CHECK(seen.samples.at(name) == doctest::Approx(value));
    }
}

TEST_CASE("metrics: statements are no labels, and what is not known yet is no sample") {
    CHECK(metrics_text(sample_observation()).find("00000000000000ab") == std::string::npos);
    const Exposition early = parsed(metrics_text(Observation{}));
    CHECK_FALSE(early.samples.contains("warmfront_recommended_sidecars"));
    CHECK_FALSE(early.samples.contains("warmfront_needed_sidecars"));
}

TEST_CASE("metrics: a histogram's buckets only grow and end with its count") {
    const Exposition seen = parsed(metrics_text(sample_observation()));
    std::map<double, double> by_bound;
    const std::string prefix =
        R"(warmfront_query_duration_seconds_bucket{database="shop",outcome="hit",le=")";
    for (const auto& [name, value] : seen.samples) {
        if (name.starts_with(prefix)) by_bound[std::strtod(name.c_str() + prefix.size(), nullptr)] = value;
    }
    REQUIRE(by_bound.size() == Latencies::kBuckets);
    double last = 0;
    for (const auto& [bound, count] : by_bound) {
        CHECK(count >= last);
        last = count;
    }
    CHECK(last == 2);
    CHECK(by_bound.begin()->first == doctest::Approx(1e-6));
}

TEST_CASE("process: what the kernel says of this process is plausible") {
    const ProcessStats stats = read_process_stats();
    CHECK(stats.resident_bytes > 1'000'000);
    CHECK(stats.virtual_bytes >= stats.resident_bytes);
    CHECK(stats.threads >= 1);
    CHECK(stats.open_fds >= 3);
    CHECK(stats.max_fds >= stats.open_fds);
    CHECK(stats.start_time_seconds > 1e9);
}
