// cache/lower_tier.h: where a store's entries go that it gives up for room.
#pragma once

#include <cstdint>

#include "cache/entry.h"

namespace warmfront::cache {

// Called on whichever thread fills the store, under no lock of the store's: returns soon, waits for nothing.
class LowerTier {
public:
    virtual ~LowerTier() = default;
    // Evicted; may be void or expired.
    virtual void gave_up(EntryRef entry) noexcept = 0;
    // A new answer for a key of this hash is about to be stored: an older one must not come back.
    virtual void superseded(std::uint64_t hash) noexcept = 0;
};

}  // namespace warmfront::cache
