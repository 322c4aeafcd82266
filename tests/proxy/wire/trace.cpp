#include "tests/proxy/wire/trace.h"

#include <fmt/format.h>

#include "proxy/wire/cursor.h"
#include "proxy/wire/messages.h"

namespace warmfront::wire {
namespace {

constexpr std::uint32_t kFirstNormalOid = 16384;
constexpr std::string_view kMasked = " NNNN";

std::string escaped(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        if (c >= ' ' && c <= '~') {
            text += c;
        } else {
            text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
    return text;
}

std::string string(std::string_view value) {
    return fmt::format(" \"{}\"", escaped(value));
}
std::string bytes(std::string_view value) {
    return fmt::format(" '{}'", escaped(value));
}
std::string nullable(std::optional<std::string_view> value) {
    return value ? fmt::format(" {}{}", value->size(), bytes(*value)) : " -1";
}
template <typename Number>
std::string number(Number value) {
    return fmt::format(" {}", value);
}
std::string oid(std::uint32_t value) {
    return value < kFirstNormalOid ? number(value) : std::string(kMasked);
}

// SCRAM's attributes (RFC 5802, section 5.1) with the values of nonce, salt, proof and signature masked.
std::string scram(std::string_view data) {
    std::string text;
    while (!data.empty()) {
        const std::string_view attribute = data.substr(0, data.find(','));
        const bool varies = attribute.size() > 1 && attribute[1] == '=' &&
                            std::string_view("rspv").find(attribute[0]) != std::string_view::npos;
        text += varies ? fmt::format("{}=NNNN", attribute[0]) : std::string(attribute);
        data.remove_prefix(attribute.size());
        if (data.starts_with(',')) {
            text += ',';
            data.remove_prefix(1);
        }
    }
    return bytes(text);
}

// The fields of a decoded message, or what is wrong with it.
template <typename T, typename Print>
std::string fields(const Result<T>& decoded, Print print) {
    return decoded ? print(*decoded) : " malformed: " + decoded.error().text;
}

std::string bind_fields(const Bind& bind) {
    std::string text = string(bind.portal) + string(bind.statement);
    text += fields(decode_bind_parameters(bind), [](const auto& parameters) {
        std::string list = number(parameters.size());
        for (const auto& parameter : parameters) list += number(parameter.format) + nullable(parameter.value);
        return list;
    });
    return text + fields(decode_bind_result_formats(bind), [](const auto& formats) {
               std::string list = number(formats.size());
               for (const auto format : formats) list += number(format);
               return list;
           });
}

std::string parse_fields(const Parse& parse) {
    std::string text = string(parse.statement) + string(parse.sql) + number(parse.parameter_count);
    for (std::size_t i = 0; i < parse.parameter_count; ++i)
        text += oid(load_uint32(parse.parameter_types.data() + i * 4));
    return text;
}

std::string row_description_fields(const std::vector<FieldDescription>& columns) {
    std::string text = number(columns.size());
    for (const auto& column : columns)
        text += string(column.name) + oid(column.table) + number(column.column) + oid(column.type) +
                number(column.type_size) + number(column.type_modifier) + number(column.format);
    return text;
}

std::string data_row_fields(const std::vector<std::optional<std::string_view>>& values) {
    std::string text = number(values.size());
    for (const auto& value : values) text += nullable(value);
    return text;
}

std::string error_fields(const ErrorFields& error) {
    std::string text;
    for (const auto& [code, value] : error.fields)
        text += fmt::format(" {}", code) + (code == 'F' || code == 'L' ? " \"NNNN\"" : string(value));
    return text;
}

std::string copy_response_fields(const CopyResponse& response) {
    std::string text = number(response.overall_format) + number(response.formats.size());
    for (const auto format : response.formats) text += number(format);
    return text;
}

std::string sasl_mechanisms(std::string_view data) {
    return fields(decode_sasl_mechanisms(data), [](const auto& mechanisms) {
        std::string text;
        for (const auto mechanism : mechanisms) text += string(mechanism);
        return text;
    });
}

std::string authentication_fields(const Authentication& authentication) {
    switch (static_cast<AuthenticationKind>(authentication.kind)) {
        case AuthenticationKind::Sasl:
            return number(authentication.kind) + sasl_mechanisms(authentication.data);
        case AuthenticationKind::SaslContinue:
        case AuthenticationKind::SaslFinal: return number(authentication.kind) + scram(authentication.data);
        default:
            return number(authentication.kind) + (authentication.data.empty() ? "" : std::string(kMasked));
    }
}

}  // namespace

Tracer::Tracer(Framer::First begins)
    : first_messages_(Framer::First::Untyped, {}),
      frontend_(Framer::First::Typed, {.whole_bytes_max = 1 << 30}),
      backend_(Framer::First::Typed, {.whole_bytes_max = 1 << 30}),
      startup_done_(begins == Framer::First::Typed) {}

void Tracer::frontend(std::string_view bytes) {
    if (startup_done_) return typed_frontend(bytes);
    first_messages_.feed(bytes);
    while (!startup_done_) {
        const auto piece = first_messages_.next();
        if (!piece) lines_ += fmt::format("F\tlost\t{}\n", piece.error().text);
        if (!piece || !*piece) break;
        first_message(**piece);
    }
    if (startup_done_) typed_frontend(first_messages_.unread());
    first_messages_.keep_rest();
}

void Tracer::typed_frontend(std::string_view bytes) {
    frontend_.feed(bytes);
    for (;;) {
        const auto piece = frontend_.next();
        if (!piece) lines_ += fmt::format("F\tlost\t{}\n", piece.error().text);
        if (!piece || !*piece) break;
        frontend_message(**piece);
    }
    frontend_.keep_rest();
}

void Tracer::backend(std::string_view bytes) {
    if (encryption_asked_ && !bytes.empty()) {
        lines_ += fmt::format("B\t1\tEncryptionResponse\t {}\n", bytes[0]);
        encryption_asked_ = false;
        bytes.remove_prefix(1);
    }
    backend_.feed(bytes);
    for (;;) {
        const auto piece = backend_.next();
        if (!piece) lines_ += fmt::format("B\tlost\t{}\n", piece.error().text);
        if (!piece || !*piece) break;
        backend_message(**piece);
    }
    backend_.keep_rest();
}

void Tracer::line(char direction, const Piece& piece, std::string_view name, std::string_view fields) {
    lines_ += fmt::format("{}\t{}\t{}", direction, piece.body_length + 4, name);
    if (!fields.empty()) lines_ += fmt::format("\t{}", fields);
    lines_ += '\n';
}

void Tracer::first_message(const Piece& piece) {
    const auto first = decode_first(piece.body);
    if (!first) return line('F', piece, "Malformed", first.error().text);
    encryption_asked_ =
        std::holds_alternative<SslRequest>(*first) || std::holds_alternative<GssEncRequest>(*first);
    if (std::holds_alternative<SslRequest>(*first)) return line('F', piece, "SSLRequest", "");
    if (std::holds_alternative<GssEncRequest>(*first)) return line('F', piece, "GSSENCRequest", "");
    if (std::holds_alternative<CancelRequest>(*first)) return line('F', piece, "CancelRequest", " NNNN NNNN");
    const auto& startup = std::get<StartupMessage>(*first);
    std::string text = fmt::format(" {} {}", startup.protocol >> 16, startup.protocol & 0xffff);
    for (const auto& [name, value] : startup.parameters) text += string(name) + string(value);
    line('F', piece, "StartupMessage", text);
    startup_done_ = true;
}

std::string Tracer::password_name_and_fields(std::string_view body, std::string& name) const {
    switch (static_cast<AuthenticationKind>(authentication_)) {
        case AuthenticationKind::Sasl:
            name = "SASLInitialResponse";
            return fields(decode_sasl_initial_response(body), [](const auto& response) {
                return string(response.mechanism) + (response.data ? scram(*response.data) : " -1");
            });
        case AuthenticationKind::SaslContinue: name = "SASLResponse"; return scram(body);
        case AuthenticationKind::Gss:
        case AuthenticationKind::GssContinue:
        case AuthenticationKind::Sspi: name = "GSSResponse"; return std::string(kMasked);
        default: name = "PasswordMessage"; return std::string(kMasked);
    }
}

void Tracer::frontend_message(const Piece& piece) {
    const std::string_view body = piece.body;
    const auto print = [&](std::string_view name, std::string_view text) { line('F', piece, name, text); };
    const auto target = [](const auto& message) {
        return fmt::format(" {}", message.what) + string(message.name);
    };
    std::string name;
    switch (piece.type) {
        case 'Q':
            return print("Query",
                         fields(decode_query(body), [](const auto& query) { return string(query.sql); }));
        case 'P': return print("Parse", fields(decode_parse(body), parse_fields));
        case 'B': return print("Bind", fields(decode_bind(body), bind_fields));
        case 'D': return print("Describe", fields(decode_describe(body), target));
        case 'C': return print("Close", fields(decode_close(body), target));
        case 'E':
            return print("Execute", fields(decode_execute(body), [](const auto& execute) {
                             return string(execute.portal) + number(execute.row_limit);
                         }));
        case 'F':
            return print("FunctionCall", fields(decode_function_call(body),
                                                [](const auto& call) { return number(call.function); }));
        case 'f':
            return print("CopyFail", fields(decode_copy_fail(body),
                                            [](const auto& copy) { return string(copy.reason); }));
        case 'p': {
            const std::string text = password_name_and_fields(body, name);
            return print(name, text);
        }
        case 'd': return print("CopyData", copy_both_ ? std::string(kMasked) : bytes(body));
        case 'c': return print("CopyDone", "");
        case 'S': return print("Sync", "");
        case 'H': return print("Flush", "");
        case 'X': return print("Terminate", "");
        default: return print("Unknown", fmt::format(" {}", piece.type));
    }
}

void Tracer::backend_message(const Piece& piece) {
    const std::string_view body = piece.body;
    const auto print = [&](std::string_view name, std::string_view text) { line('B', piece, name, text); };
    switch (piece.type) {
        case 'R': {
            const auto authentication = decode_authentication(body);
            if (authentication) authentication_ = authentication->kind;
            return print("Authentication", fields(authentication, authentication_fields));
        }
        case 'K':
            return print("BackendKeyData",
                         fields(decode_backend_key_data(body), [](const auto&) { return " NNNN NNNN"; }));
        case 'S':
            return print("ParameterStatus", fields(decode_parameter_status(body), [](const auto& status) {
                             return string(status.name) + string(status.value);
                         }));
        case 'Z':
            copy_both_ = false;
            return print("ReadyForQuery", fields(decode_ready_for_query(body), [](const auto& ready) {
                             return fmt::format(" {}", ready.status);
                         }));
        case 'T':
            return print("RowDescription", fields(decode_row_description(body), row_description_fields));
        case 't':
            return print("ParameterDescription",
                         fields(decode_parameter_description(body), [](const auto& types) {
                             std::string text = number(types.size());
                             for (const auto type : types) text += oid(type);
                             return text;
                         }));
        case 'D': return print("DataRow", fields(decode_data_row(body), data_row_fields));
        case 'C':
            return print("CommandComplete", fields(decode_command_complete(body), [](const auto& complete) {
                             return string(complete.tag);
                         }));
        case 'E': return print("ErrorResponse", fields(decode_error_fields(body), error_fields));
        case 'N': return print("NoticeResponse", fields(decode_error_fields(body), error_fields));
        case 'A':
            return print(
                "NotificationResponse", fields(decode_notification(body), [](const auto& notification) {
                    return std::string(kMasked) + string(notification.channel) + string(notification.payload);
                }));
        case 'v':
            return print("NegotiateProtocolVersion",
                         fields(decode_negotiate_protocol_version(body), [](const auto& negotiate) {
                             std::string text = fmt::format(" {} {}", negotiate.newest_minor >> 16,
                                                            negotiate.newest_minor & 0xffff);
                             for (const auto option : negotiate.unrecognized) text += string(option);
                             return text;
                         }));
        case 'G': return print("CopyInResponse", fields(decode_copy_response(body), copy_response_fields));
        case 'H': return print("CopyOutResponse", fields(decode_copy_response(body), copy_response_fields));
        case 'W':
            copy_both_ = true;
            return print("CopyBothResponse", fields(decode_copy_response(body), copy_response_fields));
        case 'd':
            return print("CopyData",
                         copy_both_ ? bytes(body.substr(0, 1)) + std::string(kMasked) : bytes(body));
        case 'c': return print("CopyDone", "");
        case 'V': return print("FunctionCallResponse", bytes(body));
        case 'I': return print("EmptyQueryResponse", "");
        case '1': return print("ParseComplete", "");
        case '2': return print("BindComplete", "");
        case '3': return print("CloseComplete", "");
        case 'n': return print("NoData", "");
        case 's': return print("PortalSuspended", "");
        default: return print("Unknown", fmt::format(" {}", piece.type));
    }
}

}  // namespace warmfront::wire
