#include "tests/live/support/files.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/live/support/child_process.h"

namespace warmfront::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

TemporaryDirectory::TemporaryDirectory(std::string_view purpose, const Account* owner) {
    path_ = (fs::temp_directory_path() / ("warmfront-" + std::string(purpose) + "-XXXXXX")).string();
    if (mkdtemp(path_.data()) == nullptr)
        throw std::runtime_error("cannot make " + path_ + ": " + std::strerror(errno));
    if (owner != nullptr) give_to(*owner, path_);
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;  // a process that is just dying may still hold or make files
    fs::remove_all(path_, ignored);
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, std::string_view text) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text;
    if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

void give_to(const Account& account, const std::string& path) {
    if (chown(path.c_str(), account.uid, account.gid) != 0)
        throw std::runtime_error("cannot give away " + path + ": " + std::strerror(errno));
}

std::uint16_t free_port() {
    static std::minstd_rand random{std::random_device{}()};
    for (int attempt = 0; attempt < 200; ++attempt) {
        const auto port = static_cast<std::uint16_t>(20'000 + random() % 12'000);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const bool is_free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
        close(fd);
        if (is_free) return port;
    }
    throw std::runtime_error("no free port between 20000 and 32000");
}

std::optional<std::string> environment(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
    const auto text = environment(name);
    return text ? std::stoull(*text) : otherwise;
}

bool long_form() {
    return environment("WARMFRONT_LONG").has_value();
}

void make_certificate(const std::string& directory, const Account* owner) {
    const std::string key = directory + "/server.key";
    const std::string certificate = directory + "/server.crt";
    run_or_throw(
        {.command = {"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj",
                     "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key,
                     "-out", certificate}},
        30s);
    chmod(key.c_str(), 0600);
    if (owner != nullptr) {
        give_to(*owner, key);
        give_to(*owner, certificate);
    }
}

}  // namespace warmfront::test
