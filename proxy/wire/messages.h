// proxy/wire/messages.h: the bodies of PostgreSQL's messages, decoded into views.
//
// Protocol 3.0 and 3.2 (PostgreSQL manual, chapter "Frontend/Backend Protocol", "Message Formats"). Every
// decoder takes a body (without type and length) and fails with SQLSTATE 08P01 naming the message and what is
// wrong. Nothing is copied: views are valid as long as the body. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/result.h"

namespace warmfront::wire {

inline constexpr std::uint32_t kProtocol30 = 0x00030000;
inline constexpr std::uint32_t kProtocol32 = 0x00030002;
inline constexpr std::uint32_t kCancelRequestCode = 80877102;
inline constexpr std::uint32_t kSslRequestCode = 80877103;
inline constexpr std::uint32_t kGssEncRequestCode = 80877104;
inline constexpr std::size_t kSecretKeyBytesMin = 4;  // of a BackendKeyData or CancelRequest; always 4 in 3.0
inline constexpr std::size_t kSecretKeyBytesMax = 256;

// ---- first messages of a client
struct SslRequest {};
struct GssEncRequest {};
struct CancelRequest {
    std::uint32_t process_id;
    std::string_view secret_key;
};
struct StartupMessage {
    std::uint32_t protocol;
    std::vector<std::pair<std::string_view, std::string_view>> parameters;  // in order, as sent
    [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
};
using FirstMessage = std::variant<SslRequest, GssEncRequest, CancelRequest, StartupMessage>;
// A protocol whose major version is not 3 fails with 0A000, in PostgreSQL's words. Minor versions are the
// server's matter.
[[nodiscard]] Result<FirstMessage> decode_first(std::string_view body);

// ---- frontend
struct Query {
    std::string_view sql;
};
struct Parse {
    std::string_view statement, sql;
    std::string_view parameter_types;  // 4 bytes each, network order
    std::uint16_t parameter_count;
};
struct Bind {
    std::string_view portal, statement;
    std::string_view after_names;  // formats, values, result formats: the rest of the body, a key's details
    std::uint16_t parameter_count;
    std::uint16_t result_format_count;
};
struct Describe {
    char what;  // 'S' or 'P': a statement or a portal
    std::string_view name;
};
struct Close {
    char what;  // 'S' or 'P'
    std::string_view name;
};
struct Execute {
    std::string_view portal;
    std::uint32_t row_limit;
};
struct FunctionCall {
    std::uint32_t function;
};
struct CopyFail {
    std::string_view reason;
};
// Of the messages of type 'p' (passwords, SASL and GSS responses), told apart by what the server asked, the
// one that is read here.
struct SaslInitialResponse {
    std::string_view mechanism;
    std::optional<std::string_view> data;
};
[[nodiscard]] Result<Query> decode_query(std::string_view body);
[[nodiscard]] Result<Parse> decode_parse(std::string_view body);
[[nodiscard]] Result<Bind> decode_bind(std::string_view body);
[[nodiscard]] Result<Describe> decode_describe(std::string_view body);
[[nodiscard]] Result<Close> decode_close(std::string_view body);
[[nodiscard]] Result<Execute> decode_execute(std::string_view body);
[[nodiscard]] Result<FunctionCall> decode_function_call(std::string_view body);
[[nodiscard]] Result<CopyFail> decode_copy_fail(std::string_view body);
[[nodiscard]] Result<SaslInitialResponse> decode_sasl_initial_response(std::string_view body);

// The parameters of a Bind in order; value nullopt is NULL.
struct BindParameter {
    std::uint16_t format;
    std::optional<std::string_view> value;
};
[[nodiscard]] Result<std::vector<BindParameter>> decode_bind_parameters(const Bind& bind);
// The result formats of a Bind: none, one for all columns, or one per column.
[[nodiscard]] Result<std::vector<std::uint16_t>> decode_bind_result_formats(const Bind& bind);

// ---- backend
enum class AuthenticationKind : std::uint32_t {
    Ok = 0,
    KerberosV5 = 2,
    CleartextPassword = 3,
    Md5Password = 5,
    Gss = 7,
    GssContinue = 8,
    Sspi = 9,
    Sasl = 10,
    SaslContinue = 11,
    SaslFinal = 12,
};
struct Authentication {
    std::uint32_t kind;
    std::string_view data;
};
struct BackendKeyData {
    std::uint32_t process_id;
    std::string_view secret_key;
};
struct ParameterStatus {
    std::string_view name, value;
};
struct ReadyForQuery {
    char status;  // 'I' idle, 'T' in a transaction, 'E' in a failed one
};
struct CommandComplete {
    std::string_view tag;
};
struct FieldDescription {
    std::string_view name;
    std::uint32_t table;
    std::int16_t column;
    std::uint32_t type;
    std::int16_t type_size;
    std::int32_t type_modifier;
    std::uint16_t format;
};
struct CopyResponse {
    std::uint8_t overall_format;
    std::vector<std::uint16_t> formats;
};
struct NotificationResponse {
    std::uint32_t process_id;
    std::string_view channel, payload;
};
// newest_minor: as PostgreSQL sends it, the whole version (0x00030000 for 3.0).
struct NegotiateProtocolVersion {
    std::uint32_t newest_minor;
    std::vector<std::string_view> unrecognized;
};
struct ErrorFields {  // ErrorResponse and NoticeResponse
    std::vector<std::pair<char, std::string_view>> fields;
    [[nodiscard]] std::string_view field(char code) const;  // empty if absent
};
[[nodiscard]] Result<Authentication> decode_authentication(std::string_view body);
[[nodiscard]] Result<std::vector<std::string_view>> decode_sasl_mechanisms(std::string_view data);
[[nodiscard]] Result<BackendKeyData> decode_backend_key_data(std::string_view body);
[[nodiscard]] Result<ParameterStatus> decode_parameter_status(std::string_view body);
[[nodiscard]] Result<ReadyForQuery> decode_ready_for_query(std::string_view body);
[[nodiscard]] Result<CommandComplete> decode_command_complete(std::string_view body);
[[nodiscard]] Result<std::vector<FieldDescription>> decode_row_description(std::string_view body);
[[nodiscard]] Result<std::vector<std::uint32_t>> decode_parameter_description(std::string_view body);
[[nodiscard]] Result<std::vector<std::optional<std::string_view>>> decode_data_row(std::string_view body);
[[nodiscard]] Result<CopyResponse> decode_copy_response(std::string_view body);
[[nodiscard]] Result<NotificationResponse> decode_notification(std::string_view body);
[[nodiscard]] Result<NegotiateProtocolVersion> decode_negotiate_protocol_version(std::string_view body);
[[nodiscard]] Result<ErrorFields> decode_error_fields(std::string_view body);

}  // namespace warmfront::wire
