#include "bench/scenarios/load.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <mutex>
#include <thread>

#include "proxy/wire/encode.h"
#include "tests/live/support/raw_client.h"

namespace warmfront::bench {
namespace {

using test::must;

constexpr int kConnections = 6;

void sleep_until(double steady) {
    const double left = steady - steady_s();
    if (left > 0) std::this_thread::sleep_for(std::chrono::duration<double>(left));
}

std::string request(const Scenario& scenario, int row) {
    std::string bytes;
    const std::string text = std::to_string(row);
    const std::optional<std::string_view> values[] = {text};
    wire::append_parse(bytes, "", scenario.read, {});
    wire::append_bind(bytes, "", "", {}, values, {});
    wire::append_describe(bytes, 'P', "");
    wire::append_execute(bytes, "", 0);
    wire::append_sync(bytes);
    return bytes;
}

test::RawClient client_of(const test::WarmfrontProcess& warmfront) {
    return must(test::RawClient::connect({.port = warmfront.port()}));
}

void ask(test::RawClient& client, const Scenario& scenario, int row) {
    must(client.send(request(scenario, row)));
    const auto answer = must(client.receive_until_ready());
    if (const auto state = test::sqlstate_of(answer); !state.empty())
        throw std::runtime_error("a read failed: " + test::error_text_of(answer));
}

// What each connection counts for itself, by second.
using Counted = std::vector<Bucket>;

void send_requests(const Scenario& scenario, const test::WarmfrontProcess& warmfront,
                   const LoadOptions& options, std::uint64_t seed, Counted& counted) {
    auto client = client_of(warmfront);
    test::Random random(seed);
    double due = 0;
    for (;;) {
        const double uniform = (static_cast<double>(random.below(1U << 30)) + 1) / ((1U << 30) + 1.0);
        due += -std::log(uniform) * kConnections / rate_of(at(scenario, due));
        if (due >= options.end_s) return;
        sleep_until(options.origin_s + due);
        const int row = draw(scenario, at(scenario, due), random);
        ask(client, scenario, row);
        Bucket& bucket = counted[static_cast<std::size_t>(due)];
        ++bucket.requests;
        bucket.latencies_us.push_back((steady_s() - options.origin_s - due) * 1e6);
    }
}

// Reads what comes next just before it does, on a connection of its own; gives the times.
void know_the_future(const Scenario& scenario, const test::WarmfrontProcess& warmfront,
                     const LoadOptions& options) {
    auto client = client_of(warmfront);
    for (const double rise_s : rises(scenario, 0)) {
        if (rise_s >= options.end_s) return;
        sleep_until(options.origin_s + rise_s - 1);
        for (const int row : rows_of(scenario, at(scenario, rise_s + 0.001))) ask(client, scenario, row);
    }
}

// Misses of each second, read off /metrics.
void scrape(const test::WarmfrontProcess& warmfront, const LoadOptions& options,
            std::vector<double>& misses) {
    double before = 0;
    for (std::size_t second = 0; second <= misses.size(); ++second) {
        sleep_until(options.origin_s + static_cast<double>(second));
        const double now = warmfront.metrics().sum("warmfront_misses_total");
        if (second > 0) misses[second - 1] = now - before;
        before = now;
    }
}

}  // namespace

double steady_s() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Outcome run_load(const Scenario& scenario, const test::WarmfrontProcess& warmfront,
                 const LoadOptions& options) {
    const auto seconds = static_cast<std::size_t>(options.end_s) + 1;
    std::vector<Counted> counted(kConnections, Counted(seconds));
    std::vector<double> misses(seconds - 1);
    {
        std::vector<std::jthread> threads;
        threads.reserve(kConnections + 2);
        for (int i = 0; i < kConnections; ++i)
            threads.emplace_back([&, i] {
                send_requests(scenario, warmfront, options, static_cast<std::uint64_t>(i) + 1,
                              counted[static_cast<std::size_t>(i)]);
            });
        threads.emplace_back([&] { scrape(warmfront, options, misses); });
        if (options.oracle) threads.emplace_back([&] { know_the_future(scenario, warmfront, options); });
    }
    Outcome outcome{options.name, Counted(seconds - 1),
                    test::http_get(warmfront.http_port(), "/metrics").body};
    for (std::size_t second = 0; second + 1 < seconds; ++second) {
        Bucket& bucket = outcome.buckets[second];
        bucket.time_s = static_cast<double>(second);
        bucket.misses = misses[second];
        for (const auto& each : counted) {
            bucket.requests += each[second].requests;
            bucket.latencies_us.insert(bucket.latencies_us.end(), each[second].latencies_us.begin(),
                                       each[second].latencies_us.end());
        }
    }
    return outcome;
}

double percentile_us(const std::vector<const Bucket*>& buckets, double share) {
    std::vector<double> all;
    for (const Bucket* bucket : buckets)
        all.insert(all.end(), bucket->latencies_us.begin(), bucket->latencies_us.end());
    if (all.empty()) return 0;
    const auto place = static_cast<std::size_t>(share * static_cast<double>(all.size() - 1));
    std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(place), all.end());
    return all[place];
}

}  // namespace warmfront::bench
