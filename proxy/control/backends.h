// proxy/control/backends.h: asks PostgreSQL which backend processes are still there.
//
// Blocking, on the control thread. The upstream account must see pg_stat_activity's pids (every role does).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/result.h"

namespace warmfront::control {

// A backend whose connection was lost in flight, and when.
struct LostBackend {
    std::uint32_t pid = 0;
    std::chrono::steady_clock::time_point since;
};

class Backends {
public:
    explicit Backends(std::string conninfo);
    ~Backends();

    // For each, whether it is gone: no process of that pid, or one that began after the loss. Fails with
    // 08006 when PostgreSQL cannot be asked; the connection is made anew at the next call.
    [[nodiscard]] Result<std::vector<bool>> gone(const std::vector<LostBackend>& backends) noexcept;

private:
    struct Connection;
    std::string conninfo_;
    std::unique_ptr<Connection> connection_;
};

}  // namespace warmfront::control
