#include "tests/live/support/activity.h"

#include <stdexcept>
#include <thread>

namespace warmfront::test {

using namespace std::chrono_literals;

static int count_active(const PostgresServer& server, std::string_view pattern, std::string_view condition) {
    return std::stoi(server.value(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() "
        "AND query LIKE $p$" +
        std::string(pattern) + "$p$" + std::string(condition)));
}

void wait_until_active(const PostgresServer& server, std::string_view pattern, int count) {
    for (int tries = 0; tries < 1200; ++tries) {
        if (count_active(server, pattern, "") >= count) return;
        std::this_thread::sleep_for(50ms);
    }
    throw std::runtime_error("after a minute PostgreSQL does not run " + std::string(pattern));
}

void wait_until_stuck(const PostgresServer& server, std::string_view pattern, std::string_view wait_event) {
    const std::string condition = " AND wait_event = '" + std::string(wait_event) + "'";
    int in_a_row = 0;
    for (int tries = 0; tries < 1200; ++tries) {
        in_a_row = count_active(server, pattern, condition) > 0 ? in_a_row + 1 : 0;
        if (in_a_row == 10) return;
        std::this_thread::sleep_for(50ms);
    }
    throw std::runtime_error("after a minute " + std::string(pattern) + " is not stuck in " +
                             std::string(wait_event));
}

}  // namespace warmfront::test
