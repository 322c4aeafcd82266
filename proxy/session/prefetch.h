// proxy/session/prefetch.h: what a session asks of whoever fetches answers ahead (proxy/control).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "sql/session_settings.h"
#include "sql/template.h"

namespace warmfront::session {

// A read that a session is expected to send: all that its cache key names (cache/key.h).
struct Prefetch {
    std::shared_ptr<const sql::SessionSettings> settings;
    std::shared_ptr<const sql::Template> statement;
    char kind = 'Q';
    std::uint32_t row_limit = 0;
    std::string details;
    std::chrono::microseconds within{};  // of no use after that
};

class PrefetchSink {
public:
    virtual ~PrefetchSink() = default;
    // From any worker; returns at once. False: there is no room, or nothing is fetched at all.
    virtual bool prefetch(Prefetch wanted) = 0;
};

}  // namespace warmfront::session
