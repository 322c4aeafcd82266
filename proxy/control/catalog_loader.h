// proxy/control/catalog_loader.h: reads one database's catalog into an sql::Catalog, and notices what
// changed.
//
// One connection of its own, kept between calls, as the proxy's own account; everything it reads is open to
// every account. Works with PostgreSQL 12 to 17. Every load first asks for fingerprints (one query, some
// milliseconds) and reads the catalog only if they differ; both happen in one REPEATABLE READ transaction
// with search_path pg_catalog, so that view definitions come with every other schema written out. Nothing
// throws. Not thread-safe; calls block, each step no longer than kConnectTimeout (unless the connection
// string sets connect_timeout) or kStatementTimeout.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "config/result.h"
#include "sql/catalog.h"

namespace warmfront::control {

struct LoadedCatalog {
    std::shared_ptr<const sql::Catalog> catalog;  // the previous one if it did not change
    bool catalog_changed = false;                 // names, definitions, rights on objects
    bool settings_changed = false;  // roles, memberships, ALTER ROLE/DATABASE SET, configuration reloaded
    bool server_changed = false;    // PostgreSQL was started anew, failed over, or our connection was lost
};

class CatalogLoader {
public:
    static constexpr std::chrono::seconds kConnectTimeout{5};
    static constexpr std::chrono::milliseconds kStatementTimeout{10'000};
    // For the locks on what views name, should an open transaction alter it: then the load fails with 55P03.
    static constexpr std::chrono::milliseconds kLockTimeout{200};
    static constexpr std::size_t kRelationsMax = 100'000;

    // conninfo: keyword=value string or URI, of the database to read. Does not connect yet.
    explicit CatalogLoader(std::string conninfo);
    ~CatalogLoader();
    CatalogLoader(const CatalogLoader&) = delete;
    CatalogLoader& operator=(const CatalogLoader&) = delete;

    // previous: what an earlier call gave, or nullptr. Versions grow over the life of the loader and beyond
    // previous's. The flags compare with the call before (all false at the first). Fails with 08006 where
    // PostgreSQL cannot be reached or the connection breaks, with 54000 beyond kRelationsMax, else with
    // PostgreSQL's SQLSTATE; the connection is then closed, and the next call that succeeds says
    // server_changed.
    [[nodiscard]] Result<LoadedCatalog> load(const std::shared_ptr<const sql::Catalog>& previous) noexcept;

    // The connection's socket, -1 without one; changes with every reconnection. While no load() is under way
    // it becomes readable when PostgreSQL ends the connection (or says something that nobody asked for).
    [[nodiscard]] int socket() const noexcept;

private:
    struct Connection;
    [[nodiscard]] LoadedCatalog load_or_throw(const std::shared_ptr<const sql::Catalog>& previous);

    const std::string conninfo_;
    std::unique_ptr<Connection> connection_;
    std::uint64_t last_version_ = 0;
    std::string settings_seen_, server_seen_;  // fingerprints of the call before; empty at first
};

}  // namespace warmfront::control
