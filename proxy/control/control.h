// proxy/control/control.h: the control thread: catalogs, continuity of the upstream, writes whose answer was
// lost.
//
// One thread with a loop of its own; its calls to PostgreSQL block it, never a worker, each for at most a few
// seconds (connect_timeout and statement_timeout of its connections). One connection per database that
// clients use; while it is idle its socket is watched: when PostgreSQL crashes or restarts, the end of that
// connection empties the cache even if no client is there to notice.
//
// A catalog that cannot be loaded leaves its database uncached; it is tried again every kRetry.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cache/write_log.h"
#include "config/log.h"
#include "proxy/control/backends.h"
#include "proxy/control/catalog_keeper.h"
#include "proxy/io/loop.h"
#include "proxy/io/mailbox.h"
#include "proxy/io/timer.h"
#include "proxy/session/shared.h"

namespace warmfront::control {

struct ControlOptions {
    std::function<std::string(const std::string& database)> conninfo_for;
    std::string first_database;  // loaded at start; readiness is judged by it
    std::chrono::milliseconds refresh{10'000};
    // Told of every database whose answers became void because PostgreSQL was lost sight of; from any thread.
    std::function<void(const std::string& database)> on_upstream_lost = [](const std::string&) {};
};

class Control final : public session::Aftermath {
public:
    static constexpr std::chrono::milliseconds kRetry{1'000};
    static constexpr std::chrono::milliseconds kBackendPoll{20};

    Control(ControlOptions options, cache::WriteLog& write_log, Logger& log);
    ~Control() override;

    // Starts the thread. databases must outlive it.
    void start(session::Databases& databases);
    // Ends it; what is still unsettled stays so (the process is about to end).
    void stop();

    // From any thread.
    void catalog_wanted(session::Database& database);
    void settle(std::uint32_t backend_pid, std::vector<session::Unsettled> writes) override;
    void continuity_in_doubt() override;
    void set_refresh(std::chrono::milliseconds refresh);
    // Empty if queries can be served, else why not.
    [[nodiscard]] std::string not_ready_because() const;

private:
    struct Lost {
        LostBackend backend;
        std::vector<session::Unsettled> writes;
    };
    void refresh(session::Database& database);
    void refresh_all();
    void ask_for_backends();
    void settle_gone(std::vector<session::Unsettled> writes);
    void lost_sight(session::Database& database);
    // Nothing kept of any database may have happened.
    void empty_cache();
    // PostgreSQL was lost sight of: nothing kept is current, of any database.
    void all_in_doubt();
    void told_of_loss() const;
    // PostgreSQL cannot be reached: said once.
    void note_away(session::Database& database);
    CatalogKeeper& keeper(session::Database& database);
    void note_readiness(const session::Database& database, std::string reason);

    const ControlOptions options_;
    cache::WriteLog& write_log_;
    Logger& log_;
    session::Databases* databases_ = nullptr;

    io::Loop loop_;
    io::Mailbox mailbox_;
    io::Timer refresh_timer_, retry_timer_, backend_timer_;
    std::map<session::Database*, std::unique_ptr<CatalogKeeper>> keepers_;
    std::vector<session::Database*> to_retry_;
    std::set<session::Database*> away_;  // whose sessions may be given stale answers, as the log says
    Backends backends_;
    std::vector<Lost> lost_;

    mutable std::mutex readiness_mutex_;
    std::string not_ready_ = "the catalog of the first database is not loaded yet";
    std::thread thread_;
};

}  // namespace warmfront::control
