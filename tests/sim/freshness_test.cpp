// The whole cache under real threads: writers, readers that look up and fill, a store that is too small for
// them all. A read must not return less than what was acknowledged, or returned by another read, before it
// began.
//
// Built twice: against the cache as it is, where no violation may be found, and against
// warmfront_cache_unsafe (fill rule off), where one must be: otherwise this test could not tell.
#include <array>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "cache/store.h"
#include "cache/write_log.h"

using namespace warmfront;
using namespace warmfront::cache;

#ifdef WARMFRONT_TEST_WITHOUT_FILL_RULE
static constexpr bool kViolationsExpected = true;
static constexpr std::uint64_t kReadsPerReader = 5'000'000;  // ends at the first violation
#else
static constexpr bool kViolationsExpected = false;
static constexpr std::uint64_t kReadsPerReader = 100'000;
#endif

static constexpr std::size_t kRows = 8;
static constexpr int kReaders = 4;
static constexpr int kWriters = 2;

static void raise(std::atomic<std::uint64_t>& floor, std::uint64_t to) {
    std::uint64_t now = floor.load();
    while (now < to && !floor.compare_exchange_weak(now, to)) {
    }
}

// One row of one relation: its value in PostgreSQL only grows, and what is visible is in `value`.
struct Row {
    std::atomic<std::uint64_t> value{0};
    std::atomic<std::uint64_t> floor{0};
};

class Town {
public:
    void write(std::size_t row) {
        Line* const effects[] = {lines_[row]};
        begin(std::span<Line* const>(effects));
        std::this_thread::yield();
        const std::uint64_t written = rows_[row].value.fetch_add(1) + 1;
        std::this_thread::yield();
        end(std::span<Line* const>(effects));
        raise(rows_[row].floor, written);
    }

    void read(std::size_t row, std::uint64_t now_ms) {
        const std::uint64_t floor = rows_[row].floor.load();
        const std::string name = "row " + std::to_string(row);
        const KeyView key{name, hash_of(name)};
        if (const EntryRef entry = store_.find(key, now_ms)) {
            ++hits_;
            return judge(row, number_in(*entry), floor);
        }
        Line* const reads[] = {database_, lines_[row]};
        const FillTicket ticket = observe(reads);
        const std::uint64_t value = rows_[row].value.load();
        judge(row, value, floor);
        std::this_thread::yield();  // a slow answer
        if (ticket.fillable) store_.fill(Entry::make(key, ticket.seen, {}, std::to_string(value), now_ms));
    }

    [[nodiscard]] std::uint64_t violations() const { return violations_; }
    [[nodiscard]] std::uint64_t hits() const { return hits_; }

private:
    static std::uint64_t number_in(const Entry& entry) {
        const std::string_view body = entry.without_row_description();
        std::uint64_t number = 0;
        std::from_chars(body.data(), body.data() + body.size(), number);
        return number;
    }

    void judge(std::size_t row, std::uint64_t value, std::uint64_t floor) {
        if (value < floor) ++violations_;
        raise(rows_[row].floor, value);
    }

    WriteLog log_;
    Line* database_ = &log_.line("db", sql::Oid{});
    std::array<Line*, kRows> lines_ = [this] {
        std::array<Line*, kRows> lines{};
        for (std::uint32_t i = 0; i < kRows; ++i) lines[i] = &log_.line("db", sql::Oid{i + 1});
        return lines;
    }();
    std::array<Row, kRows> rows_;
    Store store_{{.memory_bytes = 40'000, .ttl_ms = 1'000, .shards = 1}};
    std::atomic<std::uint64_t> violations_{0}, hits_{0};
};

TEST_CASE("freshness: threads never see an old row, and do without the fill rule") {
    Town town;
    std::atomic<bool> over{false};
    {
        std::vector<std::jthread> writers;
        for (int i = 0; i < kWriters; ++i) {
            writers.emplace_back([&, random = std::mt19937_64(i)]() mutable {
                while (!over) {
                    town.write(random() % kRows);
                    for (int pause = 0; pause < 8; ++pause) std::this_thread::yield();
                }
            });
        }
        std::vector<std::jthread> readers;
        for (int i = 0; i < kReaders; ++i) {
            readers.emplace_back([&, random = std::mt19937_64(100 + i)]() mutable {
                for (std::uint64_t step = 0; step < kReadsPerReader; ++step) {
                    if (kViolationsExpected && town.violations() > 0) break;
                    town.read(random() % kRows, step);
                }
            });
        }
        readers.clear();
        over = true;
    }
    MESSAGE(town.hits() << " hits, " << town.violations() << " violations");
    CHECK(town.hits() > 0);
    CHECK((town.violations() > 0) == kViolationsExpected);
}
