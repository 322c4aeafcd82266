// proxy/session/key_tally.h: which keys a worker's clients ask for, and how often, in one bucket of the
// history.
//
// One writer, its worker: counting takes no lock, no locked instruction for a key that has a place, and
// nothing from the heap. Places lie in sets of kWays, chosen by the key's hash; within a set Space-Saving
// (Metwally et al., 2005) decides: a key without a place takes that of the key counted least, count and all,
// which is its error. So a count is too high by its error at most, and what is asked for more than a kWays-th
// of its set's requests is not missed. (One table over all places, as in the paper, needs lists to find its
// least; a set is two cache lines.) Keys are told apart by their 64-bit hash alone: nothing is answered from
// here.
//
// Bounds: kPlaces keys; keys longer than kTallyKeyBytesMax are counted as `skipped` only. About 3.5 MiB, of
// which untouched pages take no memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "cache/key.h"
#include "sql/session_settings.h"
#include "sql/template.h"

namespace warmfront::session {

inline constexpr std::size_t kTallyKeyBytesMax = 384;

class KeyTally {
public:
    static constexpr std::size_t kSets = 1024, kWays = 8, kPlaces = kSets * kWays;
    using TemplateRef = std::shared_ptr<const sql::Template>;
    using SettingsRef = std::shared_ptr<const sql::SessionSettings>;

    KeyTally();

    void count(const cache::KeyView& key, const TemplateRef& statement,
               const SettingsRef& settings) noexcept {
        const std::uint64_t hash = key.hash == 0 ? 1 : key.hash;  // 0: a free place
        Set& set = sets_[hash % kSets];
        for (std::size_t way = 0; way < kWays; ++way) {
            if (set.hashes[way] != hash) continue;
            ++set.counts[way];
            return;
        }
        take_place(set, hash, key.bytes, statement, settings);
    }

    struct Seen {
        std::string_view key;  // cache/key.h; valid as long as the tally
        const sql::Template* statement = nullptr;
        const sql::SessionSettings* settings = nullptr;
        std::uint32_t count = 0, error = 0;  // asked for count times, or error less
    };
    // Those that have a place, in no order.
    [[nodiscard]] std::vector<Seen> seen() const;
    [[nodiscard]] std::uint64_t skipped() const { return skipped_; }

private:
    struct alignas(64) Set {
        std::array<std::uint64_t, kWays> hashes{};
        std::array<std::uint32_t, kWays> counts{}, errors{};
    };
    struct Place {
        TemplateRef statement;
        SettingsRef settings;
        std::size_t bytes = 0;
    };
    void take_place(Set& set, std::uint64_t hash, std::string_view key, const TemplateRef& statement,
                    const SettingsRef& settings) noexcept;

    std::vector<Set> sets_;
    std::vector<Place> places_;
    std::unique_ptr<char[]> bytes_;  // kTallyKeyBytesMax a place
    std::uint64_t skipped_ = 0;
};

// Where a worker counts now; empty: nothing is recorded. On the worker's thread.
using KeyTallySlot = std::unique_ptr<KeyTally>;

}  // namespace warmfront::session
