// proxy/admin/process.h: what the kernel knows of this process (proc(5): /proc/self).
#pragma once

#include <cstdint>

namespace warmfront::admin {

struct ProcessStats {
    std::uint64_t resident_bytes = 0, virtual_bytes = 0;
    double cpu_seconds = 0;         // user and system
    double start_time_seconds = 0;  // since 1970
    std::uint64_t threads = 0;
    std::uint64_t open_fds = 0, max_fds = 0;  // max_fds: the soft limit
};

// What cannot be read stays 0. A few system calls.
[[nodiscard]] ProcessStats read_process_stats();

}  // namespace warmfront::admin
