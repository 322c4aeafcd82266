#include "proxy/wire/framer.h"

#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "proxy/wire/encode.h"
#include "proxy/wire/messages.h"
#include "tests/proxy/wire/transcript.h"

using namespace warmfront;
using namespace warmfront::wire;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

// What a framer yields, independent of how fragments were cut: "Q:x|" a whole message, "Q=xyz|" one that came
// in fragments, "error 08P01" the end.
class Drain {
public:
    explicit Drain(Framer& framer) : framer_(framer) {}

    void feed(std::string_view bytes) {
        framer_.feed(bytes);
        for (;;) {
            const auto piece = framer_.next();
            if (!piece) {
                if (!failed_) seen_ += "error " + piece.error().sqlstate;
                failed_ = true;
                break;
            }
            if (!*piece) break;
            take(**piece);
        }
        framer_.keep_rest();
    }

    [[nodiscard]] const std::string& seen() const { return seen_; }
    [[nodiscard]] const std::string& raw() const { return raw_; }

private:
    void take(const Piece& piece) {
        CHECK(piece.raw.ends_with(piece.body));
        raw_ += piece.raw;
        if (piece.first) {
            CHECK(body_.empty());
            seen_ += piece.type == '\0' ? "untyped"s : std::string(1, piece.type);
            seen_ += piece.whole() ? ':' : '=';
        }
        body_ += piece.body;
        if (piece.last) {
            CHECK(body_.size() == piece.body_length);
            seen_ += body_ + "|";
            body_.clear();
        }
    }

    Framer& framer_;
    std::string seen_, raw_, body_;
    bool failed_ = false;
};

constexpr Framer::Limits kSmall{.whole_bytes_max = 16, .body_bytes_max = 40};

std::string drained(std::string_view bytes, const std::vector<std::size_t>& cuts, Framer::First first,
                    Framer::Limits limits) {
    Framer framer(first, limits);
    Drain drain(framer);
    std::size_t from = 0;
    for (const std::size_t cut : cuts) {
        drain.feed(bytes.substr(from, cut - from));
        from = cut;
    }
    drain.feed(bytes.substr(from));
    if (drain.seen().find("error") == std::string::npos)
        CHECK(drain.raw() + std::string(framer.unread()) == bytes);
    return drain.seen();
}

std::string typed(char type, std::size_t body_bytes) {
    std::string message;
    append_copy_data(message, std::string(body_bytes, 'x'));
    message[0] = type;
    return message;
}

}  // namespace

TEST_CASE("framer: where the stream is split changes nothing") {
    struct Row {
        std::string_view name;
        Framer::First first;
        std::string bytes, yields;
    };
    const auto typed_first = Framer::First::Typed;
    const auto untyped_first = Framer::First::Untyped;
    for (const auto& [name, first, bytes, yields] : std::vector<Row>{
             {"nothing", typed_first, ""s, ""s},
             {"empty body", typed_first, "S\0\0\0\4"s, "S:|"s},
             {"two messages", typed_first, "H\0\0\0\4Q\0\0\0\6x\0"s, "H:|Q:x\0|"s},
             {"unfinished", typed_first, "S\0\0\0\4Q\0\0\0\6x"s, "S:|"s},
             {"unfinished header", typed_first, "S\0\0\0\4Q\0\0"s, "S:|"s},
             {"length below 4", typed_first, "S\0\0\0\4Q\0\0\0\3S\0\0\0\4"s, "S:|error 08P01"s},
             {"length 0", typed_first, "Q\0\0\0\0"s, "error 08P01"s},
             {"negative length", typed_first, "Q\xff\xff\xff\xff"s, "error 08P01"s},
             {"longest whole", typed_first, typed('d', 11) + "S\0\0\0\4"s, "d:xxxxxxxxxxx|S:|"s},
             {"shortest in fragments", typed_first, typed('d', 12) + "S\0\0\0\4"s, "d=xxxxxxxxxxxx|S:|"s},
             {"two in fragments", typed_first, typed('d', 33) + typed('e', 12) + "S\0\0\0\4"s,
              "d=" + std::string(33, 'x') + "|e=xxxxxxxxxxxx|S:|"},
             {"longest body", typed_first, typed('d', 40), "d=" + std::string(40, 'x') + "|"},
             {"body over the limit", typed_first, "S\0\0\0\4"s + typed('d', 41), "S:|error 08P01"s},
             {"untyped", untyped_first, "\0\0\0\10\4\xd2\x16\x2f\0\0\0\6x\0\0\0"s,
              "untyped:\4\xd2\x16\x2f|untyped:x\0|"s},
             {"untyped above whole_bytes_max", untyped_first, "\0\0\0\30aaaaaaaaaaaaaaaaaaaa\0\0\0\4"s,
              "untyped:aaaaaaaaaaaaaaaaaaaa|untyped:|"s},
             {"untyped over its limit", untyped_first, "\0\0\x27\x15"s, "error 08P01"s},
             {"untyped of length below 4", untyped_first, "\0\0\0\3"s, "error 08P01"s},
             {"a ClientHello", untyped_first, "\x16\3\1\0"s, "error 08P01"s},
         }) {
        CAPTURE(name);
        for (std::size_t one = 0; one <= bytes.size(); ++one)
            for (std::size_t two = one; two <= bytes.size(); ++two) {
                CAPTURE(one);
                CAPTURE(two);
                CHECK(drained(bytes, {one, two}, first, kSmall) == yields);
            }
        std::vector<std::size_t> everywhere;
        for (std::size_t cut = 1; cut < bytes.size(); ++cut) everywhere.push_back(cut);
        CHECK(drained(bytes, everywhere, first, kSmall) == yields);
    }
}

TEST_CASE("framer: an untyped message may have 10,000 bytes") {
    const std::string longest = "\0\0\x27\x14"s + std::string(10'000, 'a');
    CHECK(drained(longest, {5}, Framer::First::Untyped, {}) == "untyped:" + std::string(10'000, 'a') + "|");
}

TEST_CASE("framer: recorded streams give the same messages at every split and at random pairs of splits") {
    std::mt19937 random(7);
    for (const auto& transcript :
         load_transcripts(std::filesystem::path(WARMFRONT_SOURCE_DIR) / "tests/golden")) {
        CAPTURE(transcript.name);
        for (const bool frontend : {true, false})
            for (const Framer::Limits limits : {Framer::Limits{}, Framer::Limits{.whole_bytes_max = 24}}) {
                const std::string bytes = transcript.typed(frontend);
                const auto first = Framer::First::Typed;
                const std::string whole = drained(bytes, {}, first, limits);
                for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
                    CAPTURE(cut);
                    CHECK(drained(bytes, {cut}, first, limits) == whole);
                }
                for (int i = 0; i < 200; ++i) {
                    const std::size_t one = random() % (bytes.size() + 1);
                    const std::size_t two = one + random() % (bytes.size() + 1 - one);
                    CAPTURE(one);
                    CAPTURE(two);
                    CHECK(drained(bytes, {one, two}, first, limits) == whole);
                }
            }
    }
}

TEST_CASE("framer: what the caller does not take waits, whatever is fed next") {
    const std::string bytes = typed('a', 1) + typed('b', 2) + typed('c', 30) + typed('d', 3);
    const std::string yields = "a:x|b:xx|c=" + std::string(30, 'x') + "|d:xxx|";
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        CAPTURE(cut);
        Framer framer(Framer::First::Typed, kSmall);
        framer.feed(std::string_view(bytes).substr(0, cut));
        framer.keep_rest();
        CHECK(framer.kept_bytes() == cut);
        Drain drain(framer);
        drain.feed(std::string_view(bytes).substr(cut));
        CHECK(drain.seen() == yields);
        CHECK(framer.kept_bytes() == 0);
    }
}

TEST_CASE("framer: a whole message lies in the fed bytes themselves, and nothing is kept") {
    const std::string bytes = typed('Q', 100) + typed('S', 0);
    Framer framer(Framer::First::Typed, {});
    framer.feed(bytes);
    const auto query = framer.next();
    REQUIRE(query);
    REQUIRE(*query);
    CHECK((*query)->whole());
    CHECK((*query)->raw.data() == bytes.data());
    CHECK((*query)->raw.size() == 105);
    CHECK(framer.unread() == std::string_view(bytes).substr(105));
    const auto sync = framer.next();
    REQUIRE(sync);
    REQUIRE(*sync);
    CHECK((*sync)->raw.data() == bytes.data() + 105);
    framer.keep_rest();
    CHECK(framer.kept_bytes() == 0);
}

TEST_CASE("framer: views into kept bytes stay valid until keep_rest") {
    const std::string bytes = typed('a', 8) + typed('b', 8);
    Framer framer(Framer::First::Typed, {});
    framer.feed(std::string_view(bytes).substr(0, 20));
    framer.keep_rest();
    framer.feed(std::string_view(bytes).substr(20));
    const auto first = framer.next();
    const auto second = framer.next();
    REQUIRE(first);
    REQUIRE(second);
    CHECK((*first)->raw == typed('a', 8));
    CHECK((*second)->raw == typed('b', 8));
}

TEST_CASE("framer: a long message is never held") {
    Framer framer(Framer::First::Typed, {.whole_bytes_max = 64});
    const std::string bytes = typed('D', 100'000);
    std::size_t body_bytes = 0;
    for (std::size_t at = 0; at < bytes.size(); at += 50) {
        framer.feed(std::string_view(bytes).substr(at, 50));
        for (;;) {
            const auto piece = framer.next();
            REQUIRE(piece);
            if (!*piece) break;
            CHECK((*piece)->body_length == 100'000);
            CHECK((*piece)->first == (at == 0));
            body_bytes += (*piece)->body.size();
            CHECK((*piece)->last == (body_bytes == 100'000));
        }
        framer.keep_rest();
        CHECK(framer.kept_bytes() == 0);
    }
    CHECK(body_bytes == 100'000);
}

TEST_CASE("framer: after a failure it fails alike and keeps nothing") {
    Framer framer(Framer::First::Typed, {});
    framer.feed("Q\0\0\0\1S\0\0\0\4"sv);
    for (int i = 0; i < 3; ++i) {
        const auto piece = framer.next();
        REQUIRE(!piece);
        CHECK(piece.error().sqlstate == "08P01");
        CHECK(piece.error().text == "message of type 0x51 announces a length of 1, below 4");
        framer.keep_rest();
        CHECK(framer.kept_bytes() == 0);
        framer.feed("S\0\0\0\4"sv);
    }
}

TEST_CASE("framer: the first byte of an untyped stream can be looked at") {
    Framer framer(Framer::First::Untyped, {});
    CHECK(framer.unread().empty());
    framer.feed("\x16\3"sv);
    CHECK(framer.unread() == "\x16\3"sv);
    framer.keep_rest();
    CHECK(framer.unread() == "\x16\3"sv);
    CHECK(framer.kept_bytes() == 2);
}
