// proxy/io/loop.h: one thread's event loop, and what everything on that loop shares.
//
// Made, run and destroyed by one thread at a time; only Mailbox (mailbox.h) may be used from others.
// Everything on the loop is destroyed before it: a handle left over is a leak and ends the process with its
// kind on stderr.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include <uv.h>

#include "proxy/io/handle.h"

namespace warmfront::io {

// A place in a circular list that knows no owner: unlinks itself on destruction.
struct Link {
    Link* previous = this;
    Link* next = this;
    Link() = default;
    ~Link() { unlink(); }
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    [[nodiscard]] bool linked() const { return next != this; }
    void unlink();
    void insert_before(Link& place);  // unlinks first
};

class Loop {
public:
    static constexpr std::size_t kReadBufferBytes = 64 * 1024;

    Loop();
    // Cuts connections that were still sending their last bytes, then waits for name look-ups that are under
    // way (libuv cannot interrupt the resolver; its own timeout is the bound).
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    [[nodiscard]] uv_loop_t* raw() { return loop_.get(); }
    // The Loop around a uv_loop_t; every uv_loop_t in this program is one.
    static Loop& of(uv_loop_t* loop) { return *static_cast<Loop*>(loop->data); }

    // Runs until stop(), or until nothing is left that could happen.
    void run();
    void stop();
    // Milliseconds of a clock that never steps back, as of the beginning of this turn.
    [[nodiscard]] std::uint64_t now_ms() const { return uv_now(loop_.get()); }

    // Lent to whoever handles the present event, for the length of the call.
    [[nodiscard]] std::span<char> read_buffer() { return {read_buffer_.get(), kReadBufferBytes}; }
    // For bytes on their way out; left empty after use, its capacity kept.
    [[nodiscard]] std::string& write_scratch() { return write_scratch_; }

private:
    friend class Deferred;
    friend class Lingering;
    void run_deferred();

    std::unique_ptr<uv_loop_t> loop_;
    std::unique_ptr<char[]> read_buffer_;
    std::string write_scratch_;
    Link deferred_;
    Link lingering_;
    std::unique_ptr<Handle<uv_idle_t>> idle_;  // active while something is deferred
};

// A call on the loop's next turn. Destruction and cancel() take it back.
class Deferred : private Link {
public:
    using Run = void (*)(void* owner) noexcept;
    Deferred(Loop& loop, void* owner, Run run) : loop_(loop), owner_(owner), run_(run) {}
    void schedule();  // once, however often it is said
    void cancel();

private:
    friend class Loop;
    Loop& loop_;
    void* owner_;
    Run run_;
};

// Something that outlives its owner for a while on its own (last bytes to send); the loop's end cuts it.
class Lingering : private Link {
public:
    virtual void cut() noexcept = 0;

protected:
    ~Lingering() = default;
    void linger(Loop& loop);
    void stop_lingering();
    [[nodiscard]] bool is_lingering() const { return linked(); }

private:
    friend class Loop;
};

}  // namespace warmfront::io
