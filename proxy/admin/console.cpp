// One table of commands is the parser, the help and the hint of errors. What clients send on their own when
// they connect (SET, BEGIN, SHOW of a server's setting) is answered with as little as keeps them content.
#include "proxy/admin/console.h"

#include <array>

#include <fmt/format.h>

#include "config/settings_table.h"
#include "config/version.h"
#include "proxy/admin/console_reply.h"
#include "proxy/admin/forecast_rows.h"
#include "proxy/admin/next_query_table.h"
#include "sql/choices.h"

namespace warmfront::admin {

namespace {

using Rows = std::vector<std::vector<std::string>>;

struct Command {
    std::string_view words;
    std::string_view argument;  // as SHOW HELP shows it; empty: takes none
    std::string_view help;
    void (*run)(ConsoleReply& reply, const ConsoleContext& context, std::string_view argument);
};

std::span<const Command> commands();

std::string text(std::uint64_t number) {
    return std::to_string(number);
}

std::string milliseconds(std::uint64_t us) {
    return fmt::format("{:.1f}", static_cast<double>(us) / 1000);
}

void show_help(ConsoleReply& reply, const ConsoleContext&, std::string_view) {
    Rows rows;
    for (const Command& each : commands()) {
        rows.push_back(
            {std::string(each.words) + (each.argument.empty() ? "" : " ") + std::string(each.argument),
             std::string(each.help)});
    }
    constexpr std::array<std::string_view, 2> kColumns{"command", "what it does"};
    reply.table(kColumns, rows);
}

std::vector<std::string> stats_row(std::string_view name, const DatabaseTotals& totals) {
    std::vector<std::string> row{std::string(name), text(totals.connections), text(totals.queries_total())};
    for (const std::uint64_t of_class : totals.queries) row.push_back(text(of_class));
    row.insert(row.end(), {text(totals.hits), text(totals.misses), fmt::format("{:.4f}", totals.hit_ratio()),
                           text(totals.fills), text(totals.fills_refused), text(totals.received_bytes),
                           text(totals.sent_bytes)});
    for (const Latencies* each : {&totals.hit_latency, &totals.miss_latency, &totals.forwarded_latency}) {
        row.push_back(text(each->quantile_us(0.5)));
        row.push_back(text(each->quantile_us(0.99)));
    }
    return row;
}

void show_stats(ConsoleReply& reply, const ConsoleContext& context, std::string_view) {
    std::vector<std::string_view> columns{"database", "connections", "queries"};
    for (const sql::QueryClass each : kQueryClasses) columns.push_back(sql::name_of(each));
    columns.insert(columns.end(), {"hits", "misses", "hit_ratio", "fills", "fills_refused", "received_bytes",
                                   "sent_bytes", "hit_p50_us", "hit_p99_us", "miss_p50_us", "miss_p99_us",
                                   "forwarded_p50_us", "forwarded_p99_us"});
    Rows rows;
    for (const auto& [name, totals] : context.observe().databases) rows.push_back(stats_row(name, totals));
    reply.table(columns, rows);
}

std::string disk_state(const cache::DiskStats& disk) {
    if (disk.bytes_max == 0) return "none";
    return disk.on ? "on" : "off: it failed, see the log";
}

void show_cache(ConsoleReply& reply, const ConsoleContext& context, std::string_view) {
    const Observation seen = context.observe();
    constexpr std::array<std::string_view, 2> kColumns{"name", "value"};
    reply.table(kColumns,
                {{"entries", text(seen.store.entries)},
                 {"bytes", text(seen.store.bytes)},
                 {"max_bytes", text(seen.store_bytes_max)},
                 {"fills", text(seen.store.fills)},
                 {"fills_refused", text(seen.store.fills_refused)},
                 {"evictions", text(seen.store.evictions)},
                 {"expired", text(seen.store.expired)},
                 {"voided", text(seen.store.voided)},
                 {"flights", text(seen.flights)},
                 {"templates", text(seen.templates)},
                 {"mode", seen.observing ? "observe" : "serve"},
                 {"would_be_hits", text(seen.ledger.would_hits)},
                 {"saved_ms", milliseconds(seen.ledger.saved_us)},
                 {"verified", text(seen.ledger.verified)},
                 {"mismatches", text(seen.ledger.mismatches)},
                 {"templates_off", text(seen.ledger.off_by_break_even + seen.ledger.off_by_mismatch)},
                 {"disk", disk_state(seen.disk)},
                 {"disk_entries", text(seen.disk.entries)},
                 {"disk_bytes", text(seen.disk.bytes)},
                 {"disk_max_bytes", text(seen.disk.bytes_max)},
                 {"disk_memory_bytes", text(seen.disk.memory_bytes)},
                 {"disk_hits", text(seen.disk.hits)},
                 {"disk_reads", text(seen.disk.reads)},
                 {"disk_read_us", text(seen.disk.read_us)},
                 {"disk_reads_refused", text(seen.disk.reads_slow + seen.disk.reads_full)},
                 {"disk_writes", text(seen.disk.writes)},
                 {"disk_dropped", text(seen.disk.dropped)},
                 {"disk_voided", text(seen.disk.voided)},
                 {"disk_errors", text(seen.disk.errors)}});
}

std::vector<std::string> template_row(const session::TemplateRow& row) {
    const bool off = row.off != session::Off::No;
    return {sql::digest_text(row.digest),
            row.database,
            std::string(sql::name_of(row.query_class)),
            row.cacheable ? "yes" : "no",
            off             ? std::string(session::name_of(row.off))
            : row.cacheable ? "on"
                            : "",
            off || row.cacheable ? row.off_reason : row.refusal,
            text(row.requests),
            text(row.hits),
            text(row.would_hits),
            text(row.misses),
            fmt::format("{:.4f}", row.hit_ratio()),
            milliseconds(row.origin_mean_us),
            milliseconds(row.saved_us),
            std::to_string(row.entries),
            std::to_string(row.bytes),
            text(row.verified),
            text(row.mismatches),
            row.text};
}

void show_templates(ConsoleReply& reply, const ConsoleContext& context, std::string_view) {
    Rows rows;
    for (const session::TemplateRow& row : context.templates()) rows.push_back(template_row(row));
    constexpr std::array<std::string_view, 18> kColumns{
        "digest",   "database", "class",         "cached",   "state",      "reason",
        "requests", "hits",     "would_be_hits", "misses",   "hit_ratio",  "origin_ms",
        "saved_ms", "entries",  "bytes",         "verified", "mismatches", "template"};
    reply.table(kColumns, rows);
}

void resume_template(ConsoleReply& reply, const ConsoleContext& context, std::string_view argument) {
    const auto digest = sql::parse_digest(argument);
    if (!digest && !argument.empty())
        return reply.fail(
            {"42601", "RESUME TEMPLATE takes a digest of 16 digits, as SHOW TEMPLATES shows it"});
    if (context.resume(digest) == 0 && digest)
        return reply.fail({"42704", fmt::format("there is no template {}", argument)});
    reply.done("RESUME");
}

std::string percent(std::uint64_t part, std::uint64_t all) {
    return all == 0 ? ""
                    : fmt::format("{:.1f}", 100.0 * static_cast<double>(part) / static_cast<double>(all));
}

void show_hot(ConsoleReply& reply, const ConsoleContext& context, std::string_view) {
    Rows rows;
    const auto view = context.prewarm();
    for (const HotRow& each : view->hot)
        rows.push_back({each.database, each.template_digest, each.role, fmt::format("{:.3f}", each.rate_now),
                        fmt::format("{:.3f}", each.rate_most), fmt::format("{:.2f}", each.requests),
                        fmt::format("{:.1f}", each.saves_us / 1000), fmt::format("{:.0f}", each.bytes),
                        each.state, each.plan, sql::shown_text(each.statement)});
    constexpr std::array<std::string_view, 11> kColumns{"database",  "digest",   "role",     "rate_now",
                                                        "rate_most", "requests", "saves_ms", "bytes",
                                                        "state",     "plan",     "statement"};
    reply.table(kColumns, rows);
}

void show_prewarm(ConsoleReply& reply, const ConsoleContext& context, std::string_view) {
    const auto view = context.prewarm();
    Rows rows;
    for (const session::TemplateRow& row : context.templates()) {
        const auto off = view->off.find({row.database, row.digest});
        const bool is_off = off != view->off.end();
        if (row.fetched == 0 && row.fetch_spent_us == 0 && !is_off) continue;
        rows.push_back({sql::digest_text(row.digest), row.database,
                        !view->enabled ? "disabled"
                        : is_off       ? "off"
                                       : "on",
                        is_off ? off->second : "", text(row.fetched), text(row.fetched_used),
                        text(row.fetched_unused),
                        percent(row.fetched_unused, row.fetched_used + row.fetched_unused),
                        milliseconds(row.fetch_spent_us), milliseconds(row.fetch_saved_us), row.text});
    }
    constexpr std::array<std::string_view, 11> kColumns{"digest",   "database", "state",   "reason",
                                                        "fetched",  "used",     "unused",  "unused_percent",
                                                        "spent_ms", "saved_ms", "template"};
    reply.table(kColumns, rows);
}

void show_next_query(ConsoleReply& reply, const ConsoleContext& context, std::string_view) {
    reply.table(next_query_columns(), next_query_table(context.next_query()));
}

void prewarm(ConsoleReply& reply, const ConsoleContext& context, std::string_view argument) {
    if (argument.empty()) return reply.fail({"42601", "PREWARM takes a replay, a JSON object"});
    const auto result = context.prewarm_one(argument);
    if (!result) return reply.fail(result.error());
    reply.done("PREWARM");
}

void show_refusals(ConsoleReply& reply, const ConsoleContext& context, std::string_view) {
    Rows rows;
    for (const auto& [name, totals] : context.observe().databases) {
        for (const auto& [reason, count] : totals.refusals)
            rows.push_back({name, std::string(reason), text(count)});
    }
    constexpr std::array<std::string_view, 3> kColumns{"database", "reason", "count"};
    reply.table(kColumns, rows);
}

void show_invalidations(ConsoleReply& reply, const ConsoleContext& context, std::string_view) {
    Rows rows;
    for (const auto& [name, totals] : context.observe().databases) {
        for (const session::DropCause cause : kDropCauses) {
            const std::uint64_t count = totals.invalidations[static_cast<std::size_t>(cause)];
            if (count > 0) rows.push_back({name, std::string(name_of(cause)), text(count)});
        }
    }
    constexpr std::array<std::string_view, 3> kColumns{"database", "cause", "count"};
    reply.table(kColumns, rows);
}

void show_forecast(ConsoleReply& reply, const ConsoleContext& context, std::string_view) {
    reply.table(kForecastColumns, forecast_rows(*context.observe().outlook));
}

void show_alarms(ConsoleReply& reply, const ConsoleContext& context, std::string_view) {
    reply.table(kAlarmColumns, alarm_rows(*context.observe().outlook));
}

void show_capacity(ConsoleReply& reply, const ConsoleContext& context, std::string_view) {
    constexpr std::array<std::string_view, 2> kColumns{"name", "value"};
    reply.table(kColumns, capacity_rows(context.observe().outlook->capacity));
}

void show_connections(ConsoleReply& reply, const ConsoleContext& context, std::string_view) {
    Rows rows;
    for (const session::ConnectionRow& each : context.connections()) {
        rows.push_back({text(each.worker), text(each.number), each.client, each.user, each.database,
                        each.application, each.state, each.tls, text(each.backend_pid),
                        text(each.connected_seconds)});
    }
    constexpr std::array<std::string_view, 10> kColumns{"worker",      "number",           "client", "user",
                                                        "database",    "application",      "state",  "tls",
                                                        "backend_pid", "connected_seconds"};
    reply.table(kColumns, rows);
}

void show_config(ConsoleReply& reply, const ConsoleContext& context, std::string_view) {
    const auto settings = context.settings();
    const Settings defaults;
    Rows rows;
    for (const Setting& each : settings_table()) {
        rows.push_back({std::string(each.name), each.print(*settings), each.print(defaults),
                        each.reload == Reload::Live ? "yes" : "no"});
    }
    constexpr std::array<std::string_view, 4> kColumns{"name", "value", "default", "reloadable"};
    reply.table(kColumns, rows);
}

void show_version(ConsoleReply& reply, const ConsoleContext&, std::string_view) {
    constexpr std::array<std::string_view, 1> kColumns{"version"};
    reply.table(kColumns, {{"warmfront " + std::string(version())}});
}

void explain_cache(ConsoleReply& reply, const ConsoleContext& context, std::string_view argument) {
    std::string database;
    if (const auto after_in = after_words(argument, "IN")) {
        auto named = read_name(*after_in);
        if (!named) return reply.fail({"42601", "EXPLAIN CACHE IN needs the name of a database"});
        database = std::move(named->name);
        argument = named->rest;
    }
    if (argument.empty()) return reply.fail({"42601", "EXPLAIN CACHE needs a query"});
    const auto properties = context.explain(database, argument);
    if (!properties) return reply.fail(properties.error());
    Rows rows;
    for (const auto& [name, value] : *properties) rows.push_back({name, value});
    constexpr std::array<std::string_view, 2> kColumns{"property", "value"};
    reply.table(kColumns, rows, "EXPLAIN");
}

void finish_action(ConsoleReply& reply, const Result<void>& result, std::string_view tag) {
    if (result)
        reply.done(tag);
    else
        reply.fail(result.error());
}

void flush(ConsoleReply& reply, const ConsoleContext& context, std::string_view argument) {
    std::optional<std::string> database;
    if (!argument.empty()) {
        auto named = read_name(argument);
        if (!named || !named->rest.empty())
            return reply.fail({"42601", "FLUSH takes the name of one database"});
        database = std::move(named->name);
    }
    finish_action(reply, context.flush(database), "FLUSH");
}

void reload(ConsoleReply& reply, const ConsoleContext& context, std::string_view) {
    finish_action(reply, context.reload(), "RELOAD");
}

void shut_down(ConsoleReply& reply, const ConsoleContext& context, std::string_view) {
    context.shut_down();
    reply.done("SHUTDOWN");
}

std::span<const Command> commands() {
    static constexpr Command kCommands[] = {
        {"SHOW HELP", "", "this list", show_help},
        {"SHOW STATS", "", "queries, hits, misses, bytes and latencies per database", show_stats},
        {"SHOW CACHE", "", "what is in memory and on disk, and what left it", show_cache},
        {"SHOW TEMPLATES", "", "statement by statement: kept or why not, hits, what they save, memory",
         show_templates},
        {"SHOW HOT", "", "what is predicted to be asked for, and what is done about it", show_hot},
        {"SHOW PREWARM", "", "statement by statement: answers fetched ahead, used and unused, cost and gain",
         show_prewarm},
        {"SHOW NEXT_QUERY", "",
         "which query follows which, how sure that is, and what fetching it ahead brings", show_next_query},
        {"SHOW REFUSALS", "", "reads that are not kept, by reason", show_refusals},
        {"SHOW INVALIDATIONS", "", "what voided answers, by cause", show_invalidations},
        {"SHOW FORECAST", "", "the loads to come, series by series, and how sure that is", show_forecast},
        {"SHOW ALARMS", "", "loads that are outside what was to be expected", show_alarms},
        {"SHOW CAPACITY", "", "how many sidecars the load to come needs, and why", show_capacity},
        {"SHOW CONNECTIONS", "", "the clients that are connected", show_connections},
        {"SHOW CONFIG", "", "every setting and its default", show_config},
        {"SHOW VERSION", "", "which warmfront this is", show_version},
        {"EXPLAIN CACHE", "[IN database] query", "whether a query's answer is kept, and why not",
         explain_cache},
        {"FLUSH", "[database]", "drop what is kept, of one database or of all", flush},
        {"RESUME TEMPLATE", "[digest]", "keep answers of a statement again that was switched off, or of all",
         resume_template},
        {"PREWARM", "replay", "fetch the answer of a read, given as JSON, and keep it warm for ten minutes",
         prewarm},
        {"RELOAD", "", "read the configuration file again", reload},
        {"SHUTDOWN", "", "finish what is under way and end the process", shut_down},
    };
    return kCommands;
}

std::string hint_of_commands() {
    std::string hint = "Commands:";
    for (const Command& each : commands())
        hint += (&each == commands().data() ? " " : ", ") + std::string(each.words);
    return hint + ".";
}

bool run_command(ConsoleReply& reply, const ConsoleContext& context, std::string_view command) {
    for (const Command& each : commands()) {
        const auto argument = after_words(command, each.words);
        if (!argument) continue;
        if (each.argument.empty() && !argument->empty())
            reply.fail({"42601", fmt::format("{} takes no argument", each.words)});
        else
            each.run(reply, context, *argument);
        return true;
    }
    return false;
}

// Of a session as drivers set it up. There are no transactions here: the status stays idle.
bool run_pleasantry(ConsoleReply& reply, std::string_view command) {
    struct Tag {
        std::string_view words, tag;
    };
    constexpr Tag kTags[] = {{"SET", "SET"},
                             {"RESET", "RESET"},
                             {"BEGIN", "BEGIN"},
                             {"START TRANSACTION", "START TRANSACTION"},
                             {"COMMIT", "COMMIT"},
                             {"ROLLBACK", "ROLLBACK"},
                             {"DISCARD ALL", "DISCARD ALL"}};
    for (const auto& [words, tag] : kTags) {
        if (after_words(command, words)) return reply.done(tag), true;
    }
    struct Answer {
        std::string_view command, column, value;
    };
    constexpr Answer kAnswers[] = {
        {"SHOW server_version", "server_version", "15.0 (warmfront console)"},
        {"SHOW client_encoding", "client_encoding", "UTF8"},
        {"SHOW server_encoding", "server_encoding", "UTF8"},
        {"SHOW standard_conforming_strings", "standard_conforming_strings", "on"},
        {"SHOW transaction_isolation", "transaction_isolation", "read committed"},
        {"SHOW TRANSACTION ISOLATION LEVEL", "transaction_isolation", "read committed"},
        {"SELECT 1", "?column?", "1"},
        {"SELECT version()", "version", "warmfront console"}};
    for (const auto& [words, column, value] : kAnswers) {
        const auto rest = after_words(command, words);
        if (!rest || !rest->empty()) continue;
        reply.table({&column, 1}, {{std::string(value)}},
                    words.substr(0, words.find(' ')) == "SHOW" ? "SHOW" : "SELECT 1");
        return true;
    }
    return false;
}

}  // namespace

std::string Console::answer(std::string_view command) {
    ConsoleReply reply;
    command = trimmed(command);
    if (command.empty())
        reply.empty();
    else if (!run_command(reply, context_, command) && !run_pleasantry(reply, command))
        reply.fail({"42601", "this is the admin console of warmfront, which has no such command"},
                   hint_of_commands());
    return std::move(reply).finish();
}

}  // namespace warmfront::admin
