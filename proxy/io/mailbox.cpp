#include "proxy/io/mailbox.h"

namespace warmfront::io {

Mailbox::Mailbox(Loop& loop, std::size_t tasks_max)
    : tasks_max_(tasks_max), wake_(this, [&loop](uv_async_t* h) {
          return uv_async_init(loop.raw(), h, [](uv_async_t* a) {
              if (a->data != nullptr) static_cast<Mailbox*>(a->data)->run_tasks();
          });
      }) {}

bool Mailbox::post(Task task) {
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        if (tasks_.size() >= tasks_max_) return false;
        first = tasks_.empty();
        tasks_.push_back(std::move(task));
    }
    // Later posts ride on the first one's wake-up: the loop empties the box only after it.
    if (first) uv_async_send(wake_.get());
    return true;
}

void Mailbox::run_tasks() {
    std::vector<Task> now;
    {
        const std::lock_guard lock(mutex_);
        now.swap(tasks_);
    }
    const auto* handle = wake_.get();
    for (auto& task : now) {
        task();
        if (handle->data == nullptr) return;  // the task destroyed this Mailbox
    }
}

}  // namespace warmfront::io
