#include "proxy/io/timer.h"

#include <algorithm>

namespace warmfront::io {

using std::chrono::milliseconds;

Timer::Timer(Loop& loop, std::function<void()> due)
    : due_(std::move(due)), handle_(this, [&loop](uv_timer_t* h) { return uv_timer_init(loop.raw(), h); }) {}

void Timer::on_due(uv_timer_t* handle) {
    if (handle->data == nullptr) return;
    // The function is held here while it runs, since it may destroy the Timer.
    auto* timer = static_cast<Timer*>(handle->data);
    auto due = std::move(timer->due_);
    due();
    if (handle->data != nullptr) timer->due_ = std::move(due);
}

void Timer::start(milliseconds after, milliseconds period) {
    const auto count = [](milliseconds ms) {
        return static_cast<std::uint64_t>(std::max(ms, milliseconds{0}).count());
    };
    // libuv counts from the beginning of the turn; a turn may already have lasted longer than `after`.
    uv_update_time(handle_.get()->loop);
    uv_timer_start(handle_.get(), on_due, count(after), count(period));
}

void Timer::start_once(milliseconds after) {
    start(after, milliseconds{0});
}

void Timer::start_every(milliseconds period) {
    period = std::max(period, milliseconds{1});
    start(period, period);
}

void Timer::stop() {
    uv_timer_stop(handle_.get());
}

bool Timer::is_active() const {
    return uv_is_active(reinterpret_cast<uv_handle_t*>(handle_.get())) != 0;
}

}  // namespace warmfront::io
