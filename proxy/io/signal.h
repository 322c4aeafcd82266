// proxy/io/signal.h: a signal as a call on a loop's thread.
#pragma once

#include <functional>

#include "proxy/io/handle.h"
#include "proxy/io/loop.h"

namespace warmfront::io {

class Signal {
public:
    // From now on `number` (SIGTERM, SIGHUP, ...) calls `received` instead of what it did before. `received`
    // may destroy the Signal. A Signal does not keep its loop running.
    Signal(Loop& loop, int number, std::function<void()> received);
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;

private:
    static void on_signal(uv_signal_t* handle, int number);

    std::function<void()> received_;
    Handle<uv_signal_t> handle_;
};

}  // namespace warmfront::io
