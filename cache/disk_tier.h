// cache/disk_tier.h: what memory gives up, kept on disk under the same keys, versions and invalidation.
//
//   store --evicted--> queue --writer thread--> files      (cache/disk_files.h), index (cache/disk_index.h)
//   miss  --ask()----> queue --reader threads-> store, and whoever waits
//
// An entry on disk is given only if it would still be valid in memory: the index holds the write-log lines
// that it depends on, so a write or the end of its ttl voids it without touching the disk; and it is judged
// again, by the whole sequence numbers, when it has been read. What was read goes back to memory.
//
// Callers never touch the disk: gave_up(), superseded(), ask() and leave() take one short lock. Bounds: the
// write queue (beyond it, what memory gives up is gone), kReadsMax reads waiting (beyond it, the query goes
// to PostgreSQL), the index, the files. A read that is not expected to be faster than PostgreSQL is not made.
//
// Begins empty. What is not as it was written is set aside (renamed) and the tier begins anew, kAsidesMax
// times; after that, and when the disk fails (full, broken), it is off until the next start: queries go to
// PostgreSQL as if there were no tier. Every such event is told to `alarm`.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cache/disk_files.h"
#include "cache/disk_index.h"
#include "cache/flights.h"
#include "cache/lower_tier.h"
#include "cache/store.h"
#include "config/clock.h"

namespace warmfront::cache {

struct DiskAlarm {
    enum class What : std::uint8_t { SetAside, Off };
    What what = What::Off;
    std::string why;
};

struct DiskTierOptions {
    std::string directory;                              // its own; made if it does not exist
    std::uint64_t size_bytes = std::uint64_t{1} << 30;  // of files
    std::size_t memory_bytes = std::size_t{256} << 20;  // the cache's budget, of which the tier takes a part
    std::uint64_t ttl_ms = 10'000;                      // the store's
    bool read_always = false;                           // also where PostgreSQL is expected to be faster
    unsigned readers = 2;
    std::function<void(const DiskAlarm&)> alarm = [](const DiskAlarm&) {};  // on a thread of the tier's
};

struct DiskStats {  // since the start, but for the first six
    bool on = false;
    std::uint64_t entries = 0;  // that may be given
    std::uint64_t bytes = 0;    // of files
    std::uint64_t bytes_max = 0;
    std::uint64_t memory_bytes = 0;  // of cache.memory: index, buffers, queue
    std::uint64_t read_us = 0;       // what a read is expected to take, from the asking on
    std::uint64_t hits = 0;          // answers brought back
    std::uint64_t reads = 0, reads_us = 0, read_bytes = 0;
    std::uint64_t reads_slow = 0;  // not made: PostgreSQL is expected to be faster
    std::uint64_t reads_full = 0;  // not made: too many waiting
    std::uint64_t reads_void = 0;  // made in vain: overtaken by a write meanwhile, or gone
    std::uint64_t writes = 0, written_bytes = 0;
    std::uint64_t dropped = 0;              // not written: the queue was full
    std::uint64_t voided = 0, expired = 0;  // found so when they were asked for
    std::uint64_t set_aside = 0, errors = 0;
};

class DiskTier final : public LowerTier {
public:
    static constexpr std::size_t kReadsMax = 1024;
    static constexpr std::uint64_t kAsidesMax = 3;
    // Reads that are not worth it are made all the same so often, to see whether that has changed: after so
    // many that were not, or so long.
    static constexpr std::uint64_t kMeasureEvery = 16;
    static constexpr std::chrono::microseconds kMeasureAnewAfter{1'000'000};
    // What memory gives up is written this much later, together with what follows.
    static constexpr std::chrono::milliseconds kCollectFor{2};

    DiskTier(Store& store, const Clock& clock, DiskTierOptions options);
    ~DiskTier() override;  // stops
    DiskTier(const DiskTier&) = delete;
    DiskTier& operator=(const DiskTier&) = delete;

    // Makes the directory ready, opens it and begins; takes its part of the store's budget. False: it is off,
    // which was told to `alarm`.
    bool start();
    // Returns when the threads have ended. Who still waits is not told.
    void stop();

    void gave_up(EntryRef entry) noexcept override;
    void superseded(std::uint64_t hash) noexcept override;

    struct Asked {
        Waiter* waiter =
            nullptr;  // its landed() is called with this ticket, once, unless leave() comes first;
        std::uint64_t ticket = 0;                // null: there is no answer
        std::uint64_t origin_us = 0;             // what PostgreSQL takes for it; 0: not known
        std::shared_ptr<Residence> residence{};  // whose the entry is
    };
    // True: the entry is on disk and being read. What lands was current at some moment since then.
    [[nodiscard]] bool ask(const KeyView& key, const Asked& asked);
    void leave(const Waiter* waiter, std::uint64_t ticket);

    void clear();
    void set_ttl(std::uint64_t ttl_ms) { ttl_ms_.store(ttl_ms); }
    [[nodiscard]] DiskStats stats() const;
    // Waits until what was given up so far is on disk; for tests.
    void settle();

private:
    struct Writing {
        EntryRef entry;
        std::uint64_t number = 0;
        bool superseded = false;
    };
    struct Read {
        std::string key;
        std::uint64_t hash = 0;
        Asked asked;
        std::uint64_t since_us = 0;
        bool alone = false;  // none waited when it was asked for
    };
    enum class Outcome : std::uint8_t { Void, Brought, Corrupt, Failing };
    struct Brought {
        Outcome outcome = Outcome::Void;
        EntryRef entry{};
        std::string why{};
        std::size_t bytes = 0;
    };

    void write_all();
    void read_all();
    [[nodiscard]] bool take_batch(std::unique_lock<std::mutex>& lock);
    [[nodiscard]] Result<void> write_batch();
    void index_batch();
    void serve(Read read);
    [[nodiscard]] Brought bring(const Read& read, const DiskIndex::Found& found);
    void learn(std::uint64_t took_us);
    [[nodiscard]] bool worth_asking(std::uint64_t origin_us, std::uint64_t now_us);
    [[nodiscard]] EntryRef in_queue(const KeyView& key) const;
    [[nodiscard]] bool is_old(const Entry& entry) const;
    [[nodiscard]] Result<void> open();
    void begin_anew(const std::string& why);
    void switch_off(const std::string& why);
    void tell_memory();
    [[nodiscard]] std::size_t fixed_bytes() const;

    Store& store_;
    const Clock& clock_;
    const DiskTierOptions options_;
    const std::size_t write_buffer_bytes_, queue_bytes_max_, batch_bytes_;
    const std::uint64_t writer_;  // see cache/disk_value.h
    std::atomic<std::uint64_t> ttl_ms_;
    std::atomic<bool> on_{false};

    std::shared_mutex files_mutex_;  // taken before mutex_; alone for replacing files_
    std::unique_ptr<DiskFiles> files_;

    mutable std::mutex mutex_;  // for all below; no other is taken under it, but waiters' mailboxes
    std::condition_variable work_, settled_;
    bool stopping_ = false;
    DiskIndex index_;
    std::unordered_map<std::uint64_t, EntryRef> waiting_;  // to be written, by hash
    std::deque<std::uint64_t> waiting_order_;
    std::size_t waiting_bytes_ = 0;
    std::vector<Writing> writing_;
    std::uint64_t next_number_ = 1;
    std::deque<Read> reads_;
    std::vector<std::pair<const Waiter*, std::uint64_t>> reading_;  // whose reads are under way
    std::uint64_t read_ns_ = 0;           // what a read takes that waits for no other: about the median
    std::uint64_t read_measured_us_ = 0;  // when
    std::uint64_t not_made_ = 0;          // reads that were not worth it since
    std::size_t told_memory_bytes_ = 0;
    DiskStats counted_;

    std::condition_variable readers_;
    std::vector<std::thread> threads_;
};

}  // namespace warmfront::cache
