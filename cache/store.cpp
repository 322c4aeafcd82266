// Locks: a shard's mutex guards its table, policy, limits and counters, and the links inside its entries. No
// other lock is taken under it. What leaves a shard is collected in a Dropped that outlives the lock and
// frees afterwards.
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

    // What the budget pays beside entries.
    [[nodiscard]] std::size_t fixed_bytes() const {
        return sizeof(Shard) + table.bytes() + policy->memory_bytes();
    }
    [[nodiscard]] std::size_t capacity() const {
        return budget_bytes - std::min(budget_bytes, fixed_bytes());
    }
    void fit_policy() {
        fitted_bytes = fixed_bytes();
        policy->set_capacity(capacity());
    }

    [[nodiscard]] bool takes(const Entry& entry, const Entry* resident) const;
    void drop(const Entry* entry, Dropped& dropped);
    // Until the entries fit the policy's capacity or limit are out; true when they fit.
    bool evict(Dropped& dropped, std::size_t limit);
    void evict_all_over_budget(Dropped& dropped);
};

bool Store::Shard::takes(const Entry& entry, const Entry* resident) const {
    return entry.current() && entry.charge() <= capacity() &&
           (resident == nullptr || entry.filled_at_ms() > resident->filled_at_ms() || !resident->current());
}

void Store::Shard::drop(const Entry* entry, Dropped& dropped) {
    policy->removed(entry->node_);
    table.remove(entry);
    dropped.add(entry);
}

bool Store::Shard::evict(Dropped& dropped, std::size_t limit) {
    for (; limit > 0; --limit) {
        const PolicyNode* node = policy->victim();
        if (node == nullptr) return true;
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

Store::Store(StoreOptions options) {
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

Store::Shard& Store::shard_of(std::uint64_t hash) const {
    // The high half of the hash, scaled to the number of shards; the tables take the low bits.
    return *shards_[(hash >> 32) * shards_.size() >> 32];
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

bool Store::fill(EntryRef entry) {
    if (!entry) return false;
    const KeyView key = entry->key();
    Shard& shard = shard_of(key.hash);
    Dropped dropped;
    const std::lock_guard lock(shard.mutex);
    const Entry* resident = shard.table.find(key);
    if (!shard.takes(*entry, resident)) {
        ++shard.counted.fills_refused;
        return false;
    }
    if (resident != nullptr) shard.drop(resident, dropped);
    shard.table.insert(entry.get());
    shard.policy->inserted(entry.release()->node_);
    ++shard.counted.fills;
    shard.evict_all_over_budget(dropped);
    return true;
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
    for (auto& shard : shards_) {
        for (bool fits = false; !fits;) {
            Dropped dropped;
            const std::lock_guard lock(shard->mutex);
            shard->budget_bytes = memory_bytes / shards_.size();
            shard->ttl_ms = ttl_ms;
            shard->fit_policy();
            fits = shard->evict(dropped, kEvictionsPerLock);
        }
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
    }
    return sum;
}

}  // namespace warmfront::cache
