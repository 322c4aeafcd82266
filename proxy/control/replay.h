// proxy/control/replay.h: a read with all that its answer depends on, as a value that outlives the process:
// enough to ask PostgreSQL for the answer again and to keep it under the key that clients ask by.
//
// A cache key (cache/key.h) names session settings and statement by numbers of this process; a Replay spells
// them out. As text it is JSON, one object:
//   v           1
//   database    its name
//   settings    object: the session's values by the names of sql/session_settings.h (watched ones too); null
//               where the server has no such setting. What is not named is as in warmfront's own sessions.
//   kind        "simple" or "extended"
//   statement   the whole text, literals included
//   row_limit   Execute's, absent where 0
//   types, bind extended: parameter types of Parse; formats, values and result formats of Bind; as
//               hexadecimal digits of their wire bytes
// Pure; thread-safe. Bound: texts of more than kReplayBytesMax bytes are neither made nor read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/result.h"
#include "proxy/wire/messages.h"
#include "sql/session_settings.h"

namespace warmfront::control {

inline constexpr std::size_t kReplayBytesMax = std::size_t{64} << 10;

struct Replay {
    std::string database;
    // name, value; NULL as "\0"
    std::vector<std::pair<std::string, std::string>> settings;
    char kind = 'Q';  // as in a key
    std::uint32_t row_limit = 0;
    std::string statement;
    std::string parameter_types;  // of an extended one: 4 bytes each, network order
    std::string bind;             // and the rest of Bind after the names

    [[nodiscard]] const std::string* setting(std::string_view name) const;  // nullptr: not named
    bool operator==(const Replay&) const = default;
};

// Of the read whose plan's template text and key details (cache/key.h) these are: `details` is what follows
// the row limit in its key. nullopt where the statement cannot be put together again, or is too long.
[[nodiscard]] std::optional<Replay> replay_of(const sql::SessionSettings& settings,
                                              std::string_view template_text, char kind,
                                              std::uint32_t row_limit, std::string_view details);

// nullopt beyond kReplayBytesMax, and for what is not UTF-8.
[[nodiscard]] std::optional<std::string> text_of(const Replay& replay);
// Fails with 22023 on what is not such a text.
[[nodiscard]] Result<Replay> parse_replay(std::string_view text);

// The rest of a Bind after its names, cut into its parts; nullopt where it is malformed.
[[nodiscard]] std::optional<wire::Bind> bind_of(std::string_view after_names);

}  // namespace warmfront::control
