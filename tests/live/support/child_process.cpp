#include "tests/live/support/child_process.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/support/files.h"

namespace warmfront::test {

using namespace std::chrono_literals;

std::optional<Account> unprivileged_account() {
    if (geteuid() != 0) return std::nullopt;
    for (const char* name : {"postgres", "nobody"}) {
        if (const passwd* entry = getpwnam(name)) return Account{entry->pw_uid, entry->pw_gid};
    }
    throw std::runtime_error("no account named postgres or nobody to run PostgreSQL as");
}

// Runs in the child between fork and exec: system calls only.
static void become(const ChildProcess::Options& options, int log) {
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(null, STDIN_FILENO);
    setpgid(0, 0);  // a Ctrl-C in the terminal is for the test to deal with
    if (options.account) {
        if (setgroups(0, nullptr) != 0 || setgid(options.account->gid) != 0 ||
            setuid(options.account->uid) != 0)
            _exit(126);
        if (chdir("/") != 0) _exit(126);
    }
    prctl(PR_SET_PDEATHSIG, options.signal_at_parent_end);  // after setuid, which clears it
}

ChildProcess::ChildProcess(const Options& options) {
    std::vector<char*> arguments;
    for (const auto& argument : options.command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    std::vector<std::string> added;
    for (const auto& [name, value] : options.environment) added.push_back(name + "=" + value);
    std::vector<char*> environment;
    for (auto& entry : added) environment.push_back(entry.data());
    for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
    environment.push_back(nullptr);

    const int log = open(options.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log < 0) throw std::runtime_error("cannot open " + options.log_file + ": " + std::strerror(errno));
    pid_ = fork();
    if (pid_ == 0) {
        become(options, log);
        execvpe(arguments[0], arguments.data(), environment.data());
        _exit(127);
    }
    close(log);
    if (pid_ < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
}

ChildProcess::~ChildProcess() {
    if (status_) return;
    send_signal(SIGKILL);
    (void)wait(10s);
}

void ChildProcess::send_signal(int number) const {
    if (!status_) kill(pid_, number);
}

std::optional<int> ChildProcess::wait(std::chrono::milliseconds limit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (!status_) {
        int raw = 0;
        if (waitpid(pid_, &raw, WNOHANG) == pid_) {
            status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
        } else if (std::chrono::steady_clock::now() >= until) {
            break;
        } else {
            std::this_thread::sleep_for(2ms);
        }
    }
    return status_;
}

Outcome run(ChildProcess::Options options, std::chrono::seconds limit) {
    const TemporaryDirectory directory("run");
    options.log_file = directory.path() + "/output";
    ChildProcess child(options);
    auto status = child.wait(limit);
    if (!status) {
        child.send_signal(SIGKILL);
        status = 124;
    }
    return {*status, read_file(options.log_file)};
}

std::string run_or_throw(ChildProcess::Options options, std::chrono::seconds limit) {
    std::string words;
    for (const auto& word : options.command) words += word + ' ';
    auto [status, output] = run(std::move(options), limit);
    if (status != 0)
        throw std::runtime_error(words + "ended with status " + std::to_string(status) + ":\n" + output);
    return std::move(output);
}

namespace {
struct Entry {  // of /proc/<pid>/stat
    char state;
    pid_t parent;
};
}  // namespace

static std::optional<Entry> process_entry(const std::string& pid) {
    const std::string line = read_file("/proc/" + pid + "/stat");
    // pid (name) state ppid: the name may hold anything, so look behind its last parenthesis.
    const auto end_of_name = line.rfind(')');
    if (end_of_name == std::string::npos || line.size() < end_of_name + 5) return std::nullopt;
    return Entry{line[end_of_name + 2],
                 static_cast<pid_t>(std::strtol(line.c_str() + end_of_name + 4, nullptr, 10))};
}

bool has_ended(pid_t process) {
    const auto entry = process_entry(std::to_string(process));
    return !entry || entry->state == 'Z';
}

std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> children;
    for (const auto& directory : std::filesystem::directory_iterator("/proc")) {
        const std::string name = directory.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        const auto entry = process_entry(name);
        if (entry && entry->parent == parent) children.push_back(static_cast<pid_t>(std::stol(name)));
    }
    return children;
}

}  // namespace warmfront::test
