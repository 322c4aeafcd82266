// What must not take from the heap.
#include <vector>

#include <doctest/doctest.h>

#include "proxy/wire/encode.h"
#include "proxy/wire/framer.h"
#include "proxy/wire/messages.h"
#include "tests/allocations.h"

using namespace warmfront::wire;

namespace {

std::string long_text(std::size_t bytes) {
    return std::string(bytes, 'x');
}

// One of each message on the way of a query, too long for any small buffer to hide an allocation.
std::string query_messages() {
    std::string out;
    const std::uint32_t types[] = {23, 25};
    const std::uint16_t formats[] = {1, 0};
    const std::string value = long_text(100);
    const std::vector<std::optional<std::string_view>> values{value, std::nullopt};
    append_query(out, long_text(1000));
    append_parse(out, long_text(60), long_text(1000), types);
    append_bind(out, long_text(60), long_text(60), formats, values, formats);
    append_describe(out, 'S', long_text(60));
    append_execute(out, long_text(60), 0);
    append_close(out, 'P', long_text(60));
    append_sync(out);
    return out;
}

bool decodes(const Piece& piece) {
    switch (piece.type) {
        case 'Q': return decode_query(piece.body).has_value();
        case 'P': return decode_parse(piece.body).has_value();
        case 'B': return decode_bind(piece.body).has_value();
        case 'D': return decode_describe(piece.body).has_value();
        case 'E': return decode_execute(piece.body).has_value();
        case 'C': return decode_close(piece.body).has_value();
        case 'S': return piece.body.empty();
        default: return false;
    }
}

std::size_t count_decoded(Framer& framer, std::string_view bytes) {
    std::size_t decoded = 0;
    framer.feed(bytes);
    for (auto piece = framer.next(); piece && *piece; piece = framer.next())
        decoded += decodes(**piece) ? 1 : 0;
    framer.keep_rest();
    return decoded;
}

}  // namespace

TEST_CASE("allocation: framing and decoding the messages of a query allocates nothing") {
    const std::string bytes = query_messages();
    Framer framer(Framer::First::Typed, {});
    const std::size_t before = warmfront::test::allocations();
    const std::size_t decoded = count_decoded(framer, bytes);
    const std::size_t after = warmfront::test::allocations();
    CHECK(decoded == 7);
    CHECK(after == before);
}

TEST_CASE("allocation: a long message passes in fragments without one") {
    std::string bytes;
    append_copy_data(bytes, long_text(1'000'000));
    Framer framer(Framer::First::Typed, {});
    const std::size_t before = warmfront::test::allocations();
    for (std::size_t at = 0; at < bytes.size(); at += 8192)
        count_decoded(framer, std::string_view(bytes).substr(at, 8192));
    CHECK(warmfront::test::allocations() == before);
}

TEST_CASE("allocation: a message cut by the split is copied into one that is given back") {
    const std::string bytes = query_messages();
    Framer framer(Framer::First::Typed, {});
    const std::size_t before = warmfront::test::allocations();
    CHECK(count_decoded(framer, std::string_view(bytes).substr(0, 900)) == 0);
    CHECK(framer.kept_bytes() == 900);
    CHECK(count_decoded(framer, std::string_view(bytes).substr(900)) == 7);
    CHECK(framer.kept_bytes() == 0);
    CHECK(warmfront::test::allocations() > before);
}
