// The bytes not taken yet lie in two places: kept_, copied from earlier feeds, then fed_, the caller's own. A
// message must never lie across both, or next() would have to join them while views into kept_ are out. So
// feed() moves as many bytes over as the last message of kept_ lacks, and next() only ever reads one place.
#include "proxy/wire/framer.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/ensure.h"
#include "proxy/wire/cursor.h"

namespace warmfront::wire {
namespace {

constexpr std::uint32_t kLengthBytes = 4;
constexpr std::uint32_t kUntypedBodyBytesMax = 10'000;  // PostgreSQL's MAX_STARTUP_PACKET_LENGTH
constexpr std::size_t kWholeBytesMin = 16;              // a header and something to look at

std::uint32_t whole_body_bytes_max(Framer::First first, const Framer::Limits& limits) {
    if (first == Framer::First::Untyped) return std::min(kUntypedBodyBytesMax, limits.body_bytes_max);
    const std::size_t body = limits.whole_bytes_max - 5;
    return body < limits.body_bytes_max ? static_cast<std::uint32_t>(body) : limits.body_bytes_max;
}

std::uint32_t announced_length(std::string_view source, std::size_t header_bytes) {
    return load_uint32(source.data() + header_bytes - kLengthBytes);
}

}  // namespace

Framer::Framer(First first, Limits limits)
    : first_(first), limits_(limits), whole_body_bytes_max_(whole_body_bytes_max(first, limits)) {
    ensure(limits.whole_bytes_max >= kWholeBytesMin, "a framer's whole_bytes_max holds a header");
    ensure(limits.body_bytes_max <= 0x7fffffff - kLengthBytes, "lengths are signed on the wire");
}

void Framer::feed(std::string_view bytes) {
    ensure(fed_.empty() && kept_taken_ == 0, "keep_rest() is called between two feeds");
    if (failure_) return;
    fed_ = bytes;
    if (!kept_.empty()) complete_kept();
}

// Walks the messages in kept_ by their lengths and gives the last one what it lacks. A long message needs
// nothing: its fragments may end where kept_ ends. Neither does a wrong length: next() will get there and
// refuse it.
void Framer::complete_kept() {
    std::size_t at = std::min<std::size_t>(fragment_rest_, kept_.size());
    while (at < kept_.size()) {
        take_from_fed(header_bytes() - std::min(header_bytes(), kept_.size() - at));
        if (kept_.size() - at < header_bytes()) return;
        const std::uint32_t length = announced_length(std::string_view(kept_).substr(at), header_bytes());
        if (length < kLengthBytes) return;
        const std::size_t message_bytes = header_bytes() + length - kLengthBytes;
        const std::size_t there = kept_.size() - at;
        if (there < message_bytes) {
            if (length - kLengthBytes <= whole_body_bytes_max_) take_from_fed(message_bytes - there);
            return;
        }
        at += message_bytes;
    }
}

void Framer::take_from_fed(std::size_t bytes) {
    bytes = std::min(bytes, fed_.size());
    kept_.append(fed_.substr(0, bytes));
    fed_.remove_prefix(bytes);
}

Result<std::optional<Piece>> Framer::next() {
    const std::string_view source = unread();
    if (fragment_rest_ > 0) [[unlikely]] {
        if (source.empty()) return std::nullopt;
        return go_on_long(source);
    }
    const std::size_t header = header_bytes();
    if (source.size() < header) {
        if (failure_) [[unlikely]]
            return tl::unexpected<Error>(*failure_);
        return std::nullopt;
    }
    const std::uint32_t length = announced_length(source, header);
    const std::uint32_t body = length - kLengthBytes;  // wraps for lengths below 4: above every limit
    if (body > whole_body_bytes_max_) [[unlikely]]
        return begin_long(source, length);
    const std::size_t message_bytes = header + body;
    if (source.size() < message_bytes) return std::nullopt;
    consume(message_bytes);
    return Piece{.type = first_ == First::Typed ? source[0] : '\0',
                 .first = true,
                 .last = true,
                 .body_length = body,
                 .raw = source.substr(0, message_bytes),
                 .body = source.substr(header, body)};
}

Result<std::optional<Piece>> Framer::begin_long(std::string_view source, std::uint32_t length) {
    if (first_ == First::Untyped) return fail_for_good("invalid length of startup packet");
    if (length < kLengthBytes)
        return fail_for_good(fmt::format("message of type 0x{:02x} announces a length of {}, below 4",
                                         static_cast<unsigned char>(source[0]), length));
    const std::uint32_t body = length - kLengthBytes;
    if (body > limits_.body_bytes_max)
        return fail_for_good(fmt::format("message of type 0x{:02x} announces {} bytes, above the limit of {}",
                                         static_cast<unsigned char>(source[0]), body,
                                         limits_.body_bytes_max));
    const std::size_t bytes = std::min(source.size(), limits_.whole_bytes_max);
    fragment_type_ = source[0];
    fragment_length_ = body;
    fragment_rest_ = body - static_cast<std::uint32_t>(bytes - header_bytes());
    consume(bytes);
    return Piece{.type = fragment_type_,
                 .first = true,
                 .last = false,
                 .body_length = body,
                 .raw = source.substr(0, bytes),
                 .body = source.substr(header_bytes(), bytes - header_bytes())};
}

Piece Framer::go_on_long(std::string_view source) {
    const std::string_view bytes = source.substr(0, fragment_rest_);
    fragment_rest_ -= static_cast<std::uint32_t>(bytes.size());
    consume(bytes.size());
    return Piece{.type = fragment_type_,
                 .first = false,
                 .last = fragment_rest_ == 0,
                 .body_length = fragment_length_,
                 .raw = bytes,
                 .body = bytes};
}

void Framer::consume(std::size_t bytes) {
    if (kept_taken_ < kept_.size()) {
        kept_taken_ += bytes;
    } else {
        fed_.remove_prefix(bytes);
    }
}

tl::unexpected<Error> Framer::fail_for_good(std::string text) {
    kept_taken_ = kept_.size();
    fed_ = {};
    failure_ = Error{"08P01", std::move(text)};
    return tl::unexpected<Error>(*failure_);
}

void Framer::keep_rest() {
    if (kept_.empty() && fed_.empty()) return;
    kept_.erase(0, kept_taken_);
    kept_taken_ = 0;
    kept_.append(fed_);
    fed_ = {};
    if (kept_.empty()) std::string().swap(kept_);  // clear() would keep the memory of an idle connection
}

std::string_view Framer::unread() const {
    return kept_taken_ < kept_.size() ? std::string_view(kept_).substr(kept_taken_) : fed_;
}

std::size_t Framer::kept_bytes() const {
    return kept_.size() - kept_taken_;
}

}  // namespace warmfront::wire
