// proxy/session/worker.h: one thread, its loop, its listening sockets and its sessions.
//
// Sessions live and die on their worker. From other threads only post() may be called.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proxy/io/listener.h"
#include "proxy/io/loop.h"
#include "proxy/io/mailbox.h"
#include "proxy/io/timer.h"
#include "proxy/session/key_tally.h"
#include "proxy/session/meter.h"
#include "proxy/session/outbox.h"
#include "proxy/session/plan.h"
#include "proxy/session/shared.h"
#include "proxy/session/switches.h"

namespace warmfront::session {

class Session;

class Worker {
public:
    using MakeMeter = std::function<std::unique_ptr<Meter>(unsigned worker, const std::string& database)>;
    Worker(Shared& shared, unsigned number, MakeMeter make_meter);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Before run().
    [[nodiscard]] Result<void> listen(io::ListenSocket socket);
    // Until shut_down() has come to its end.
    void run();
    // From any thread. False: the worker is stuck or gone; the task will not run.
    bool post(io::Mailbox::Task task) { return mailbox_.post(std::move(task)); }

    // On the worker's thread:
    void shut_down(std::chrono::milliseconds timeout);
    [[nodiscard]] Session* find(std::uint64_t session);
    void ended(std::uint64_t session);
    // For one whose callback is on the stack.
    void defer_free(std::unique_ptr<io::Dial> dial);
    [[nodiscard]] bool shutting_down() const { return shutting_down_; }
    [[nodiscard]] Meter& meter(const std::string& database);
    [[nodiscard]] Services services();
    // Where keys are counted from now on, for the one that they were counted in; either may be empty.
    [[nodiscard]] KeyTallySlot exchange_keys(KeyTallySlot fresh) {
        return std::exchange(keys_, std::move(fresh));
    }
    [[nodiscard]] io::Loop& loop() { return loop_; }
    [[nodiscard]] Shared& shared() { return shared_; }
    [[nodiscard]] Outbox& to_client() { return to_client_; }
    [[nodiscard]] Outbox& to_server() { return to_server_; }
    [[nodiscard]] unsigned number() const { return number_; }

private:
    void accept(io::Fd client, const io::Peer& peer);
    void bury();
    void end_if_empty();
    [[nodiscard]] std::vector<std::uint64_t> session_numbers() const;

    Shared& shared_;
    const unsigned number_;
    const MakeMeter make_meter_;
    io::Loop loop_;
    io::Mailbox mailbox_;
    Planner planner_;
    Sampler sampler_;
    cache::KeyBuilder key_;
    Outbox to_client_, to_server_;
    KeyTallySlot keys_;
    std::string scratch_template_, scratch_literals_;
    std::unordered_map<std::string, std::unique_ptr<Meter>> meters_;
    std::vector<std::unique_ptr<io::Listener>> listeners_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Session>> sessions_;
    std::vector<std::unique_ptr<Session>> dead_;  // freed when no callback of theirs is on the stack
    std::vector<std::unique_ptr<io::Dial>> spent_;
    io::Deferred burial_;
    io::Timer deadline_;
    std::uint64_t next_session_ = 1;
    bool shutting_down_ = false;
};

}  // namespace warmfront::session
