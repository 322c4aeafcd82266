// proxy/io/tls_session.h: one TLS connection over a non-blocking socket: handshake, records in, records out.
//
// Reads the socket itself, a bounded number of bytes per event. Never writes to it: what is to be sent is
// appended to `out`, which the owner sends and empties after every call. Lives on its loop's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "config/result.h"

namespace warmfront::io {

class TlsSession {
public:
    // `received`: bytes of the peer that were read from the socket already. alpn_required: see Stream.
    struct Server {
        SSL_CTX* context;
        bool alpn_required;
        std::string_view received;
    };
    // An IP address as server_name is checked as such and not sent as SNI (RFC 6066).
    struct Client {
        SSL_CTX* context;
        const std::string& server_name;
        bool verify_name;
    };
    // Both fail with 08006.
    static Result<std::unique_ptr<TlsSession>> make(int socket, std::string& out, const Server& role);
    static Result<std::unique_ptr<TlsSession>> make(int socket, std::string& out, const Client& role);
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    // How many bytes may be taken from the socket until the next allow_reading(). A read that the socket
    // cannot fill ends the allowance too: the socket is empty then.
    void allow_reading(std::size_t bytes) { allowance_ = bytes; }

    // True when the handshake is complete, false when it waits for the peer. Fails with 08006 and the reason
    // in words.
    [[nodiscard]] Result<bool> handshake();
    // Decrypted bytes; empty: none for now. Fails with 08003 when the peer said good-bye, 08006 when it did
    // not or what it sent is broken.
    [[nodiscard]] Result<std::string_view> read(std::span<char> buffer);
    // Something received, or the end, has not been given out by read() yet.
    [[nodiscard]] bool has_pending() const;
    [[nodiscard]] Result<void> write(std::string_view bytes);
    void say_goodbye();

    [[nodiscard]] std::string version() const { return SSL_get_version(ssl_.get()); }

private:
    struct SslFree {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
    };
    TlsSession(int socket, std::string& out) : socket_(socket), out_(out) {}
    static Result<std::unique_ptr<TlsSession>> make(int socket, std::string& out, SSL_CTX* context);
    static const BIO_METHOD* socket_method();
    static int on_bio_read(BIO* bio, char* to, int length);
    static int on_bio_write(BIO* bio, const char* bytes, int length);
    static long on_bio_control(BIO* bio, int command, long number, void* pointer);
    [[nodiscard]] Error failure(int result, std::string_view doing) const;

    int socket_;
    std::string& out_;
    std::string received_;  // before anything from the socket
    std::size_t allowance_ = 0;
    int socket_error_ = 0;  // errno of the last failed read
    bool socket_end_ = false;
    bool at_end_ = false;  // read() has met the end or an error
    bool alpn_required_ = false;
    std::string expected_name_;  // that the certificate must show; empty: any
    std::unique_ptr<SSL, SslFree> ssl_;
};

}  // namespace warmfront::io
