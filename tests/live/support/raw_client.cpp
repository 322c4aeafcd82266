#include "tests/live/support/raw_client.h"

#include <cstring>
#include <memory>
#include <stdexcept>

#include <arpa/inet.h>

#include "proxy/wire/encode.h"
#include "proxy/wire/messages.h"
#include "tests/live/support/passwords.h"

namespace warmfront::test {

Result<RawClient> RawClient::connect(const Options& options) {
    auto socket = Socket::connect("127.0.0.1", options.port, options.timeout);
    if (!socket) return tl::unexpected(socket.error());
    RawClient client(std::move(*socket));
    if (auto logged_in = client.log_in(options); !logged_in) return tl::unexpected(logged_in.error());
    return client;
}

static Error server_error(const Message& message) {
    const auto fields = wire::decode_error_fields(message.body);
    if (!fields) return fields.error();
    return {std::string(fields->field('C')), std::string(fields->field('M'))};
}

Result<void> RawClient::log_in(const Options& options) {
    std::vector<std::pair<std::string_view, std::string_view>> parameters = {{"user", options.user},
                                                                             {"database", options.database}};
    for (const auto& [name, value] : options.parameters) parameters.emplace_back(name, value);
    std::string out;
    wire::append_startup(out, wire::kProtocol30, parameters);
    if (auto sent = send(out); !sent) return sent;
    if (auto done = authenticate(options); !done) return done;
    for (;;) {
        auto message = receive();
        if (!message) return tl::unexpected(message.error());
        if (message->type == 'E') return tl::unexpected(server_error(*message));
        if (message->type == 'K') {
            const auto key = wire::decode_backend_key_data(message->body);
            if (!key) return tl::unexpected(key.error());
            process_id_ = key->process_id;
            secret_key_ = key->secret_key;
        }
        greeting_.push_back(std::move(*message));
        if (greeting_.back().type == 'Z') return {};
    }
}

Result<void> RawClient::authenticate(const Options& options) {
    ScramClient scram(options.password);
    for (;;) {
        auto message = receive();
        if (!message) return tl::unexpected(message.error());
        if (message->type == 'E') return tl::unexpected(server_error(*message));
        const auto request = message->type == 'R'
                                 ? wire::decode_authentication(message->body)
                                 : fail("08P01", "not an Authentication message: " + show(*message));
        if (!request) return tl::unexpected(request.error());
        std::string out;
        switch (static_cast<wire::AuthenticationKind>(request->kind)) {
            case wire::AuthenticationKind::Ok: greeting_.push_back(std::move(*message)); return {};
            case wire::AuthenticationKind::CleartextPassword:
                wire::append_password(out, options.password + '\0');
                break;
            case wire::AuthenticationKind::Md5Password:
                wire::append_password(out, md5_answer(options.user, options.password, request->data) + '\0');
                break;
            case wire::AuthenticationKind::Sasl: wire::append_password(out, scram.initial_response()); break;
            case wire::AuthenticationKind::SaslContinue:
                wire::append_password(out, scram.answer(request->data));
                break;
            case wire::AuthenticationKind::SaslFinal:
                if (!scram.proves_server(request->data))
                    return fail("28P01", "the server's SCRAM signature is wrong");
                continue;
            default: return fail("0A000", "authentication kind " + std::to_string(request->kind));
        }
        if (auto sent = send(out); !sent) return sent;
    }
}

Result<Message> RawClient::receive() {
    for (;;) {
        const std::string_view rest = std::string_view(unread_).substr(read_);
        if (rest.size() >= 5) {
            std::uint32_t length = 0;
            std::memcpy(&length, rest.data() + 1, 4);
            length = ntohl(length);
            if (length < 4) return fail("08P01", "a message of length " + std::to_string(length));
            if (rest.size() > length) {
                read_ += length + 1;
                return Message{rest[0], std::string(rest.substr(5, length - 4))};
            }
        }
        unread_.erase(0, std::exchange(read_, 0));
        const auto got = socket_.receive_some(received_->data(), received_->size());
        if (!got) return tl::unexpected(got.error());
        unread_.append(received_->data(), *got);
        if (*got == 0) return fail("08006", "the server closed the connection");
    }
}

Result<Messages> RawClient::receive_until_ready(unsigned count) {
    Messages messages;
    while (count > 0) {
        auto message = receive();
        if (!message) return tl::unexpected(message.error());
        if (message->type == 'Z') --count;
        messages.push_back(std::move(*message));
    }
    return messages;
}

Result<Messages> RawClient::query(std::string_view sql) {
    std::string out;
    wire::append_query(out, sql);
    if (auto sent = send(out); !sent) return tl::unexpected(sent.error());
    return receive_until_ready();
}

Result<void> cancel(std::uint16_t port, std::uint32_t process_id, std::string_view secret_key) {
    const auto socket = Socket::connect("127.0.0.1", port, std::chrono::seconds(30));
    if (!socket) return tl::unexpected(socket.error());
    std::string out;
    wire::append_cancel_request(out, process_id, secret_key);
    if (auto sent = socket->send(out); !sent) return sent;
    char byte = 0;
    const auto end = socket->receive_some(&byte, 1);
    if (!end) return tl::unexpected(end.error());
    return {};
}

static const Message* first_of(const Messages& messages, char type) {
    for (const auto& message : messages)
        if (message.type == type) return &message;
    return nullptr;
}

std::string sqlstate_of(const Messages& messages) {
    const Message* error = first_of(messages, 'E');
    return error == nullptr ? std::string() : server_error(*error).sqlstate;
}

std::string error_text_of(const Messages& messages) {
    const Message* error = first_of(messages, 'E');
    return error == nullptr ? std::string() : server_error(*error).text;
}

char status_of(const Messages& messages) {
    for (auto message = messages.rbegin(); message != messages.rend(); ++message)
        if (message->type == 'Z' && message->body.size() == 1) return message->body[0];
    return 0;
}

std::string rows_of(const Messages& messages) {
    std::string text;
    for (const auto& message : messages) {
        if (message.type != 'D') continue;
        const auto values = wire::decode_data_row(message.body);
        if (!values) return values.error().text;
        std::string_view separator;
        for (const auto& value : *values) {
            text.append(separator).append(value.value_or("NULL"));
            separator = "|";
        }
        text += '\n';
    }
    return text;
}

std::string tag_of(const Messages& messages) {
    std::string tag;
    for (const auto& message : messages)
        if (message.type == 'C') tag = message.body.c_str();
    return tag;
}

std::string show(const Message& message) {
    std::string text{message.type, ' '};
    for (const char byte : message.body.substr(0, 600)) {
        if (byte >= ' ' && byte <= '~') {
            text += byte;
        } else {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\%02x", static_cast<unsigned char>(byte));
            text += escaped;
        }
    }
    if (message.body.size() > 600) text += "... " + std::to_string(message.body.size()) + " bytes";
    return text;
}

std::string show(const Messages& messages) {
    std::string text;
    for (const auto& message : messages) text += show(message) + '\n';
    return text;
}

std::string rows(RawClient& client, std::string_view sql) {
    const auto answer = must(client.query(sql));
    if (!sqlstate_of(answer).empty())
        throw std::runtime_error(sqlstate_of(answer) + ": " + error_text_of(answer) + " in " +
                                 std::string(sql));
    return rows_of(answer);
}

}  // namespace warmfront::test
