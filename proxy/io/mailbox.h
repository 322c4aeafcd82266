// proxy/io/mailbox.h: work handed to a loop by other threads.
//
// post() may be called from any thread while the Mailbox exists; everything else happens on the loop's
// thread. Holds a mutex for the length of one append. A Mailbox keeps its loop running.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

#include "proxy/io/handle.h"
#include "proxy/io/loop.h"

namespace warmfront::io {

class Mailbox {
public:
    using Task = std::function<void()>;
    // More than tasks_max that wait mean that the loop's thread is stuck.
    explicit Mailbox(Loop& loop, std::size_t tasks_max = 65'536);
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    // The tasks run in the order they were posted, on the loop's thread, in one of its next turns. False:
    // full, and the task will not run. Tasks that have not run when the Mailbox is destroyed never will.
    [[nodiscard]] bool post(Task task);

private:
    void run_tasks();

    const std::size_t tasks_max_;
    std::mutex mutex_;
    std::vector<Task> tasks_;
    Handle<uv_async_t> wake_;
};

}  // namespace warmfront::io
