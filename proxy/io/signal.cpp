#include "proxy/io/signal.h"

namespace warmfront::io {

Signal::Signal(Loop& loop, int number, std::function<void()> received)
    : received_(std::move(received)),
      handle_(this, [&loop](uv_signal_t* h) { return uv_signal_init(loop.raw(), h); }) {
    ensure(uv_signal_start(handle_.get(), on_signal, number) == 0, "the signal can be caught");
    uv_unref(reinterpret_cast<uv_handle_t*>(handle_.get()));
}

void Signal::on_signal(uv_signal_t* handle, int) {
    if (handle->data == nullptr) return;
    auto* signal = static_cast<Signal*>(handle->data);
    auto received = std::move(signal->received_);
    received();
    if (handle->data != nullptr) signal->received_ = std::move(received);
}

}  // namespace warmfront::io
