// tests/live/support/postgres_server.h: a PostgreSQL of the test's own: fresh data, a free port of 127.0.0.1.
//
// initdb runs once per build directory (about two seconds); every server starts from a copy. Nothing survives
// the object. Failures throw std::runtime_error with the end of the server's log.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/live/support/child_process.h"
#include "tests/live/support/files.h"

namespace warmfront::test {

class PostgresServer {
public:
    struct Options {
        bool fsync = false;  // on for tests that kill the server and look at what is left
        bool ssl = false;    // with the certificate of certificate_file()
        std::vector<std::string> hba =
            {};  // lines of pg_hba.conf that come before ours (trust for everybody)
        std::vector<std::string> settings = {};  // "name=value", after ours
    };
    PostgresServer() : PostgresServer(Options{}) {}
    explicit PostgresServer(Options options);
    ~PostgresServer();
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::string conninfo(std::string_view database = "postgres") const;
    [[nodiscard]] std::string certificate_file() const { return data_directory() + "/server.crt"; }

    // Runs statements as the superuser on a connection of its own.
    void sql(std::string_view statements, std::string_view database = "postgres") const;
    // The first column of the first row, as text; empty if there is none.
    [[nodiscard]] std::string value(std::string_view query, std::string_view database = "postgres") const;

    void start();             // after stop() or kill9(); waits until it is ready
    void wait_until_ready();  // accepts connections
    void stop();              // as `pg_ctl stop -m fast`
    // SIGKILL for the postmaster and every process of it, all at once; returns when all are gone.
    void kill9();
    [[nodiscard]] std::string log_tail() const;

private:
    [[nodiscard]] std::string data_directory() const { return directory_.path() + "/data"; }
    [[nodiscard]] std::string log_file() const { return directory_.path() + "/log"; }
    void lay_data_directory() const;

    Options options_;
    std::optional<Account> account_ = unprivileged_account();
    TemporaryDirectory directory_{"postgres", account_ ? &*account_ : nullptr};
    std::uint16_t port_;
    std::unique_ptr<ChildProcess> postmaster_;
};

}  // namespace warmfront::test
