#include "tests/fuzz/input.h"

#include <algorithm>

namespace warmfront::fuzz {
namespace {

constexpr wire::Framer::Limits kLimits[] = {
    {},
    {.whole_bytes_max = 16},
    {.whole_bytes_max = 64, .body_bytes_max = 200},
    {.whole_bytes_max = 400, .body_bytes_max = 100},
};

}  // namespace

Input::Input(const std::uint8_t* data, std::size_t size) {
    std::size_t at = 0;
    const auto byte = [&]() -> unsigned { return at < size ? data[at++] : 0; };
    const unsigned flags = byte();
    untyped = (flags & 1) != 0;
    limits = kLimits[flags >> 1 & 3];
    startup = {.tls_offered = (flags & 8) != 0, .tls_required = (flags & 16) != 0};
    takes_one = (flags & 32) != 0;
    std::vector<std::size_t> cuts(byte() % 8);
    for (auto& cut : cuts) {
        cut = byte() << 8;
        cut |= byte();
    }
    stream = std::string_view(reinterpret_cast<const char*>(data) + at, size - at);
    for (auto& cut : cuts) cut %= stream.size() + 1;
    std::sort(cuts.begin(), cuts.end());
    std::size_t from = 0;
    for (const auto cut : cuts) {
        chunks.emplace_back(stream.substr(from, cut - from));
        from = cut;
    }
    chunks.emplace_back(stream.substr(from));
}

std::string make_input(bool untyped, std::string_view stream) {
    return std::string(1, untyped ? '\1' : '\0') + '\0' + std::string(stream);
}

}  // namespace warmfront::fuzz
