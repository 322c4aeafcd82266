#include "cache/policy_ghosts.h"

#include <deque>

#include <doctest/doctest.h>

#include "tests/cache/policy_reference.h"

namespace warmfront::cache {

TEST_CASE("ghosts: what was added is found once, with what was said of it") {
    Ghosts ghosts;
    ghosts.add(reference::hash_of_number(1), {QueueName::Main, false, 63});
    ghosts.add(reference::hash_of_number(2), {QueueName::Small, true, 1});
    const auto first = ghosts.take(reference::hash_of_number(1));
    REQUIRE(first);
    CHECK(first->from == QueueName::Main);
    CHECK_FALSE(first->evicted);
    CHECK(first->seen == 63);
    CHECK_FALSE(ghosts.take(reference::hash_of_number(1)));
    CHECK(ghosts.count(QueueName::Small) == 1);
    CHECK(ghosts.count(QueueName::Main) == 0);
}

TEST_CASE("ghosts: each queue forgets its oldest first, through growth and reuse") {
    Ghosts ghosts;
    std::deque<std::uint64_t> expected[2];
    for (std::uint64_t i = 0; i < 50'000; ++i) {
        const auto queue = i % 3 == 0 ? QueueName::Main : QueueName::Small;
        auto& keys = expected[static_cast<std::size_t>(queue)];
        ghosts.add(reference::hash_of_number(i), {queue, true, 1});
        keys.push_back(reference::hash_of_number(i));
        if (keys.size() > 700) {
            ghosts.forget_oldest(queue);
            keys.pop_front();
        }
        REQUIRE(ghosts.count(queue) == keys.size());
    }
    for (auto& keys : expected) {
        for (const std::uint64_t key : keys) REQUIRE(ghosts.take(key));
    }
    CHECK(ghosts.count() == 0);
    CHECK(ghosts.memory_bytes() < 100'000);
}

}  // namespace warmfront::cache
