#include "proxy/session/key_tally.h"

#include <algorithm>
#include <cstring>

namespace warmfront::session {

// The keys' bytes are left as they come, so that the pages of places never taken are never touched.
KeyTally::KeyTally() : sets_(kSets), places_(kPlaces), bytes_(new char[kPlaces * kTallyKeyBytesMax]) {}

void KeyTally::take_place(Set& set, std::uint64_t hash, std::string_view key, const TemplateRef& statement,
                          const SettingsRef& settings) noexcept {
    if (key.size() > kTallyKeyBytesMax) {
        ++skipped_;
        return;
    }
    const auto way = static_cast<std::size_t>(std::ranges::min_element(set.counts) - set.counts.begin());
    set.hashes[way] = hash;
    set.errors[way] = set.counts[way]++;
    const std::size_t number = static_cast<std::size_t>(&set - sets_.data()) * kWays + way;
    Place& place = places_[number];
    if (place.statement != statement) place.statement = statement;
    if (place.settings != settings) place.settings = settings;
    place.bytes = key.size();
    std::memcpy(bytes_.get() + number * kTallyKeyBytesMax, key.data(), key.size());
}

std::vector<KeyTally::Seen> KeyTally::seen() const {
    std::vector<Seen> all;
    for (std::size_t number = 0; number < kPlaces; ++number) {
        const Set& set = sets_[number / kWays];
        const std::size_t way = number % kWays;
        if (set.counts[way] == 0) continue;
        const Place& place = places_[number];
        all.push_back({{bytes_.get() + number * kTallyKeyBytesMax, place.bytes},
                       place.statement.get(),
                       place.settings.get(),
                       set.counts[way],
                       set.errors[way]});
    }
    return all;
}

}  // namespace warmfront::session
