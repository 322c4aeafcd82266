#include "proxy/control/lasting_key.h"

#include <cstdint>
#include <memory>

#include <xxhash.h>

namespace warmfront::control {
namespace {

constexpr std::size_t kProcessBytes = 4 + 8;  // of a key: fingerprint, template

// Each with its length, so that no two lists are the same bytes.
void append(XXH3_state_t& state, std::string_view bytes) {
    const std::uint64_t size = bytes.size();
    XXH3_128bits_update(&state, &size, sizeof size);
    XXH3_128bits_update(&state, bytes.data(), bytes.size());
}

}  // namespace

std::string lasting_key(const sql::SessionSettings& settings, const sql::Template& statement,
                        std::string_view key) {
    const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), &XXH3_freeState);
    XXH3_128bits_reset(state.get());
    const auto& names = sql::probed_settings();
    for (std::size_t i = 0; i < settings.values.size(); ++i)  // beyond the names: those watched
        if (i >= names.size() || !names[i].ends_with("_timeout")) append(*state, settings.values[i]);
    append(*state, statement.text);
    append(*state, key.substr(std::min(key.size(), kProcessBytes)));
    XXH128_canonical_t bytes;
    XXH128_canonicalFromHash(&bytes, XXH3_128bits_digest(state.get()));
    return {reinterpret_cast<const char*>(bytes.digest), sizeof bytes.digest};
}

}  // namespace warmfront::control
