#include "proxy/admin/process.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

namespace warmfront::admin {

static std::string content_of(const char* path) {
    std::ifstream file(path);
    std::stringstream content;
    content << file.rdbuf();
    return content.str();
}

static double boot_time_seconds() {
    std::istringstream lines(content_of("/proc/stat"));
    for (std::string word; lines >> word;) {
        double seconds = 0;
        if (word == "btime" && lines >> seconds) return seconds;
    }
    return 0;
}

// The numbers of /proc/self/stat are counted from 1; the second, the command's name in brackets, may hold
// anything.
static void read_stat(ProcessStats& stats) {
    const std::string content = content_of("/proc/self/stat");
    const auto after_name = content.rfind(") ");
    if (after_name == std::string::npos) return;
    std::istringstream fields(content.substr(after_name + 2));
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    std::string field;
    for (int number = 3; fields >> field; ++number) {
        const std::uint64_t value = std::strtoull(field.c_str(), nullptr, 10);
        if (number == 14 || number == 15) stats.cpu_seconds += static_cast<double>(value) / ticks;
        if (number == 20) stats.threads = value;
        if (number == 22) stats.start_time_seconds = boot_time_seconds() + static_cast<double>(value) / ticks;
        if (number == 23) stats.virtual_bytes = value;
        if (number == 24) stats.resident_bytes = value * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    }
}

ProcessStats read_process_stats() {
    ProcessStats stats;
    read_stat(stats);
    std::error_code ignored;
    for (std::filesystem::directory_iterator fd("/proc/self/fd", ignored), end; fd != end;
         fd.increment(ignored))
        ++stats.open_fds;
    if (stats.open_fds > 0) --stats.open_fds;  // the one that reads the directory
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) stats.max_fds = limit.rlim_cur;
    return stats;
}

}  // namespace warmfront::admin
