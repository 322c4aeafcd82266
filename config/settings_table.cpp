#include "config/settings_table.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "config/calendar_types.h"

namespace warmfront {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr std::size_t kKiB = std::size_t{1} << 10;
constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kGiB = std::size_t{1} << 30;
constexpr std::size_t kTiB = std::size_t{1} << 40;

// The way from Settings, const or not, to one of its members: at(&Settings::cache, &CacheSettings::memory).
template <typename... Members>
auto at(Members... members) {
    return [=](auto& settings) -> auto& {
        return (settings.*....*members);
    };
}

template <typename Type, typename Member>
Setting row(std::string_view name, Reload reload, const Type& type, Member member, std::string_view text) {
    return Setting{
        name,
        reload,
        text,
        type.describe(),
        type.choices(),
        std::is_same_v<Type, ChoicesType> || std::is_same_v<Type, EventsType>,
        std::is_same_v<Type, EventsType>,
        [type, member](Settings& settings, const RawValue& raw) -> std::optional<Mismatch> {
            auto value = type.parse(raw);
            if (!value) return value.error();
            member(settings) = *std::move(value);
            return std::nullopt;
        },
        [type, member](const Settings& settings) { return type.print(member(settings)); },
        [member](const Settings& a, const Settings& b) { return member(a) == member(b); },
        [member](Settings& to, const Settings& from) { member(to) = member(from); },
    };
}

constexpr std::string_view kFunctions = "functions, as `name` or `schema.name`";

std::vector<Setting> make_table() {
    using S = Settings;
    using enum Reload;
    const DurationType ttl{1ms, 30 * 24h}, stale{0ms, 30 * 24h};
    return {
        row("listen", Restart, AddressesType{}, at(&S::listen),
            "Where clients connect. `*` as host stands for every interface, IPv4 and IPv6. A path is "
            "the socket file itself: libpq clients that are given a directory look for `.s.PGSQL.` and "
            "the port in it, so name it, for instance, `/run/warmfront/.s.PGSQL.6432`."),
        row("upstream", Restart, ConninfoType{}, at(&S::upstream),
            "The PostgreSQL behind warmfront. Its host, port and `sslmode` hold for every connection; "
            "its user, password and database are those of warmfront's own account, with which it reads "
            "the catalog. Clients log in as themselves. Passwords are not shown in logs and in the "
            "console."),
        row("http", Restart, OptionalTcpAddressType{}, at(&S::http),
            "Where `/metrics`, `/healthz`, `/readyz` and the live page are served. Nothing: no HTTP."),
        row("state_dir", Restart, TextType{"a path of a directory", false}, at(&S::state_dir),
            "Where warmfront keeps what must survive a restart. Made if it does not exist."),
        row("threads", Restart, CountType<unsigned>{0, 1024}, at(&S::threads),
            "Worker threads. A client's connection stays on one of them. 0: one for each core."),
        row("admin_users", Live, NamesType{"roles"}, at(&S::admin_users),
            "Roles that may use the admin console (database `warmfront`) from other machines, after "
            "logging in as in PostgreSQL. From loopback addresses and unix sockets everybody may."),
        row("shutdown_timeout", Live, DurationType{0ms, 24h}, at(&S::shutdown_timeout),
            "How long SIGTERM waits for transactions to end before their clients are told 57P01. 0: not "
            "at all."),
        row("connect_timeout", Live, DurationType{10ms, 1h}, at(&S::connect_timeout),
            "How long a connection to PostgreSQL may take to come about."),
        row("client_connections_max", Live, CountType<std::size_t>{1, 1'000'000},
            at(&S::client_connections_max),
            "Clients connected at a time. Further ones are refused with 53300."),
        row("tables", Live, ChoicesType{"name", "a table, as name or schema.name", ttl, stale},
            at(&S::tables),
            "What is chosen for single tables. `cache: off`: no answer that reads the table is kept. "
            "`cache: on`: answers are kept although the table is foreign (its changes are not seen before "
            "the ttl is over) or a system catalog (the same of what is not changed by DDL, such as temporary "
            "tables and statistics). `ttl`: the "
            "longest that an answer which reads the table is kept; of several tables the least counts, and "
            "`cache.ttl` for those without one. `stale_if_error`: how long answers that read the table are "
            "still given when PostgreSQL cannot be reached, counted from the end of their ttl and from the "
            "loss of PostgreSQL, whichever comes first; of several tables the least counts, and nothing is "
            "given if one of them has none. What is said of a partitioned table holds for its "
            "partitions, and the other way round; what is said of a view, for those who name the view. The "
            "same table may not be named twice. As a flag: `--set 'tables={name: orders, ttl: 1m}'`."),
        row("templates", Live,
            ChoicesType{"match", "a statement, or its digest of 16 hexadecimal digits", ttl, stale},
            at(&S::templates),
            "What is chosen for single statements, literals and parameters apart: `match` is an example "
            "of the statement (`SELECT * FROM t WHERE id = 1`, `... = $1` and `... = ?` are the same) "
            "or the digest that `SHOW TEMPLATES` and `EXPLAIN CACHE` show. `cache: off`: not kept. "
            "`cache: on`: kept although a table that it reads is turned off. `ttl`: stands in for "
            "`cache.ttl`; a table's own ttl still counts if it is shorter. `stale_if_error`: stands in for "
            "that of the tables that have none; a table's own still counts if it is shorter."),
        row("log.level", Live,
            ChoiceType<LogLevel>{{"debug", LogLevel::Debug},
                                 {"info", LogLevel::Info},
                                 {"warning", LogLevel::Warning},
                                 {"error", LogLevel::Error}},
            at(&S::log, &LogSettings::level), "The least important lines that are logged."),
        row("tls.mode", Live,
            ChoiceType<ClientTls>{{"disable", ClientTls::Disable},
                                  {"allow", ClientTls::Allow},
                                  {"require", ClientTls::Require}},
            at(&S::tls, &TlsSettings::mode),
            "TLS between clients and warmfront: not offered; as the client chooses; demanded, which "
            "needs `tls.cert` and `tls.key`. Towards PostgreSQL the `sslmode` of `upstream` decides."),
        row("tls.cert", Live, TextType{"a path of a PEM file", true}, at(&S::tls, &TlsSettings::cert),
            "The certificate shown to clients, its chain after it. A reload reads the file again."),
        row("tls.key", Live, TextType{"a path of a PEM file", true}, at(&S::tls, &TlsSettings::key),
            "The certificate's private key. A reload reads the file again."),
        row("cache.enabled", Live, BooleanType{}, at(&S::cache, &CacheSettings::enabled),
            "Whether reads are answered from memory. false: everything is passed on."),
        row("cache.mode", Live,
            ChoiceType<CacheMode>{{"serve", CacheMode::Serve}, {"observe", CacheMode::Observe}},
            at(&S::cache, &CacheSettings::mode),
            "`observe`: every query goes to PostgreSQL; what would have been answered from memory, how "
            "long PostgreSQL took for that and how much memory it would need is counted, in all and by "
            "statement (`SHOW TEMPLATES`). Changing it empties the cache."),
        row("cache.break_even", Live, BooleanType{}, at(&S::cache, &CacheSettings::break_even),
            "Whether a statement whose answers cost more to keep than they bring is no longer kept for "
            "a while. `SHOW TEMPLATES` says so, and the numbers."),
        row("cache.memory", Live, SizeType{kMiB, 16 * kTiB}, at(&S::cache, &CacheSettings::memory),
            "The memory that cached results may take, their overhead included."),
        row("cache.max_result", Live, SizeType{kKiB, kGiB}, at(&S::cache, &CacheSettings::max_result),
            "A larger answer is passed on but not kept. At most `cache.memory`."),
        row("cache.ttl", Live, ttl, at(&S::cache, &CacheSettings::ttl),
            "The longest that an answer is kept, and so the longest that a write which did not pass "
            "through warmfront goes unseen. Writes through warmfront are seen at once. `tables`, "
            "`templates` and the comment `/* warmfront: ttl=5s */` in a statement say it for parts."),
        row("cache.single_flight_wait", Live, DurationType{0ms, 1h},
            at(&S::cache, &CacheSettings::single_flight_wait),
            "How long a read waits for an equal one that is under way before it asks PostgreSQL itself. "
            "0: it does not wait."),
        row("cache.templates_max", Restart, CountType<std::size_t>{100, 10'000'000},
            at(&S::cache, &CacheSettings::templates_max),
            "Statements, apart from their literals, whose analysis is remembered."),
        row("cache.exclude", Live, NamesType{"tables, as `name` or `schema.name`"},
            at(&S::cache, &CacheSettings::exclude),
            "Tables of which no answer is kept: short for `cache: off` in `tables`."),
        row("cache.disk.size", Restart, SizeType{0, 16 * kTiB},
            at(&S::cache, &CacheSettings::disk, &DiskSettings::size),
            "How much disk, in `state_dir`/cache, is used for answers that memory has no room for. 0: none; "
            "else "
            "8MiB at least. Writes and the ttl hold for them as for those in memory. Finding them takes some "
            "60 "
            "bytes of `cache.memory` each, a quarter of it at most, and buffers a quarter at most. A start "
            "begins "
            "with nothing on disk."),
        row("cache.disk.read", Restart,
            ChoiceType<DiskRead>{{"auto", DiskRead::Auto}, {"always", DiskRead::Always}},
            at(&S::cache, &CacheSettings::disk, &DiskSettings::read),
            "`auto`: an answer on disk is read where that is expected to be faster than PostgreSQL, by what "
            "both "
            "took lately. `always`: it is read whenever it is there, which takes load off PostgreSQL."),
        row("functions.clock", Live, NamesType{kFunctions}, at(&S::functions, &FunctionSettings::clock),
            "Functions that tell the time and may be kept all the same: their time is then as old as "
            "the answer. `current_timestamp` stands for `CURRENT_DATE` and its like as well."),
        row("functions.stable", Live, NamesType{kFunctions}, at(&S::functions, &FunctionSettings::stable),
            "Built-in STABLE functions that you vouch for: in your queries they depend on their "
            "arguments and the session's settings alone."),
        row("functions.volatile", Live, NamesType{kFunctions}, at(&S::functions, &FunctionSettings::changing),
            "Built-in VOLATILE functions whose result may be kept: `random()` then gives the same until the "
            "answer is dropped. Not for functions that are called for what they do, such as `nextval` or "
            "`pg_advisory_lock`: an answer from memory does none of it."),
        row("functions.user", Live, NamesType{kFunctions}, at(&S::functions, &FunctionSettings::user),
            "Functions and operators that are not built in and that you vouch for: they change nothing, "
            "and they depend on their arguments, the session's settings and the tables that the query "
            "itself names. What else they read is not seen to change before the ttl is over."),
        row("verify.sample", Live, ShareType{}, at(&S::verify, &VerifySettings::sample),
            "The share of hits that PostgreSQL is asked as well. The client gets PostgreSQL's answer; "
            "if nothing was written through warmfront meanwhile and the rows differ, that is counted, "
            "logged, and the statement is no longer kept until `RESUME TEMPLATE`, a reload or a restart."),
        row("catalog.refresh", Live, DurationType{100ms, 24h}, at(&S::catalog, &CatalogSettings::refresh),
            "How often the catalog is compared with PostgreSQL's, for changes that did not pass through "
            "warmfront."),
        row("forecast.enabled", Restart, BooleanType{}, at(&S::forecast, &ForecastSettings::enabled),
            "Whether requests are counted and kept through restarts, in `history.sqlite` in `state_dir`. "
            "Forecasts are made from it."),
        row("forecast.bucket", Restart, BucketType{}, at(&S::forecast, &ForecastSettings::bucket),
            "Requests are counted by buckets of this length."),
        row("forecast.keep", Live, DurationType{1h, 10 * 365 * 24h},
            at(&S::forecast, &ForecastSettings::keep),
            "How long counts are kept by `forecast.bucket`; then they become hours."),
        row("forecast.keep_hours", Live, DurationType{1h, 10 * 365 * 24h},
            at(&S::forecast, &ForecastSettings::keep_hours),
            "How long hours are kept; then they become days."),
        row("forecast.keep_days", Live, DurationType{24h, 50 * 365 * 24h},
            at(&S::forecast, &ForecastSettings::keep_days),
            "How long days are kept; then they are forgotten."),
        row("forecast.keep_keys", Live, DurationType{1h, 10 * 365 * 24h},
            at(&S::forecast, &ForecastSettings::keep_keys),
            "How long the counts of single keys are kept: two days by `forecast.bucket`, then by hours."),
        row("forecast.keys", Live, CountType<std::size_t>{1, 100'000},
            at(&S::forecast, &ForecastSettings::keys),
            "Of how many keys a statement the requests are counted one by one: those asked for most."),
        row("forecast.history_size", Live, SizeType{kMiB, 16 * kTiB},
            at(&S::forecast, &ForecastSettings::history_size),
            "The size that the history is kept to: above it, what is oldest is rolled up and forgotten "
            "before "
            "its time."),
        row("forecast.horizon", Restart, DurationType{1s, 7 * 24h},
            at(&S::forecast, &ForecastSettings::horizon),
            "How far ahead load is forecast; what lies beyond 1440 buckets is left out."),
        row("forecast.retrain", Restart, DurationType{1s, 7 * 24h},
            at(&S::forecast, &ForecastSettings::retrain),
            "The longest that a model goes without being chosen and fitted anew. Between, it is brought up "
            "to "
            "date with every bucket."),
        row("forecast.series", Restart, CountType<std::size_t>{1, 10'000},
            at(&S::forecast, &ForecastSettings::series),
            "How many loads have a model of their own, of some 1.5 MB: databases first, then tables, then "
            "the "
            "statements with most requests."),
        row("forecast.shared_series", Restart, CountType<std::size_t>{0, 15'000},
            at(&S::forecast, &ForecastSettings::shared_series),
            "How many loads more are forecast at most, by one model that they share: some 40 KB each. 0: "
            "none."),
        row("forecast.seasons", Restart, DurationsType{{2s, 366 * 24h}, 4},
            at(&S::forecast, &ForecastSettings::seasons),
            "The lengths of the patterns that load may follow: a day and a week, if nothing is said."),
        row("forecast.alarm_buckets", Restart, CountType<std::size_t>{1, 1000},
            at(&S::forecast, &ForecastSettings::alarm_buckets),
            "An alarm begins when so many buckets in a row are outside the 99 % interval, all above or all "
            "below, and ends when so many in a row are within."),
        row("forecast.holidays", Restart, HolidaysType{}, at(&S::forecast, &ForecastSettings::holidays),
            "Days whose load is not that of other days. A name makes those of several years alike: with "
            "`2025-11-11 singles' day` and `2026-11-11 singles' day` the second is forecast from the first. "
            "Name those of the past too, as far back as there is history: they are what is learnt from. Days "
            "are UTC; for those of another place write times: `2026-11-10T16:00..2026-11-11T16:00 singles' "
            "day`."),
        row("forecast.events", Restart, EventsType{}, at(&S::forecast, &ForecastSettings::events),
            "What is known to happen to the load of some tables, or of all: a campaign, a match, a nightly "
            "import. Like a holiday it is learnt from past events of the same name. Without `to` it lasts "
            "the "
            "day. As a flag: `--set 'forecast.events={name: sale, from: 2026-11-27, to: 2026-11-30, tables: "
            "[orders, items]}'`. Name those of the past too. One that names tables, with their schema or "
            "without, "
            "counts for the loads of those tables and of the statements that read them; a database's load "
            "sees those that name none."),
        row("capacity.utilisation", Restart, ShareType{}, at(&S::capacity, &CapacitySettings::utilisation),
            "The share of a sidecar's cores that the load to come may take, for the recommended number of "
            "sidecars (`/api/capacity`, `warmfront_recommended_sidecars`). Less than 0.01 counts as 0.01."),
        row("capacity.min", Restart, CountType<std::size_t>{1, 10'000},
            at(&S::capacity, &CapacitySettings::min), "The least number that is recommended."),
        row("capacity.max", Restart, CountType<std::size_t>{1, 10'000},
            at(&S::capacity, &CapacitySettings::max),
            "The greatest number that is recommended. At least `capacity.min`."),
        row("capacity.lower_after", Restart, DurationType{0ms, 24h},
            at(&S::capacity, &CapacitySettings::lower_after),
            "The recommendation goes up at once, and down only to the most that was needed within this "
            "time."),
        row("prewarm.enabled", Live, BooleanType{}, at(&S::prewarm, &PrewarmSettings::enabled),
            "Whether answers are fetched before they are asked for: ahead of a predicted rise, after a write "
            "that voided a hot one, and before the ttl of a hot one is over. What it may cost PostgreSQL is "
            "bounded by the settings below, it gives way to clients, and it leaves out statements for which "
            "it "
            "does not pay. `SHOW HOT` and `SHOW PREWARM` tell what it does."),
        row("prewarm.concurrency", Restart, CountType<std::size_t>{1, 64},
            at(&S::prewarm, &PrewarmSettings::concurrency),
            "Connections to PostgreSQL, as warmfront's own account, that answers are fetched on."),
        row("prewarm.rate", Live, CountType<std::size_t>{1, 1'000'000},
            at(&S::prewarm, &PrewarmSettings::rate),
            "Answers fetched a second at most. Less are fetched while clients' own queries take longer than "
            "usual."),
        row("prewarm.memory_share", Live, ShareType{}, at(&S::prewarm, &PrewarmSettings::memory_share),
            "The share of `cache.memory` that answers which nobody has asked for yet may take."),
        row("prewarm.lead", Live, DurationType{100ms, 24h}, at(&S::prewarm, &PrewarmSettings::lead),
            "How long before a predicted rise its answers begin to be fetched."),
        row("prewarm.waste", Live, ShareType{}, at(&S::prewarm, &PrewarmSettings::waste),
            "The share of a statement's fetched answers that may go unused; beyond it, nothing is fetched "
            "for "
            "the statement for a while."),
        row("prewarm.roles", Live,
            ChoiceType<PrewarmRoles>{
                {"own", PrewarmRoles::Own}, {"granted", PrewarmRoles::Granted}, {"all", PrewarmRoles::All}},
            at(&S::prewarm, &PrewarmSettings::roles),
            "As whom answers are fetched. `own`: as warmfront's own account. `granted`: also as roles that "
            "were granted to it (`SET ROLE`), if it is no superuser. `all`: a superuser also as everybody "
            "else "
            "(`SET SESSION AUTHORIZATION`), and the console knows `PREWARM`. Code that others put behind a "
            "name which such a query uses could "
            "take the account's rights back (`RESET ROLE`): statements known to run functions that are not "
            "PostgreSQL's own are left out, but where people who are not trusted with the account's rights "
            "may "
            "create or replace tables and views, choose `own`."),
        row("next_query.enabled", Live, BooleanType{}, at(&S::next_query, &NextQuerySettings::enabled),
            "Whether the query that a session is expected to send next is fetched ahead: one that "
            "followed this one before, with parameters that came from this one's first row or "
            "parameters. It is fetched as `prewarm` says (connections, rate, roles), and only where it "
            "saves more than it may waste. `SHOW NEXT_QUERY` tells what it brings."),
        row("next_query.confidence", Live, ShareType{}, at(&S::next_query, &NextQuerySettings::confidence),
            "How sure it must be that the query comes, with these parameters, before it is fetched."),
        row("next_query.window", Live, DurationType{10ms, 1h}, at(&S::next_query, &NextQuerySettings::window),
            "How long after a query another one still counts as its next. What was fetched and is not "
            "asked for by then counts as wasted."),
    };
}

const std::vector<Setting>& table() {
    static const std::vector<Setting> rows = make_table();
    return rows;
}

}  // namespace

std::span<const Setting> settings_table() {
    return table();
}

const Setting* find_setting(std::string_view name) {
    const auto found = std::ranges::find(table(), name, &Setting::name);
    return found == table().end() ? nullptr : &*found;
}

std::vector<std::string_view> setting_names() {
    std::vector<std::string_view> names;
    for (const Setting& setting : table()) names.push_back(setting.name);
    return names;
}

std::vector<const Setting*> settings_in(std::string_view section) {
    std::vector<const Setting*> found;
    for (const Setting& setting : table())
        if (section_of(setting.name) == section) found.push_back(&setting);
    return found;
}

std::string_view section_of(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? std::string_view{} : name.substr(0, dot);
}

}  // namespace warmfront
