#include "proxy/control/control.h"

#include <algorithm>
#include <utility>

namespace warmfront::control {

Control::Control(ControlOptions options, cache::WriteLog& write_log, Logger& log)
    : options_(std::move(options)),
      write_log_(write_log),
      log_(log),
      mailbox_(loop_),
      refresh_timer_(loop_, [this] { refresh_all(); }),
      retry_timer_(loop_,
                   [this] {
                       for (session::Database* database : std::exchange(to_retry_, {})) refresh(*database);
                   }),
      backend_timer_(loop_, [this] { ask_for_backends(); }),
      backends_(options_.conninfo_for(options_.first_database)) {}

Control::~Control() {
    stop();
}

void Control::start(session::Databases& databases) {
    databases_ = &databases;
    (void)databases.get(options_.first_database);  // its catalog is wanted from the start
    refresh_timer_.start_every(options_.refresh);
    thread_ = std::thread([this] { loop_.run(); });
}

void Control::stop() {
    if (!thread_.joinable()) return;
    while (!mailbox_.post([this] { loop_.stop(); })) std::this_thread::yield();
    thread_.join();
    keepers_.clear();
}

void Control::catalog_wanted(session::Database& database) {
    (void)mailbox_.post([this, &database] { refresh(database); });  // full: the next refresh is periodic
}

void Control::set_refresh(std::chrono::milliseconds refresh) {
    (void)mailbox_.post([this, refresh] { refresh_timer_.start_every(refresh); });
}

void Control::refresh_all() {
    for (session::Database* database : databases_->all()) refresh(*database);
}

void Control::refresh(session::Database& database) {
    const std::uint64_t epoch = database.epoch(), losses = database.losses();
    auto loaded = keeper(database).load(database.last_loaded());
    if (!loaded) {
        lost_sight(database);
        note_away(database);
        note_readiness(database, loaded.error().text);
        log_.warning("catalog not loaded, the database is not cached",
                     {{LogKey::Database, database.name()}, {LogKey::Reason, loaded.error().text}});
        if (std::find(to_retry_.begin(), to_retry_.end(), &database) == to_retry_.end())
            to_retry_.push_back(&database);
        if (!retry_timer_.is_active()) retry_timer_.start_once(kRetry);
        return;
    }
    // Another server process, or the same one started anew: what was kept may never have happened.
    if (loaded->server_changed) empty_cache();
    if (loaded->settings_changed) database.settings_changed();
    if (!database.publish(std::move(loaded->catalog), epoch)) return catalog_wanted(database);
    database.seen_again(losses);
    away_.erase(&database);
    note_readiness(database, {});
}

// The catalog can change unseen while there is no connection, and PostgreSQL may have crashed.
void Control::lost_sight(session::Database& database) {
    if (database.catalog_version() == 0) return;
    database.withdraw();
    database.settings_changed();
    write_log_.lost_sight(database.name());
    options_.on_upstream_lost(database.name());
}

void Control::note_away(session::Database& database) {
    if (database.stale_ms_max() == 0 || !away_.insert(&database).second) return;
    log_.warning("PostgreSQL cannot be reached: idle sessions are given stale answers as stale_if_error says",
                 {{LogKey::Database, database.name()}});
}

void Control::empty_cache() {
    write_log_.everything_changed();
    told_of_loss();
}

void Control::all_in_doubt() {
    write_log_.lost_sight();
    told_of_loss();
}

void Control::told_of_loss() const {
    for (const session::Database* database : databases_->all()) options_.on_upstream_lost(database->name());
}

CatalogKeeper& Control::keeper(session::Database& database) {
    auto& keeper = keepers_[&database];
    if (!keeper)
        keeper =
            std::make_unique<CatalogKeeper>(loop_, options_.conninfo_for(database.name()), [this, &database] {
                log_.warning("control connection lost, the cache is emptied",
                             {{LogKey::Database, database.name()}});
                all_in_doubt();
                lost_sight(database);
                refresh(database);
            });
    return *keeper;
}

void Control::note_readiness(const session::Database& database, std::string reason) {
    if (database.name() != options_.first_database) return;
    const std::lock_guard lock(readiness_mutex_);
    not_ready_ = std::move(reason);
}

std::string Control::not_ready_because() const {
    const std::lock_guard lock(readiness_mutex_);
    return not_ready_;
}

void Control::continuity_in_doubt() {
    all_in_doubt();  // at once, on the thread that has noticed
    log_.warning("a connection to PostgreSQL broke as in a crash: the cache is emptied");
    (void)mailbox_.post([this] { refresh_all(); });
}

void Control::settle(std::uint32_t backend_pid, std::vector<session::Unsettled> writes) {
    // Shared, because a task is copied.
    auto lost =
        std::make_shared<Lost>(Lost{{backend_pid, std::chrono::steady_clock::now()}, std::move(writes)});
    const bool posted = mailbox_.post([this, lost] {
        lost_.push_back(std::move(*lost));
        if (!backend_timer_.is_active()) backend_timer_.start_every(kBackendPoll);
    });
    if (!posted) log_.error("too many lost writes: their tables stay uncached", {{LogKey::Pid, backend_pid}});
}

void Control::ask_for_backends() {
    std::vector<LostBackend> asked;
    for (const Lost& lost : lost_) asked.push_back(lost.backend);
    const auto gone = backends_.gone(asked);
    if (!gone) return;  // PostgreSQL is away: asked again at the next poll
    std::vector<Lost> left;
    for (std::size_t i = 0; i < lost_.size(); ++i) {
        if ((*gone)[i])
            settle_gone(std::move(lost_[i].writes));
        else
            left.push_back(std::move(lost_[i]));
    }
    lost_ = std::move(left);
    if (lost_.empty()) backend_timer_.stop();
}

void Control::settle_gone(std::vector<session::Unsettled> writes) {
    for (session::Unsettled& write : writes) {
        const bool outdated = write.catalog_judged && write.database->end_write(write.epoch);
        if (write.consequences.changes_catalog) write.database->catalog_changed();
        if (write.consequences.changes_roles) write.database->roles_changed();
        if (outdated) write_log_.everything_changed(write.database->name());
        write.marked.end();
    }
}

}  // namespace warmfront::control
