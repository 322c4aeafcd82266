// proxy/session/ledger.h: what the cache costs and brings, template by template, and which templates are
// switched off for it.
//
// An Account is one statement of one database, whoever sends it (sql/choices.h says what one statement is).
// Each worker has Counts of its own there, so counting takes no lock and no locked instruction; they are
// summed when somebody asks. At accounts_max, accounts that no plan and no entry uses any more are given up
// (their numbers stay in the sums); while there are none, further statements share one account, which is
// never switched off.
//
// Thread-safe. The lock is taken when a worker makes a plan, when rows are read and once per review, never by
// a hit.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cache/break_even.h"
#include "cache/residence.h"
#include "cache/worth.h"
#include "proxy/session/count.h"
#include "proxy/session/template_row.h"
#include "sql/analysis.h"

namespace warmfront::session {

// One worker's counts of one template.
struct alignas(64) Counts {
    Counter requests;            // answered, in whatever way
    Counter hits, hit_us;        // from memory, and from arrival to answer
    Counter saved_us;            // by hits: what PostgreSQL takes on average, less hit_us
    Counter misses;              // could have been from memory; in observe mode too
    Counter would_hits;          // would have been, in observe mode,
    Counter would_us;            // and PostgreSQL's time for those
    Counter origins, origin_us;  // by PostgreSQL, and its time
    Counter keep_us;             // making and storing entries
    Counter verified;            // hits that PostgreSQL was asked as well, and the answers compared
};

class Account {
public:
    [[nodiscard]] bool on() const { return off_.load(std::memory_order_relaxed) == Off::No; }
    [[nodiscard]] cache::Residence* residence() { return &residence_; }
    [[nodiscard]] cache::Worth* worth() { return &worth_; }
    [[nodiscard]] std::uint64_t digest() const { return digest_; }
    // PostgreSQL's time for it, as of the last review; before that, for the first one.
    [[nodiscard]] std::uint64_t origin_mean_us() const {
        return origin_mean_us_.load(std::memory_order_relaxed);
    }
    void note_origin(std::uint64_t us) {
        if (origin_mean_us() == 0) origin_mean_us_.store(us, std::memory_order_relaxed);
    }

private:
    friend class Ledger;
    explicit Account(std::size_t workers) : counts_(workers) {}

    std::uint64_t digest_ = 0;  // constant once placed
    std::atomic<Off> off_{Off::No};
    std::atomic<std::uint64_t> origin_mean_us_{0};
    cache::Residence residence_;
    cache::Worth worth_;
    // Under the ledger's lock:
    std::vector<std::unique_ptr<Counts>> counts_;  // by worker; nullptr until it makes a plan
    std::string database_, text_;                  // shown text, cut to kTextBytesMax
    sql::QueryClass query_class_ = sql::QueryClass::Opaque;
    bool cacheable_ = false;
    std::string refusal_;  // as judged last
    sql::Lifetime lifetime_;
    std::string off_reason_;
    std::uint64_t mismatches_ = 0;
    cache::BreakEven break_even_;
};

// What the verifier found; told on the worker's thread, under the ledger's lock.
struct MismatchFound {
    std::string_view database, text;
    std::uint64_t digest;     // of the statement
    std::uint64_t kept, now;  // of the answers, XXH3
};

// What break-even did; told under the ledger's lock.
struct Turned {
    std::string_view database, text;
    std::uint64_t digest;
    bool on;
    std::string_view reason;
};

class Ledger {
public:
    static constexpr std::size_t kTextBytesMax = 4096;
    struct Options {
        std::size_t workers = 1;
        std::size_t accounts_max = 10'000;
        std::function<void(const MismatchFound&)> on_mismatch = [](const MismatchFound&) {};
        std::function<void(const Turned&)> on_turned = [](const Turned&) {};
    };
    explicit Ledger(Options options);

    struct Place {
        std::shared_ptr<Account> account;
        Counts* counts = nullptr;  // in the account
    };
    // Where this worker counts the statement, which was just judged so. example: any statement of it.
    [[nodiscard]] Place place(std::size_t worker, std::string_view database, std::string_view example,
                              const sql::Analysis& analysis);

    // The two answers of a hit that was verified differ: the template is off until resume().
    void mismatch(Account& account, std::uint64_t kept, std::uint64_t now);
    // Judges every template; `active` false: all that break-even switched off are on again. Once in a second
    // or so. ttl_ms: cache.ttl.
    void review(bool active, std::uint64_t now_ms, std::uint64_t ttl_ms);
    // On again, whatever switched it off; nullopt: all. How many there were.
    std::size_t resume(std::optional<std::uint64_t> digest);

    // Those that saved most first, then those with most requests; at most rows_max.
    [[nodiscard]] std::vector<TemplateRow> rows(std::size_t rows_max = SIZE_MAX) const;
    [[nodiscard]] LedgerTotals totals() const;
    // "off: mismatch: ..."; empty if it is on or not known.
    [[nodiscard]] std::string off_text(std::string_view database, std::uint64_t digest) const;

private:
    using Key = std::pair<std::string, std::uint64_t>;
    static constexpr std::size_t kPlacesPerSweep = 256;
    [[nodiscard]] static TemplateRow numbers_of(const Account& account);
    static void add_text(TemplateRow& row, const Account& account);
    void sweep();
    [[nodiscard]] static cache::Costs costs_of(const Account& account);
    static void turn(Account& account, Off off, std::string reason);

    const Options options_;
    mutable std::mutex mutex_;
    std::map<Key, std::shared_ptr<Account>> accounts_;
    const std::shared_ptr<Account> others_;
    TemplateRow gone_;             // sums of accounts that were given up
    std::size_t until_sweep_ = 0;  // places that find no room before the next sweep
};

}  // namespace warmfront::session
