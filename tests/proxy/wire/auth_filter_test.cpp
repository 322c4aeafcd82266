#include "proxy/wire/auth_filter.h"

#include <vector>

#include <doctest/doctest.h>

#include "proxy/wire/encode.h"

using namespace warmfront;
using namespace warmfront::wire;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

std::string offer(const std::vector<std::string_view>& mechanisms) {
    std::string message;
    append_authentication_sasl(message, mechanisms);
    return message;
}

}  // namespace

TEST_CASE("auth filter: the mechanisms that bind to the channel are taken out of an offer") {
    struct Row {
        std::vector<std::string_view> offered, left;  // nothing left: passed on untouched
    };
    for (const auto& [offered, left] : std::vector<Row>{
             {{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"}, {"SCRAM-SHA-256"}},
             {{"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}, {"SCRAM-SHA-256"}},
             {{"A-PLUS", "SCRAM-SHA-256", "B-PLUS", "OAUTHBEARER"}, {"SCRAM-SHA-256", "OAUTHBEARER"}},
             {{"SCRAM-SHA-256"}, {}},
             {{"PLUS-SCRAM"}, {}},
             {{}, {}},
         }) {
        const std::string message = offer(offered);
        const auto filtered = without_channel_binding(std::string_view(message).substr(5));
        REQUIRE(filtered);
        if (left.empty()) {
            CHECK(!*filtered);
        } else {
            CHECK(*filtered == offer(left));
        }
    }
}

TEST_CASE("auth filter: other authentication requests pass untouched, malformed ones fail") {
    for (const auto body : {"\0\0\0\0"sv, "\0\0\0\5salt"sv, "\0\0\0\13r=x-PLUS"sv, "\0\0\0\143new"sv}) {
        const auto filtered = without_channel_binding(body);
        REQUIRE(filtered);
        CHECK(!*filtered);
    }
    for (const auto body :
         {""sv, "\0\0\0"sv, "\0\0\0\12SCRAM"sv, "\0\0\0\12A-PLUS\0"sv, "\0\0\0\12A-PLUS\0\0x"sv}) {
        const auto filtered = without_channel_binding(body);
        REQUIRE(!filtered);
        CHECK(filtered.error().sqlstate == "08P01");
    }
}

TEST_CASE("auth filter: an offer of channel binding alone is refused") {
    const auto filtered = without_channel_binding(std::string_view(offer({"SCRAM-SHA-256-PLUS"})).substr(5));
    REQUIRE(!filtered);
    CHECK(filtered.error().sqlstate == "28000");
}

TEST_CASE("auth filter: a client that claims channel binding is refused when the upstream is TLS") {
    struct Row {
        std::string_view mechanism;
        std::optional<std::string_view> data;
        bool upstream_tls, refused;
    };
    for (const auto& [mechanism, data, upstream_tls, refused] : std::vector<Row>{
             {"SCRAM-SHA-256", "n,,n=,r=x", true, false},
             {"SCRAM-SHA-256", "y,,n=,r=x", true, true},
             {"SCRAM-SHA-256", "y,,n=,r=x", false, false},
             {"SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r=x", true, true},
             {"SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r=x", false, false},
             {"SCRAM-SHA-256", "", true, false},
             {"SCRAM-SHA-256", "p", true, false},
             {"SCRAM-SHA-256", std::nullopt, true, false},
             {"OAUTHBEARER", "y,,", true, false},
         }) {
        CAPTURE(mechanism);
        CAPTURE(data.value_or("absent"));
        const auto refusal = channel_binding_refusal({mechanism, data}, upstream_tls);
        CHECK(refusal.has_value() == refused);
        if (refusal) {
            CHECK(refusal->sqlstate == "28000");
            CHECK(refusal->text.find("channel_binding=disable") != std::string::npos);
        }
    }
}
