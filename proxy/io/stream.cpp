// uv_poll_t with system calls of our own, rather than uv_tcp_t: libuv calls epoll_ctl only when the watched
// events change, so an answered request is epoll_wait, recv, sendmsg, as in a bare epoll loop (and measured
// as fast); recv can be stopped after one call, and TLS can read the socket without a copy between.
#include "proxy/io/stream.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <netinet/in.h>

#include "proxy/io/stream_impl.h"

namespace warmfront::io {

// A peer that does not read is given this long for the last bytes, PostgreSQL's FATAL usually.
static constexpr std::chrono::seconds kLingerMax{5};
// Read in one turn from a broken socket, or thrown away before closing: more than a socket buffer usually
// holds.
static constexpr std::size_t kLastBytes = std::size_t{1} << 20;
// Plain bytes per TLS call; a record holds at most 16 KiB.
static constexpr std::size_t kEncryptBytes = 16 * 1024;
static constexpr std::size_t kScratchBytes = 256 * 1024;

static Error lost(int error) {
    return {"08006",
            error == 0 ? "the connection was lost" : "the connection was lost: " + errno_text(error)};
}

Stream::Impl::Impl(Loop& on_loop, Fd socket, bool unix_socket, StreamEvents* listener)
    : loop(on_loop),
      fd(std::move(socket)),
      is_unix(unix_socket),
      events(listener),
      output(fd.get()),
      turn_(on_loop, this, [](void* self) noexcept { static_cast<Impl*>(self)->on_turn(); }) {}

Result<void> Stream::Impl::open() {
    if (!is_unix) prepare_tcp(fd.get());
    if (const int error = uv_poll_init(loop.raw(), &poll_, fd.get()); error != 0)
        return fail("58030", fmt::format("cannot watch a connection: {}", uv_strerror(error)));
    poll_.data = this;
    return {};
}

bool Stream::Impl::reads() const {
    return state_ == State::Handshaking || (state_ == State::Open && wants_reading_);
}

void Stream::Impl::watch_what_is_needed() {
    if (state_ == State::Closed) return;
    const int wanted = (reads() && !broken_ ? UV_READABLE : 0) | (output.queued() > 0 ? UV_WRITABLE : 0);
    if (wanted == watched_) return;
    watched_ = wanted;
    if (wanted == 0)
        uv_poll_stop(&poll_);
    else
        uv_poll_start(&poll_, wanted, [](uv_poll_t* handle, int status, int ready) {
            static_cast<Impl*>(handle->data)->on_poll(status, ready);
        });
}

void Stream::Impl::on_poll(int status, int ready) {
    if (status != 0) {
        watched_ = 0;  // libuv has stopped
        int error = 0;
        socklen_t length = sizeof error;
        getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
        breaks(error);
        return;
    }
    if ((ready & UV_WRITABLE) != 0 && (watched_ & UV_WRITABLE) != 0) on_writable();
    if ((ready & UV_READABLE) != 0 && reads() && !broken_) on_readable();
    watch_what_is_needed();
}

void Stream::Impl::on_writable() {
    if (!output.flush()) return breaks(output.error());
    if (output.queued() > 0) return;
    if (is_lingering())
        close();
    else if (events != nullptr)
        events->on_drained();
}

void Stream::Impl::on_readable() {
    if (state_ == State::Handshaking) {
        tls->allow_reading(Loop::kReadBufferBytes);
        step_handshake();
    } else if (tls) {
        read_tls(Loop::kReadBufferBytes);
    } else {
        read_plain();
    }
}

// The loop's next turn: what could not be done inside the call that caused it.
void Stream::Impl::on_turn() {
    if (state_ == State::Handshaking && !broken_)
        step_handshake();
    else if (broken_)
        read_last_bytes();
    else if (tls && reads())
        read_tls(0);
    watch_what_is_needed();
}

void Stream::Impl::resume_reading() {
    wants_reading_ = true;
    if (state_ != State::Open) return;
    // Decrypted or half decrypted bytes wait inside, where the kernel does not see them.
    if (broken_ || (tls && tls->has_pending())) turn_.schedule();
    watch_what_is_needed();
}

void Stream::Impl::pause_reading() {
    wants_reading_ = false;
    watch_what_is_needed();
}

void Stream::Impl::read_plain() {
    const auto buffer = loop.read_buffer();
    const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
    if (got > 0) {
        if (events != nullptr) events->on_bytes({buffer.data(), static_cast<std::size_t>(got)});
    } else if (got == 0) {
        end({"08003", "the peer closed the connection"});
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        breaks(errno);
    }
}

void Stream::Impl::read_tls(std::size_t allowance) {
    tls->allow_reading(allowance);
    while (reads()) {
        const auto bytes = tls->read(loop.read_buffer());
        send_scratch();
        if (!bytes) return end(bytes.error());
        if (bytes->empty()) return;
        if (events != nullptr) events->on_bytes(*bytes);
    }
}

void Stream::Impl::breaks(int error) {
    if (broken_ || state_ == State::Closed) return;
    if (is_lingering()) return close();
    broken_ = true;
    broken_error_ = error;
    turn_.schedule();
}

// What the peer had sent before the socket broke is often the reason (PostgreSQL's FATAL), so it is read
// first.
void Stream::Impl::read_last_bytes() {
    if (state_ == State::Handshaking) {
        const Error error = lost(broken_error_);
        return finish_handshake(&error);
    }
    if (tls && reads()) read_tls(kLastBytes);
    for (std::size_t count = 0; !tls && reads() && count < kLastBytes;) {
        const auto buffer = loop.read_buffer();
        const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got <= 0) break;
        count += static_cast<std::size_t>(got);
        if (events != nullptr) events->on_bytes({buffer.data(), static_cast<std::size_t>(got)});
    }
    end(lost(broken_error_));
}

void Stream::Impl::end(const Error& why) {
    if (state_ != State::Open) return;
    state_ = State::Ended;
    watch_what_is_needed();
    if (events != nullptr) events->on_closed(why);
}

void Stream::Impl::write(std::span<const std::string_view> pieces) {
    if (state_ == State::Closed || broken_) return;
    if (state_ == State::Handshaking) {
        for (std::string_view piece : pieces) early_ += piece;
        return;
    }
    if (tls) return write_encrypted(pieces);
    if (!output.write(pieces)) breaks(output.error());
    watch_what_is_needed();
}

// Small pieces share a record: fewer bytes, fewer calls.
void Stream::Impl::write_encrypted(std::span<const std::string_view> pieces) {
    std::array<char, kEncryptBytes> record;
    std::size_t filled = 0;
    const auto encrypt = [&] {
        const auto written = tls->write({record.data(), filled});
        filled = 0;
        if (loop.write_scratch().size() >= kScratchBytes) send_scratch();
        return written.has_value();
    };
    for (std::string_view piece : pieces) {
        while (!piece.empty()) {
            const std::size_t count = std::min(piece.size(), record.size() - filled);
            std::memcpy(record.data() + filled, piece.data(), count);
            filled += count;
            piece.remove_prefix(count);
            if (filled == record.size() && !encrypt()) return breaks(0);
        }
    }
    if (filled > 0 && !encrypt()) return breaks(0);
    send_scratch();
}

// Sends what TLS has made.
void Stream::Impl::send_scratch() {
    std::string& scratch = loop.write_scratch();
    if (scratch.empty()) return;
    const std::string_view bytes = scratch;
    const bool sent = output.write(std::span(&bytes, 1));
    scratch.clear();
    if (!sent) breaks(output.error());
    watch_what_is_needed();
}

void Stream::Impl::start_tls(Result<std::unique_ptr<TlsSession>> session, Handshake done) {
    if (state_ == State::Closed) return;
    ensure(state_ != State::Handshaking && !tls, "TLS starts once");
    handshake_ = std::move(done);
    if (session)
        tls = std::move(*session);
    else
        handshake_failure_ = session.error();
    state_ = State::Handshaking;
    turn_.schedule();
    if (tls) watch_what_is_needed();
}

void Stream::Impl::step_handshake() {
    if (handshake_failure_) return finish_handshake(&*handshake_failure_);
    const auto complete = tls->handshake();
    send_scratch();  // an alert too: it tells the peer why
    if (!complete) return finish_handshake(&complete.error());
    if (*complete) finish_handshake(nullptr);
}

void Stream::Impl::finish_handshake(const Error* error) {
    const auto done = std::move(handshake_);
    handshake_ = nullptr;
    state_ = error == nullptr ? State::Open : State::Ended;
    if (error == nullptr) {
        const std::string early = std::move(early_);
        write_encrypted(std::array{std::string_view(early)});
        if (tls->has_pending()) turn_.schedule();
    }
    watch_what_is_needed();
    done(error);
}

bool Stream::Impl::says_goodbye() const {
    return tls && !broken_ && state_ != State::Handshaking && state_ != State::Closed;
}

void Stream::Impl::close_after_writing() {
    events = nullptr;
    if (state_ == State::Closed || is_lingering()) return;
    if (state_ == State::Handshaking || broken_) return close();
    if (says_goodbye()) {
        tls->say_goodbye();
        send_scratch();
    }
    if (output.queued() == 0) return close();
    state_ = State::Ended;
    linger(loop);
    linger_limit_ = std::make_unique<Timer>(loop, [this] { close(); });
    linger_limit_->start_once(kLingerMax);
    watch_what_is_needed();
}

// Closing a socket whose received bytes nobody has read makes the peer see a reset, which on TCP may overtake
// and destroy the last bytes that we sent; so they are thrown away first.
static void discard_received(int socket) {
    std::array<char, 16 * 1024> sink;
    for (std::size_t count = 0; count < kLastBytes;) {
        const ssize_t got = ::recv(socket, sink.data(), sink.size(), MSG_DONTWAIT);
        if (got <= 0) return;
        count += static_cast<std::size_t>(got);
    }
}

void Stream::Impl::close() {
    events = nullptr;
    handshake_ = nullptr;
    if (state_ == State::Closed) return;
    if (says_goodbye() && output.queued() == 0) {
        tls->say_goodbye();
        const std::string_view bytes = loop.write_scratch();
        (void)output.write(std::span(&bytes, 1));
        loop.write_scratch().clear();
    }
    state_ = State::Closed;
    turn_.cancel();
    stop_lingering();
    linger_limit_.reset();
    uv_poll_stop(&poll_);
    discard_received(fd.get());
    // First the watch, then the socket: in between its number may become another thread's.
    uv_close(reinterpret_cast<uv_handle_t*>(&poll_),
             [](uv_handle_t* handle) { static_cast<Impl*>(handle->data)->release(); });
    fd.reset();
}

void Stream::Impl::owner_is_gone() {
    if (!is_lingering()) close();
    release();
}

void Stream::Impl::release() {
    if (--holders_ == 0) delete this;
}

Result<std::unique_ptr<Stream>> Stream::adopt(uv_loop_t* loop, int socket, bool is_unix,
                                              StreamEvents* events) {
    auto impl = std::make_unique<Impl>(Loop::of(loop), Fd(socket), is_unix, events);
    if (auto opened = impl->open(); !opened) return tl::unexpected(opened.error());
    return std::unique_ptr<Stream>(new Stream(impl.release()));
}

Stream::Stream(Impl* impl) : impl_(impl) {}

Stream::~Stream() {
    impl_->owner_is_gone();
}

void Stream::set_events(StreamEvents* events) {
    impl_->events = events;
}

void Stream::resume_reading() {
    impl_->resume_reading();
}

void Stream::pause_reading() {
    impl_->pause_reading();
}

void Stream::write(std::span<const std::string_view> pieces) {
    impl_->write(pieces);
}

std::size_t Stream::queued_bytes() const {
    return impl_->queued();
}

void Stream::start_tls_server(SSL_CTX* context, bool alpn_required, std::string_view received,
                              Handshake done) {
    impl_->start_tls(TlsSession::make(impl_->fd.get(), impl_->loop.write_scratch(),
                                      TlsSession::Server{context, alpn_required, received}),
                     std::move(done));
}

void Stream::start_tls_client(SSL_CTX* context, const std::string& server_name, bool verify_name,
                              Handshake done) {
    impl_->start_tls(TlsSession::make(impl_->fd.get(), impl_->loop.write_scratch(),
                                      TlsSession::Client{context, server_name, verify_name}),
                     std::move(done));
}

bool Stream::is_tls() const {
    return impl_->tls != nullptr;
}

std::string Stream::tls_version() const {
    return impl_->tls ? impl_->tls->version() : std::string();
}

void Stream::close_after_writing() {
    impl_->close_after_writing();
}

void Stream::close() {
    impl_->close();
}

}  // namespace warmfront::io
