// proxy/io/output.h: bytes on their way to one non-blocking socket: sent at once, the rest kept until it can
// be sent.
//
// Not bounded: the owner watches queued(). Holds no memory while nothing is queued. Lives on its loop's
// thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace warmfront::io {

class Output {
public:
    explicit Output(int socket) : socket_(socket) {}

    // In order behind what is queued. One system call if nothing is queued, the pieces are at most 64 and the
    // socket takes them. False: the socket is broken (error() says how), nothing is queued any more.
    bool write(std::span<const std::string_view> pieces);
    // Sends of what is queued as much as the socket takes, in one system call. False: as above.
    bool flush();

    [[nodiscard]] std::size_t queued() const { return queue_.size() - sent_; }
    [[nodiscard]] int error() const { return error_; }  // errno; 0 while all is well

private:
    bool send_now(std::span<const std::string_view> pieces, std::size_t& sent);
    void keep(std::span<const std::string_view> pieces, std::size_t already_sent);
    bool breaks(int error);

    int socket_;
    int error_ = 0;
    std::string queue_;
    std::size_t sent_ = 0;  // of queue_
};

}  // namespace warmfront::io
