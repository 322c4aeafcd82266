#include "proxy/io/borrowed_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace warmfront::io {
namespace {

TlsStep judged(SSL* ssl, int result, std::size_t bytes) {
    using enum TlsStep::Outcome;
    if (result == 1) return {Moved, bytes};
    switch (SSL_get_error(ssl, result)) {
        case SSL_ERROR_WANT_READ: return {WantsRead, 0};
        case SSL_ERROR_WANT_WRITE: return {WantsWrite, 0};
        default: return {Ended, 0};
    }
}

}  // namespace

TlsStep read_borrowed(void* ssl, std::span<char> buffer) {
    auto* const borrowed = static_cast<SSL*>(ssl);
    ERR_clear_error();
    std::size_t bytes = 0;
    const int result = SSL_read_ex(borrowed, buffer.data(), buffer.size(), &bytes);
    return judged(borrowed, result, bytes);
}

TlsStep write_borrowed(void* ssl, std::string_view bytes) {
    auto* const borrowed = static_cast<SSL*>(ssl);
    ERR_clear_error();
    std::size_t written = 0;
    const int result = SSL_write_ex(borrowed, bytes.data(), bytes.size(), &written);
    return judged(borrowed, result, written);
}

}  // namespace warmfront::io
