// cache/hints.h: what is expected of keys, for a store that must give something up.
//
// A hot entry is passed over when it is its turn to be evicted, and admitted whatever its size; a cold one
// goes to the lower tier instead of into a full memory. A wrong hint costs hits, never a wrong answer.
// 8 bytes a hash; see Store::hint for how they come in. Not thread-safe: one for each shard, under its lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace warmfront::cache {

struct Hints {
    static constexpr std::size_t kHashesMax = 65'536;  // hot and cold together; further ones are ignored
    std::vector<std::uint64_t> hot, cold;              // KeyView::hash
    std::uint64_t until_ms = 0;                        // on the clock of Entry::filled_at_ms
};

class HintSet {
public:
    HintSet() = default;
    explicit HintSet(Hints hints);
    [[nodiscard]] bool is_hot(std::uint64_t hash, std::uint64_t now_ms) const;
    [[nodiscard]] bool is_cold(std::uint64_t hash, std::uint64_t now_ms) const;
    [[nodiscard]] std::size_t memory_bytes() const {
        return (hints_.hot.capacity() + hints_.cold.capacity()) * sizeof(std::uint64_t);
    }

private:
    Hints hints_;  // sorted
};

}  // namespace warmfront::cache
