#include "tests/proxy/wire/reencode.h"

#include <functional>
#include <vector>

#include "config/ensure.h"
#include "proxy/wire/cursor.h"
#include "proxy/wire/encode.h"

namespace warmfront::wire {
namespace {

using Values = std::vector<std::optional<std::string_view>>;

// Checks that a decoded view lies in the body.
class Inside {
public:
    explicit Inside(std::string_view body) : body_(body) {}
    std::string_view operator()(std::string_view view) const {
        const std::less_equal<const char*> before;
        ensure(view.empty() || (before(body_.data(), view.data()) &&
                                before(view.data() + view.size(), body_.data() + body_.size())),
               "decoded views lie in the body");
        return view;
    }

private:
    std::string_view body_;
};

// Messages that warmfront never makes itself, and so encode.h lacks.
class Builder {
public:
    explicit Builder(char type) : message_(1, type) { message_.append(4, '\0'); }
    Builder& number(std::uint64_t value, int bytes) {
        for (int i = bytes - 1; i >= 0; --i) message_ += static_cast<char>(value >> (8 * i));
        return *this;
    }
    Builder& string(std::string_view value) { return bytes(value).number(0, 1); }
    Builder& bytes(std::string_view value) {
        message_ += value;
        return *this;
    }
    std::string done() {
        const std::size_t length = message_.size() - 1;
        for (int i = 0; i < 4; ++i) message_[1 + i] = static_cast<char>(length >> (24 - 8 * i));
        return message_;
    }

private:
    std::string message_;
};

template <typename Append, typename... Arguments>
std::string encoded(Append append, Arguments... arguments) {
    std::string message;
    append(message, arguments...);
    return message;
}

std::string bind(const Bind& bind, Inside inside) {
    const auto parameters = decode_bind_parameters(bind);
    const auto results = decode_bind_result_formats(bind);
    ensure(parameters && results, "a decoded Bind has good parameters");
    ensure(parameters->size() == bind.parameter_count, "as many parameters as counted");
    ensure(results->size() == bind.result_format_count, "as many result formats as counted");
    Values values;
    for (const auto& parameter : *parameters) {
        values.push_back(parameter.value);
        if (parameter.value) inside(*parameter.value);
    }
    // How the formats were given (none, one, one each) is not decoded: take that from the body.
    Cursor cursor("Bind", bind.after_names);
    std::vector<std::uint16_t> formats(cursor.count(2));
    for (auto& format : formats) format = cursor.uint16();
    for (std::size_t i = 0; i < parameters->size(); ++i) {
        const std::uint16_t expected = formats.empty() ? 0 : formats[formats.size() == 1 ? 0 : i];
        ensure((*parameters)[i].format == expected, "a parameter's format is as given");
    }
    return encoded(append_bind, inside(bind.portal), inside(bind.statement), formats, values, *results);
}

std::vector<std::uint32_t> types(const Parse& parse) {
    std::vector<std::uint32_t> types;
    ensure(parse.parameter_types.size() == parse.parameter_count * std::size_t{4}, "4 bytes for a type");
    for (std::size_t i = 0; i < parse.parameter_count; ++i)
        types.push_back(load_uint32(parse.parameter_types.data() + 4 * i));
    return types;
}

std::string first_message(const FirstMessage& first, Inside inside) {
    if (std::holds_alternative<SslRequest>(first)) return encoded(append_ssl_request);
    if (std::holds_alternative<GssEncRequest>(first)) return std::string("\0\0\0\10\4\xd2\x16\x30", 8);
    if (const auto* cancel = std::get_if<CancelRequest>(&first))
        return encoded(append_cancel_request, cancel->process_id, inside(cancel->secret_key));
    const auto& startup = std::get<StartupMessage>(first);
    for (const auto& [name, value] : startup.parameters) inside(name), inside(value);
    return encoded(append_startup, startup.protocol, startup.parameters);
}

std::string row_description(const std::vector<FieldDescription>& fields, Inside inside) {
    Builder message('T');
    message.number(fields.size(), 2);
    for (const auto& field : fields)
        message.string(inside(field.name))
            .number(field.table, 4)
            .number(static_cast<std::uint16_t>(field.column), 2)
            .number(field.type, 4)
            .number(static_cast<std::uint16_t>(field.type_size), 2)
            .number(static_cast<std::uint32_t>(field.type_modifier), 4)
            .number(field.format, 2);
    return message.done();
}

std::string copy_response(char type, const CopyResponse& response) {
    Builder message(type);
    message.number(response.overall_format, 1).number(response.formats.size(), 2);
    for (const auto format : response.formats) message.number(format, 2);
    return message.done();
}

std::string negotiate(const NegotiateProtocolVersion& version, Inside inside) {
    Builder message('v');
    message.number(version.newest_minor, 4).number(version.unrecognized.size(), 4);
    for (const auto option : version.unrecognized) message.string(inside(option));
    return message.done();
}

std::string error(char type, const ErrorFields& error, Inside inside) {
    Builder message(type);
    std::string codes;
    for (const auto& [code, text] : error.fields) {
        message.bytes({&code, 1}).string(inside(text));
        if (codes.find(code) == std::string::npos)
            ensure(error.field(code) == text, "the first of a code is found");
        codes += code;
    }
    return message.number(0, 1).done();
}

std::string authentication(const Authentication& request, Inside inside) {
    if (request.kind == static_cast<std::uint32_t>(AuthenticationKind::Ok))
        return encoded(append_authentication_ok);
    if (request.kind == static_cast<std::uint32_t>(AuthenticationKind::Sasl))
        if (const auto mechanisms = decode_sasl_mechanisms(request.data)) {
            for (const auto mechanism : *mechanisms) inside(mechanism);
            return encoded(append_authentication_sasl, *mechanisms);
        }
    return Builder('R').number(request.kind, 4).bytes(inside(request.data)).done();
}

std::string data_row(const Values& values, Inside inside) {
    for (const auto& value : values)
        if (value) inside(*value);
    return encoded(append_text_row, values);
}

std::string password(std::string_view body, Inside inside) {
    if (const auto response = decode_sasl_initial_response(body)) {
        if (response->data) inside(*response->data);
        return encoded(append_sasl_initial_response, inside(response->mechanism), response->data);
    }
    return encoded(append_password, body);
}

// What `encode` makes of the decoded message; nullopt if there is none.
template <typename T, typename Encode>
std::optional<std::string> again(const Result<T>& decoded, Encode encode) {
    if (decoded) return encode(*decoded);
    ensure(decoded.error().sqlstate == "08P01" || decoded.error().sqlstate == "0A000",
           "errors have their SQLSTATE");
    ensure(!decoded.error().text.empty(), "errors say what is wrong");
    return std::nullopt;
}

}  // namespace

std::optional<std::string> reencode_first(std::string_view body) {
    return again(decode_first(body), [&](const auto& first) { return first_message(first, Inside(body)); });
}

std::optional<std::string> reencode_frontend(const Piece& piece) {
    const std::string_view body = piece.body;
    const Inside inside(body);
    switch (piece.type) {
        case 'Q':
            return again(decode_query(body),
                         [&](const auto& query) { return encoded(append_query, inside(query.sql)); });
        case 'P':
            return again(decode_parse(body), [&](const auto& parse) {
                return encoded(append_parse, inside(parse.statement), inside(parse.sql), types(parse));
            });
        case 'B': return again(decode_bind(body), [&](const auto& decoded) { return bind(decoded, inside); });
        case 'D':
            return again(decode_describe(body), [&](const auto& describe) {
                return encoded(append_describe, describe.what, inside(describe.name));
            });
        case 'C':
            return again(decode_close(body), [&](const auto& close) {
                return encoded(append_close, close.what, inside(close.name));
            });
        case 'E':
            return again(decode_execute(body), [&](const auto& execute) {
                return encoded(append_execute, inside(execute.portal), execute.row_limit);
            });
        case 'F':
            return again(decode_function_call(body), [&](const auto& call) {
                return Builder('F').number(call.function, 4).bytes(body.substr(4)).done();
            });
        case 'f':
            return again(decode_copy_fail(body),
                         [&](const auto& copy) { return encoded(append_copy_fail, inside(copy.reason)); });
        case 'p': return password(body, inside);
        case 'd': return encoded(append_copy_data, body);
        case 'c': return body.empty() ? std::optional(encoded(append_copy_done)) : std::nullopt;
        case 'S': return body.empty() ? std::optional(encoded(append_sync)) : std::nullopt;
        case 'H': return body.empty() ? std::optional(encoded(append_flush)) : std::nullopt;
        case 'X': return body.empty() ? std::optional(encoded(append_terminate)) : std::nullopt;
        default: return std::nullopt;
    }
}

std::optional<std::string> reencode_backend(const Piece& piece) {
    const std::string_view body = piece.body;
    const Inside inside(body);
    const auto empty = [&](auto append) {
        return body.empty() ? std::optional(encoded(append)) : std::nullopt;
    };
    switch (piece.type) {
        case 'R':
            return again(decode_authentication(body),
                         [&](const auto& request) { return authentication(request, inside); });
        case 'K':
            return again(decode_backend_key_data(body), [&](const auto& data) {
                return encoded(append_backend_key_data, data.process_id, inside(data.secret_key));
            });
        case 'S':
            return again(decode_parameter_status(body), [&](const auto& status) {
                return encoded(append_parameter_status, inside(status.name), inside(status.value));
            });
        case 'Z':
            return again(decode_ready_for_query(body),
                         [&](const auto& ready) { return encoded(append_ready_for_query, ready.status); });
        case 'T':
            return again(decode_row_description(body),
                         [&](const auto& fields) { return row_description(fields, inside); });
        case 't':
            return again(decode_parameter_description(body),
                         [&](const auto& types) { return encoded(append_parameter_description, types); });
        case 'D':
            return again(decode_data_row(body), [&](const auto& values) { return data_row(values, inside); });
        case 'C':
            return again(decode_command_complete(body), [&](const auto& complete) {
                return encoded(append_command_complete, inside(complete.tag));
            });
        case 'E':
        case 'N':
            return again(decode_error_fields(body),
                         [&](const auto& fields) { return error(piece.type, fields, inside); });
        case 'A':
            return again(decode_notification(body), [&](const auto& notification) {
                return Builder('A')
                    .number(notification.process_id, 4)
                    .string(inside(notification.channel))
                    .string(inside(notification.payload))
                    .done();
            });
        case 'v':
            return again(decode_negotiate_protocol_version(body),
                         [&](const auto& version) { return negotiate(version, inside); });
        case 'G':
        case 'H':
        case 'W':
            return again(decode_copy_response(body),
                         [&](const auto& response) { return copy_response(piece.type, response); });
        case 'd': return encoded(append_copy_data, body);
        case 'c': return empty(append_copy_done);
        case 'V': return Builder('V').bytes(body).done();
        case 'I': return empty(append_empty_query);
        case '1': return empty(append_parse_complete);
        case '2': return empty(append_bind_complete);
        case '3': return empty(append_close_complete);
        case 'n': return empty(append_no_data);
        case 's': return empty(append_portal_suspended);
        default: return std::nullopt;
    }
}

}  // namespace warmfront::wire
