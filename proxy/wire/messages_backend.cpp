// What PostgreSQL sends. Where a message is a list, its count is checked against the bytes that are there
// before memory is reserved for it.
#include "proxy/wire/cursor.h"
#include "proxy/wire/messages.h"

namespace warmfront::wire {
namespace {

constexpr std::size_t kMd5SaltBytes = 4;
constexpr std::size_t kFieldDescriptionBytesMin = 1 + 18;  // an empty name, and the numbers

// Kinds that a later PostgreSQL may add have data unknown to us, and pass.
bool has_data_of_right_size(const Authentication& authentication) {
    switch (static_cast<AuthenticationKind>(authentication.kind)) {
        case AuthenticationKind::Ok:
        case AuthenticationKind::KerberosV5:
        case AuthenticationKind::CleartextPassword:
        case AuthenticationKind::Gss:
        case AuthenticationKind::Sspi: return authentication.data.empty();
        case AuthenticationKind::Md5Password: return authentication.data.size() == kMd5SaltBytes;
        case AuthenticationKind::GssContinue:
        case AuthenticationKind::Sasl:
        case AuthenticationKind::SaslContinue:
        case AuthenticationKind::SaslFinal: return true;
    }
    return true;
}

FieldDescription decode_field_description(Cursor& cursor) {
    FieldDescription field{};
    field.name = cursor.string();
    field.table = cursor.uint32();
    field.column = static_cast<std::int16_t>(cursor.uint16());
    field.type = cursor.uint32();
    field.type_size = static_cast<std::int16_t>(cursor.uint16());
    field.type_modifier = static_cast<std::int32_t>(cursor.uint32());
    field.format = cursor.uint16();
    return field;
}

}  // namespace

std::string_view ErrorFields::field(char code) const {
    for (const auto& [given, text] : fields)
        if (given == code) return text;
    return {};
}

Result<Authentication> decode_authentication(std::string_view body) {
    Cursor cursor("Authentication", body);
    const Authentication authentication{cursor.uint32(), cursor.take_rest()};
    if (!has_data_of_right_size(authentication)) cursor.refuse("has a length that its kind does not have");
    return cursor.done(authentication);
}

Result<std::vector<std::string_view>> decode_sasl_mechanisms(std::string_view data) {
    Cursor cursor("AuthenticationSASL", data);
    std::vector<std::string_view> mechanisms;
    for (auto name = cursor.string(); !name.empty(); name = cursor.string()) mechanisms.push_back(name);
    return cursor.done(std::move(mechanisms));
}

Result<BackendKeyData> decode_backend_key_data(std::string_view body) {
    Cursor cursor("BackendKeyData", body);
    BackendKeyData data{cursor.uint32(), cursor.take_rest()};
    if (data.secret_key.size() < kSecretKeyBytesMin || data.secret_key.size() > kSecretKeyBytesMax)
        cursor.refuse("has a key whose length is not between 4 and 256 bytes");
    return cursor.done(data);
}

Result<ParameterStatus> decode_parameter_status(std::string_view body) {
    Cursor cursor("ParameterStatus", body);
    ParameterStatus status{};
    status.name = cursor.string();
    status.value = cursor.string();
    return cursor.done(status);
}

Result<ReadyForQuery> decode_ready_for_query(std::string_view body) {
    Cursor cursor("ReadyForQuery", body);
    const ReadyForQuery ready{static_cast<char>(cursor.uint8())};
    if (ready.status != 'I' && ready.status != 'T' && ready.status != 'E')
        cursor.refuse("has a status that is none of I, T and E");
    return cursor.done(ready);
}

Result<CommandComplete> decode_command_complete(std::string_view body) {
    Cursor cursor("CommandComplete", body);
    return cursor.done(CommandComplete{cursor.string()});
}

Result<std::vector<FieldDescription>> decode_row_description(std::string_view body) {
    Cursor cursor("RowDescription", body);
    const std::uint16_t count = cursor.count(kFieldDescriptionBytesMin);
    std::vector<FieldDescription> fields;
    fields.reserve(count);
    for (std::uint32_t i = 0; i < count && !cursor.failed(); ++i)
        fields.push_back(decode_field_description(cursor));
    return cursor.done(std::move(fields));
}

Result<std::vector<std::uint32_t>> decode_parameter_description(std::string_view body) {
    Cursor cursor("ParameterDescription", body);
    std::vector<std::uint32_t> types(cursor.count(4));
    for (auto& type : types) type = cursor.uint32();
    return cursor.done(std::move(types));
}

Result<std::vector<std::optional<std::string_view>>> decode_data_row(std::string_view body) {
    Cursor cursor("DataRow", body);
    const std::uint16_t count = cursor.count(4);
    std::vector<std::optional<std::string_view>> values;
    values.reserve(count);
    for (std::uint32_t i = 0; i < count && !cursor.failed(); ++i) values.push_back(cursor.nullable());
    return cursor.done(std::move(values));
}

Result<CopyResponse> decode_copy_response(std::string_view body) {
    Cursor cursor("CopyResponse", body);
    CopyResponse response{cursor.uint8(), std::vector<std::uint16_t>(cursor.count(2))};
    for (auto& format : response.formats) format = cursor.uint16();
    return cursor.done(std::move(response));
}

Result<NotificationResponse> decode_notification(std::string_view body) {
    Cursor cursor("NotificationResponse", body);
    NotificationResponse notification{};
    notification.process_id = cursor.uint32();
    notification.channel = cursor.string();
    notification.payload = cursor.string();
    return cursor.done(notification);
}

Result<NegotiateProtocolVersion> decode_negotiate_protocol_version(std::string_view body) {
    Cursor cursor("NegotiateProtocolVersion", body);
    NegotiateProtocolVersion negotiate{cursor.uint32(), {}};
    const std::uint32_t count = cursor.uint32();
    if (count > cursor.rest().size()) cursor.refuse("counts more than it holds");
    for (std::uint32_t i = 0; i < count && !cursor.failed(); ++i)
        negotiate.unrecognized.push_back(cursor.string());
    return cursor.done(std::move(negotiate));
}

Result<ErrorFields> decode_error_fields(std::string_view body) {
    Cursor cursor("ErrorResponse or NoticeResponse", body);
    ErrorFields decoded;
    for (auto code = cursor.uint8(); code != 0; code = cursor.uint8())
        decoded.fields.emplace_back(static_cast<char>(code), cursor.string());
    return cursor.done(std::move(decoded));
}

}  // namespace warmfront::wire
