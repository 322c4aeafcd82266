#include "cache/hints.h"

#include <doctest/doctest.h>

#include "cache/store.h"
#include "tests/cache/sample.h"

using namespace warmfront;
using namespace warmfront::cache;

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// Remembers the keys of what it was given.
struct Cellar final : LowerTier {
    std::vector<std::string> keys;
    std::vector<std::uint64_t> superseded_hashes;
    void gave_up(EntryRef entry) noexcept override { keys.emplace_back(entry->key().bytes); }
    void superseded(std::uint64_t hash) noexcept override { superseded_hashes.push_back(hash); }
    [[nodiscard]] bool has(std::string_view key) const { return std::ranges::find(keys, key) != keys.end(); }
};

std::string name_of(int number) {
    return "key-" + std::to_string(number);
}

void fill(Store& store, int from, int to, std::uint64_t at_ms) {
    for (int i = from; i < to; ++i) store.fill(entry_of(name_of(i), std::string(1'000, 'x'), at_ms));
}

int resident(Store& store, int from, int to, std::uint64_t now_ms) {
    int count = 0;
    for (int i = from; i < to; ++i) count += store.find(key_of(name_of(i)), now_ms) ? 1 : 0;
    return count;
}

Hints hot(int from, int to, std::uint64_t until_ms) {
    Hints hints{.hot = {}, .cold = {}, .until_ms = until_ms};
    for (int i = from; i < to; ++i) hints.hot.push_back(key_of(name_of(i)).hash);
    return hints;
}

}  // namespace

TEST_CASE("hints: what is hot outlives a scan while the hint lasts, and only then") {
    struct Row {
        std::string_view name;
        std::uint64_t until_ms, scan_at_ms;
        bool kept;
    };
    for (const auto& [name, until_ms, scan_at_ms, kept] : std::vector<Row>{{"hinted", 1'000, 500, true},
                                                                           {"no longer", 1'000, 1'000, false},
                                                                           {"not hinted", 0, 500, false}}) {
        CAPTURE(name);
        Store store{{.memory_bytes = 2 * kMiB, .ttl_ms = 100'000, .shards = 1}};
        fill(store, 0, 100, 10);
        store.hint(hot(0, 100, until_ms));
        fill(store, 1'000, 12'000, scan_at_ms);
        // They are the oldest, one behind the other, and no fill passes over more than 64.
        const int left = resident(store, 0, 100, scan_at_ms);
        CHECK((kept ? left >= 95 : left == 0));
        CHECK((store.stats().spared > 0) == kept);
        CHECK(store.stats().bytes <= 2 * kMiB);
        store.clear();
        CHECK(store.stats().entries == 0);
    }
}

TEST_CASE("hints: more that is hot than fits does no harm to the budget") {
    Store store{{.memory_bytes = 2 * kMiB, .ttl_ms = 100'000, .shards = 2}};
    store.hint(hot(0, 20'000, 1'000));
    fill(store, 0, 20'000, 10);
    CHECK(store.stats().bytes <= 2 * kMiB);
    CHECK(store.stats().evictions > 10'000);
    CHECK(resident(store, 0, 20'000, 10) > 500);
}

TEST_CASE("hints: beyond kHashesMax they are ignored") {
    Store store{{.memory_bytes = 8 * kMiB, .ttl_ms = 100'000, .shards = 1}};
    store.hint(hot(0, static_cast<int>(Hints::kHashesMax) + 100, 1'000));
    CHECK(store.stats().bytes < 2 * kMiB);
}

TEST_CASE("hints: what is cold goes to the lower tier while memory is full, and to memory while it is not") {
    Store store{{.memory_bytes = 2 * kMiB, .ttl_ms = 100'000, .shards = 1}};
    Cellar cellar;
    Hints hints{.hot = {}, .cold = {key_of("cold").hash}, .until_ms = 1'000};
    store.hint(hints);
    CHECK(store.fill(entry_of("cold", "brr", 10)));
    CHECK(store.find(key_of("cold"), 10));
    store.set_lower_tier(&cellar);
    fill(store, 0, 3'000, 20);
    cellar.keys.clear();
    CHECK(store.fill(entry_of("cold", "brr", 30)));
    CHECK(cellar.has("cold"));
    CHECK_FALSE(store.find(key_of("cold"), 30));
    CHECK(store.stats().demoted >= 1);
}

TEST_CASE("lower tier: is given what was evicted and nothing else, and told of what is new") {
    Store store{{.memory_bytes = kMiB, .ttl_ms = 100, .shards = 1}};
    Cellar cellar;
    store.set_lower_tier(&cellar);
    fill(store, 0, 1, 10);
    CHECK(cellar.superseded_hashes == std::vector<std::uint64_t>{key_of(name_of(0)).hash});
    fill(store, 0, 1, 11);                             // replaced
    CHECK_FALSE(store.find(key_of(name_of(0)), 500));  // expired
    CHECK(cellar.keys.empty());
    fill(store, 1, 2'000, 20);
    CHECK(cellar.keys.size() == store.stats().evictions);
    CHECK(cellar.keys.size() + store.stats().entries == 1'999);
    cellar.superseded_hashes.clear();
    CHECK(store.bring_back(entry_of("back", "b", 20)));
    CHECK(cellar.superseded_hashes.empty());
    const std::size_t before = cellar.keys.size();
    store.clear();
    CHECK(cellar.keys.size() == before);
}

TEST_CASE("lower tier: is given what no shard can hold; without one it is refused") {
    Store store{{.memory_bytes = kMiB, .ttl_ms = 100, .shards = 1}};
    const std::string large(2 * kMiB, 'x');
    CHECK_FALSE(store.fill(entry_of("large", large, 10)));
    Cellar cellar;
    store.set_lower_tier(&cellar);
    CHECK(store.fill(entry_of("large", large, 10)));
    CHECK(cellar.has("large"));
    CHECK_FALSE(store.bring_back(entry_of("large", large, 10)));
    CHECK(store.stats().entries == 0);
}

TEST_CASE("store: what is reserved is left free, across new limits too") {
    Store store{{.memory_bytes = 4 * kMiB, .ttl_ms = 100'000}};
    fill(store, 0, 4'000, 10);
    store.reserve(2 * kMiB);
    CHECK(store.stats().bytes <= 2 * kMiB);
    store.set_limits(3 * kMiB, 100'000);
    fill(store, 0, 8'000, 20);
    CHECK(store.stats().bytes <= kMiB);
    store.reserve(0);
    fill(store, 0, 8'000, 30);
    CHECK(store.stats().bytes > 2 * kMiB);
}
