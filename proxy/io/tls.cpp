#include "proxy/io/tls.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/io/socket.h"

namespace warmfront::io {

static constexpr std::string_view kConfigError = "F0000";
// Two records at a time: fewer reads for bulk data.
static constexpr std::size_t kReadAheadBytes = 32 * 1024;

static constexpr std::array<std::pair<std::string_view, SslMode>, 6> kSslModes{{
    {"disable", SslMode::Disable},
    {"allow", SslMode::Allow},
    {"prefer", SslMode::Prefer},
    {"require", SslMode::Require},
    {"verify-ca", SslMode::VerifyCa},
    {"verify-full", SslMode::VerifyFull},
}};

std::optional<SslMode> sslmode_of(std::string_view name) {
    for (const auto& [known, mode] : kSslModes)
        if (known == name) return mode;
    return std::nullopt;
}

std::string_view name_of(SslMode mode) {
    return kSslModes[static_cast<std::size_t>(mode)].first;
}

std::string openssl_reason() {
    // The first is the cause, the later ones say who stumbled over it.
    const unsigned long code = ERR_peek_error();
    ERR_clear_error();
    if (code == 0) return "unknown reason";
    if (ERR_SYSTEM_ERROR(code)) return errno_text(ERR_GET_REASON(code));
    const char* reason = ERR_reason_error_string(code);
    return reason != nullptr ? reason : fmt::format("OpenSSL error {:#x}", code);
}

static tl::unexpected<Error> file_failure(std::string_view what, const std::string& file,
                                          const std::string& why) {
    return fail(kConfigError, fmt::format("{} \"{}\": {}", what, file, why));
}

static Result<TlsContext> make_context(const SSL_METHOD* method) {
    ERR_clear_error();
    TlsContext context(SSL_CTX_new(method), SSL_CTX_free);
    if (!context) return fail(kConfigError, "TLS is not available: " + openssl_reason());
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context.get(), 0);
    // Idle connections hold no buffers.
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_default_read_buffer_len(context.get(), kReadAheadBytes);
    // Never the terminal: a daemon that asks for a passphrase hangs.
    SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return -1; });
    return context;
}

static Result<void> check_key_permissions(const std::string& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return file_failure("private key file", file, errno_text(errno));
    if (!S_ISREG(status.st_mode)) return file_failure("private key file", file, "not a regular file");
    const mode_t too_much = status.st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
    if ((status.st_mode & too_much) != 0)
        return file_failure(
            "private key file", file,
            "has group or world access; permissions must be u=rw (0600) or less if owned by the "
            "current user, or u=rw,g=r (0640) or less if owned by root");
    return {};
}

static Result<void> use_key_pair(SSL_CTX* context, const std::string& cert_file,
                                 const std::string& key_file) {
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, cert_file.c_str()) != 1)
        return file_failure("certificate file", cert_file, openssl_reason());
    if (auto checked = check_key_permissions(key_file); !checked) return checked;
    if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
        return file_failure("private key file", key_file, openssl_reason());
    if (SSL_CTX_check_private_key(context) != 1)
        return file_failure(
            "private key file", key_file,
            fmt::format("does not belong to certificate \"{}\": {}", cert_file, openssl_reason()));
    return {};
}

static constexpr std::string_view kAlpn = "\x0apostgresql";  // length byte first, as on the wire

static int choose_alpn(SSL*, const unsigned char** out, unsigned char* out_length,
                       const unsigned char* offered, unsigned offered_length, void*) {
    const auto* ours = reinterpret_cast<const unsigned char*>(kAlpn.data());
    unsigned char* chosen = nullptr;
    const int result = SSL_select_next_proto(&chosen, out_length, ours, static_cast<unsigned>(kAlpn.size()),
                                             offered, offered_length);
    *out = chosen;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Result<TlsContext> make_server_context(const std::string& cert_file, const std::string& key_file) {
    auto context = make_context(TLS_server_method());
    if (!context) return context;
    if (auto used = use_key_pair(context->get(), cert_file, key_file); !used)
        return tl::unexpected(used.error());
    SSL_CTX_set_options(context->get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_alpn_select_cb(context->get(), choose_alpn, nullptr);
    return context;
}

static std::string home_file(const char* name) {
    const char* home = std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe): nobody sets it
    if (home != nullptr && *home != '\0') return fmt::format("{}/.postgresql/{}", home, name);
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 4096> buffer;
    if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
        return {};
    return fmt::format("{}/.postgresql/{}", entry.pw_dir, name);
}

static bool exists(const std::string& file) {
    struct stat status {};
    return !file.empty() && ::stat(file.c_str(), &status) == 0;
}

static Result<void> use_revocation_lists(SSL_CTX* context, const TlsClientOptions& options) {
    std::string file = options.sslcrl;
    const bool chosen = !file.empty() || !options.sslcrldir.empty();
    if (!chosen) file = home_file("root.crl");
    if (!chosen && !exists(file)) return {};
    X509_STORE* store = SSL_CTX_get_cert_store(context);
    if (X509_STORE_load_locations(store, file.empty() ? nullptr : file.c_str(),
                                  options.sslcrldir.empty() ? nullptr : options.sslcrldir.c_str()) != 1)
        return file_failure("certificate revocation list", file.empty() ? options.sslcrldir : file,
                            openssl_reason());
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return {};
}

static Result<void> use_roots(SSL_CTX* context, const TlsClientOptions& options) {
    const bool must_verify = options.sslmode == SslMode::VerifyCa || options.sslmode == SslMode::VerifyFull;
    if (options.sslrootcert == "system") {
        if (options.sslmode != SslMode::VerifyFull)
            return fail(kConfigError,
                        fmt::format("sslrootcert=system needs sslmode=verify-full, not {}: anybody can "
                                    "get a certificate from a public authority",
                                    name_of(options.sslmode)));
        if (SSL_CTX_set_default_verify_paths(context) != 1)
            return fail(kConfigError, "the system's root certificates: " + openssl_reason());
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
        return use_revocation_lists(context, options);
    }
    const std::string file = options.sslrootcert.empty() ? home_file("root.crt") : options.sslrootcert;
    if (!exists(file)) {
        if (!must_verify) return {};
        return file_failure("root certificate file", file,
                            fmt::format("does not exist; provide it, use the system's trusted roots with "
                                        "sslrootcert=system, or change sslmode={}",
                                        name_of(options.sslmode)));
    }
    if (SSL_CTX_load_verify_locations(context, file.c_str(), nullptr) != 1)
        return file_failure("root certificate file", file, openssl_reason());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    return use_revocation_lists(context, options);
}

static Result<void> use_client_certificate(SSL_CTX* context, const TlsClientOptions& options) {
    const std::string cert = options.sslcert.empty() ? home_file("postgresql.crt") : options.sslcert;
    if (!exists(cert)) {
        if (options.sslcert.empty()) return {};
        return file_failure("certificate file", cert, errno_text(errno));
    }
    // Only while the key is loaded: the options do not outlive this call.
    SSL_CTX_set_default_passwd_cb_userdata(context, const_cast<std::string*>(&options.sslpassword));
    SSL_CTX_set_default_passwd_cb(context, [](char* to, int size, int, void* from) {
        const auto& password = *static_cast<const std::string*>(from);
        if (password.empty() || password.size() > static_cast<std::size_t>(size)) return -1;
        std::memcpy(to, password.data(), password.size());
        return static_cast<int>(password.size());
    });
    auto used =
        use_key_pair(context, cert, options.sslkey.empty() ? home_file("postgresql.key") : options.sslkey);
    SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return -1; });
    SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
    return used;
}

static Result<int> protocol_version(const std::string& name, const char* setting, int otherwise) {
    if (name.empty()) return otherwise;
    if (name == "TLSv1.3") return TLS1_3_VERSION;
    // libpq knows 1.0 and 1.1 too; below 1.2 this program does not go.
    if (name == "TLSv1.2" || name == "TLSv1.1" || name == "TLSv1") return TLS1_2_VERSION;
    return fail(kConfigError, fmt::format("{}=\"{}\": expected TLSv1.2 or TLSv1.3", setting, name));
}

static Result<void> use_versions(SSL_CTX* context, const TlsClientOptions& options) {
    const auto lowest =
        protocol_version(options.ssl_min_protocol_version, "ssl_min_protocol_version", TLS1_2_VERSION);
    if (!lowest) return tl::unexpected(lowest.error());
    const auto highest =
        protocol_version(options.ssl_max_protocol_version, "ssl_max_protocol_version", TLS1_3_VERSION);
    if (!highest) return tl::unexpected(highest.error());
    if (*lowest > *highest)
        return fail(kConfigError, "ssl_min_protocol_version is above ssl_max_protocol_version");
    SSL_CTX_set_min_proto_version(context, *lowest);
    SSL_CTX_set_max_proto_version(context, *highest);
    return {};
}

Result<TlsContext> make_client_context(const TlsClientOptions& options) {
    auto context = make_context(TLS_client_method());
    if (!context) return context;
    for (const auto& use : {use_versions, use_roots, use_client_certificate})
        if (auto used = use(context->get(), options); !used) return tl::unexpected(used.error());
    return context;
}

}  // namespace warmfront::io
