// proxy/io/stream.h: a connection as a stream of bytes, plain or TLS, TCP or unix socket.
//
// A Stream lives on one loop's thread. Reading is into a buffer that all streams of the loop share, so an
// idle stream holds none; the bytes shown are valid during the call only. Writing is tried at once (one
// system call); what the socket does not take is copied and sent when it can be. There is no bound on the
// queue here: the owner watches queued_bytes() and pauses whoever feeds it.
//
// Closing: close() stops all events at once, frees when libuv is done with the handle. Destruction closes.
// Any event may close or destroy the Stream it comes from. The uv_loop_t is an io::Loop's (loop.h).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <uv.h>

#include "config/result.h"
#include "config/settings.h"

typedef struct ssl_ctx_st SSL_CTX;

namespace warmfront::io {

class StreamEvents {
public:
    virtual ~StreamEvents() = default;
    virtual void on_bytes(std::string_view bytes) noexcept = 0;  // decrypted; valid during the call
    // By the peer (08003) or by failure (08006); at most once. After 08003 the other direction still works.
    virtual void on_closed(const Error& why) noexcept = 0;
    virtual void on_drained() noexcept = 0;  // the queue has become empty again
};

class Stream {
public:
    // Takes a connected socket over, in any case (TCP: with TCP_NODELAY and keepalive set). Reading starts
    // with resume_reading(). Fails with 58030 if the kernel does not watch the socket.
    static Result<std::unique_ptr<Stream>> adopt(uv_loop_t* loop, int socket, bool is_unix,
                                                 StreamEvents* events);
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    void set_events(StreamEvents* events);
    void resume_reading();
    void pause_reading();
    // Sends the pieces in order. On plain streams one system call if they are at most 64 and the socket takes
    // them all. Errors come as on_closed(), never inside this call, and only after what the peer had sent
    // before was given to on_bytes(), unless reading is paused.
    void write(std::span<const std::string_view> pieces);
    void write(std::string_view bytes) { write(std::span(&bytes, 1)); }
    [[nodiscard]] std::size_t queued_bytes() const;

    // TLS from here on, as server: `received` are bytes that were read already (a ClientHello in the direct
    // case). on_handshake(nullptr) or (error); bytes flow only afterwards. alpn_required: direct TLS, the
    // client must offer and is given "postgresql". What is written before is sent after it. After an error no
    // other event comes.
    using Handshake = std::function<void(const Error*)>;
    void start_tls_server(SSL_CTX* context, bool alpn_required, std::string_view received,
                          Handshake on_handshake);
    // As client; server_name for SNI and, if verify_name, checked against the certificate.
    void start_tls_client(SSL_CTX* context, const std::string& server_name, bool verify_name,
                          Handshake on_handshake);
    [[nodiscard]] bool is_tls() const;
    [[nodiscard]] std::string tls_version() const;  // "TLSv1.3", empty when plain

    // Ends after what is queued was sent, the peer is gone, or five seconds have passed; no events any more.
    // The Stream may be destroyed at once: the rest is sent without it.
    void close_after_writing();
    void close();

private:
    struct Impl;  // on the heap until libuv's close callback
    explicit Stream(Impl* impl);
    Impl* impl_;
};

// Connects to host:port or a unix socket; name resolution on libuv's pool; tries each address in turn within
// timeout_ms. `done` is called exactly once on the loop's thread unless the Connecting is destroyed first
// (that cancels).
class Connecting {
public:
    using Done = std::function<void(Result<std::unique_ptr<Stream>>)>;
    static std::unique_ptr<Connecting> start(uv_loop_t* loop, const Address& address,
                                             std::uint64_t timeout_ms, Done done);
    virtual ~Connecting() = default;
};

}  // namespace warmfront::io
