// proxy/io/handle.h: one libuv handle with one owner.
//
// libuv keeps a handle until its close callback has run, which is after its owner is gone. So the uv_*_t is
// on the heap: the destructor clears `data` and closes, the close callback frees, and a callback that finds
// `data` null returns. Lives on its loop's thread.
#pragma once

#include <utility>

#include <uv.h>

#include "config/ensure.h"

namespace warmfront::io {

template <typename T>
class Handle {
public:
    // `init` calls libuv's own init function; those used here fail only when the process is out of
    // descriptors or memory while it starts, which ends it.
    template <typename Init>
    Handle(void* owner, Init&& init) : handle_(new T{}) {
        ensure(std::forward<Init>(init)(handle_) == 0, "libuv initialises the handle");
        handle_->data = owner;
    }
    ~Handle() {
        handle_->data = nullptr;
        uv_close(reinterpret_cast<uv_handle_t*>(handle_),
                 [](uv_handle_t* h) { delete reinterpret_cast<T*>(h); });
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    [[nodiscard]] T* get() const { return handle_; }

private:
    T* handle_;
};

}  // namespace warmfront::io
