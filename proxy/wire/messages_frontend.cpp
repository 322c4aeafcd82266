// What clients send. Query, Parse, Bind, Describe, Execute and Close are on the way of every query: their
// decoders walk the whole body once, so that later readers of its parts cannot meet a wrong length, and
// allocate nothing.
#include <fmt/format.h>

#include "proxy/wire/cursor.h"
#include "proxy/wire/messages.h"

namespace warmfront::wire {
namespace {

tl::unexpected<Error> wrong_startup_length() {
    return fail("08P01", "invalid length of startup packet");
}

// Any minor version passes: the server answers one it does not know with NegotiateProtocolVersion.
Result<FirstMessage> decode_startup(std::uint32_t protocol, std::string_view parameters) {
    const std::uint32_t major = protocol >> 16;
    if (major != kProtocol30 >> 16)
        return fail("0A000", fmt::format("unsupported frontend protocol {}.{}: server supports 3.0 to 3.2",
                                         major, protocol & 0xffff));
    StartupMessage startup{protocol, {}};
    Cursor cursor("startup packet", parameters);
    for (auto name = cursor.string(); !name.empty(); name = cursor.string())
        startup.parameters.emplace_back(name, cursor.string());
    if (cursor.failed() || !cursor.at_end())
        return fail("08P01", "invalid startup packet layout: expected terminator as last byte");
    return startup;
}

Result<FirstMessage> decode_cancel_request(std::string_view body) {
    Cursor cursor("CancelRequest", body);
    CancelRequest cancel{cursor.uint32(), cursor.take_rest()};
    if (cancel.secret_key.size() < kSecretKeyBytesMin || cancel.secret_key.size() > kSecretKeyBytesMax)
        cursor.refuse("has a key whose length is not between 4 and 256 bytes");
    return cursor.done(FirstMessage(cancel));
}

std::string_view format_codes(Cursor& cursor) {
    return cursor.bytes(std::size_t{cursor.uint16()} * 2);
}

// PostgreSQL's rule for format codes: none (all text), one for all, or one each.
std::uint16_t format_at(std::string_view codes, std::size_t index) {
    if (codes.empty()) return 0;
    return load_uint16(codes.data() + (codes.size() == 2 ? 0 : index * 2));
}

void check_format_codes(Cursor& cursor, std::string_view codes, std::size_t values) {
    if (codes.size() > 2 && codes.size() != values * 2)
        cursor.refuse("has not as many format codes as values");
}

Describe decode_target(Cursor& cursor) {
    Describe target{static_cast<char>(cursor.uint8()), cursor.string()};
    if (target.what != 'S' && target.what != 'P') cursor.refuse("names neither a statement nor a portal");
    return target;
}

}  // namespace

std::optional<std::string_view> StartupMessage::parameter(std::string_view name) const {
    std::optional<std::string_view> found;  // of a name given twice PostgreSQL takes the last
    for (const auto& [given, value] : parameters)
        if (given == name) found = value;
    return found;
}

Result<FirstMessage> decode_first(std::string_view body) {
    if (body.size() < 4) return wrong_startup_length();
    const std::uint32_t code = load_uint32(body.data());
    const std::string_view rest = body.substr(4);
    switch (code) {
        case kSslRequestCode:
            if (!rest.empty()) return wrong_startup_length();
            return SslRequest{};
        case kGssEncRequestCode:
            if (!rest.empty()) return wrong_startup_length();
            return GssEncRequest{};
        case kCancelRequestCode: return decode_cancel_request(rest);
        default: return decode_startup(code, rest);
    }
}

Result<Query> decode_query(std::string_view body) {
    Cursor cursor("Query", body);
    return cursor.done(Query{cursor.string()});
}

Result<Parse> decode_parse(std::string_view body) {
    Cursor cursor("Parse", body);
    Parse parse{};
    parse.statement = cursor.string();
    parse.sql = cursor.string();
    parse.parameter_count = cursor.uint16();
    parse.parameter_types = cursor.bytes(std::size_t{parse.parameter_count} * 4);
    return cursor.done(parse);
}

Result<Bind> decode_bind(std::string_view body) {
    Cursor cursor("Bind", body);
    Bind bind{};
    bind.portal = cursor.string();
    bind.statement = cursor.string();
    bind.after_names = cursor.rest();
    const std::string_view formats = format_codes(cursor);
    bind.parameter_count = cursor.count(4);
    check_format_codes(cursor, formats, bind.parameter_count);
    for (std::uint32_t i = 0; i < bind.parameter_count; ++i) cursor.nullable();
    bind.result_format_count = cursor.uint16();
    cursor.bytes(std::size_t{bind.result_format_count} * 2);
    return cursor.done(bind);
}

Result<std::vector<BindParameter>> decode_bind_parameters(const Bind& bind) {
    Cursor cursor("Bind", bind.after_names);
    const std::string_view formats = format_codes(cursor);
    const std::uint16_t count = cursor.count(4);
    check_format_codes(cursor, formats, count);
    std::vector<BindParameter> parameters;
    parameters.reserve(count);
    for (std::size_t i = 0; i < count && !cursor.failed(); ++i)
        parameters.push_back({format_at(formats, i), cursor.nullable()});
    format_codes(cursor);
    return cursor.done(std::move(parameters));
}

Result<std::vector<std::uint16_t>> decode_bind_result_formats(const Bind& bind) {
    Cursor cursor("Bind", bind.after_names);
    format_codes(cursor);
    const std::uint16_t values = cursor.count(4);
    for (std::uint32_t i = 0; i < values; ++i) cursor.nullable();
    std::vector<std::uint16_t> formats(cursor.count(2));
    for (auto& format : formats) format = cursor.uint16();
    return cursor.done(std::move(formats));
}

Result<Describe> decode_describe(std::string_view body) {
    Cursor cursor("Describe", body);
    return cursor.done(decode_target(cursor));
}

Result<Close> decode_close(std::string_view body) {
    Cursor cursor("Close", body);
    const Describe target = decode_target(cursor);
    return cursor.done(Close{target.what, target.name});
}

Result<Execute> decode_execute(std::string_view body) {
    Cursor cursor("Execute", body);
    Execute execute{};
    execute.portal = cursor.string();
    execute.row_limit = cursor.uint32();
    return cursor.done(execute);
}

Result<FunctionCall> decode_function_call(std::string_view body) {
    Cursor cursor("FunctionCall", body);
    const FunctionCall call{cursor.uint32()};
    const std::string_view formats = format_codes(cursor);
    const std::uint16_t arguments = cursor.count(4);
    check_format_codes(cursor, formats, arguments);
    for (std::uint32_t i = 0; i < arguments; ++i) cursor.nullable();
    cursor.uint16();  // format of the result
    return cursor.done(call);
}

Result<CopyFail> decode_copy_fail(std::string_view body) {
    Cursor cursor("CopyFail", body);
    return cursor.done(CopyFail{cursor.string()});
}

Result<SaslInitialResponse> decode_sasl_initial_response(std::string_view body) {
    Cursor cursor("SASLInitialResponse", body);
    SaslInitialResponse response{};
    response.mechanism = cursor.string();
    response.data = cursor.nullable();
    return cursor.done(response);
}

}  // namespace warmfront::wire
