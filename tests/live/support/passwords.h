// tests/live/support/passwords.h: the client's side of PostgreSQL's password exchanges (manual, "SASL
// Authentication"; RFC 5802, RFC 7677), without channel binding. Passwords are taken as ASCII: no SASLprep.
#pragma once

#include <string>
#include <string_view>

namespace warmfront::test {

// The answer to AuthenticationMD5Password, without its terminator.
std::string md5_answer(std::string_view user, std::string_view password, std::string_view salt);

// One SCRAM-SHA-256 exchange, its steps in this order.
class ScramClient {
public:
    explicit ScramClient(std::string password);
    std::string initial_response();  // body of SASLInitialResponse
    std::string answer(
        std::string_view server_first);  // to AuthenticationSASLContinue; empty if that is malformed
    [[nodiscard]] bool proves_server(std::string_view server_final) const;

private:
    std::string password_;
    std::string client_first_bare_;
    std::string server_signature_;
};

}  // namespace warmfront::test
