// tests/live/support/activity.h: waits for what PostgreSQL says of its own sessions, instead of for time to
// pass.
//
// Each throws std::runtime_error after a minute.
#pragma once

#include <string_view>

#include "tests/live/support/postgres_server.h"

namespace warmfront::test {

// Until `count` client backends run a query LIKE `pattern`.
void wait_until_active(const PostgresServer& server, std::string_view pattern, int count = 1);
// Until one such backend has been stuck, for half a second without a break, in that wait event
// ("ClientWrite").
void wait_until_stuck(const PostgresServer& server, std::string_view pattern, std::string_view wait_event);

}  // namespace warmfront::test
