#include "proxy/wire/messages.h"

#include <random>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/proxy/wire/reencode.h"
#include "tests/proxy/wire/transcript.h"

using namespace warmfront;
using namespace warmfront::wire;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

Piece whole(char type, std::string_view body) {
    return {.type = type, .body_length = static_cast<std::uint32_t>(body.size()), .raw = {}, .body = body};
}

// A good body of every message whose length the decoders must watch.
struct Sample {
    std::string_view name;
    bool frontend;
    char type;
    std::string body;
};

const std::vector<Sample>& samples() {
    static const std::vector<Sample> kSamples{
        {"SSLRequest", true, '\0', "\4\xd2\x16\x2f"s},
        {"GSSENCRequest", true, '\0', "\4\xd2\x16\x30"s},
        {"CancelRequest", true, '\0', "\4\xd2\x16\x2e\0\0\0\1abcd"s},
        {"StartupMessage", true, '\0', "\0\3\0\0user\0u\0database\0\0\0"s},
        {"Query", true, 'Q', "SELECT 1\0"s},
        {"Parse", true, 'P', "s\0SELECT $1\0\0\2\0\0\0\x17\0\0\0\x19"s},
        {"Bind", true, 'B', "p\0s\0\0\2\0\0\0\1\0\2\0\0\0\1a\xff\xff\xff\xff\0\1\0\1"s},
        {"Bind without anything", true, 'B', "\0\0\0\0\0\0\0\0"s},
        {"Describe", true, 'D', "Sname\0"s},
        {"Close", true, 'C', "P\0"s},
        {"Execute", true, 'E', "p\0\0\0\0\5"s},
        {"FunctionCall", true, 'F', "\0\0\0\xb1\0\1\0\1\0\2\0\0\0\1x\xff\xff\xff\xff\0\1"s},
        {"CopyFail", true, 'f', "why\0"s},
        {"AuthenticationOk", false, 'R', "\0\0\0\0"s},
        {"AuthenticationMD5Password", false, 'R', "\0\0\0\5salt"s},
        {"BackendKeyData", false, 'K', "\0\0\0\1abcd"s},
        {"ParameterStatus", false, 'S', "TimeZone\0UTC\0"s},
        {"ReadyForQuery", false, 'Z', "T"s},
        {"RowDescription", false, 'T',
         "\0\2a\0\0\0\0\1\0\2\0\0\0\x17\0\4\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\0\0\1"s},
        {"ParameterDescription", false, 't', "\0\2\0\0\0\x17\0\0\0\x19"s},
        {"DataRow", false, 'D', "\0\3\0\0\0\2ab\xff\xff\xff\xff\0\0\0\0"s},
        {"CommandComplete", false, 'C', "SELECT 1\0"s},
        {"ErrorResponse", false, 'E', "SERROR\0C42601\0Mwhat\0\0"s},
        {"NotificationResponse", false, 'A', "\0\0\0\1channel\0payload\0"s},
        {"NegotiateProtocolVersion", false, 'v', "\0\3\0\0\0\0\0\2one\0two\0"s},
        {"CopyInResponse", false, 'G', "\1\0\2\0\1\0\1"s},
    };
    return kSamples;
}

std::optional<std::string> reencode(const Sample& sample, std::string_view body) {
    if (sample.type == '\0') return reencode_first(body);
    const Piece piece = whole(sample.type, body);
    return sample.frontend ? reencode_frontend(piece) : reencode_backend(piece);
}

std::string_view body_of(const Sample& sample, std::string_view message) {
    return message.substr(sample.type == '\0' ? 4 : 5);
}

}  // namespace

TEST_CASE("messages: each decodes and encodes to the same bytes, cut short or with a byte more it does not") {
    for (const auto& sample : samples()) {
        CAPTURE(sample.name);
        const auto encoded = reencode(sample, sample.body);
        REQUIRE(encoded);
        CHECK(body_of(sample, *encoded) == sample.body);
        // Some shorter bodies are good messages too: those must encode to themselves.
        for (std::size_t length = 0; length < sample.body.size(); ++length) {
            CAPTURE(length);
            const std::string shorter = sample.body.substr(0, length);  // its own memory, for the sanitizers
            const auto short_encoded = reencode(sample, shorter);
            if (short_encoded) CHECK(body_of(sample, *short_encoded) == shorter);
            CHECK(!short_encoded);
        }
        // Keys of BackendKeyData and CancelRequest have no fixed length.
        if (sample.name != "BackendKeyData" && sample.name != "CancelRequest")
            CHECK(!reencode(sample, sample.body + 'x'));
    }
}

TEST_CASE("messages: a body with changed bytes decodes to what encodes to it, or is refused") {
    std::mt19937 random(11);
    int decoded = 0;
    int refused = 0;
    for (const auto& sample : samples())
        for (int i = 0; i < 2000; ++i) {
            std::string body = sample.body;
            for (unsigned changes = 1 + random() % 3; changes > 0 && !body.empty(); --changes)
                body[random() % body.size()] =
                    static_cast<char>(random() % 3 == 0 ? random() : random() % 3 - 1);
            const auto encoded = reencode(sample, body);
            encoded ? ++decoded : ++refused;
            if (encoded) CHECK(body_of(sample, *encoded) == body);
        }
    CHECK(decoded > 1000);
    CHECK(refused > 1000);
}

TEST_CASE("messages: what PostgreSQL and its clients really sent encodes to itself") {
    const auto types_of = [](const std::string& bytes, Framer::First first, auto reencode_one) {
        Framer framer(first, {});
        framer.feed(bytes);
        std::string types;
        for (auto piece = framer.next(); piece && *piece; piece = framer.next()) {
            CAPTURE((*piece)->type);
            CHECK(reencode_one(**piece) == std::string((*piece)->raw));
            types += (*piece)->type;
        }
        CHECK(framer.unread().empty());
        return types;
    };
    std::set<char> frontend, backend;
    for (const auto& transcript :
         load_transcripts(std::filesystem::path(WARMFRONT_SOURCE_DIR) / "tests/golden")) {
        CAPTURE(transcript.name);
        types_of(transcript.untyped(), Framer::First::Untyped,
                 [](const Piece& piece) { return reencode_first(piece.body); });
        for (const char type : types_of(transcript.typed(true), Framer::First::Typed, reencode_frontend))
            frontend.insert(type);
        for (const char type : types_of(transcript.typed(false), Framer::First::Typed, reencode_backend))
            backend.insert(type);
    }
    CHECK(std::string(frontend.begin(), frontend.end()) == "BCDEFHPQSXcdfp");
    CHECK(std::string(backend.begin(), backend.end()) == "123ACDEGHIKNRSTVWZcdnstv");
}

TEST_CASE("messages: refusals name the message and what is wrong") {
    const auto text = [](const auto& decoded) { return decoded ? "decoded"s : decoded.error().text; };
    CHECK(text(decode_query("x")) == "Query holds a string without its zero byte");
    CHECK(text(decode_query("x\0y\0"sv)) == "Query goes on after its end");
    CHECK(text(decode_execute("\0\0\0"sv)) == "Execute ends too early");
    CHECK(text(decode_describe("X\0"sv)) == "Describe names neither a statement nor a portal");
    CHECK(text(decode_bind("\0\0\0\2\0\0\0\0\0\3"s + std::string(12, '\xff') + "\0\0"s)) ==
          "Bind has not as many format codes as values");
    CHECK(text(decode_bind("\0\0\0\0\0\1\xff\xff\xff\xfe\0\0"sv)) == "Bind ends too early");
    CHECK(text(decode_data_row("\xff\xff"sv)) == "DataRow counts more than it holds");
    CHECK(text(decode_negotiate_protocol_version("\0\0\0\0\xff\xff\xff\xff"sv)) ==
          "NegotiateProtocolVersion counts more than it holds");
    CHECK(text(decode_ready_for_query("X")) == "ReadyForQuery has a status that is none of I, T and E");
    CHECK(text(decode_authentication("\0\0\0\5sal"sv)) ==
          "Authentication has a length that its kind does not have");
    CHECK(text(decode_backend_key_data("\0\0\0\1"s + std::string(257, 'k'))) ==
          "BackendKeyData has a key whose length is not between 4 and 256 bytes");
}

TEST_CASE("messages: a Bind's parameters get their formats by PostgreSQL's rule") {
    struct Row {
        std::string_view body;
        std::vector<std::uint16_t> formats;
    };
    for (const auto& [body, formats] : std::vector<Row>{
             {"\0\0\0\0\0\2\0\0\0\1a\0\0\0\1b\0\0"sv, {0, 0}},
             {"\0\0\0\1\0\1\0\2\0\0\0\1a\0\0\0\1b\0\0"sv, {1, 1}},
             {"\0\0\0\2\0\1\0\0\0\2\0\0\0\1a\0\0\0\1b\0\0"sv, {1, 0}},
             {"\0\0\0\1\0\1\0\0\0\0"sv, {}},
         }) {
        const auto bind = decode_bind(body);
        REQUIRE(bind);
        const auto parameters = decode_bind_parameters(*bind);
        REQUIRE(parameters);
        REQUIRE(parameters->size() == formats.size());
        for (std::size_t i = 0; i < formats.size(); ++i) CHECK((*parameters)[i].format == formats[i]);
    }
}

TEST_CASE(
    "messages: the last of two equal startup parameters and the first of two equal error fields count") {
    const auto first = decode_first("\0\3\0\0user\0one\0user\0two\0\0"sv);
    REQUIRE(first);
    const auto& startup = std::get<StartupMessage>(*first);
    CHECK(startup.parameter("user") == "two");
    CHECK(startup.parameter("database") == std::nullopt);
    const auto error = decode_error_fields("Mone\0Mtwo\0\0"sv);
    REQUIRE(error);
    CHECK(error->field('M') == "one");
    CHECK(error->field('D') == "");
}
