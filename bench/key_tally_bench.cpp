// What counting a key costs a request (proxy/session/key_tally.h), by how many keys are asked for: with 1,000
// all have places, with 1,000,000 most requests take one over. `off` is what forecast.enabled: false leaves.
#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "proxy/session/key_tally.h"

namespace {

using namespace warmfront;

struct Key {
    std::string bytes;
    std::uint64_t hash;
};

std::vector<Key> keys(std::size_t count) {
    std::vector<Key> made;
    for (std::size_t i = 0; i < count; ++i) {
        std::string bytes =
            "a key as long as that of a statement with one or two parameters " + std::to_string(i);
        const std::uint64_t hash = cache::hash_of(bytes);
        made.push_back({std::move(bytes), hash});
    }
    std::shuffle(made.begin(), made.end(), std::mt19937(5));
    return made;
}

void count_keys(benchmark::State& state, bool on) {
    const auto asked = keys(static_cast<std::size_t>(state.range(0)));
    const auto statement = std::make_shared<const sql::Template>();
    const auto settings = std::make_shared<const sql::SessionSettings>();
    session::KeyTallySlot slot = on ? std::make_unique<session::KeyTally>() : nullptr;
    std::size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(slot);
        const Key& key = asked[next];
        if (++next == asked.size()) next = 0;
        if (slot) slot->count({key.bytes, key.hash}, statement, settings);
    }
}

void tally(benchmark::State& state) {
    count_keys(state, true);
}
void off(benchmark::State& state) {
    count_keys(state, false);
}
BENCHMARK(tally)->Arg(100)->Arg(1'000)->Arg(1'000'000);
BENCHMARK(off)->Arg(1'000);

}  // namespace

BENCHMARK_MAIN();
