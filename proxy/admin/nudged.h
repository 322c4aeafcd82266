// proxy/admin/nudged.h: ends a wait for what looks about only now and then.
//
// Some library's thread sees that it is to end when it next wakes, seconds later, and who ends it waits. What
// wakes it is done while that wait goes on, again and again, because only within the wait the thread learns
// that it is to end.
#pragma once

#include <chrono>
#include <functional>

namespace warmfront::admin {

// Calls wait() on this thread and, until it has returned, nudge() on another, a pause of `every` after each
// call. nudge() is called at least once, may be called after what it wakes is gone, and is over when this
// returns.
void nudged(const std::function<void()>& wait, const std::function<void()>& nudge,
            std::chrono::milliseconds every);

}  // namespace warmfront::admin
