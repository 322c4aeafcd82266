// proxy/session/database.h: what all sessions of one database share: its catalog, and which settings a new
// session has.
//
// The catalog in force is nullptr while none was loaded and from the end of a DDL statement until a snapshot
// taken afterwards is there: meanwhile nothing is cached and every write counts as a change of everything. A
// snapshot comes into force only when no write that was judged by an older one is still under way: such a
// write may run under a trigger or foreign key that its judgement did not know.
//
// Thread-safe. The two numbers that a hit compares are atomics; all else takes a short lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "cache/write_log.h"
#include "sql/catalog.h"
#include "sql/choices.h"
#include "sql/session_settings.h"

namespace warmfront::session {

class Database {
public:
    using CatalogWanted = std::function<void(Database&)>;
    // roles_generation: of all databases of the server; nullptr for one that stands alone.
    Database(std::string name, cache::WriteLog& log, CatalogWanted catalog_wanted,
             std::atomic<std::uint64_t>* roles_generation = nullptr);

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] cache::Line& everything() { return everything_; }
    [[nodiscard]] cache::WriteLog& log() { return log_; }

    // What statements are judged by. version: of the two together, 0 while no catalog is in force.
    struct Judges {
        std::shared_ptr<const sql::Catalog> catalog;
        std::shared_ptr<const sql::Choices> choices;
        std::uint64_t version = 0;
    };
    [[nodiscard]] Judges judges() const;
    // Other choices from now on: all statements are judged anew, and everything kept of this database is
    // void.
    void choose(std::shared_ptr<const sql::Choices> choices);

    // Version of the catalog and the choices in force; 0 while there is no catalog.
    [[nodiscard]] std::uint64_t catalog_version() const { return version_.load(std::memory_order_acquire); }
    [[nodiscard]] std::shared_ptr<const sql::Catalog> catalog() const;

    // A statement that may have changed the catalog has ended: nothing known is trusted, a new snapshot is
    // wanted.
    void catalog_changed();
    // The settings that its catalog watches; sessions are asked for them anew when these are others.
    [[nodiscard]] std::vector<std::string> watched_settings() const;
    // Asks for a snapshot without distrusting the present one.
    void want_catalog() { catalog_wanted_(*this); }
    // Number to give to publish() of a snapshot whose loading begins now.
    [[nodiscard]] std::uint64_t epoch() const;
    // A snapshot loaded since epoch() gave that number. False if the catalog changed meanwhile: load again.
    // If it differs from the one in force, everything kept from this database becomes void.
    bool publish(std::shared_ptr<const sql::Catalog> catalog, std::uint64_t epoch);
    // The last snapshot loaded, in force or not (what the loader compares with).
    [[nodiscard]] std::shared_ptr<const sql::Catalog> last_loaded() const;
    // No snapshot can be had: no caching until one is published.
    void withdraw();

    // How often PostgreSQL was lost sight of.
    [[nodiscard]] std::uint64_t losses() const { return cache::losses_in(everything_.sequence.load()); }
    // A snapshot was loaded since losses() gave that number. What was kept before is void, stale answers too.
    void seen_again(std::uint64_t losses);
    // PostgreSQL has been seen since it was last lost sight of.
    [[nodiscard]] bool in_sight() const { return seen_at_loss_.load() == losses(); }
    // For sessions that outlive their connection: what is in force, or was when withdraw() was called.
    // Version 0 if something is known to have changed since.
    struct LastKnown {
        Judges judges;
        std::uint64_t settings_generation = 0;
    };
    [[nodiscard]] LastKnown last_known() const;
    // Choices::stale_ms_max() of those in force.
    [[nodiscard]] std::uint32_t stale_ms_max() const { return stale_ms_max_.load(std::memory_order_relaxed); }

    // Brackets a forwarded statement whose effects were judged by the catalog. end_write() takes
    // begin_write()'s number and tells whether the catalog changed in between (then the judgement may be too
    // small).
    [[nodiscard]] std::uint64_t begin_write();
    bool end_write(std::uint64_t epoch);

    // Settings of sessions must be asked for anew when this number has grown.
    [[nodiscard]] std::uint64_t settings_generation() const {
        return settings_generation_.load(std::memory_order_acquire) +
               (roles_generation_ ? roles_generation_->load(std::memory_order_acquire) : 0);
    }
    void settings_changed();
    // Rights or settings of roles changed, which all databases of the server share: everything kept of any is
    // void.
    void roles_changed();
    // What a session with this startup packet was found to have under the present generation; nullptr if not
    // known. At kProfilesMax remembered packets, they are all forgotten.
    [[nodiscard]] std::shared_ptr<const sql::SessionSettings> profile(const std::string& startup_key) const;
    void remember_profile(const std::string& startup_key, std::uint64_t generation,
                          std::shared_ptr<const sql::SessionSettings> settings);

private:
    static constexpr std::size_t kProfilesMax = 4096;
    [[nodiscard]] std::uint64_t version_in_force() const;  // with mutex_ held
    bool put_in_force();                                   // with mutex_ held; true if what was kept is void

    const std::string name_;
    cache::WriteLog& log_;
    cache::Line& everything_;
    const CatalogWanted catalog_wanted_;
    std::atomic<std::uint64_t> version_{0};
    std::atomic<std::uint64_t> settings_generation_{1};
    std::atomic<std::uint64_t>* const roles_generation_;
    std::atomic<std::uint64_t> seen_at_loss_;
    std::atomic<std::uint32_t> stale_ms_max_{0};

    mutable std::mutex mutex_;
    std::uint64_t epoch_ = 1;
    std::map<std::uint64_t, std::uint32_t> writes_by_epoch_;
    std::shared_ptr<const sql::Catalog> loaded_;    // the newest snapshot
    std::shared_ptr<const sql::Catalog> in_force_;  // loaded_ or nullptr
    std::uint64_t loaded_epoch_ = 0;
    std::vector<std::string> watched_;  // by the catalog last in force
    std::shared_ptr<const sql::Choices> choices_ = std::make_shared<const sql::Choices>();
    std::uint64_t choices_version_ = 0;
    std::uint64_t last_version_ = 0;  // last in force
    std::uint64_t last_catalog_ = 0;  // the catalog's part of it
    LastKnown withdrawn_;
    struct Profile {
        std::uint64_t generation;
        std::shared_ptr<const sql::SessionSettings> settings;
    };
    std::unordered_map<std::string, Profile> profiles_;
};

// All databases that clients have asked for. Objects are never freed before the registry. Thread-safe.
// Beyond databases_max names get() gives one shared Database that never gets a catalog: such sessions are
// relayed without a cache.
class Databases {
public:
    Databases(cache::WriteLog& log, std::size_t databases_max, Database::CatalogWanted catalog_wanted);
    // The catalog of a new one is wanted at once.
    [[nodiscard]] Database& get(const std::string& name);
    [[nodiscard]] std::vector<Database*> all() const;
    // Of those that there are, and of those to come.
    void choose(const std::shared_ptr<const sql::Choices>& choices);

private:
    cache::WriteLog& log_;
    const std::size_t databases_max_;
    const Database::CatalogWanted catalog_wanted_;
    std::atomic<std::uint64_t> roles_generation_{0};
    Database overflow_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::unique_ptr<Database>> by_name_;
    std::shared_ptr<const sql::Choices> choices_;  // nullptr: none yet
};

}  // namespace warmfront::session
