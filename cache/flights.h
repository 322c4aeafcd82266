// cache/flights.h: equal misses under way share one trip to PostgreSQL (single flight).
//
// The first miss of a key leads, later ones follow as long as what the leader asked for is still current: a
// read that starts after an acknowledged write must not share an answer that was asked for before it. A
// leader that cannot deliver (error, too large, connection lost) lands with nothing; its followers then go on
// their own.
//
// Thread-safe, sharded; locks are short. Waiters are told on the thread that lands: they only post to their
// own worker. At followers_max waiters per flight and flights_max flights (counted by shard: a sixteenth
// each), further misses go on their own (FlightRole::Alone).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cache/entry.h"
#include "cache/key.h"
#include "cache/write_log.h"

namespace warmfront::cache {

class Waiter {
public:
    virtual ~Waiter() = default;
    // result is null if the leader had none. Called once per successful Follow, unless leave() came first; on
    // the leader's thread and under the flight's shard lock: post to your own loop and return.
    virtual void landed(std::uint64_t ticket, EntryRef result) noexcept = 0;
};

enum class FlightRole { Lead, Follow, Alone };

class Flights {
public:
    struct Options {
        std::size_t flights_max = 65'536;
        std::size_t followers_max = 10'000;
    };
    Flights();
    explicit Flights(Options options);

    // (waiter, waiter_ticket) names this miss and is not used for another while it is under way.
    // Lead: the caller must call land() with the same key, waiter and ticket exactly once, whatever happens.
    // It leads with `ticket`. Follow: waiter->landed(waiter_ticket, ...) will be called. Alone: nothing to
    // call; so it is at the limits and for a ticket that is not fillable. A flight whose ticket is no longer
    // current takes no followers: the newcomer replaces it as the leader.
    FlightRole join(const KeyView& key, const FillTicket& ticket, Waiter* waiter,
                    std::uint64_t waiter_ticket);
    // Ends the flight begun by this leader; result may be null. Only the followers of this very flight are
    // told, also if another leader took the key over since.
    void land(const KeyView& key, const Waiter* leader, std::uint64_t leader_ticket, const EntryRef& result);
    // The waiter is gone or gave up; landed() will not be called for this ticket afterwards.
    void leave(const KeyView& key, Waiter* waiter, std::uint64_t waiter_ticket);
    [[nodiscard]] std::size_t under_way() const;

private:
    struct Shard;
    [[nodiscard]] Shard& shard_of(std::uint64_t hash) const;
    Options options_;
    std::vector<std::shared_ptr<Shard>> shards_;
};

}  // namespace warmfront::cache
