#include "proxy/control/backends.h"

#include <exception>
#include <pqxx/pqxx>
#include <utility>

namespace warmfront::control {
namespace {

// Pids are reused: a backend that began after the connection was lost is another one. A backend_start that
// this account may not see is taken for the lost one's.
constexpr const char* kAsk =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND "
    "(backend_start IS NULL OR backend_start <= pg_catalog.clock_timestamp() - $2 * interval '1 ms'))";

}  // namespace

struct Backends::Connection {
    explicit Connection(const std::string& conninfo) : pq(conninfo) { pq.prepare("alive", kAsk); }
    pqxx::connection pq;
};

Backends::Backends(std::string conninfo) : conninfo_(std::move(conninfo)) {}
Backends::~Backends() = default;

Result<std::vector<bool>> Backends::gone(const std::vector<LostBackend>& backends) noexcept {
    try {
        if (!connection_) connection_ = std::make_unique<Connection>(conninfo_);
        pqxx::nontransaction ask(connection_->pq);
        std::vector<bool> gone;
        for (const LostBackend& backend : backends) {
            const auto ago = std::chrono::duration_cast<std::chrono::milliseconds>(
                std::chrono::steady_clock::now() - backend.since);
            const auto row = ask.exec_prepared1("alive", static_cast<std::int64_t>(backend.pid), ago.count());
            gone.push_back(!row[0].as<bool>());
        }
        return gone;
    } catch (const std::exception& error) {
        connection_ = nullptr;
        return fail("08006", std::string("cannot ask PostgreSQL for its backends: ") + error.what());
    }
}

}  // namespace warmfront::control
