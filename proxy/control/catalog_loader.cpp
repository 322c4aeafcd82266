#include "proxy/control/catalog_loader.h"

#include <algorithm>
#include <exception>
#include <map>
#include <pqxx/pqxx>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include "proxy/control/catalog_loader_fingerprint.h"
#include "proxy/control/catalog_loader_queries.h"

namespace warmfront::control {
namespace {

using Snapshot = pqxx::transaction<pqxx::repeatable_read, pqxx::read_only>;

std::string quoted(std::string_view value) {
    std::string text = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') text += '\\';
        text += c;
    }
    return text + "'";
}

// The connection string with a bound on every wait, where it does not set one itself. An unreachable peer is
// noticed by keepalives while we wait for an answer, and by tcp_user_timeout while a request is not
// acknowledged.
std::string bounded(const std::string& conninfo) {
    std::map<std::string, std::string> options{
        {"connect_timeout", std::to_string(CatalogLoader::kConnectTimeout.count())},
        {"keepalives_idle", "5"},
        {"keepalives_interval", "2"},
        {"keepalives_count", "3"},
        {"tcp_user_timeout", "10000"},
        {"fallback_application_name", "warmfront"},
        {"client_encoding", "UTF8"}};
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> given(
        PQconninfoParse(conninfo.c_str(), nullptr), &PQconninfoFree);
    if (!given) return conninfo;  // libpq says at connecting what is wrong with it
    for (const auto* option = given.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) options[option->keyword] = option->val;
    }
    options["client_encoding"] = "UTF8";
    std::string text;
    for (const auto& [keyword, value] : options) text += keyword + "=" + quoted(value) + " ";
    return text;
}

class TooManyRelations : public std::runtime_error {
public:
    TooManyRelations()
        : std::runtime_error(fmt::format("the database has more than {} tables, views and sequences",
                                         CatalogLoader::kRelationsMax)) {}
};

std::string one_line(std::string_view text) {
    std::string line(text.substr(0, text.find_last_not_of(" \n") + 1));
    std::ranges::replace(line, '\n', ' ');
    return line;
}

}  // namespace

// While nothing is under way PostgreSQL speaks up to end the connection. Asked first, because a query on an
// ended connection costs libpqxx 6.4 a leaked result.
static bool has_ended(const pqxx::connection& connection) {
    pollfd watched{connection.sock(), POLLIN, 0};
    return !connection.is_open() || poll(&watched, 1, 0) != 0;
}

struct CatalogLoader::Connection {
    explicit Connection(const std::string& conninfo) : pq(bounded(conninfo)) {}

    pqxx::connection pq;
    pqxx::quiet_errorhandler quiet{pq};  // notices are nobody's matter
};

CatalogLoader::CatalogLoader(std::string conninfo) : conninfo_(std::move(conninfo)) {}
CatalogLoader::~CatalogLoader() = default;

Result<LoadedCatalog> CatalogLoader::load(const std::shared_ptr<const sql::Catalog>& previous) noexcept {
    std::string sqlstate = "08006", text;
    try {
        return load_or_throw(previous);
    } catch (const TooManyRelations& error) {
        sqlstate = "54000";
        text = error.what();
    } catch (const pqxx::sql_error& error) {
        if (!error.sqlstate().empty()) sqlstate = error.sqlstate();
        text = error.what();
    } catch (const std::exception& error) {
        text = error.what();
    }
    connection_ = nullptr;
    return fail(sqlstate, one_line("cannot read the catalog: " + text));
}

LoadedCatalog CatalogLoader::load_or_throw(const std::shared_ptr<const sql::Catalog>& previous) {
    if (!connection_ || has_ended(connection_->pq)) {
        connection_ = nullptr;
        connection_ = std::make_unique<Connection>(conninfo_);
    }
    Snapshot transaction(connection_->pq);
    transaction.exec0("SET LOCAL search_path = pg_catalog");
    transaction.exec0(fmt::format("SET LOCAL statement_timeout = {}", kStatementTimeout.count()));
    transaction.exec0(fmt::format("SET LOCAL lock_timeout = {}", kLockTimeout.count()));
    auto seen = fingerprints_of(transaction);
    // The number that PostgreSQL gave this connection: should libpqxx have connected anew by itself, it
    // differs.
    seen.server += fmt::format(" {}", connection_->pq.backendpid());

    LoadedCatalog loaded;
    loaded.settings_changed = !settings_seen_.empty() && settings_seen_ != seen.settings;
    loaded.server_changed = !server_seen_.empty() && server_seen_ != seen.server;
    if (previous && previous->fingerprint == seen.catalog) {
        loaded.catalog = previous;
    } else {
        auto made = std::make_shared<sql::Catalog>();
        if (!fill(*made, transaction, kRelationsMax)) throw TooManyRelations();
        last_version_ = std::max(last_version_, previous ? previous->version : 0) + 1;
        made->version = last_version_;
        made->fingerprint = std::move(seen.catalog);
        loaded.catalog = std::move(made);
        loaded.catalog_changed = previous != nullptr;
    }
    transaction.commit();
    settings_seen_ = std::move(seen.settings);
    server_seen_ = std::move(seen.server);
    return loaded;
}

int CatalogLoader::socket() const noexcept {
    try {
        return connection_ ? connection_->pq.sock() : -1;
    } catch (const std::exception&) {
        return -1;
    }
}

}  // namespace warmfront::control
