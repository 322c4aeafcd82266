// proxy/wire/encode.h: whole messages, type and length included, appended to a buffer.
//
// Every function appends to `out` and allocates only when `out` must grow. Strings must hold no zero byte
// (cut there otherwise). A list of more than 65,535 elements or a message above 2 GiB is our bug: the process
// ends. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace warmfront::wire {

using Parameters = std::span<const std::pair<std::string_view, std::string_view>>;

// ---- frontend
void append_startup(std::string& out, std::uint32_t protocol, Parameters parameters);
void append_ssl_request(std::string& out);
void append_cancel_request(std::string& out, std::uint32_t process_id, std::string_view secret_key);
void append_query(std::string& out, std::string_view sql);
void append_parse(std::string& out, std::string_view statement, std::string_view sql,
                  std::span<const std::uint32_t> types);
void append_bind(std::string& out, std::string_view portal, std::string_view statement,
                 std::span<const std::uint16_t> formats,
                 std::span<const std::optional<std::string_view>> values,
                 std::span<const std::uint16_t> result_formats);
void append_describe(std::string& out, char what, std::string_view name);
void append_close(std::string& out, char what, std::string_view name);
void append_execute(std::string& out, std::string_view portal, std::uint32_t row_limit);
void append_sync(std::string& out);
void append_flush(std::string& out);
void append_terminate(std::string& out);
void append_password(std::string& out, std::string_view data);
void append_copy_data(std::string& out, std::string_view data);
void append_copy_done(std::string& out);
void append_copy_fail(std::string& out, std::string_view reason);
void append_sasl_initial_response(std::string& out, std::string_view mechanism,
                                  std::optional<std::string_view> data);

// ---- backend
struct ErrorOptions {
    std::string_view severity = "ERROR";  // ERROR, FATAL, PANIC; also V
    std::string_view detail = {};
    std::string_view hint = {};
};
void append_error(std::string& out, std::string_view sqlstate, std::string_view message,
                  ErrorOptions options = {});
void append_notice(std::string& out, std::string_view sqlstate, std::string_view message);
void append_authentication_ok(std::string& out);
void append_authentication_sasl(std::string& out, std::span<const std::string_view> mechanisms);
void append_parameter_status(std::string& out, std::string_view name, std::string_view value);
void append_backend_key_data(std::string& out, std::uint32_t process_id, std::string_view secret_key);
void append_ready_for_query(std::string& out, char status);
void append_text_row_description(std::string& out,
                                 std::span<const std::string_view> columns);  // all of type text
void append_text_row(std::string& out, std::span<const std::optional<std::string_view>> values);
void append_command_complete(std::string& out, std::string_view tag);
void append_empty_query(std::string& out);
void append_parse_complete(std::string& out);
void append_bind_complete(std::string& out);
void append_close_complete(std::string& out);
void append_no_data(std::string& out);
void append_portal_suspended(std::string& out);
void append_parameter_description(std::string& out, std::span<const std::uint32_t> types);

}  // namespace warmfront::wire
