// proxy/io/tls.h: what TLS needs before there is a connection: certificates, keys and how much of the peer is
// verified.
//
// Contexts are immutable once made and may be shared by threads; a running connection keeps the one it began
// with, so replacing a context (a renewed certificate) touches new connections only. Always: TLS 1.2 or
// newer, no renegotiation, no compression, no session tickets (as PostgreSQL).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "config/result.h"

namespace warmfront::io {

using TlsContext = std::shared_ptr<SSL_CTX>;

// libpq's sslmode (PostgreSQL manual, "SSL Support", "Protection Provided in Different Modes").
enum class SslMode { Disable, Allow, Prefer, Require, VerifyCa, VerifyFull };
[[nodiscard]] std::optional<SslMode> sslmode_of(std::string_view name);
[[nodiscard]] std::string_view name_of(SslMode mode);

// cert_file: PEM, the server's certificate first, then the intermediate ones. key_file: PEM, without a
// passphrase, and as PostgreSQL demands not open to others: 0600 or less, or 0640 or less if root owns it.
// ALPN: "postgresql" is chosen when offered, a client that offers only other protocols is refused. Fails with
// F0000 (config_file_error), the file's name and the reason.
[[nodiscard]] Result<TlsContext> make_server_context(const std::string& cert_file,
                                                     const std::string& key_file);

// As libpq's parameters of the same names. Empty files: ~/.postgresql/root.crt, postgresql.crt,
// postgresql.key and root.crl, each only if it exists.
struct TlsClientOptions {
    SslMode sslmode = SslMode::Prefer;
    std::string sslrootcert;  // "system": OpenSSL's own trusted roots, with verify-full only
    std::string sslcert;
    std::string sslkey;
    std::string sslpassword;  // of sslkey
    std::string sslcrl;
    std::string sslcrldir;
    std::string ssl_min_protocol_version;  // "TLSv1.2" (also when empty), "TLSv1.3"
    std::string ssl_max_protocol_version;
};

// As libpq: the certificate chain is verified in every mode if the root certificate's file exists (so
// `require` with one is as verify-ca); verify-ca and verify-full fail without it. Whether the name is
// verified is the connection's business (Stream::start_tls_client). Fails with F0000, the file's name and the
// reason.
[[nodiscard]] Result<TlsContext> make_client_context(const TlsClientOptions& options);

// Why OpenSSL failed just now on this thread, for people; empties its error queue.
[[nodiscard]] std::string openssl_reason();

}  // namespace warmfront::io
