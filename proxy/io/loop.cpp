#include "proxy/io/loop.h"

#include <cstdio>

namespace warmfront::io {

void Link::unlink() {
    previous->next = next;
    next->previous = previous;
    previous = next = this;
}

void Link::insert_before(Link& place) {
    unlink();
    previous = place.previous;
    next = &place;
    previous->next = this;
    place.previous = this;
}

static std::unique_ptr<uv_loop_t> open_loop() {
    auto loop = std::make_unique<uv_loop_t>();
    ensure(uv_loop_init(loop.get()) == 0, "libuv makes a loop");
    return loop;
}

Loop::Loop() : loop_(open_loop()), read_buffer_(std::make_unique_for_overwrite<char[]>(kReadBufferBytes)) {
    loop_->data = this;
    idle_ =
        std::make_unique<Handle<uv_idle_t>>(this, [this](uv_idle_t* h) { return uv_idle_init(raw(), h); });
}

static void name_leaked_handle(uv_handle_t* handle, void* leaks) {
    if (uv_is_closing(handle) != 0) return;
    std::fprintf(stderr, "left on the loop: a %s handle\n", uv_handle_type_name(handle->type));
    ++*static_cast<int*>(leaks);
}

Loop::~Loop() {
    while (lingering_.linked()) static_cast<Lingering*>(lingering_.next)->cut();
    idle_.reset();
    int leaks = 0;
    uv_walk(raw(), name_leaked_handle, &leaks);
    ensure(leaks == 0, "everything on the loop is destroyed before it");
    uv_run(raw(), UV_RUN_DEFAULT);  // close callbacks, and look-ups that nobody waits for any more
    ensure(uv_loop_close(raw()) == 0, "the loop is not busy at its end");
}

void Loop::run() {
    uv_run(raw(), UV_RUN_DEFAULT);
}

void Loop::stop() {
    uv_stop(raw());
}

void Loop::run_deferred() {
    // What these calls defer in their turn waits for the next one: sockets come first.
    Link now;
    if (deferred_.linked()) {
        now.insert_before(deferred_);
        deferred_.unlink();
    }
    while (now.linked()) {
        auto* next = static_cast<Deferred*>(now.next);
        next->unlink();
        next->run_(next->owner_);
    }
    if (!deferred_.linked()) uv_idle_stop(idle_->get());
}

void Deferred::schedule() {
    if (linked()) return;
    insert_before(loop_.deferred_);
    // An active idle handle makes libuv poll without waiting.
    uv_idle_start(loop_.idle_->get(), [](uv_idle_t* h) { static_cast<Loop*>(h->data)->run_deferred(); });
}

void Deferred::cancel() {
    unlink();
}

void Lingering::linger(Loop& loop) {
    insert_before(loop.lingering_);
}

void Lingering::stop_lingering() {
    unlink();
}

}  // namespace warmfront::io
