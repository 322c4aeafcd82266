// config/nearest.h: what a mistyped name was probably meant to be.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace warmfront {

// The known name with the smallest edit distance (insert, delete, replace, swap of neighbours; case and '-'
// for '_' count nothing), if it is close enough to be a slip: a third of the word, at least 2 edits. A name
// whose last part
// ("memory" of "cache.memory") is the word's last part counts as one edit. Equally near: the first. Pure.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word,
                                                      std::span<const std::string_view> known);

}  // namespace warmfront
