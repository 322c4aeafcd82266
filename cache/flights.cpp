// Per key there is usually one flight. When a write overtakes it, the next miss starts a newer one beside it,
// which takes the followers from then on; the older one stays only to be landed. Both sit in the bucket of
// their key's hash.
#include "cache/flights.h"

#include <algorithm>
#include <mutex>
#include <string>
#include <unordered_map>

namespace warmfront::cache {

static constexpr std::size_t kShards = 16;

struct Follower {
    Waiter* waiter;
    std::uint64_t ticket;
    bool operator==(const Follower&) const = default;
};

struct Flight {
    std::string key;
    FillTicket ticket;
    Follower leader;
    std::vector<Follower> followers;
};

struct Flights::Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::uint64_t, std::vector<Flight>> flights;  // by hash; of one key, the newest last
    std::size_t count = 0;
};

Flights::Flights() : Flights(Options{}) {}

Flights::Flights(Options options) : options_(options) {
    for (std::size_t i = 0; i < kShards; ++i) shards_.push_back(std::make_shared<Shard>());
}

Flights::Shard& Flights::shard_of(std::uint64_t hash) const {
    return *shards_[hash % kShards];
}

FlightRole Flights::join(const KeyView& key, const FillTicket& ticket, Waiter* waiter,
                         std::uint64_t waiter_ticket) {
    if (!ticket.fillable) return FlightRole::Alone;
    Shard& shard = shard_of(key.hash);
    const std::lock_guard lock(shard.mutex);
    const auto bucket = shard.flights.find(key.hash);
    if (bucket != shard.flights.end()) {
        const auto newest = std::find_if(bucket->second.rbegin(), bucket->second.rend(),
                                         [&](const Flight& flight) { return flight.key == key.bytes; });
        if (newest != bucket->second.rend() && newest->ticket.current()) {
            if (newest->followers.size() >= options_.followers_max) return FlightRole::Alone;
            newest->followers.push_back({waiter, waiter_ticket});
            return FlightRole::Follow;
        }
    }
    if (shard.count >= options_.flights_max / kShards) return FlightRole::Alone;
    shard.flights[key.hash].push_back({std::string(key.bytes), ticket, {waiter, waiter_ticket}, {}});
    ++shard.count;
    return FlightRole::Lead;
}

void Flights::land(const KeyView& key, const Waiter* leader, std::uint64_t leader_ticket,
                   const EntryRef& result) {
    Shard& shard = shard_of(key.hash);
    const std::lock_guard lock(shard.mutex);
    const auto bucket = shard.flights.find(key.hash);
    if (bucket == shard.flights.end()) return;
    const auto flight = std::ranges::find_if(bucket->second, [&](const Flight& each) {
        return each.leader.waiter == leader && each.leader.ticket == leader_ticket && each.key == key.bytes;
    });
    if (flight == bucket->second.end()) return;
    for (const Follower& follower : flight->followers) follower.waiter->landed(follower.ticket, result);
    bucket->second.erase(flight);
    if (bucket->second.empty()) shard.flights.erase(bucket);
    --shard.count;
}

void Flights::leave(const KeyView& key, Waiter* waiter, std::uint64_t waiter_ticket) {
    Shard& shard = shard_of(key.hash);
    const std::lock_guard lock(shard.mutex);
    const auto bucket = shard.flights.find(key.hash);
    if (bucket == shard.flights.end()) return;
    for (Flight& flight : bucket->second) {
        if (flight.key == key.bytes) std::erase(flight.followers, Follower{waiter, waiter_ticket});
    }
}

std::size_t Flights::under_way() const {
    std::size_t sum = 0;
    for (const auto& shard : shards_) {
        const std::lock_guard lock(shard->mutex);
        sum += shard->count;
    }
    return sum;
}

}  // namespace warmfront::cache
