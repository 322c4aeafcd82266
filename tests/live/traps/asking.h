// tests/live/traps/asking.h: one session that asks questions in each of the ways a driver may, and how two
// answers compare.
//
// Blocking; one thread at a time. A lost connection throws std::runtime_error.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/live/support/raw_client.h"
#include "tests/live/traps/trap.h"

namespace warmfront::test {

enum class Delivery {
    Simple,   // Query, with literals
    Unnamed,  // Parse, Bind, Describe, Execute
    Named,    // the first time Parse and Describe, in a batch of their own; then Bind and Execute, results in
              // binary
};
inline constexpr std::array kDeliveries = {Delivery::Simple, Delivery::Unnamed, Delivery::Named};
[[nodiscard]] std::string_view name_of(Delivery delivery);

class Asker {
public:
    struct Options {
        std::uint16_t port = 0;
        std::string user;
        std::string database;
        std::string search_path;
    };
    explicit Asker(const Options& options);

    // Every message up to ReadyForQuery.
    [[nodiscard]] Messages ask(const Question& question, Delivery delivery);
    // A step: what has parameters or is one statement may go by any delivery, COPY and the rest are simple.
    [[nodiscard]] Messages run(const TrapStep& step, Delivery delivery);
    [[nodiscard]] Messages say(const std::string& sql);
    // What it asks by name is prepared anew the next time.
    void close_statements();

private:
    [[nodiscard]] Messages exchange(const std::string& bytes, std::string_view copy_data = {});
    [[nodiscard]] Messages ask_named(const Question& question);

    RawClient client_;
    std::set<std::string> prepared_;  // their SQL is their name
};

// Empty if the answers say the same; without ORDER BY in the question, rows in any order do.
[[nodiscard]] std::string difference(const Question& question, const Messages& expected, const Messages& got);

}  // namespace warmfront::test
