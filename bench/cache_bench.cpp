// What a hit costs, and what an entry takes beside its bytes.
//
//   build: ninja cache_bench; run: build/cache_bench [--benchmark_filter=...]
//
// A hit is what a session does: build the key, look it up, read the answer's first byte, let it go. Keys are
// drawn uniformly, the worst case for the processor's caches. `bytes_per_entry` is the store's own overhead:
// what the budget is charged for an entry, less its key and body.
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "cache/key.h"
#include "cache/store.h"
#include "cache/write_log.h"
#include "sql/predicate.h"

using namespace warmfront;
using namespace warmfront::cache;

namespace {

constexpr std::size_t kBodyBytes = 200;
constexpr std::size_t kLines = 2;  // the database and one relation

KeyView key_number(KeyBuilder& builder, std::uint64_t number) {
    char digits[8];
    for (char& digit : digits) {
        digit = static_cast<char>('0' + number % 10);
        number /= 10;
    }
    builder.start(1, 42, 'E', 0);
    builder.append_sized({digits, sizeof digits});
    return builder.finish();
}

struct Filled {
    explicit Filled(std::uint64_t entries)
        : store({.memory_bytes = entries * 700 + (std::size_t{64} << 20)}) {
        Line* const reads[kLines] = {&log.line("db", sql::Oid{}), &log.line("db", sql::Oid{1})};
        const FillTicket ticket = observe(reads);
        const std::uint64_t empty_bytes = store.stats().bytes;
        KeyBuilder builder;
        std::size_t payload = 0;
        for (std::uint64_t i = 0; i < entries; ++i) {
            const KeyView key = key_number(builder, i);
            payload = key.bytes.size() + kBodyBytes;
            store.fill(Entry::make(key, ticket.seen, {}, std::string(kBodyBytes, 'x'), 0));
        }
        const StoreStats stats = store.stats();
        overhead = static_cast<double>(stats.bytes - empty_bytes) / static_cast<double>(stats.entries) -
                   static_cast<double>(payload);
        resident = stats.entries;
    }
    WriteLog log;
    Store store;
    double overhead = 0;
    std::uint64_t resident = 0;
};

std::unique_ptr<Filled> filled;

void hit(benchmark::State& state) {
    const auto entries = static_cast<std::uint64_t>(state.range(0));
    KeyBuilder builder;
    std::minstd_rand random(static_cast<unsigned>(state.thread_index() + 1));
    std::uint64_t misses = 0;
    for (auto each : state) {
        const KeyView key = key_number(builder, random() % entries);
        const EntryRef entry = filled->store.find(key, 0);
        if (entry)
            benchmark::DoNotOptimize(entry->without_row_description().front());
        else
            ++misses;
    }
    if (misses > 0) state.SkipWithError("a look-up missed");
    if (state.thread_index() == 0) {
        state.counters["bytes_per_entry"] = filled->overhead;
        state.counters["entries"] = static_cast<double>(filled->resident);
    }
}

void fill_store(const benchmark::State& state) {
    filled = std::make_unique<Filled>(static_cast<std::uint64_t>(state.range(0)));
}
void empty_store(const benchmark::State&) {
    filled = nullptr;
}

BENCHMARK(hit)
    ->Setup(fill_store)
    ->Teardown(empty_store)
    ->Arg(10'000)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->ThreadRange(1, 2)
    ->UseRealTime();

// What it costs to void the answers of one row, whatever the number of answers: from the parameter of an
// UPDATE ... WHERE id = $1 to its lines begun and ended. Rows are drawn at random: each is a miss of the
// processor's caches once there are many.
struct FilledByKey {
    explicit FilledByKey(std::uint64_t entries)
        : log(WriteLog::row_lines_within(entries * 16)),
          store({.memory_bytes = entries * 400 + (std::size_t{64} << 20)}),
          relation(log.relation("db", sql::Oid{1})),
          interest(relation.interest({{1}, {}, sql::ColumnSet::all()})) {
        sql::ColumnValues key;
        key.column = 1;
        key.type = {sql::Oid{23}, sql::ValueKind::Integer, -1};
        key.sources.emplace_back();
        key.sources.back().from = sql::ValueSource::From::Parameter;
        key.sources.back().number = 1;
        plan.images.push_back({key});
        KeyBuilder builder;
        for (std::uint64_t i = 0; i < entries; ++i) fill(builder, i);
    }
    [[nodiscard]] sql::RowsChange change(std::uint64_t number) const {
        const std::string text = std::to_string(number);
        sql::RawValue value;
        value.bytes = text;
        return sql::change_of(plan, sql::StatementValues::of_parameters({&value, 1}, true));
    }
    void fill(KeyBuilder& builder, std::uint64_t number) {
        FillTicket ticket;
        ticket.start();
        ticket.observe(log.line("db", sql::Oid{}));
        ticket.observe(interest.line());
        ticket.observe(interest.line_of(change(number).images.front()));
        store.fill(Entry::make(key_number(builder, number), ticket.seen, {}, "row", 0));
    }
    WriteLog log;
    Store store;
    RelationLog& relation;
    Interest& interest;
    sql::ChangePlan plan;
};

std::unique_ptr<FilledByKey> by_key;

void void_row(benchmark::State& state) {
    const auto entries = static_cast<std::uint64_t>(state.range(0));
    std::minstd_rand random(1);
    std::uint64_t writes = 0;
    KeyBuilder builder;
    PendingWrite write;
    for (auto each : state) {
        const std::uint64_t number = random() % entries;
        write.begin(by_key->relation, by_key->change(number));
        write.end();
        ++writes;
    }
    if (by_key->store.find(key_number(builder, random() % entries), 0) && writes > entries * 100)
        state.SkipWithError("an answer was not voided");
}

BENCHMARK(void_row)
    ->Setup([](const benchmark::State& state) {
        by_key = std::make_unique<FilledByKey>(static_cast<std::uint64_t>(state.range(0)));
    })
    ->Teardown([](const benchmark::State&) { by_key = nullptr; })
    ->Arg(10'000)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Arg(10'000'000)
    ->Iterations(5'000'000);

}  // namespace

BENCHMARK_MAIN();
