#include "proxy/session/database.h"

#include <utility>

namespace warmfront::session {

Database::Database(std::string name, cache::WriteLog& log, CatalogWanted catalog_wanted,
                   std::atomic<std::uint64_t>* roles_generation)
    : name_(std::move(name)),
      log_(log),
      everything_(log.line(name_, sql::Oid{})),
      catalog_wanted_(std::move(catalog_wanted)),
      roles_generation_(roles_generation),
      seen_at_loss_(losses()) {}

std::shared_ptr<const sql::Catalog> Database::catalog() const {
    const std::lock_guard lock(mutex_);
    return in_force_;
}

Database::Judges Database::judges() const {
    const std::lock_guard lock(mutex_);
    return {in_force_, choices_, in_force_ ? version_in_force() : 0};
}

// A catalog's version would need 2^40 changes to reach the choices' part of the number.
std::uint64_t Database::version_in_force() const {
    constexpr unsigned kCatalogBits = 40;
    return choices_version_ << kCatalogBits | in_force_->version;
}

void Database::choose(std::shared_ptr<const sql::Choices> choices) {
    {
        const std::lock_guard lock(mutex_);
        choices_ = std::move(choices);
        ++choices_version_;
        stale_ms_max_.store(choices_->stale_ms_max(), std::memory_order_relaxed);
        withdrawn_ = {};
        if (in_force_) (void)put_in_force();
    }
    // After the new version is in force, as in publish().
    log_.everything_changed(name_);
}

std::shared_ptr<const sql::Catalog> Database::last_loaded() const {
    const std::lock_guard lock(mutex_);
    return loaded_;
}

void Database::catalog_changed() {
    {
        const std::lock_guard lock(mutex_);
        ++epoch_;
        in_force_ = nullptr;
        withdrawn_ = {};
        version_.store(0, std::memory_order_release);
    }
    catalog_wanted_(*this);
}

std::uint64_t Database::epoch() const {
    const std::lock_guard lock(mutex_);
    return epoch_;
}

bool Database::publish(std::shared_ptr<const sql::Catalog> catalog, std::uint64_t epoch) {
    bool everything_void = false;
    {
        const std::lock_guard lock(mutex_);
        if (epoch != epoch_) return false;
        loaded_ = std::move(catalog);
        loaded_epoch_ = epoch;
        everything_void = put_in_force();
    }
    // After the new version is in force: a fill judged by the old one is refused by its version, and one that
    // was checked before is voided here.
    if (everything_void) log_.everything_changed(name_);
    return true;
}

bool Database::put_in_force() {
    if (!loaded_ || loaded_epoch_ != epoch_) return false;
    if (!writes_by_epoch_.empty() && writes_by_epoch_.begin()->first < epoch_) return false;
    in_force_ = loaded_;
    // Before the version: whoever sees the new catalog knows that its settings are to be asked for anew.
    // Which of them count may be others, and so may the schemas that a search_path comes to.
    if (std::exchange(last_catalog_, in_force_->version) != in_force_->version) {
        watched_ = in_force_->watched_settings;
        settings_generation_.fetch_add(1, std::memory_order_acq_rel);
        profiles_.clear();
    }
    const std::uint64_t version = version_in_force();
    version_.store(version, std::memory_order_release);
    return std::exchange(last_version_, version) != version;
}

void Database::withdraw() {
    const std::lock_guard lock(mutex_);
    if (in_force_) withdrawn_ = {{in_force_, choices_, version_in_force()}, settings_generation()};
    loaded_epoch_ = 0;
    in_force_ = nullptr;
    version_.store(0, std::memory_order_release);
}

void Database::seen_again(std::uint64_t losses) {
    if (seen_at_loss_.load() == losses) return;
    log_.everything_changed(name_);
    seen_at_loss_.store(losses);
}

Database::LastKnown Database::last_known() const {
    const std::lock_guard lock(mutex_);
    if (!in_force_) return withdrawn_;
    return {{in_force_, choices_, version_in_force()}, settings_generation()};
}

std::uint64_t Database::begin_write() {
    const std::lock_guard lock(mutex_);
    ++writes_by_epoch_[epoch_];
    return epoch_;
}

bool Database::end_write(std::uint64_t epoch) {
    bool everything_void = false, changed = false;
    {
        const std::lock_guard lock(mutex_);
        const auto found = writes_by_epoch_.find(epoch);
        if (found != writes_by_epoch_.end() && --found->second == 0) writes_by_epoch_.erase(found);
        changed = epoch != epoch_;
        if (!in_force_) everything_void = put_in_force();
    }
    if (everything_void) log_.everything_changed(name_);
    return changed;
}

std::vector<std::string> Database::watched_settings() const {
    const std::lock_guard lock(mutex_);
    return watched_;
}

void Database::settings_changed() {
    const std::lock_guard lock(mutex_);
    settings_generation_.fetch_add(1, std::memory_order_acq_rel);
    profiles_.clear();
}

void Database::roles_changed() {
    if (!roles_generation_) settings_changed();
    if (roles_generation_) roles_generation_->fetch_add(1, std::memory_order_acq_rel);
    log_.everything_changed();
}

std::shared_ptr<const sql::SessionSettings> Database::profile(const std::string& startup_key) const {
    const std::lock_guard lock(mutex_);
    const auto found = profiles_.find(startup_key);
    return found != profiles_.end() && found->second.generation == settings_generation()
               ? found->second.settings
               : nullptr;
}

void Database::remember_profile(const std::string& startup_key, std::uint64_t generation,
                                std::shared_ptr<const sql::SessionSettings> settings) {
    const std::lock_guard lock(mutex_);
    if (generation != settings_generation()) return;
    if (profiles_.size() >= kProfilesMax) profiles_.clear();
    profiles_[startup_key] = {generation, std::move(settings)};
}

Databases::Databases(cache::WriteLog& log, std::size_t databases_max, Database::CatalogWanted catalog_wanted)
    : log_(log),
      databases_max_(databases_max),
      catalog_wanted_(std::move(catalog_wanted)),
      overflow_("", log, [](Database&) {}) {}

Database& Databases::get(const std::string& name) {
    Database* made = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = by_name_.find(name); found != by_name_.end()) return *found->second;
        if (by_name_.size() >= databases_max_) return overflow_;
        made = by_name_
                   .emplace(name, std::make_unique<Database>(name, log_, catalog_wanted_, &roles_generation_))
                   .first->second.get();
        if (choices_) made->choose(choices_);
    }
    made->want_catalog();
    return *made;
}

void Databases::choose(const std::shared_ptr<const sql::Choices>& choices) {
    std::vector<Database*> known;
    {
        const std::lock_guard lock(mutex_);
        choices_ = choices;
        for (const auto& [name, database] : by_name_) known.push_back(database.get());
    }
    for (Database* database : known) database->choose(choices);
}

std::vector<Database*> Databases::all() const {
    const std::lock_guard lock(mutex_);
    std::vector<Database*> databases;
    databases.reserve(by_name_.size());
    for (const auto& [name, database] : by_name_) databases.push_back(database.get());
    return databases;
}

}  // namespace warmfront::session
