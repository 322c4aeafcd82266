// What it costs a hit to be watched for next-query prediction: ninja foresight_bench;
// build/foresight_bench
#include <string>

#include <benchmark/benchmark.h>

#include "proxy/session/foresight.h"

using namespace warmfront;

namespace {

session::PlanRef plan_of(std::string text, std::uint64_t id) {
    auto made_from = std::make_shared<sql::Template>();
    made_from->id = id;
    made_from->text = std::move(text);
    made_from->analysis.query_class = sql::QueryClass::Read;
    auto plan = std::make_shared<session::Plan>();
    plan->made_from = std::move(made_from);
    plan->identity = 0x1234567 * (id + 1);
    return plan;
}

std::string literals(std::string_view text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    return std::string(reinterpret_cast<const char*>(&size), sizeof size) + std::string(text);
}

std::string row(std::size_t columns) {
    std::string body{'\0', static_cast<char>(columns)};
    for (std::size_t i = 0; i < columns; ++i) body += std::string("\0\0\0\5", 4) + "value";
    const auto length = static_cast<char>(body.size() + 4);
    return std::string("D\0\0\0", 4) + length + body;
}

// random: the statements come in no order, so nothing is expected of any; else one follows the other, and the
// values tell nothing.
void watch(benchmark::State& state, bool enabled, bool random) {
    cache::Store store({});
    NextQuerySettings settings;
    settings.enabled = enabled;
    session::Foresight foresight(store, nullptr, settings);
    session::Trail trail;
    std::vector<session::PlanRef> plans;
    for (std::uint64_t i = 0; i < 20; ++i) plans.push_back(plan_of("SELECT " + std::to_string(i), i));
    const auto session_settings = std::make_shared<sql::SessionSettings>();
    const std::string rows = row(8);
    std::uint64_t now_us = 1'000'000, seed = 1;
    std::vector<std::string> keys;
    cache::KeyBuilder builder;
    for (int i = 0; i < 64; ++i) {
        builder.start(1, 1, 'Q', 0);
        builder.append(literals(std::to_string(1000 + i)));
        keys.emplace_back(builder.finish().bytes);
    }
    std::size_t at = 0;
    for (auto _ : state) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        const auto& plan = plans[(random ? seed >> 33 : at++) % plans.size()];
        now_us += 10;
        if (!foresight.enabled()) continue;
        auto request = session::Foresight::request_of(plan, "app", session_settings,
                                                      {keys[(seed >> 40) % keys.size()], seed});
        request.rows = rows;
        request.from_memory = true;
        foresight.answered(trail, request, now_us);
    }
}

void BM_Off(benchmark::State& state) {
    watch(state, false, true);
}
void BM_NoOrder(benchmark::State& state) {
    watch(state, true, true);
}
void BM_OrderWithoutMapping(benchmark::State& state) {
    watch(state, true, false);
}
BENCHMARK(BM_Off);
BENCHMARK(BM_NoOrder);
BENCHMARK(BM_OrderWithoutMapping);

}  // namespace

BENCHMARK_MAIN();
