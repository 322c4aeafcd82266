// tests/live/support/files.h: temporary directories, ports, and other things a live test needs of its
// machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace warmfront::test {

struct Account;

// A fresh directory, removed with all that is in it.
class TemporaryDirectory {
public:
    explicit TemporaryDirectory(std::string_view purpose, const Account* owner = nullptr);
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

std::string read_file(const std::string& path);  // empty if it cannot be read
void write_file(const std::string& path, std::string_view text);
void give_to(const Account& account, const std::string& path);

// A TCP port of 127.0.0.1 that nobody listens on, below the range that the kernel takes for outgoing
// connections.
std::uint16_t free_port();

// The long forms of the tests run for minutes more: WARMFRONT_LONG=1.
bool long_form();
std::optional<std::string> environment(const char* name);
// Of what chance is made, and how much of it: WARMFRONT_SEED=5.
std::uint64_t number_from(const char* name, std::uint64_t otherwise);

// A self-signed certificate for localhost and 127.0.0.1: `directory`/server.crt and server.key, readable by
// the owner.
void make_certificate(const std::string& directory, const Account* owner = nullptr);

}  // namespace warmfront::test
