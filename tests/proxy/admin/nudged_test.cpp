#include "proxy/admin/nudged.h"

#include <condition_variable>
#include <mutex>

#include <doctest/doctest.h>

using namespace warmfront::admin;
using namespace std::chrono_literals;

TEST_CASE("nudged: who waits for one that only nudges wake is nudged until it is over") {
    std::mutex mutex;
    std::condition_variable came;
    int nudges = 0;
    constexpr int kDeaf = 3;  // the first ones come too early for it to hear
    bool awake = false;
    nudged(
        [&] {
            std::unique_lock lock(mutex);
            came.wait(lock, [&] { return nudges > kDeaf; });  // without nudges: for ever
            awake = true;
        },
        [&] {
            const std::lock_guard lock(mutex);
            ++nudges;
            came.notify_all();
        },
        1ms);
    CHECK(awake);
    CHECK(nudges > kDeaf);
}

TEST_CASE("nudged: what is over at once was nudged all the same, and is no longer afterwards") {
    int nudges = 0;
    nudged([] {}, [&] { ++nudges; }, 1h);
    CHECK(nudges == 1);
}
