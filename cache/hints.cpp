#include "cache/hints.h"

#include <algorithm>
#include <utility>

namespace warmfront::cache {

HintSet::HintSet(Hints hints) : hints_(std::move(hints)) {
    for (auto* hashes : {&hints_.hot, &hints_.cold}) {
        std::ranges::sort(*hashes);
        hashes->shrink_to_fit();
    }
}

bool HintSet::is_hot(std::uint64_t hash, std::uint64_t now_ms) const {
    return now_ms < hints_.until_ms && std::ranges::binary_search(hints_.hot, hash);
}

bool HintSet::is_cold(std::uint64_t hash, std::uint64_t now_ms) const {
    return now_ms < hints_.until_ms && std::ranges::binary_search(hints_.cold, hash);
}

}  // namespace warmfront::cache
