// tests/live/support/socket.h: a blocking TCP connection. One thread at a time.
//
// Every wait ends: a call that waits longer than the timeout fails with SQLSTATE 57014, a lost connection
// with 08006.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "config/result.h"

namespace warmfront::test {

class Socket {
public:
    static Result<Socket> connect(const std::string& host, std::uint16_t port,
                                  std::chrono::milliseconds timeout);
    ~Socket();
    Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Socket& operator=(Socket&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }

    [[nodiscard]] Result<void> send(std::string_view bytes) const;  // all of them
    // Bytes that have come, at least one; 0 at the end of the stream.
    [[nodiscard]] Result<std::size_t> receive_some(char* into, std::size_t size) const;
    // How many bytes the kernel takes for us while we don't read.
    void set_receive_buffer(int bytes) const;
    // Ends the connection at once (RST), as a client that dies does.
    void reset();

private:
    explicit Socket(int fd) : fd_(fd) {}
    int fd_;
};

}  // namespace warmfront::test
