// proxy/io/watch.h: tells when a file descriptor that somebody else owns can be read or written.
//
// Lives on its loop's thread. The descriptor may be closed as soon as the Watch is destroyed.
#pragma once

#include <memory>

#include <uv.h>

#include "config/result.h"

namespace warmfront::io {

class Watch {
public:
    // status: 0 or a libuv error (UV_EBADF: the socket has an error pending; the watching has ended).
    // events: UV_READABLE | UV_WRITABLE. May destroy the Watch.
    using Ready = void (*)(void* owner, int status, int events) noexcept;

    // Makes `fd` non-blocking. Fails with 58030 if the kernel does not watch such a descriptor.
    static Result<std::unique_ptr<Watch>> open(uv_loop_t* loop, int fd, void* owner, Ready ready);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    void start(int events);
    void stop();

private:
    Watch(void* owner, Ready ready) : owner_(owner), ready_(ready) {}
    static void on_poll(uv_poll_t* handle, int status, int events);

    void* owner_;
    Ready ready_;
    uv_poll_t* handle_ = nullptr;
};

}  // namespace warmfront::io
