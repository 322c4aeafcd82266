#include "tests/proxy/io/support.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace warmfront::io::test {

void run_until(Loop& loop, const std::function<bool()>& holds) {
    bool too_late = false;
    Timer limit(loop, [&] { too_late = true; });
    limit.start_once(std::chrono::minutes(1));
    while (!holds() && !too_late) uv_run(loop.raw(), UV_RUN_ONCE);
    REQUIRE_FALSE(too_late);
}

void settle(Loop& loop) {
    for (int turn = 0; turn < 20; ++turn) uv_run(loop.raw(), UV_RUN_NOWAIT);
}

void Ear::on_bytes(std::string_view received) noexcept {
    if (when_bytes)
        when_bytes(received);
    else
        bytes += received;
}

void Ear::on_closed(const Error& why) noexcept {
    CHECK_FALSE(closed);
    closed = why;
    if (when_closed) when_closed();
}

void Ear::on_drained() noexcept {
    ++drained;
    if (when_drained) when_drained();
}

std::pair<Fd, Fd> tcp_sockets() {
    const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener.get(), raw, length) == 0);
    REQUIRE(::listen(listener.get(), 1) == 0);
    REQUIRE(::getsockname(listener.get(), raw, &length) == 0);
    Fd left(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(left.get(), raw, length) == 0);
    Fd right(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(right);
    return {std::move(left), std::move(right)};
}

std::pair<Fd, Fd> unix_sockets() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    return {Fd(fds[0]), Fd(fds[1])};
}

Ends::Ends(Loop& loop, Kind kind) {
    auto [a, b] = kind == Kind::Unix ? unix_sockets() : tcp_sockets();
    left = std::move(Stream::adopt(loop.raw(), a.release(), kind == Kind::Unix, &left_ear).value());
    right = std::move(Stream::adopt(loop.raw(), b.release(), kind == Kind::Unix, &right_ear).value());
    left->resume_reading();
    right->resume_reading();
    if (kind != Kind::Tls) return;
    int done = 0;
    const auto count = [&done](const Error* error) {
        REQUIRE(error == nullptr);
        ++done;
    };
    right->start_tls_server(certificates().server().get(), false, {}, count);
    left->start_tls_client(certificates().client().get(), "db.example", true, count);
    run_until(loop, [&] { return done == 2; });
}

Directory::Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "warmfront-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
}

Directory::~Directory() {
    std::filesystem::remove_all(path);
}

void Directory::write(const std::string& name, std::string_view text) const {
    std::ofstream(file(name)) << text;
}

namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
        X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), X509_EXTENSION_free);
    REQUIRE(extension);
    REQUIRE(X509_add_ext(certificate, extension.get(), -1) == 1);
}

// issuer null: signs itself.
Certificate make_certificate(const Key& key, const char* name, X509* issuer) {
    Certificate made(X509_new(), X509_free);
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), issuer == nullptr ? 1 : 2);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 24 * 3600);
    X509_set_pubkey(made.get(), key.get());
    X509_NAME* subject = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1,
                               -1, 0);
    X509_set_issuer_name(made.get(), issuer == nullptr ? subject : X509_get_subject_name(issuer));
    if (issuer == nullptr) add_extension(made.get(), made.get(), NID_basic_constraints, "critical,CA:TRUE");
    return made;
}

using File = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

void save(const std::string& path, X509* certificate) {
    const File file(std::fopen(path.c_str(), "w"), std::fclose);
    REQUIRE(PEM_write_X509(file.get(), certificate) == 1);
}

void save(const std::string& path, EVP_PKEY* key) {
    const File file(std::fopen(path.c_str(), "w"), std::fclose);
    REQUIRE(::chmod(path.c_str(), 0600) == 0);
    REQUIRE(PEM_write_PrivateKey(file.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
}

}  // namespace

Certificates::Certificates(const std::string& names) {
    const Key root_key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const Certificate root_certificate = make_certificate(root_key, "test authority", nullptr);
    REQUIRE(X509_sign(root_certificate.get(), root_key.get(), EVP_sha256()) > 0);
    const Key server_key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const Certificate server = make_certificate(server_key, "server", root_certificate.get());
    add_extension(server.get(), root_certificate.get(), NID_subject_alt_name, names);
    REQUIRE(X509_sign(server.get(), root_key.get(), EVP_sha256()) > 0);
    save(root, root_certificate.get());
    save(cert, server.get());
    save(key, server_key.get());
}

TlsContext Certificates::server() const {
    return make_server_context(cert, key).value();
}

TlsContext Certificates::client(SslMode mode) const {
    TlsClientOptions options;
    options.sslmode = mode;
    options.sslrootcert = root;
    return make_client_context(options).value();
}

const Certificates& certificates() {
    static const Certificates made;
    return made;
}

}  // namespace warmfront::io::test
