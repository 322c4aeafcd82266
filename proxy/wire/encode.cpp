// Each message is written straight into the caller's buffer; its length is filled in at the end, when it is
// known.
#include "proxy/wire/encode.h"

#include "config/ensure.h"
#include "proxy/wire/messages.h"

namespace warmfront::wire {
namespace {

constexpr std::uint32_t kTextType = 25;  // pg_type's OID of text

class MessageWriter {
public:
    MessageWriter(std::string& out, char type) : out_(out) {
        out_ += type;
        begin();
    }
    explicit MessageWriter(std::string& out) : out_(out) { begin(); }  // untyped
    MessageWriter(const MessageWriter&) = delete;
    MessageWriter& operator=(const MessageWriter&) = delete;

    ~MessageWriter() {
        const std::size_t length = out_.size() - length_at_;
        ensure(length <= 0x7fffffff, "a message's length fits its field");
        for (int i = 0; i < 4; ++i) out_[length_at_ + i] = static_cast<char>(length >> (24 - 8 * i));
    }

    void uint8(char value) { out_ += value; }
    void uint16(std::uint16_t value) {
        const char bytes[] = {static_cast<char>(value >> 8), static_cast<char>(value)};
        out_.append(bytes, sizeof bytes);
    }
    void uint32(std::uint32_t value) {
        const char bytes[] = {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
                              static_cast<char>(value >> 8), static_cast<char>(value)};
        out_.append(bytes, sizeof bytes);
    }
    void bytes(std::string_view value) { out_.append(value); }
    void string(std::string_view value) {
        out_.append(value.substr(0, value.find('\0')));
        out_ += '\0';
    }
    void nullable(std::optional<std::string_view> value) {
        uint32(value ? static_cast<std::uint32_t>(value->size()) : 0xffffffff);
        if (value) bytes(*value);
    }
    void count(std::size_t elements) {
        ensure(elements <= 0xffff, "a message lists 65,535 elements at most");
        uint16(static_cast<std::uint16_t>(elements));
    }

private:
    void begin() {
        length_at_ = out_.size();
        uint32(0);
    }

    std::string& out_;
    std::size_t length_at_ = 0;
};

void append_empty(std::string& out, char type) {
    MessageWriter(out, type);
}

void append_string(std::string& out, char type, std::string_view value) {
    MessageWriter(out, type).string(value);
}

void append_bytes(std::string& out, char type, std::string_view value) {
    MessageWriter(out, type).bytes(value);
}

void append_target(std::string& out, char type, char what, std::string_view name) {
    MessageWriter message(out, type);
    message.uint8(what);
    message.string(name);
}

void append_fields(std::string& out, char type, std::string_view sqlstate, std::string_view text,
                   const ErrorOptions& options) {
    MessageWriter message(out, type);
    const auto field = [&message](char code, std::string_view value) {
        if (value.empty()) return;
        message.uint8(code);
        message.string(value);
    };
    field('S', options.severity);
    field('V', options.severity);
    field('C', sqlstate);
    field('M', text);
    field('D', options.detail);
    field('H', options.hint);
    message.uint8('\0');
}

}  // namespace

void append_startup(std::string& out, std::uint32_t protocol, Parameters parameters) {
    MessageWriter message(out);
    message.uint32(protocol);
    for (const auto& [name, value] : parameters) {
        message.string(name);
        message.string(value);
    }
    message.uint8('\0');
}

void append_ssl_request(std::string& out) {
    MessageWriter(out).uint32(kSslRequestCode);
}

void append_cancel_request(std::string& out, std::uint32_t process_id, std::string_view secret_key) {
    MessageWriter message(out);
    message.uint32(kCancelRequestCode);
    message.uint32(process_id);
    message.bytes(secret_key);
}

void append_query(std::string& out, std::string_view sql) {
    append_string(out, 'Q', sql);
}

void append_parse(std::string& out, std::string_view statement, std::string_view sql,
                  std::span<const std::uint32_t> types) {
    MessageWriter message(out, 'P');
    message.string(statement);
    message.string(sql);
    message.count(types.size());
    for (const auto type : types) message.uint32(type);
}

void append_bind(std::string& out, std::string_view portal, std::string_view statement,
                 std::span<const std::uint16_t> formats,
                 std::span<const std::optional<std::string_view>> values,
                 std::span<const std::uint16_t> result_formats) {
    MessageWriter message(out, 'B');
    message.string(portal);
    message.string(statement);
    message.count(formats.size());
    for (const auto format : formats) message.uint16(format);
    message.count(values.size());
    for (const auto& value : values) message.nullable(value);
    message.count(result_formats.size());
    for (const auto format : result_formats) message.uint16(format);
}

void append_describe(std::string& out, char what, std::string_view name) {
    append_target(out, 'D', what, name);
}
void append_close(std::string& out, char what, std::string_view name) {
    append_target(out, 'C', what, name);
}

void append_execute(std::string& out, std::string_view portal, std::uint32_t row_limit) {
    MessageWriter message(out, 'E');
    message.string(portal);
    message.uint32(row_limit);
}

void append_sync(std::string& out) {
    append_empty(out, 'S');
}
void append_flush(std::string& out) {
    append_empty(out, 'H');
}
void append_terminate(std::string& out) {
    append_empty(out, 'X');
}
void append_password(std::string& out, std::string_view data) {
    append_bytes(out, 'p', data);
}
void append_copy_data(std::string& out, std::string_view data) {
    append_bytes(out, 'd', data);
}
void append_copy_done(std::string& out) {
    append_empty(out, 'c');
}
void append_copy_fail(std::string& out, std::string_view reason) {
    append_string(out, 'f', reason);
}

void append_sasl_initial_response(std::string& out, std::string_view mechanism,
                                  std::optional<std::string_view> data) {
    MessageWriter message(out, 'p');
    message.string(mechanism);
    message.nullable(data);
}

void append_error(std::string& out, std::string_view sqlstate, std::string_view message,
                  ErrorOptions options) {
    append_fields(out, 'E', sqlstate, message, options);
}

void append_notice(std::string& out, std::string_view sqlstate, std::string_view message) {
    append_fields(out, 'N', sqlstate, message, {.severity = "NOTICE"});
}

void append_authentication_ok(std::string& out) {
    MessageWriter(out, 'R').uint32(static_cast<std::uint32_t>(AuthenticationKind::Ok));
}

void append_authentication_sasl(std::string& out, std::span<const std::string_view> mechanisms) {
    MessageWriter message(out, 'R');
    message.uint32(static_cast<std::uint32_t>(AuthenticationKind::Sasl));
    for (const auto mechanism : mechanisms) message.string(mechanism);
    message.uint8('\0');
}

void append_parameter_status(std::string& out, std::string_view name, std::string_view value) {
    MessageWriter message(out, 'S');
    message.string(name);
    message.string(value);
}

void append_backend_key_data(std::string& out, std::uint32_t process_id, std::string_view secret_key) {
    MessageWriter message(out, 'K');
    message.uint32(process_id);
    message.bytes(secret_key);
}

void append_ready_for_query(std::string& out, char status) {
    MessageWriter(out, 'Z').uint8(status);
}

void append_text_row_description(std::string& out, std::span<const std::string_view> columns) {
    MessageWriter message(out, 'T');
    message.count(columns.size());
    for (const auto column : columns) {
        message.string(column);
        message.uint32(0);  // of no table
        message.uint16(0);  // of no column
        message.uint32(kTextType);
        message.uint16(0xffff);      // size -1: varies
        message.uint32(0xffffffff);  // no type modifier
        message.uint16(0);           // text format
    }
}

void append_text_row(std::string& out, std::span<const std::optional<std::string_view>> values) {
    MessageWriter message(out, 'D');
    message.count(values.size());
    for (const auto& value : values) message.nullable(value);
}

void append_command_complete(std::string& out, std::string_view tag) {
    append_string(out, 'C', tag);
}
void append_empty_query(std::string& out) {
    append_empty(out, 'I');
}
void append_parse_complete(std::string& out) {
    append_empty(out, '1');
}
void append_bind_complete(std::string& out) {
    append_empty(out, '2');
}
void append_close_complete(std::string& out) {
    append_empty(out, '3');
}
void append_no_data(std::string& out) {
    append_empty(out, 'n');
}
void append_portal_suspended(std::string& out) {
    append_empty(out, 's');
}

void append_parameter_description(std::string& out, std::span<const std::uint32_t> types) {
    MessageWriter message(out, 't');
    message.count(types.size());
    for (const auto type : types) message.uint32(type);
}

}  // namespace warmfront::wire
