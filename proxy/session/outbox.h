// proxy/session/outbox.h: what one event makes of bytes for one peer, gathered so that it leaves in one
// system call.
//
// Pieces that stay valid until the flush are only pointed to (and joined when they touch in memory, so that a
// relayed read is one piece however many messages it held); other bytes are copied into a buffer that the
// Outbox keeps. One per worker and direction, used by one session at a time, empty between events. Not
// thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cache/entry.h"

namespace warmfront::session {

class Outbox {
public:
    // bytes stay valid until take() was used.
    void add(std::string_view bytes) {
        if (bytes.empty()) return;
        bytes_ += bytes.size();
        if (!pieces_.empty() && !pieces_.back().own && pieces_.back().outside.end() == bytes.begin()) {
            pieces_.back().outside = {pieces_.back().outside.data(),
                                      pieces_.back().outside.size() + bytes.size()};
            return;
        }
        pieces_.push_back({false, bytes, 0, 0});
    }

    void copy(std::string_view bytes) {
        own().append(bytes);
        grew(bytes.size());
    }

    // Part of an entry: small bodies are cheaper to copy than to send as a piece of their own.
    void add(const cache::EntryRef& entry, std::string_view part) {
        if (part.size() <= kCopyMax) return copy(part);
        pins_.push_back(entry);
        add(part);
    }

    // Lets `write` append to the buffer.
    template <typename Write>
    void compose(Write write) {
        std::string& buffer = own();
        const std::size_t before = buffer.size();
        write(buffer);
        grew(buffer.size() - before);
    }

    [[nodiscard]] bool empty() const { return pieces_.empty(); }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

    // The pieces in order; valid until clear().
    std::span<const std::string_view> take() {
        views_.clear();
        for (const Piece& piece : pieces_)
            views_.push_back(piece.own ? std::string_view(own_).substr(piece.offset, piece.size)
                                       : piece.outside);
        return views_;
    }

    void clear() {
        pieces_.clear();
        bytes_ = 0;
        pins_.clear();
        own_.clear();
        if (own_.capacity() > kKeepMax) own_.shrink_to_fit();
    }

private:
    static constexpr std::size_t kCopyMax = 16 * 1024;
    static constexpr std::size_t kKeepMax = 1024 * 1024;
    struct Piece {
        bool own;
        std::string_view outside;
        std::size_t offset, size;
    };
    std::string& own() { return own_; }
    void grew(std::size_t bytes) {
        if (bytes == 0) return;
        bytes_ += bytes;
        if (!pieces_.empty() && pieces_.back().own) {
            pieces_.back().size += bytes;
            return;
        }
        pieces_.push_back({true, {}, own_.size() - bytes, bytes});
    }

    std::vector<Piece> pieces_;
    std::size_t bytes_ = 0;
    std::vector<std::string_view> views_;
    std::vector<cache::EntryRef> pins_;
    std::string own_;
};

}  // namespace warmfront::session
