// proxy/session/comparison.h: whether two answers to the same query are the same.
#pragma once

#include <cstdint>
#include <string_view>

namespace warmfront::session {

// An answer as whole messages: RowDescription (empty if it was not asked for), then DataRows and the closing
// message.
struct Answer {
    std::string_view row_description, rows_and_close;
};

// The same bytes, or the same rows in another order: PostgreSQL promises an order only where ORDER BY makes
// it unique, and a cache does not reorder. RowDescriptions are compared if both are there. Pure.
[[nodiscard]] bool same_answer(const Answer& a, const Answer& b);

// XXH3 over rows and close, for the log.
[[nodiscard]] std::uint64_t digest_of(const Answer& answer);

}  // namespace warmfront::session
