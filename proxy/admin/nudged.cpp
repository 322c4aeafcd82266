#include "proxy/admin/nudged.h"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace warmfront::admin {

void nudged(const std::function<void()>& wait, const std::function<void()>& nudge,
            std::chrono::milliseconds every) {
    std::mutex mutex;
    std::condition_variable over_changed;
    bool over = false;
    std::thread nudger([&] {
        std::unique_lock lock(mutex);
        do {
            lock.unlock();
            nudge();
            lock.lock();
        } while (!over_changed.wait_for(lock, every, [&] { return over; }));
    });
    wait();
    {
        const std::lock_guard lock(mutex);
        over = true;
    }
    over_changed.notify_all();
    nudger.join();
}

}  // namespace warmfront::admin
