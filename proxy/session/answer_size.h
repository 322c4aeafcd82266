// proxy/session/answer_size.h: how many rows an answer has, as its CommandComplete tells. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace warmfront::session {

// Of a command tag or of whole messages that end with CommandComplete ("SELECT 3", "INSERT 0 3"): the number
// that it ends with; 0 where there is none (PortalSuspended, "CREATE TABLE").
[[nodiscard]] inline std::uint64_t rows_of_close(std::string_view bytes) noexcept {
    if (bytes.empty() || bytes.back() != '\0') return 0;
    bytes.remove_suffix(1);
    std::uint64_t rows = 0, unit = 1;
    constexpr std::size_t kDigitsMax = 19;  // of a 64-bit number
    for (std::size_t digits = 0; digits < kDigitsMax && !bytes.empty(); ++digits, unit *= 10) {
        const char last = bytes.back();
        if (last < '0' || last > '9') break;
        rows += static_cast<std::uint64_t>(last - '0') * unit;
        bytes.remove_suffix(1);
    }
    return rows;
}

}  // namespace warmfront::session
