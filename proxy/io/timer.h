// proxy/io/timer.h: a call after a while, once or again and again. Lives on its loop's thread.
#pragma once

#include <chrono>
#include <functional>

#include "proxy/io/handle.h"
#include "proxy/io/loop.h"

namespace warmfront::io {

class Timer {
public:
    // `due` may restart, stop or destroy the Timer. An active Timer keeps its loop running.
    Timer(Loop& loop, std::function<void()> due);
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    // Both replace what was set before. A period is at least one millisecond.
    void start_once(std::chrono::milliseconds after);
    void start_every(std::chrono::milliseconds period);
    void stop();
    [[nodiscard]] bool is_active() const;

private:
    static void on_due(uv_timer_t* handle);
    void start(std::chrono::milliseconds after, std::chrono::milliseconds period);

    std::function<void()> due_;
    Handle<uv_timer_t> handle_;
};

}  // namespace warmfront::io
