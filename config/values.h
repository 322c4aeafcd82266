// config/values.h: sizes, durations and addresses as a person writes them.
//
//   size      digits and a unit: B, KiB, MiB, GiB, TiB (powers of 1024), KB, MB, GB, TB (powers of 1000);
//   none: bytes duration  digits and a unit: ms, s, m, h, d; only 0 needs none address   host:port,
//   [IPv6]:port, *:port, or /path/of/a/unix/socket (the socket file itself)
//
// Blanks may stand between digits and unit. What does not fit its type is refused, never cut. What print
// gives, parse reads as the same value. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/settings.h"

namespace warmfront {

[[nodiscard]] std::optional<std::size_t> parse_size(std::string_view text);
[[nodiscard]] std::string print_size(std::size_t bytes);  // in the largest unit of 1024 that divides it

[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
[[nodiscard]] std::string print_duration(std::chrono::milliseconds duration);  // not negative

// Port 0 is any free port. A unix path has at most 107 bytes, what the kernel's sun_path holds.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);
[[nodiscard]] std::string print_address(const Address& address);

[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text);  // digits only
[[nodiscard]] std::optional<bool> parse_boolean(std::string_view text);  // true, yes, on; false, no, off

}  // namespace warmfront
