#include "proxy/wire/encode.h"

#include <vector>

#include <doctest/doctest.h>

#include "proxy/wire/messages.h"
#include "tests/proxy/wire/trace.h"

using namespace warmfront;
using namespace warmfront::wire;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

using Values = std::vector<std::optional<std::string_view>>;

}  // namespace

TEST_CASE("encode: frontend messages are framed and decoded as what they were made of") {
    std::string out;
    const std::pair<std::string_view, std::string_view> parameters[] = {{"user", "u"}, {"options", ""}};
    const std::uint32_t types[] = {23, 25};
    const std::uint16_t formats[] = {1};
    append_startup(out, kProtocol32, parameters);
    append_password(out, "secret\0"sv);
    append_query(out, "SELECT 1");
    append_parse(out, "s", "SELECT $1, $2", types);
    append_bind(out, "p", "s", formats, Values{"a", std::nullopt}, {});
    append_describe(out, 'P', "p");
    append_execute(out, "p", 7);
    append_close(out, 'S', "s");
    append_flush(out);
    append_sync(out);
    append_copy_data(out, "row\n\0"sv);
    append_copy_fail(out, "no");
    append_copy_done(out);
    append_terminate(out);
    Tracer tracer(Framer::First::Untyped);
    tracer.frontend(out);
    CHECK(tracer.lines() ==
          "F\t25\tStartupMessage\t 3 2 \"user\" \"u\" \"options\" \"\"\n"
          "F\t11\tPasswordMessage\t NNNN\n"
          "F\t13\tQuery\t \"SELECT 1\"\n"
          "F\t30\tParse\t \"s\" \"SELECT $1, $2\" 2 23 25\n"
          "F\t25\tBind\t \"p\" \"s\" 2 1 1 'a' 1 -1 0\n"
          "F\t7\tDescribe\t P \"p\"\n"
          "F\t10\tExecute\t \"p\" 7\n"
          "F\t7\tClose\t S \"s\"\n"
          "F\t4\tFlush\n"
          "F\t4\tSync\n"
          "F\t9\tCopyData\t 'row\\x0a\\x00'\n"
          "F\t7\tCopyFail\t \"no\"\n"
          "F\t4\tCopyDone\n"
          "F\t4\tTerminate\n");
}

TEST_CASE("encode: backend messages are framed and decoded as what they were made of") {
    std::string out;
    const std::string_view mechanisms[] = {"SCRAM-SHA-256"};
    const std::string_view columns[] = {"name", "value"};
    const std::uint32_t types[] = {23};
    append_authentication_sasl(out, mechanisms);
    append_authentication_ok(out);
    append_parameter_status(out, "TimeZone", "UTC");
    append_backend_key_data(out, 1, "abcdefgh");
    append_error(out, "57P01", "going", {.severity = "FATAL", .detail = "d", .hint = "h"});
    append_notice(out, "00000", "seen");
    append_text_row_description(out, columns);
    append_text_row(out, Values{"a", std::nullopt});
    append_command_complete(out, "SHOW");
    append_empty_query(out);
    append_parse_complete(out);
    append_bind_complete(out);
    append_close_complete(out);
    append_no_data(out);
    append_portal_suspended(out);
    append_parameter_description(out, types);
    append_ready_for_query(out, 'T');
    Tracer tracer(Framer::First::Typed);
    tracer.backend(out);
    CHECK(tracer.lines() ==
          "B\t23\tAuthentication\t 10 \"SCRAM-SHA-256\"\n"
          "B\t8\tAuthentication\t 0\n"
          "B\t17\tParameterStatus\t \"TimeZone\" \"UTC\"\n"
          "B\t16\tBackendKeyData\t NNNN NNNN\n"
          "B\t39\tErrorResponse\t S \"FATAL\" V \"FATAL\" C \"57P01\" M \"going\" D \"d\" H \"h\"\n"
          "B\t34\tNoticeResponse\t S \"NOTICE\" V \"NOTICE\" C \"00000\" M \"seen\"\n"
          "B\t53\tRowDescription\t 2 \"name\" 0 0 25 -1 -1 0 \"value\" 0 0 25 -1 -1 0\n"
          "B\t15\tDataRow\t 2 1 'a' -1\n"
          "B\t9\tCommandComplete\t \"SHOW\"\n"
          "B\t4\tEmptyQueryResponse\n"
          "B\t4\tParseComplete\n"
          "B\t4\tBindComplete\n"
          "B\t4\tCloseComplete\n"
          "B\t4\tNoData\n"
          "B\t4\tPortalSuspended\n"
          "B\t10\tParameterDescription\t 1 23\n"
          "B\t5\tReadyForQuery\t T\n");
}

TEST_CASE("encode: messages are appended, and strings end at a zero byte") {
    std::string out = "before";
    append_query(out, "SELECT 1\0; DROP"sv);
    CHECK(out == "beforeQ\0\0\0\15SELECT 1\0"s);
}

TEST_CASE("encode: untyped requests are PostgreSQL's own bytes") {
    std::string out;
    append_ssl_request(out);
    append_cancel_request(out, 0x01020304, "key!");
    CHECK(out == "\0\0\0\10\4\xd2\x16\x2f\0\0\0\20\4\xd2\x16\x2e\1\2\3\4key!"s);
}
