#include "proxy/io/loop.h"

#include <array>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "proxy/io/mailbox.h"
#include "proxy/io/signal.h"
#include "proxy/io/timer.h"

using namespace warmfront::io;
using namespace std::chrono_literals;

TEST_CASE("loop: deferred calls run once, in order, on the next turn, and can be taken back") {
    Loop loop;
    struct Named {
        std::string* seen;
        char name;
        std::optional<Deferred> call;
    };
    std::string seen;
    std::array<Named, 3> all{Named{&seen, 'a', {}}, Named{&seen, 'b', {}}, Named{&seen, 'c', {}}};
    for (auto& named : all)
        named.call.emplace(loop, &named, [](void* owner) noexcept {
            auto& self = *static_cast<Named*>(owner);
            *self.seen += self.name;
            if (self.name == 'a' && self.seen->size() == 1) self.call->schedule();  // for the turn after
        });
    all[0].call->schedule();
    all[0].call->schedule();
    all[1].call->schedule();
    all[2].call->schedule();
    all[1].call->cancel();
    CHECK(seen.empty());
    loop.run();
    CHECK(seen == "aca");
}

TEST_CASE("mailbox: each thread's tasks run in the order it posted them, on the loop's thread") {
    Loop loop;
    auto mailbox = std::make_unique<Mailbox>(loop);
    const auto home = std::this_thread::get_id();
    constexpr int kThreads = 4, kTasks = 1000;
    std::vector<std::vector<int>> seen(kThreads);
    int finished = 0;
    bool elsewhere = false;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
        threads.emplace_back([&, t] {
            bool posted = true;
            for (int i = 0; i < kTasks; ++i)
                posted = posted && mailbox->post([&, t, i] {
                    elsewhere = elsewhere || std::this_thread::get_id() != home;
                    seen[t].push_back(i);
                    if (i == kTasks - 1 && ++finished == kThreads) loop.stop();
                });
            if (!posted) std::abort();
        });
    loop.run();
    for (auto& thread : threads) thread.join();
    CHECK_FALSE(elsewhere);
    for (const auto& one : seen) {
        REQUIRE(one.size() == kTasks);
        for (int i = 0; i < kTasks; ++i) REQUIRE(one[i] == i);
    }
}

TEST_CASE("mailbox: a full one refuses, and takes tasks again after it was emptied") {
    Loop loop;
    Mailbox mailbox(loop, 2);
    int ran = 0;
    CHECK(mailbox.post([&] { ++ran; }));
    CHECK(mailbox.post([&] { loop.stop(); }));
    CHECK_FALSE(mailbox.post([&] { ran += 100; }));
    loop.run();
    CHECK(ran == 1);
    CHECK(mailbox.post([] {}));
}

TEST_CASE("mailbox: a task may destroy it; those behind do not run") {
    Loop loop;
    auto mailbox = std::make_unique<Mailbox>(loop);
    bool behind = false;
    CHECK(mailbox->post([&] { mailbox.reset(); }));
    CHECK(mailbox->post([&] { behind = true; }));
    loop.run();
    CHECK_FALSE(mailbox);
    CHECK_FALSE(behind);
}

TEST_CASE("timer: once, again and again, stopped, and destroyed by its own call") {
    Loop loop;
    int once = 0, every = 0, stopped = 0, own = 0;
    Timer first(loop, [&] { ++once; });
    first.start_once(1ms);
    Timer second(loop, [&] {
        if (++every == 3) second.stop();
    });
    second.start_every(0ms);
    Timer third(loop, [&] { ++stopped; });
    third.start_once(1ms);
    third.stop();
    std::unique_ptr<Timer> fourth = std::make_unique<Timer>(loop, [&] {
        ++own;
        fourth.reset();
    });
    fourth->start_every(1ms);
    CHECK(first.is_active());
    loop.run();
    CHECK(once == 1);
    CHECK(every == 3);
    CHECK(stopped == 0);
    CHECK(own == 1);
    CHECK_FALSE(first.is_active());
}

TEST_CASE("signal: becomes a call on the loop, and does not keep the loop running") {
    Loop loop;
    {
        const Signal unused(loop, SIGUSR2, [] {});
        loop.run();
    }
    auto mailbox = std::make_unique<Mailbox>(loop);
    int received = 0;
    std::unique_ptr<Signal> signal = std::make_unique<Signal>(loop, SIGUSR1, [&] {
        ++received;
        signal.reset();
        mailbox.reset();
    });
    ::raise(SIGUSR1);
    loop.run();
    CHECK(received == 1);
}
