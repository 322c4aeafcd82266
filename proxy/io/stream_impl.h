// proxy/io/stream_impl.h: the inside of Stream (stream.h). Lives on the heap until both libuv has let go of
// its handle and the Stream is destroyed, so every event may end with the owner closing or destroying the
// Stream.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proxy/io/loop.h"
#include "proxy/io/output.h"
#include "proxy/io/socket.h"
#include "proxy/io/stream.h"
#include "proxy/io/timer.h"
#include "proxy/io/tls_session.h"

namespace warmfront::io {

struct Stream::Impl final : Lingering {
    // What the connection is up to. Ended: no more bytes come and the owner knows; writing goes on if only
    // the peer's direction was closed. Closed: the socket is gone.
    enum class State { Open, Handshaking, Ended, Closed };

    Impl(Loop& on_loop, Fd socket, bool unix_socket, StreamEvents* listener);
    // The handle is libuv's only after this; fails with 58030, after which the Impl is simply deleted.
    Result<void> open();

    void resume_reading();
    void pause_reading();
    void write(std::span<const std::string_view> pieces);
    void start_tls(Result<std::unique_ptr<TlsSession>> session, Handshake done);
    void close_after_writing();
    void close();
    void cut() noexcept override { close(); }
    void owner_is_gone();
    [[nodiscard]] std::size_t queued() const { return output.queued() + early_.size(); }

    Loop& loop;
    Fd fd;
    const bool is_unix;
    StreamEvents* events;
    Output output;
    std::unique_ptr<TlsSession> tls;

private:
    [[nodiscard]] bool reads() const;
    [[nodiscard]] bool says_goodbye() const;
    void watch_what_is_needed();
    void on_poll(int status, int ready);
    void on_readable();
    void on_writable();
    void on_turn();
    void read_plain();
    void read_tls(std::size_t allowance);
    void step_handshake();
    void finish_handshake(const Error* error);
    void write_encrypted(std::span<const std::string_view> pieces);
    void send_scratch();
    void breaks(int error);
    void read_last_bytes();
    void end(const Error& why);
    void release();

    uv_poll_t poll_{};
    State state_ = State::Open;
    bool wants_reading_ = false;
    bool broken_ = false;  // the socket failed; on_turn() reads what is left and says so
    int broken_error_ = 0;
    int watched_ = 0;  // UV_READABLE | UV_WRITABLE
    int holders_ = 2;  // libuv and the Stream
    Deferred turn_;
    Handshake handshake_;
    std::optional<Error> handshake_failure_;  // found before it began
    std::string early_;                       // written during the handshake
    std::unique_ptr<Timer> linger_limit_;
};

}  // namespace warmfront::io
