#include "proxy/io/output.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <sys/socket.h>
#include <sys/uio.h>

namespace warmfront::io {

static constexpr std::size_t kPiecesPerCall = 64;
static constexpr std::size_t kCompactBytes = std::size_t{1} << 20;

static bool is_full(int error) {
    return error == EAGAIN || error == EWOULDBLOCK;
}

bool Output::breaks(int error) {
    error_ = error;
    queue_ = {};
    sent_ = 0;
    return false;
}

static ssize_t send_batch(int socket, std::span<const std::string_view> batch) {
    // Relayed bytes come in one piece; the kernel is a little faster with them so.
    if (batch.size() == 1) return ::send(socket, batch[0].data(), batch[0].size(), MSG_NOSIGNAL);
    std::array<iovec, kPiecesPerCall> parts;
    for (std::size_t i = 0; i < batch.size(); ++i)
        parts[i] = {const_cast<char*>(batch[i].data()), batch[i].size()};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = batch.size();
    return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

// Adds to `sent`; stops at the first call that the socket does not take whole.
bool Output::send_now(std::span<const std::string_view> pieces, std::size_t& sent) {
    while (!pieces.empty()) {
        const auto batch = pieces.first(std::min(pieces.size(), kPiecesPerCall));
        pieces = pieces.subspan(batch.size());
        std::size_t bytes = 0;
        for (const std::string_view piece : batch) bytes += piece.size();
        if (bytes == 0) continue;
        ssize_t taken = 0;
        do taken = send_batch(socket_, batch);
        while (taken < 0 && errno == EINTR);
        if (taken < 0) return is_full(errno) || breaks(errno);
        sent += static_cast<std::size_t>(taken);
        if (static_cast<std::size_t>(taken) < bytes) return true;
    }
    return true;
}

void Output::keep(std::span<const std::string_view> pieces, std::size_t already_sent) {
    for (std::string_view piece : pieces) {
        const std::size_t skip = std::min(already_sent, piece.size());
        already_sent -= skip;
        queue_.append(piece.substr(skip));
    }
}

bool Output::write(std::span<const std::string_view> pieces) {
    if (error_ != 0) return false;
    std::size_t sent = 0;
    if (queued() == 0 && !send_now(pieces, sent)) return false;
    keep(pieces, sent);
    return true;
}

bool Output::flush() {
    if (error_ != 0) return false;
    const std::string_view rest = std::string_view(queue_).substr(sent_);
    std::size_t sent = 0;
    if (!send_now(std::span(&rest, 1), sent)) return false;
    sent_ += sent;
    if (queued() == 0) {
        queue_ = {};
        sent_ = 0;
    } else if (sent_ >= kCompactBytes && sent_ >= queue_.size() / 2) {
        // Each byte is moved less than once on average.
        queue_.erase(0, sent_);
        sent_ = 0;
    }
    return true;
}

}  // namespace warmfront::io
