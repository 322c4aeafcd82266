#include "tests/fuzz/stream_check.h"

#include <string>
#include <vector>

#include "config/ensure.h"

namespace warmfront::fuzz {
namespace {

constexpr std::size_t kAll = static_cast<std::size_t>(-1);

struct Seen {
    struct Message {
        char type;
        bool whole;
        std::string raw;
        bool operator==(const Message&) const = default;
    };
    std::vector<Message> messages;  // the last one perhaps unfinished
    std::string error;
    bool operator==(const Seen&) const = default;
};

class Reader {
public:
    using OnMessage = std::function<void(const wire::Piece&)>;
    Reader(const Input& input, const OnMessage& on_message)
        : input_(input),
          on_message_(on_message),
          framer_(input.untyped ? wire::Framer::First::Untyped : wire::Framer::First::Typed, input.limits) {}

    void feed(std::string_view bytes, std::size_t pieces_max) {
        framer_.feed(bytes);
        for (std::size_t i = 0; i < pieces_max && read_one(); ++i) {
        }
        framer_.keep_rest();
        if (!seen_.error.empty()) ensure(framer_.kept_bytes() == 0, "a failed framer keeps nothing");
        // A caller that takes all it can leaves less than one message, never the beginning of a long one.
        if (pieces_max == kAll)
            ensure(framer_.kept_bytes() < whole_bytes_max(), "less than a whole message is kept");
    }

    [[nodiscard]] const Seen& seen() const { return seen_; }
    [[nodiscard]] std::string all_bytes() const {
        std::string all;
        for (const auto& message : seen_.messages) all += message.raw;
        return all + std::string(framer_.unread());
    }

private:
    [[nodiscard]] std::size_t header() const { return input_.untyped ? 4 : 5; }
    [[nodiscard]] std::size_t whole_bytes_max() const {
        return input_.untyped ? 10'004 : input_.limits.whole_bytes_max;
    }

    bool read_one() {
        const auto piece = framer_.next();
        if (!piece) {
            ensure(seen_.error.empty() || seen_.error == piece.error().text, "a framer fails alike");
            ensure(piece.error().sqlstate == "08P01", "a framer fails with 08P01");
            seen_.error = piece.error().text;
            return false;
        }
        if (!*piece) return false;
        ensure(seen_.error.empty(), "nothing comes after a failure");
        take(**piece);
        return true;
    }

    void take(const wire::Piece& piece) {
        ensure(piece.first == !inside_, "a piece is first exactly if no message is unfinished");
        ensure(piece.raw.ends_with(piece.body), "the body is the end of the raw bytes");
        if (piece.first) {
            ensure(piece.raw.size() == piece.body.size() + header(), "a first piece has type and length");
            ensure(piece.whole() == (header() + piece.body_length <= whole_bytes_max()),
                   "whole up to the limit");
            seen_.messages.push_back({piece.type, piece.whole(), {}});
            body_left_ = piece.body_length;
        } else {
            ensure(piece.raw == piece.body && !piece.body.empty(), "a later piece is body only");
        }
        ensure(piece.body.size() <= body_left_, "pieces are not longer than announced");
        body_left_ -= static_cast<std::uint32_t>(piece.body.size());
        inside_ = !piece.last;
        ensure(piece.last == (body_left_ == 0), "the last piece ends the body");
        seen_.messages.back().raw += piece.raw;
        if (piece.whole()) on_message_(piece);
    }

    const Input& input_;
    const OnMessage& on_message_;
    wire::Framer framer_;
    Seen seen_;
    std::uint32_t body_left_ = 0;
    bool inside_ = false;
};

}  // namespace

void check_stream(const Input& input, const Reader::OnMessage& on_message) {
    Reader split(input, on_message);
    for (const auto& chunk : input.chunks) split.feed(chunk, input.takes_one ? 1 : kAll);
    split.feed({}, kAll);  // what a caller that takes one piece at a time left

    const std::string stream(input.stream);
    const Reader::OnMessage ignore = [](const wire::Piece&) {};
    Reader uncut(input, ignore);
    uncut.feed(stream, kAll);
    ensure(split.seen() == uncut.seen(), "where the stream is split changes nothing");
    if (uncut.seen().error.empty()) {
        ensure(split.all_bytes() == stream, "the pieces are the stream");
        ensure(uncut.all_bytes() == stream, "the pieces are the stream, uncut");
    }
}

}  // namespace warmfront::fuzz
