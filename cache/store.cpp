// Locks: a shard's mutex guards its table, policy, limits, hints and counters, and the links inside its
// entries. No other lock is taken under it. What leaves a shard is collected in a Dropped that outlives the
// lock and frees, or is handed down, afterwards.
#include "cache/store.h"

#include <algorithm>
#include <bit>
#include <mutex>

#include "cache/expiry.h"
#include "cache/policy.h"
#include "cache/table.h"

namespace warmfront::cache {

static constexpr std::size_t kShardsMax = 64;
static constexpr std::size_t kShardBytesMin = std::size_t{16} << 20;  // below, the policy's own memory weighs
static constexpr int kEvictionRoundsMax = 16;
static constexpr std::size_t kEvictionsPerLock = 256;  // when a smaller budget evicts much at once
static constexpr int kSparedMax = 64;                  // hinted entries passed over for one fill

struct alignas(64) Store::Shard {
    Shard(std::size_t budget, std::uint64_t ttl)
        : budget_bytes(budget), ttl_ms(ttl), policy(std::make_unique<Policy>(0)) {
        fit_policy();
    }

    mutable std::mutex mutex;
    std::size_t budget_bytes;
    std::uint64_t ttl_ms;
    Table table;
    std::unique_ptr<Policy> policy;
    std::size_t fitted_bytes = 0;  // fixed_bytes() when the policy was last given its capacity
    StoreStats counted;            // entries and bytes unused
    HintSet hints;
    std::uint64_t newest_ms = 0;  // the latest filled_at: what hints take for the time

    // What the budget pays beside entries.
    [[nodiscard]] std::size_t fixed_bytes() const {
        return sizeof(Shard) + table.bytes() + policy->memory_bytes() + hints.memory_bytes();
    }
    [[nodiscard]] std::size_t capacity() const {
        return budget_bytes - std::min(budget_bytes, fixed_bytes());
    }
    void fit_policy() {
        fitted_bytes = fixed_bytes();
        policy->set_capacity(capacity());
    }

    // Current, and asked for later than what there is.
    [[nodiscard]] bool is_newer(const Entry& entry, const Entry* resident) const;
    // Nearly full, and the entry is one that is not expected to be asked for.
    [[nodiscard]] bool is_too_cold(const Entry& entry) const;
    void drop(const Entry* entry, Dropped& dropped);
    // Until the entries fit the policy's capacity or limit are out; true when they fit.
    bool evict(Dropped& dropped, std::size_t limit);
    void evict_all_over_budget(Dropped& dropped);
};

bool Store::Shard::is_newer(const Entry& entry, const Entry* resident) const {
    return entry.current() &&
           (resident == nullptr || entry.filled_at_ms() > resident->filled_at_ms() || !resident->current());
}

bool Store::Shard::is_too_cold(const Entry& entry) const {
    const bool nearly_full = policy->charge() + entry.charge() > capacity() / 16 * 15;
    return nearly_full && hints.is_cold(entry.key().hash, newest_ms);
}

void Store::Shard::drop(const Entry* entry, Dropped& dropped) {
    policy->removed(entry->node_);
    table.remove(entry);
    dropped.add(entry);
}

bool Store::Shard::evict(Dropped& dropped, std::size_t limit) {
    int spared = 0;
    while (limit > 0) {
        PolicyNode* node = policy->victim();
        if (node == nullptr) return true;
        if (spared < kSparedMax && hints.is_hot(node->hash, newest_ms)) {
            policy->spared(*node);
            ++spared;
            ++counted.spared;
            continue;
        }
        --limit;
        const Entry* entry = Entry::of(node);
        table.remove(entry);
        dropped.add(entry);
        ++counted.evictions;
    }
    return false;
}

// A fill may have grown the table or the policy, and evicting the policy again (ghosts): then less is left
// for entries. Both grow seldom and by little, so one round settles it nearly always; the bound is for a
// budget of few entries.
void Store::Shard::evict_all_over_budget(Dropped& dropped) {
    for (int round = 0; round < kEvictionRoundsMax; ++round) {
        if (fixed_bytes() != fitted_bytes) fit_policy();
        evict(dropped, table.size());
        if (fixed_bytes() <= fitted_bytes) break;
    }
}

Store::Store(StoreOptions options) : memory_bytes_(options.memory_bytes), ttl_ms_(options.ttl_ms) {
    std::size_t shards = options.shards;
    if (shards == 0)
        shards =
            std::bit_floor(std::clamp<std::size_t>(options.memory_bytes / kShardBytesMin, 1, kShardsMax));
    for (std::size_t i = 0; i < shards; ++i)
        shards_.push_back(std::make_unique<Shard>(options.memory_bytes / shards, options.ttl_ms));
}

Store::~Store() {
    clear();
}

std::size_t Store::shard_number(std::uint64_t hash) const {
    // The high half of the hash, scaled to the number of shards; the tables take the low bits.
    return (hash >> 32) * shards_.size() >> 32;
}

Store::Shard& Store::shard_of(std::uint64_t hash) const {
    return *shards_[shard_number(hash)];
}

// No longer good, but good enough when there is nothing better.
static bool usable_when_stale(const Entry& entry, std::uint64_t now_ms, std::uint64_t ttl_ms) {
    const std::uint64_t stale_ms = entry.lifetime().stale_ms;
    return stale_ms != 0 && !expired(entry.filled_at_ms(), now_ms, ttl_ms + stale_ms) && entry.unchanged();
}

EntryRef Store::find(const KeyView& key, std::uint64_t now_ms, bool or_stale) {
    Shard& shard = shard_of(key.hash);
    Dropped dropped;
    const std::lock_guard lock(shard.mutex);
    const Entry* entry = shard.table.find(key);
    if (entry == nullptr) return {};
    const std::uint64_t ttl_ms = entry->lifetime().within(shard.ttl_ms);
    const bool is_expired = expired(entry->filled_at_ms(), now_ms, ttl_ms);
    bool good = !is_expired && entry->current();
    if (!good) [[unlikely]] {
        const bool stays = usable_when_stale(*entry, now_ms, ttl_ms);
        good = stays && or_stale;
        if (!good) ++(is_expired ? shard.counted.expired : shard.counted.voided);
        if (!stays) shard.drop(entry, dropped);
    }
    if (!good) return {};
    shard.policy->touched(entry->node_);
    entry->found();
    return EntryRef(entry);
}

Store::Glance Store::glance(const KeyView& key, std::uint64_t now_ms) const {
    const Shard& shard = shard_of(key.hash);
    const std::lock_guard lock(shard.mutex);
    const Entry* entry = shard.table.find(key);
    Glance glance;
    if (entry == nullptr) return glance;
    const std::uint64_t ttl_ms = entry->lifetime().within(shard.ttl_ms);
    glance.overtaken = !entry->current();
    if (glance.overtaken || expired(entry->filled_at_ms(), now_ms, ttl_ms)) return glance;
    glance.current = true;
    glance.awaits_use = entry->awaits_use();
    glance.filled_at_ms = entry->filled_at_ms();
    glance.expires_at_ms = entry->filled_at_ms() + ttl_ms;
    glance.charge = entry->charge();
    return glance;
}

bool Store::put(EntryRef entry, bool is_new) {
    if (!entry) return false;
    const std::uint64_t hash = entry->key().hash;
    LowerTier* const lower = lower_.load(std::memory_order_acquire);
    if (is_new && lower != nullptr) lower->superseded(hash);
    Dropped dropped, evicted;
    const bool taken = put_in(shard_of(hash), entry, is_new, dropped, evicted);
    hand_down(evicted);
    return taken;
}

bool Store::put_in(Shard& shard, EntryRef& entry, bool is_new, Dropped& dropped, Dropped& evicted) {
    const std::lock_guard lock(shard.mutex);
    shard.newest_ms = std::max(shard.newest_ms, entry->filled_at_ms());
    const Entry* resident = shard.table.find(entry->key());
    const bool newer = shard.is_newer(*entry, resident);
    const bool fits = entry->charge() <= shard.capacity();
    const bool goes_down = is_new && newer && lower_.load(std::memory_order_relaxed) != nullptr &&
                           (!fits || shard.is_too_cold(*entry));
    if (!newer || (!fits && !goes_down)) {
        if (is_new) ++shard.counted.fills_refused;
        return false;
    }
    if (resident != nullptr) shard.drop(resident, dropped);
    if (is_new) ++shard.counted.fills;
    if (goes_down) {
        ++shard.counted.demoted;
        evicted.add(entry.release());
        return true;
    }
    shard.table.insert(entry.get());
    shard.policy->inserted(entry.release()->node_);
    shard.evict_all_over_budget(evicted);
    return true;
}

void Store::hand_down(Dropped& evicted) {
    LowerTier* const lower = lower_.load(std::memory_order_acquire);
    if (lower == nullptr) return;
    evicted.take_all([lower](EntryRef entry) { lower->gave_up(std::move(entry)); });
}

void Store::clear() {
    for (auto& shard : shards_) {
        Table table;
        auto policy = std::make_unique<Policy>(0);
        {
            const std::lock_guard lock(shard->mutex);
            std::swap(shard->table, table);
            std::swap(shard->policy, policy);
            shard->fit_policy();
        }
        policy.reset();  // before the nodes that it links
        Dropped dropped;
        table.drain([&](const Entry* entry) { dropped.add(entry); });
    }
}

void Store::set_limits(std::size_t memory_bytes, std::uint64_t ttl_ms) {
    const std::lock_guard lock(limits_mutex_);
    memory_bytes_ = memory_bytes;
    ttl_ms_ = ttl_ms;
    apply_limits();
}

void Store::reserve(std::size_t bytes) {
    const std::lock_guard lock(limits_mutex_);
    reserved_bytes_ = bytes;
    apply_limits();
}

void Store::apply_limits() {
    const std::size_t left = memory_bytes_ - std::min(memory_bytes_, reserved_bytes_);
    for (auto& shard : shards_) {
        for (bool fits = false; !fits;) {
            Dropped evicted;
            {
                const std::lock_guard lock(shard->mutex);
                shard->budget_bytes = left / shards_.size();
                shard->ttl_ms = ttl_ms_;
                shard->fit_policy();
                fits = shard->evict(evicted, kEvictionsPerLock);
            }
            hand_down(evicted);
        }
    }
}

void Store::hint(const Hints& hints) {
    std::vector<Hints> of_shard(shards_.size());
    std::size_t left = Hints::kHashesMax;
    const auto share_out = [&](const std::vector<std::uint64_t>& hashes, auto member) {
        for (const std::uint64_t hash : hashes) {
            if (left == 0) return;
            --left;
            (of_shard[shard_number(hash)].*member).push_back(hash);
        }
    };
    share_out(hints.hot, &Hints::hot);
    share_out(hints.cold, &Hints::cold);
    for (std::size_t i = 0; i < shards_.size(); ++i) {
        of_shard[i].until_ms = hints.until_ms;
        HintSet set(std::move(of_shard[i]));
        Dropped evicted;
        {
            const std::lock_guard lock(shards_[i]->mutex);
            std::swap(shards_[i]->hints, set);
            shards_[i]->evict_all_over_budget(evicted);
        }
        hand_down(evicted);
    }
}

StoreStats Store::stats() const {
    StoreStats sum;
    for (const auto& shard : shards_) {
        const std::lock_guard lock(shard->mutex);
        sum.entries += shard->table.size();
        sum.bytes += shard->policy->charge() + shard->fixed_bytes();
        sum.fills += shard->counted.fills;
        sum.fills_refused += shard->counted.fills_refused;
        sum.evictions += shard->counted.evictions;
        sum.expired += shard->counted.expired;
        sum.voided += shard->counted.voided;
        sum.spared += shard->counted.spared;
        sum.demoted += shard->counted.demoted;
    }
    return sum;
}

}  // namespace warmfront::cache
