// config/settings.h: the settings as plain structs, with their defaults.
//
// config/settings_table.h has a row for each of them: name, type and range, what it does. A setting that is
// not in that table does not exist. Plain data, no thread rules.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace warmfront {

// Where a socket listens or connects: a TCP host and port, or the path of a unix socket.
struct Address {
    std::string host;  // name, numeric address without brackets, or * (every interface); empty: unix socket
    std::uint16_t port = 0;  // 0 for a unix socket
    std::string unix_path;   // the socket file itself; empty for TCP
    bool operator==(const Address&) const = default;
};

enum class LogLevel { Debug, Info, Warning, Error };
enum class CacheMode {
    Serve,
    Observe
};  // Observe: nothing is answered from memory, what would be is counted
enum class ClientTls { Disable, Allow, Require };  // Allow: the client chooses

struct LogSettings {
    LogLevel level = LogLevel::Info;
};

struct TlsSettings {  // towards clients; towards PostgreSQL the conninfo's sslmode decides
    ClientTls mode = ClientTls::Allow;
    std::string cert;  // PEM files; both empty: no TLS is offered
    std::string key;
};

// What the user says of a table or of a statement; what is not said is as if there were no Choice.
struct Choice {
    std::string of;             // "name" or "schema.name"; a statement or its digest
    std::optional<bool> cache;  // off: never kept; on: kept although another rule would not
    std::optional<std::chrono::milliseconds> ttl;
    std::optional<std::chrono::milliseconds> stale_if_error = std::nullopt;  // 0: never
    bool operator==(const Choice&) const = default;
};

enum class DiskRead { Auto, Always };  // Auto: where it is expected to be faster than PostgreSQL

struct DiskSettings {
    std::size_t size = 0;  // bytes of files; 0: no disk tier
    DiskRead read = DiskRead::Auto;
};

struct CacheSettings {
    bool enabled = true;
    CacheMode mode = CacheMode::Serve;
    bool break_even = true;                         // switch templates off that cost more than they bring
    std::size_t memory = std::size_t{256} << 20;    // bytes, overhead included
    std::size_t max_result = std::size_t{1} << 20;  // bytes; a larger answer is not stored
    std::chrono::milliseconds ttl{10'000};          // the longest that a write past warmfront goes unseen
    std::chrono::milliseconds single_flight_wait{30'000};
    std::size_t templates_max = 10'000;  // statements whose analysis is remembered
    std::vector<std::string> exclude;    // tables never cached: name or schema.name
    DiskSettings disk;
};

// Functions that the user vouches for, by the class that they would be refused for: name or schema.name.
struct FunctionSettings {
    std::vector<std::string> clock, stable, changing, user;
    bool operator==(const FunctionSettings&) const = default;
};

struct VerifySettings {
    double sample = 0;  // the share of hits that PostgreSQL is asked as well
};

struct CatalogSettings {
    std::chrono::milliseconds refresh{10'000};  // how often the catalog is compared with PostgreSQL's
};

// Days that are not like others; what config/holidays.h reads. Unix seconds, to_s the first after.
struct Holiday {
    std::string name;  // empty: a holiday like any other
    std::int64_t from_s = 0, to_s = 0;
    bool operator==(const Holiday&) const = default;
};

// What will raise or lower the load of some tables, known beforehand.
struct KnownEvent {
    std::string name;
    std::int64_t from_s = 0, to_s = 0;
    std::vector<std::string> tables;  // name or schema.name; empty: all
    bool operator==(const KnownEvent&) const = default;
};

struct ForecastSettings {
    bool enabled = true;
    std::chrono::milliseconds bucket{60'000};  // what requests are counted in
    std::chrono::milliseconds horizon{3'600'000};
    std::chrono::milliseconds retrain{3'600'000};
    std::size_t series = 100;
    std::size_t shared_series = 5'000;
    std::vector<std::chrono::milliseconds> seasons{std::chrono::hours(24), std::chrono::hours(24 * 7)};
    std::size_t alarm_buckets = 3;
    std::chrono::milliseconds keep{28 * std::chrono::hours(24)};  // of buckets, then hours, then days
    std::chrono::milliseconds keep_hours{180 * std::chrono::hours(24)};
    std::chrono::milliseconds keep_days{1825 * std::chrono::hours(24)};
    std::chrono::milliseconds keep_keys{35 * std::chrono::hours(24)};
    std::size_t keys = 10'000;                        // a statement
    std::size_t history_size = std::size_t{2} << 30;  // bytes of the file
    std::vector<Holiday> holidays;                    // ascending by from_s
    std::vector<KnownEvent> events;                   // ascending by from_s
};

struct CapacitySettings {  // of a recommended number of sidecars
    double utilisation = 0.6;
    std::size_t min = 1, max = 10;
    std::chrono::milliseconds lower_after{600'000};
};

enum class PrewarmRoles { Own, Granted, All };  // as whom answers may be fetched before they are asked for

struct PrewarmSettings {
    bool enabled = true;
    std::size_t concurrency = 2;             // connections
    std::size_t rate = 100;                  // fetches a second
    double memory_share = 0.25;              // of cache.memory, for what nobody has asked for yet
    std::chrono::milliseconds lead{60'000};  // how long before a predicted rise
    double waste = 0.25;  // the share of fetched answers that may go unused before a statement is left out
    PrewarmRoles roles = PrewarmRoles::Granted;
};

struct NextQuerySettings {
    bool enabled = true;
    double confidence = 0.8;                   // from which on an expected query is fetched
    std::chrono::milliseconds window{10'000};  // within which it must come
};

struct Settings {
    std::vector<Address> listen{{"127.0.0.1", 6432, {}}};
    std::string upstream = "host=127.0.0.1 port=5432 user=postgres dbname=postgres";  // conninfo or URI
    std::optional<Address> http;                                                      // unset: no HTTP
    std::string state_dir = "./state";
    unsigned threads = 0;  // worker threads; 0: one per core
    std::vector<std::string> admin_users;
    std::chrono::milliseconds shutdown_timeout{30'000};
    std::chrono::milliseconds connect_timeout{10'000};
    std::size_t client_connections_max = 10'000;
    std::vector<Choice> tables, templates;
    LogSettings log;
    TlsSettings tls;
    CacheSettings cache;
    FunctionSettings functions;
    VerifySettings verify;
    CatalogSettings catalog;
    ForecastSettings forecast;
    CapacitySettings capacity;
    PrewarmSettings prewarm;
    NextQuerySettings next_query;
};

}  // namespace warmfront
