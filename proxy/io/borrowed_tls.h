// proxy/io/borrowed_tls.h: reads and writes the TLS connection that another library has set up on a
// non-blocking socket.
//
// `ssl` is an OpenSSL SSL*, as libpq's PQsslStruct(connection, "OpenSSL") gives it; its owner keeps owning it
// and uses it no more until it is closed. Never blocks.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace warmfront::io {

struct TlsStep {
    enum class Outcome { Moved, WantsRead, WantsWrite, Ended };  // Ended: closed or broken
    Outcome outcome = Outcome::Ended;
    std::size_t bytes = 0;  // Moved: how many
};
[[nodiscard]] TlsStep read_borrowed(void* ssl, std::span<char> buffer);
[[nodiscard]] TlsStep write_borrowed(void* ssl, std::string_view bytes);

}  // namespace warmfront::io
