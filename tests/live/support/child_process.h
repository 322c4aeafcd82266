// tests/live/support/child_process.h: programs that a test runs, gone when the test is gone.
//
// A test may die at any place, so every child also asks the kernel to be signalled when its parent ends.
// Start children from a thread that lives as long as they should. Failures to start throw std::runtime_error:
// the test fails with it.
#pragma once

#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace warmfront::test {

struct Account {
    uid_t uid;
    gid_t gid;
};

// The account that PostgreSQL runs as when the tests are root, which it refuses to be; nullopt if they are
// not.
std::optional<Account> unprivileged_account();

class ChildProcess {
public:
    struct Options {
        std::vector<std::string> command;
        std::string log_file = "/dev/null";  // standard output and error are appended to it
        std::optional<Account> account = {};
        std::vector<std::pair<std::string, std::string>> environment = {};  // added to ours
        int signal_at_parent_end = SIGKILL;
    };
    explicit ChildProcess(const Options& options);
    ~ChildProcess();  // SIGKILL, and waits
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    void send_signal(int number) const;
    // The exit status as a shell gives it (128 + signal number for a killed one); nullopt if it runs on after
    // `limit`.
    [[nodiscard]] std::optional<int> wait(std::chrono::milliseconds limit);
    [[nodiscard]] bool running() { return !wait(std::chrono::milliseconds{0}).has_value(); }

private:
    pid_t pid_ = -1;
    std::optional<int> status_;
};

struct Outcome {
    int status;          // as ChildProcess::wait; 124 if it had to be killed at the limit
    std::string output;  // standard output and error
};
// Runs a command to its end.
Outcome run(ChildProcess::Options options, std::chrono::seconds limit);
// The same, and throws with the output unless the status is 0.
std::string run_or_throw(ChildProcess::Options options, std::chrono::seconds limit);

// Processes whose parent is `parent`.
std::vector<pid_t> children_of(pid_t parent);
// Whether a process runs no more, though its parent may not have waited for it yet.
bool has_ended(pid_t process);

}  // namespace warmfront::test
