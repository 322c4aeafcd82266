// proxy/session/meter.h: what a conversation reports of itself. One Meter per worker and database; cheap
// calls only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sql/analysis.h"

namespace warmfront::session {

enum class DropCause { Write, Ddl, Roles, Opaque, UpstreamLost, Flush };

class Meter {
public:
    virtual ~Meter() = default;
    // Times are when the request came, in microseconds of the worker's clock.
    // How long it took.
    virtual std::uint64_t hit(std::uint64_t since_us) noexcept = 0;
    // The hit just told was given because PostgreSQL cannot be reached.
    virtual void stale() noexcept = 0;
    // A request went to PostgreSQL and was answered. missed: it would have been answered from the cache.
    virtual void forwarded(sql::QueryClass query_class, bool missed, std::uint64_t since_us) noexcept = 0;
    virtual void refused(std::string_view label) noexcept = 0;  // a read that is not kept, and why
    virtual void filled(bool stored) noexcept = 0;
    virtual void dropped(DropCause cause) noexcept = 0;
    [[nodiscard]] virtual std::uint64_t now_us() const noexcept = 0;
    virtual void client_bytes(std::size_t received, std::size_t sent) noexcept = 0;
    virtual void connected() noexcept = 0;
    virtual void disconnected() noexcept = 0;
};

}  // namespace warmfront::session
