// OpenSSL reads the socket through a BIO of ours. With read-ahead it takes as much as is there, so a record
// costs one system call, and its buffers are given back when they are empty (idle connections hold none).
// Memory BIOs, the usual way, would copy all bytes once more and grow without a bound when the reader pauses.
#include "proxy/io/tls_session.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include "proxy/io/socket.h"
#include "proxy/io/tls.h"

namespace warmfront::io {

static TlsSession& session_of(BIO* bio) {
    return *static_cast<TlsSession*>(BIO_get_data(bio));
}

int TlsSession::on_bio_read(BIO* bio, char* to, int length) {
    BIO_clear_retry_flags(bio);
    auto& self = session_of(bio);
    const auto wanted = static_cast<std::size_t>(std::max(length, 0));
    if (!self.received_.empty()) {
        const std::size_t count = std::min(wanted, self.received_.size());
        std::memcpy(to, self.received_.data(), count);
        self.received_.erase(0, count);
        return static_cast<int>(count);
    }
    if (self.allowance_ == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    ssize_t got = 0;
    do got = ::recv(self.socket_, to, wanted, 0);
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        const auto count = static_cast<std::size_t>(got);
        self.allowance_ = count < wanted ? 0 : self.allowance_ - std::min(self.allowance_, count);
        return static_cast<int>(got);
    }
    self.allowance_ = 0;
    if (got == 0) {
        self.socket_end_ = true;
        return 0;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        BIO_set_retry_read(bio);
    else
        self.socket_error_ = errno;
    return -1;
}

int TlsSession::on_bio_write(BIO* bio, const char* bytes, int length) {
    BIO_clear_retry_flags(bio);
    session_of(bio).out_.append(bytes, static_cast<std::size_t>(length));
    return length;
}

long TlsSession::on_bio_control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_FLUSH) return 1;
    if (command == BIO_CTRL_EOF) return session_of(bio).socket_end_ ? 1 : 0;
    return 0;
}

const BIO_METHOD* TlsSession::socket_method() {
    static const std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)> method = [] {
        std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)> made(
            BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket"), BIO_meth_free);
        BIO_meth_set_read(made.get(), on_bio_read);
        BIO_meth_set_write(made.get(), on_bio_write);
        BIO_meth_set_ctrl(made.get(), on_bio_control);
        return made;
    }();
    return method.get();
}

Result<std::unique_ptr<TlsSession>> TlsSession::make(int socket, std::string& out, SSL_CTX* context) {
    std::unique_ptr<TlsSession> made(new TlsSession(socket, out));
    made->ssl_.reset(SSL_new(context));
    BIO* bio = made->ssl_ ? BIO_new(socket_method()) : nullptr;
    if (bio == nullptr) return fail("08006", "TLS could not be started: " + openssl_reason());
    BIO_set_data(bio, made.get());
    BIO_set_init(bio, 1);
    SSL_set_bio(made->ssl_.get(), bio, bio);
    SSL_set_read_ahead(made->ssl_.get(), 1);
    return made;
}

Result<std::unique_ptr<TlsSession>> TlsSession::make(int socket, std::string& out, const Server& role) {
    auto made = make(socket, out, role.context);
    if (!made) return made;
    (*made)->received_ = role.received;
    (*made)->alpn_required_ = role.alpn_required;
    SSL_set_accept_state((*made)->ssl_.get());
    return made;
}

static bool is_ip_address(const std::string& name) {
    unsigned char bytes[16];
    return inet_pton(AF_INET, name.c_str(), bytes) == 1 || inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

Result<std::unique_ptr<TlsSession>> TlsSession::make(int socket, std::string& out, const Client& role) {
    auto made = make(socket, out, role.context);
    if (!made) return made;
    SSL* ssl = (*made)->ssl_.get();
    SSL_set_connect_state(ssl);
    const std::string& name = role.server_name;
    const bool is_ip = is_ip_address(name);
    bool set = name.empty() || is_ip || SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
    if (set && role.verify_name) {
        if (name.empty()) return fail("08006", "a host name is needed to verify the server's certificate");
        X509_VERIFY_PARAM* verify = SSL_get0_param(ssl);
        X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        set = is_ip ? X509_VERIFY_PARAM_set1_ip_asc(verify, name.c_str()) == 1
                    : X509_VERIFY_PARAM_set1_host(verify, name.data(), name.size()) == 1;
        (*made)->expected_name_ = name;
    }
    if (!set)
        return fail("08006",
                    fmt::format("\"{}\" cannot be used as TLS server name: {}", name, openssl_reason()));
    return made;
}

Error TlsSession::failure(int result, std::string_view doing) const {
    const int kind = SSL_get_error(ssl_.get(), result);
    if (socket_end_) return {"08006", fmt::format("the peer closed the connection during {}", doing)};
    if (socket_error_ != 0) return {"08006", fmt::format("{} failed: {}", doing, errno_text(socket_error_))};
    const long verify = SSL_get_verify_result(ssl_.get());
    std::string reason = openssl_reason();
    if (verify == X509_V_ERR_HOSTNAME_MISMATCH || verify == X509_V_ERR_IP_ADDRESS_MISMATCH)
        reason = fmt::format("the server's certificate is not for \"{}\"", expected_name_);
    else if (verify != X509_V_OK)
        reason = fmt::format("certificate verify failed: {}", X509_verify_cert_error_string(verify));
    else if (kind != SSL_ERROR_SSL)
        reason = "protocol error";
    return {"08006", fmt::format("{} failed: {}", doing, reason)};
}

Result<bool> TlsSession::handshake() {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result != 1) {
        const int kind = SSL_get_error(ssl_.get(), result);
        if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return false;
        return tl::unexpected(failure(result, "the TLS handshake"));
    }
    const unsigned char* protocol = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl_.get(), &protocol, &length);
    if (alpn_required_ && length == 0)
        return fail("08006", "direct TLS without the ALPN protocol \"postgresql\"");
    return true;
}

Result<std::string_view> TlsSession::read(std::span<char> buffer) {
    std::size_t filled = 0;
    while (filled < buffer.size()) {
        ERR_clear_error();
        std::size_t got = 0;
        const int result = SSL_read_ex(ssl_.get(), buffer.data() + filled, buffer.size() - filled, &got);
        if (result == 1) {
            filled += got;
            continue;
        }
        const int kind = SSL_get_error(ssl_.get(), result);
        if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) break;
        // What was decrypted before the end is given out first; the next call finds the end again.
        at_end_ = true;
        if (filled > 0) break;
        if (kind == SSL_ERROR_ZERO_RETURN) return fail("08003", "the peer closed the connection");
        return tl::unexpected(failure(result, "TLS"));
    }
    return std::string_view(buffer.data(), filled);
}

bool TlsSession::has_pending() const {
    return at_end_ || !received_.empty() || SSL_has_pending(ssl_.get()) == 1;
}

Result<void> TlsSession::write(std::string_view bytes) {
    if (bytes.empty()) return {};
    ERR_clear_error();
    std::size_t taken = 0;  // all: our BIO takes everything
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &taken);
    if (result != 1) return tl::unexpected(failure(result, "TLS"));
    return {};
}

void TlsSession::say_goodbye() {
    ERR_clear_error();
    (void)SSL_shutdown(ssl_.get());
}

}  // namespace warmfront::io
