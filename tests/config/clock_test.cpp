#include "config/clock.h"

#include <doctest/doctest.h>

using namespace warmfront;
using namespace std::chrono_literals;

TEST_CASE("clock: a simulated clock goes on only when told") {
    SimulatedClock clock{1'500};
    CHECK(clock.now_us() == 1'500);
    CHECK(clock.now_ms() == 1);
    clock.advance(500us);
    CHECK(clock.now_ms() == 2);
    clock.advance(3s);
    CHECK(clock.now_ms() == 3'002);
}

TEST_CASE("clock: the steady clock does not go back") {
    const SteadyClock clock;
    std::uint64_t before = clock.now_us();
    for (int i = 0; i < 1'000; ++i) {
        const std::uint64_t now = clock.now_us();
        CHECK(now >= before);
        before = now;
    }
}
