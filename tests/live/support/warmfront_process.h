// tests/live/support/warmfront_process.h: a warmfront of the test's own, in front of a PostgresServer.
//
// With WARMFRONT_LIVE_DIRECT=1 there is none: port() is PostgreSQL's own, so that a test can be tried without
// the proxy, and whatever asks the process itself must be left out (is_direct()). WARMFRONT_BINARY names
// another binary. Failures throw std::runtime_error with the end of the log.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "tests/live/support/child_process.h"
#include "tests/live/support/files.h"
#include "tests/live/support/postgres_server.h"

namespace warmfront::test {

bool direct_mode();

// Series of /metrics that tests count with.
inline constexpr std::string_view kHitsMetric = "warmfront_hits_total";

// One scrape of /metrics: full series ("name{label=\"value\"}") to value.
class Metrics {
public:
    explicit Metrics(std::string_view exposition);
    // The sum over all series of that name that carry `label` (as it stands: database="app"), all if empty.
    [[nodiscard]] double sum(std::string_view name, std::string_view label = {}) const;

private:
    std::map<std::string, double, std::less<>> series_;
};

class WarmfrontProcess {
public:
    struct Options {
        std::string binary = WARMFRONT_BINARY_PATH;
        std::string settings = {};  // YAML, added to listen, upstream, http and state_dir
        std::string upstream = {};  // conninfo; empty: the server's superuser
        bool tls = false;           // towards clients, with a certificate of its own
    };
    explicit WarmfrontProcess(const PostgresServer& upstream) : WarmfrontProcess(upstream, Options{}) {}
    WarmfrontProcess(const PostgresServer& upstream, Options options);

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::uint16_t http_port() const { return http_port_; }
    [[nodiscard]] std::string conninfo(std::string_view database = "postgres") const;

    void start();        // after it ended; waits for /readyz
    int stop();          // SIGTERM; the exit status
    void kill9() const;  // SIGKILL
    // Other settings and SIGHUP; returns before they are in force.
    void reload(std::string settings);
    [[nodiscard]] ChildProcess& process() { return *process_; }
    [[nodiscard]] Metrics metrics() const;
    [[nodiscard]] std::string log_tail() const;

    // Resident memory: the most since reset_peak_rss(), in bytes.
    void reset_peak_rss() const;
    [[nodiscard]] std::size_t peak_rss_bytes() const;

private:
    [[nodiscard]] std::string write_settings() const;
    Options options_;
    std::string upstream_conninfo_;
    TemporaryDirectory directory_{"warmfront"};
    std::uint16_t port_;
    std::uint16_t http_port_;
    std::unique_ptr<ChildProcess> process_;
};

struct HttpAnswer {
    int status = 0;  // 0: no connection
    std::string body;
};
HttpAnswer http_get(std::uint16_t port, std::string_view path);

}  // namespace warmfront::test
