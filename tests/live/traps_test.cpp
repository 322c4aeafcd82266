// Every trap of tests/live/traps/*.yaml (tests/live/traps/trap.h says what a trap is), a few groups at a
// time.
//
// WARMFRONT_TRAPS=words: only those whose "group: name" contains the words.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <iostream>
#include <mutex>
#include <thread>

#include <doctest/doctest.h>

#include "tests/live/support/warmfront_process.h"
#include "tests/live/traps/trap_runner.h"

using namespace warmfront;
using namespace warmfront::test;

namespace {

constexpr unsigned kGroupsAtOnce = 6;  // they wait more than they work

// stems: of the files to be taken; empty: all of them.
std::vector<std::filesystem::path> trap_files(const std::vector<std::string>& stems) {
    std::vector<std::filesystem::path> files;
    const auto wanted = [&](const std::filesystem::path& file) {
        return stems.empty() || std::ranges::find(stems, file.stem().string()) != stems.end();
    };
    for (const auto& file : std::filesystem::directory_iterator(WARMFRONT_TRAPS_DIR))
        if (file.path().extension() == ".yaml" && wanted(file.path())) files.push_back(file.path());
    const auto size = [](const std::filesystem::path& file) { return std::filesystem::file_size(file); };
    std::ranges::sort(files, std::ranges::greater(), size);  // none of the long ones begins last
    return files;
}

void run_traps(const std::string& settings, const std::vector<std::string>& stems = {}) {
    const PostgresServer server({.settings = {"autovacuum=off"}});
    const WarmfrontProcess warmfront(server, {.settings = "cache.ttl: 1h\ncatalog.refresh: 1h\n" + settings});
    const auto only = environment("WARMFRONT_TRAPS").value_or("");
    const auto files = trap_files(stems);
    std::atomic<std::size_t> next = 0;
    std::mutex mutex;
    TrapTally total;
    const auto work = [&] {
        for (auto number = next++; number < files.size(); number = next++) {
            TrapTally tally;
            try {
                tally =
                    TrapRunner(server, warmfront, load_traps(files[number]), files[number].stem()).run(only);
            } catch (const std::exception& wrong) {
                tally.failures.emplace_back(wrong.what());
            }
            const std::lock_guard lock(mutex);
            total.traps += tally.traps;
            total.runs += tally.runs;
            total.comparisons += tally.comparisons;
            total.kept += tally.kept;
            total.failures.insert(total.failures.end(), tally.failures.begin(), tally.failures.end());
        }
    };
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < kGroupsAtOnce; ++i) threads.emplace_back(work);
    for (auto& thread : threads) thread.join();

    std::cout << "traps: " << total.traps << " traps, " << total.runs << " runs, " << total.comparisons
              << " comparisons, " << total.kept << " hits right after a write" << std::endl;
    if (!direct_mode())
        std::cout << "traps: " << warmfront.metrics().sum(kDiskHitsMetric) << " hits from disk" << std::endl;
    for (const auto& failure : total.failures) FAIL_CHECK(failure);
    if (only.empty()) CHECK(total.traps >= (stems.empty() ? 150 : 10));
}

}  // namespace

TEST_CASE("traps: whatever is written, however, the next read is PostgreSQL's answer") {
    run_traps("");
}

TEST_CASE("traps: the same where the answers lie on disk") {
    if (direct_mode()) return;
    const std::vector<std::string> some{"conflict", "partitions", "rights", "rows"};
    run_traps(std::string(kOnDisk), long_form() ? std::vector<std::string>{} : some);
}
