#include "proxy/io/watch.h"

#include <fmt/format.h>

namespace warmfront::io {

Result<std::unique_ptr<Watch>> Watch::open(uv_loop_t* loop, int fd, void* owner, Ready ready) {
    // Not a Handle: this init may fail while the process runs on.
    auto handle = std::make_unique<uv_poll_t>();
    if (const int error = uv_poll_init(loop, handle.get(), fd); error != 0)
        return fail("58030", fmt::format("cannot watch a socket: {}", uv_strerror(error)));
    std::unique_ptr<Watch> watch(new Watch(owner, ready));
    watch->handle_ = handle.release();
    watch->handle_->data = watch.get();
    return watch;
}

Watch::~Watch() {
    handle_->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(handle_),
             [](uv_handle_t* h) { delete reinterpret_cast<uv_poll_t*>(h); });
}

void Watch::start(int events) {
    uv_poll_start(handle_, events, on_poll);
}

void Watch::stop() {
    uv_poll_stop(handle_);
}

void Watch::on_poll(uv_poll_t* handle, int status, int events) {
    if (handle->data == nullptr) return;
    const auto* watch = static_cast<Watch*>(handle->data);
    watch->ready_(watch->owner_, status, events);
}

}  // namespace warmfront::io
