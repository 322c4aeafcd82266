// tests/live/support/raw_client.h: a PostgreSQL client that sends whatever it is told and shows every message
// as it came.
//
// Blocking, without TLS, one thread at a time. It cuts messages itself, in ten lines, so that a fault of the
// proxy's framer cannot hide behind itself. Errors: 57014 after the timeout, 08006 when the connection is
// gone.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/result.h"
#include "tests/live/support/socket.h"

namespace warmfront::test {

struct Message {
    char type = 0;
    std::string body;
    bool operator==(const Message&) const = default;
};
using Messages = std::vector<Message>;

class RawClient {
public:
    struct Options {
        std::uint16_t port = 0;
        std::string user = "postgres";
        std::string database = "postgres";
        std::string password = {};
        std::vector<std::pair<std::string, std::string>> parameters =
            {};  // of the startup message, after these two
        std::chrono::seconds timeout{60};
    };
    // Logs in (trust, password, md5, SCRAM-SHA-256). Refused: the SQLSTATE and text of the server's
    // ErrorResponse.
    static Result<RawClient> connect(const Options& options);

    // What came from AuthenticationOk to ReadyForQuery.
    [[nodiscard]] const Messages& greeting() const { return greeting_; }
    [[nodiscard]] std::uint32_t process_id() const { return process_id_; }
    [[nodiscard]] const std::string& secret_key() const { return secret_key_; }
    [[nodiscard]] Socket& socket() { return socket_; }

    [[nodiscard]] Result<void> send(std::string_view bytes) { return socket_.send(bytes); }
    [[nodiscard]] Result<Message> receive();
    // Up to and with the `count`th ReadyForQuery.
    [[nodiscard]] Result<Messages> receive_until_ready(unsigned count = 1);
    // A simple query and its whole answer.
    [[nodiscard]] Result<Messages> query(std::string_view sql);

private:
    explicit RawClient(Socket socket) : socket_(std::move(socket)) {}
    Result<void> log_in(const Options& options);
    Result<void> authenticate(const Options& options);

    Socket socket_;
    std::unique_ptr<std::array<char, 64 * 1024>> received_ = std::make_unique<std::array<char, 64 * 1024>>();
    std::string unread_;
    std::size_t read_ = 0;  // bytes of unread_ that are done with
    Messages greeting_;
    std::uint32_t process_id_ = 0;
    std::string secret_key_;
};

// Asks the server at `port` to cancel what that client runs; returns when the server has closed the
// connection.
Result<void> cancel(std::uint16_t port, std::uint32_t process_id, std::string_view secret_key);

// ---- reading answers
std::string sqlstate_of(const Messages& messages);  // of the first ErrorResponse; empty if there is none
std::string error_text_of(const Messages& messages);
char status_of(const Messages& messages);       // of the last ReadyForQuery: I, T or E; 0 if there is none
std::string rows_of(const Messages& messages);  // "1|a\n2|NULL\n": all DataRows, values as they came
std::string tag_of(const Messages& messages);   // of the last CommandComplete
std::string show(const Message& message);       // one line for a person
std::string show(const Messages& messages);

// The value, or a std::runtime_error with the Error's text: for what must work in a test.
template <typename T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().sqlstate + ": " + result.error().text);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}
// query() of what must succeed: throws the server's error; returns rows_of.
std::string rows(RawClient& client, std::string_view sql);

}  // namespace warmfront::test
