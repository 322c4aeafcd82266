// proxy/session/shared.h: what the sessions of all workers share, and what they ask of the rest of the proxy.
//
// Wired once by main; every member outlives the workers. Thread-safety is each member's own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cache/disk_tier.h"
#include "cache/flights.h"
#include "cache/store.h"
#include "cache/write_log.h"
#include "config/clock.h"
#include "config/log.h"
#include "config/settings.h"
#include "proxy/io/dial.h"
#include "proxy/io/loop.h"
#include "proxy/io/stream.h"
#include "proxy/io/tls.h"
#include "proxy/session/cancel_registry.h"
#include "proxy/session/conversation.h"
#include "proxy/session/database.h"
#include "proxy/session/directory.h"
#include "proxy/session/foresight.h"
#include "proxy/session/ledger.h"
#include "proxy/session/switches.h"
#include "sql/session_settings.h"
#include "sql/template.h"

namespace warmfront::session {

// The way to PostgreSQL: a connection that is ready for a startup packet (TLS done, if the conninfo asks for
// it).
class Upstream {
public:
    virtual ~Upstream() = default;
    // done: as io::Dial's. Errors name the addresses and the reasons.
    [[nodiscard]] virtual std::unique_ptr<io::Dial> dial(io::Loop& loop, std::chrono::milliseconds timeout,
                                                         io::DialOptions::Only only, io::Dial::Done done) = 0;
    // sslmode=allow: a startup refused in plain text is tried again with TLS.
    [[nodiscard]] virtual bool retries_with_tls() const = 0;
    [[nodiscard]] virtual std::string text() const = 0;            // "127.0.0.1:5432", for errors and the log
    [[nodiscard]] virtual std::string admin_database() const = 0;  // where admin_users prove who they are
};

// What is to be done about writes and continuity; implemented by the control thread.
class Aftermath {
public:
    virtual ~Aftermath() = default;
    // Ends them once the backend process is gone (see cache/write_log.h).
    virtual void settle(std::uint32_t backend_pid, std::vector<Unsettled> writes) = 0;
    // A server connection broke in a way that a crash of PostgreSQL would look like.
    virtual void continuity_in_doubt() = 0;
};

// Answers the admin console's commands: text in, whole wire messages out (ReadyForQuery included).
class AdminConsole {
public:
    virtual ~AdminConsole() = default;
    [[nodiscard]] virtual std::string answer(std::string_view command) = 0;
};

struct Shared {
    const Clock& clock;
    Logger& log;
    cache::WriteLog& write_log;
    cache::Store& store;
    cache::Flights& flights;
    sql::TemplateTable& templates;
    sql::SettingsInterner& interner;
    Databases& databases;
    Upstream& upstream;
    Aftermath& aftermath;
    AdminConsole& console;
    CancelRegistry& cancels;
    Directory& directory;
    Ledger& ledger;
    Switches& switches;

    // Replaced as a whole by a reload; a session reads them when it begins.
    [[nodiscard]] std::shared_ptr<const Settings> settings() const {
        const std::lock_guard lock(mutex);
        return current_settings;
    }
    [[nodiscard]] io::TlsContext tls() const {
        const std::lock_guard lock(mutex);
        return current_tls;
    }
    void replace(std::shared_ptr<const Settings> settings, io::TlsContext tls) {
        const std::lock_guard lock(mutex);
        current_settings = std::move(settings);
        current_tls = std::move(tls);
    }
    mutable std::mutex mutex{};
    std::shared_ptr<const Settings> current_settings{};
    io::TlsContext current_tls{};
    std::atomic<std::size_t> clients{0};
    cache::DiskTier* disk = nullptr;   // set before the workers run; none: nullptr
    Foresights* foresights = nullptr;  // set before the workers are made
};

}  // namespace warmfront::session
