// proxy/admin/console.h: the admin console, as PgBouncer's users know it: psql -p 6432 warmfront, then SHOW
// HELP.
//
// Pure: a command's text in, whole wire messages out, ReadyForQuery at the end. What it shows and does comes
// through ConsoleContext. Commands are case-insensitive, one at a time, a semicolon at the end is fine.
// Errors: 42601 for what is not a command, 3D000 and others from the callbacks.
//
// answer() is called on the asking client's worker: no callback may wait for a worker's loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/result.h"
#include "config/settings.h"
#include "proxy/admin/observation.h"
#include "proxy/admin/prewarm_view.h"
#include "proxy/session/directory.h"
#include "proxy/session/next_query_row.h"
#include "proxy/session/shared.h"
#include "proxy/session/template_row.h"

namespace warmfront::admin {

using Properties = std::vector<std::pair<std::string, std::string>>;  // name, value

struct ConsoleContext {
    std::function<Observation()> observe;
    std::function<std::vector<session::ConnectionRow>()> connections;
    std::function<std::shared_ptr<const Settings>()> settings;
    // What a query is to the cache (proxy/admin/explain.h); database empty: the upstream's own.
    std::function<Result<Properties>(const std::string& database, std::string_view query)> explain;
    // nullopt: every database.
    std::function<Result<void>(const std::optional<std::string>& database)> flush;
    // From first to last as they are to be shown.
    std::function<std::vector<session::TemplateRow>()> templates;
    // On again, whatever switched them off; nullopt: all. How many there were.
    std::function<std::size_t(std::optional<std::uint64_t> digest)> resume;
    std::function<std::shared_ptr<const PrewarmView>()> prewarm;
    // From first to last as they are to be shown.
    std::function<std::vector<session::NextQueryView>()> next_query;
    // Of a replay's text (proxy/control/replay.h): begins to fetch its answer.
    std::function<Result<void>(std::string_view replay)> prewarm_one;
    std::function<Result<void>()> reload;
    std::function<void()> shut_down;  // begins it; the answer still reaches the client
};

class Console final : public session::AdminConsole {
public:
    explicit Console(ConsoleContext context) : context_(std::move(context)) {}
    [[nodiscard]] std::string answer(std::string_view command) override;

private:
    const ConsoleContext context_;
};

}  // namespace warmfront::admin
