#include "proxy/server.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <signal.h>
#include <unistd.h>

#include "cache/disk_tier.h"
#include "config/reload.h"
#include "config/version.h"
#include "forecast/automatic_forecaster.h"
#include "forecast/calendar_text.h"
#include "forecast/long_season.h"
#include "proxy/admin/console.h"
#include "proxy/admin/counters.h"
#include "proxy/admin/explain.h"
#include "proxy/admin/http.h"
#include "proxy/admin/process.h"
#include "proxy/admin/worker_meter.h"
#include "proxy/control/control.h"
#include "proxy/control/event_calendars.h"
#include "proxy/control/historian.h"
#include "proxy/control/next_query_sink.h"
#include "proxy/control/postgres_upstream.h"
#include "proxy/control/prewarmer.h"
#include "proxy/control/recorded_loads.h"
#include "proxy/control/replay.h"
#include "proxy/control/statement_tables.h"
#include "proxy/control/trainer.h"
#include "proxy/io/signal.h"
#include "proxy/io/timer.h"
#include "proxy/session/worker.h"

namespace warmfront {
namespace {

constexpr std::size_t kDatabasesMax = 1024;
constexpr std::chrono::milliseconds kReviewEvery{1000};
constexpr std::chrono::milliseconds kSecond{1000};
constexpr std::size_t kTemplatesShownMax = 100;  // by HTTP
constexpr std::size_t kFingerprintsMax = 100'000;
// Of cache.memory: a sixteenth for the lines by which writes void the answers of single rows.
constexpr std::size_t kRowLinesShare = 16;

unsigned worker_count(const Settings& settings) {
    return settings.threads != 0 ? settings.threads : std::max(1U, std::thread::hardware_concurrency());
}

std::int64_t wall_clock_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

Result<io::TlsContext> tls_of(const Settings& settings) {
    if (settings.tls.cert.empty() || settings.tls.mode == ClientTls::Disable) return io::TlsContext{};
    return io::make_server_context(settings.tls.cert, settings.tls.key);
}

}  // namespace

class Server {
public:
    Server(const CommandLine& command_line, control::PostgresUpstream upstream, io::TlsContext tls)
        : command_line_(command_line),
          settings_(std::make_shared<const Settings>(command_line.settings)),
          log_(settings_->log.level),
          counters_(worker_count(*settings_)),
          write_log_(cache::WriteLog::row_lines_within(settings_->cache.memory / kRowLinesShare)),
          // The prewarmer's threads count as workers there.
          ledger_({worker_count(*settings_) + settings_->prewarm.concurrency, settings_->cache.templates_max,
                   [this](const session::MismatchFound& found) { log_mismatch(found); },
                   [this](const session::Turned& turned) { log_turned(turned); }}),
          store_({store_memory(), static_cast<std::uint64_t>(settings_->cache.ttl.count()), 0}),
          templates_(settings_->cache.templates_max),
          interner_(kFingerprintsMax),
          upstream_(std::move(upstream)),
          control_({[this](const std::string& database) { return upstream_.target().conninfo_for(database); },
                    upstream_.target().dbname, settings_->catalog.refresh,
                    [this](const std::string& database) {
                        counters_.count_invalidation(database, session::DropCause::UpstreamLost);
                    }},
                   write_log_, log_),
          databases_(write_log_, kDatabasesMax,
                     [this](session::Database& database) { control_.catalog_wanted(database); }),
          event_calendars_(settings_->forecast, statement_tables_),
          trainer_(
              {training_options(), [this] { return process_totals(); }, control::unix_ms},
              std::make_unique<control::RecordedLoads>(forecast::history_path(settings_->state_dir),
                                                       control::unix_ms),
              [] {
                  return std::make_unique<forecast::LongSeasonForecaster>(
                      std::make_unique<forecast::AutomaticForecaster>());
              },
              board_, clock_, log_),
          foresights_(worker_count(*settings_), store_, &next_query_sink_, settings_->next_query),
          console_(console_context()),
          shared_{clock_,    log_,     write_log_, store_,   flights_,   templates_, interner_, databases_,
                  upstream_, control_, console_,   cancels_, directory_, ledger_,    switches_} {
        switches_.set(*settings_);
        shared_.replace(settings_, std::move(tls));
        databases_.choose(std::make_shared<const sql::Choices>(sql::choices_of(*settings_)));
        shared_.foresights = &foresights_;
        prewarmer_.emplace(shared_, prewarm_options());
    }

    Result<void> start();
    int run();

private:
    Result<void> listen();
    Result<void> serve_http();
    void make_disk_tier();
    void log_disk(const cache::DiskAlarm& alarm);
    [[nodiscard]] admin::Observation observe() const;
    [[nodiscard]] forecast::ProcessTotals process_totals() const;
    void prepare_history();
    [[nodiscard]] forecast::TrainingOptions training_options();
    void collect_keys(const std::shared_ptr<control::CollectedKeys>& keys);
    [[nodiscard]] control::LoadSnapshot count_loads();
    [[nodiscard]] std::shared_ptr<const sql::Catalog> last_catalog(const std::string& name) const;
    [[nodiscard]] admin::ConsoleContext console_context();
    [[nodiscard]] control::Prewarmer::Options prewarm_options();
    [[nodiscard]] Result<admin::Properties> explain(const std::string& database, std::string_view query);
    void clear_cache();
    Result<void> flush_cache(const std::optional<std::string>& database);
    void log_mismatch(const session::MismatchFound& found);
    void log_turned(const session::Turned& turned);
    void announce();
    // What cache.memory leaves for answers.
    [[nodiscard]] std::size_t store_memory() const {
        return settings_->cache.memory - std::min(settings_->cache.memory, write_log_.row_line_bytes());
    }
    void reload();
    void shut_down();

    const CommandLine& command_line_;
    std::shared_ptr<const Settings> settings_;
    SteadyClock clock_;
    Logger log_;
    admin::Counters counters_;
    cache::WriteLog write_log_;
    session::Ledger ledger_;  // outlives what is in the store
    session::Switches switches_;
    cache::Store store_;
    std::unique_ptr<cache::DiskTier> disk_;  // nullptr: none is wanted
    cache::Flights flights_;
    sql::TemplateTable templates_;
    sql::SettingsInterner interner_;
    session::CancelRegistry cancels_;
    session::Directory directory_;
    control::PostgresUpstream upstream_;
    control::Control control_;
    session::Databases databases_;
    forecast::Board board_;
    control::StatementTables statement_tables_;
    control::EventCalendars event_calendars_;
    control::Trainer trainer_;
    control::NextQuerySink next_query_sink_;
    session::Foresights foresights_;
    admin::Console console_;
    session::Shared shared_;
    std::optional<control::Prewarmer> prewarmer_;
    std::vector<std::unique_ptr<session::Worker>> workers_;
    std::vector<std::thread> threads_;
    std::unique_ptr<control::Historian> historian_;  // nullptr: nothing is recorded
    std::unique_ptr<admin::HttpServer> http_;
    const std::uint64_t started_us_ = clock_.now_us();
    std::optional<io::Loop> loop_;
    bool ending_ = false;
};

Result<void> Server::start() {
    // Workers are made on this thread and run on theirs: nothing happens on their loops in between.
    for (unsigned i = 0; i < worker_count(*settings_); ++i)
        workers_.push_back(std::make_unique<session::Worker>(
            shared_, i, [this](unsigned worker, const std::string& database) {
                return std::make_unique<admin::WorkerMeter>(counters_.of(worker, database), clock_);
            }));
    std::error_code failed;
    std::filesystem::create_directories(settings_->state_dir, failed);
    if (failed)
        return fail("58030", "cannot make state_dir " + settings_->state_dir + ": " + failed.message());
    prepare_history();
    make_disk_tier();
    if (auto listening = listen(); !listening) return listening;
    if (auto serving = serve_http(); !serving) return serving;  // what can fail comes before the threads
    // Without it, or when it fails, everything goes on in memory.
    if (disk_ && disk_->start())
        log_.info("disk tier is open", {{LogKey::Bytes, settings_->cache.disk.size}});
    control_.start(databases_);
    if (settings_->forecast.enabled) trainer_.start();
    if (historian_) historian_->start(wall_clock_ms());
    for (auto& worker : workers_) threads_.emplace_back([&worker] { worker->run(); });
    prewarmer_->start();
    next_query_sink_.attach(prewarmer_->prefetcher());
    announce();
    return {};
}

// Before anybody looks at it: HTTP answers from the start.
void Server::make_disk_tier() {
    const DiskSettings& wanted = settings_->cache.disk;
    if (wanted.size == 0) return;
    cache::DiskTierOptions options;
    options.directory = (std::filesystem::path(settings_->state_dir) / "cache").string();
    options.size_bytes = wanted.size;
    options.memory_bytes = settings_->cache.memory;
    options.ttl_ms = static_cast<std::uint64_t>(settings_->cache.ttl.count());
    options.read_always = wanted.read == DiskRead::Always;
    options.alarm = [this](const cache::DiskAlarm& alarm) { log_disk(alarm); };
    disk_ = std::make_unique<cache::DiskTier>(store_, clock_, options);
    shared_.disk = disk_.get();
}

void Server::log_disk(const cache::DiskAlarm& alarm) {
    const std::string path = command_line_.settings.state_dir + "/cache";
    switch (alarm.what) {
        case cache::DiskAlarm::What::SetAside:
            return log_.warning("files of the disk tier were set aside, it begins anew",
                                {{LogKey::Path, path + ".aside"}, {LogKey::Reason, alarm.why}});
        case cache::DiskAlarm::What::Off:
            return log_.error("the disk tier is off until the next start; queries go on without it",
                              {{LogKey::Path, path}, {LogKey::Reason, alarm.why}});
    }
}

forecast::TrainingOptions Server::training_options() {
    auto options = control::training_options(*settings_, worker_count(*settings_));
    options.calendar = event_calendars_.of_all();
    options.calendar_of = [this](const forecast::SeriesName& name) -> const forecast::Calendar& {
        return event_calendars_.of(name);
    };
    return options;
}

// Before the workers run, and before anybody looks.
void Server::prepare_history() {
    if (!settings_->forecast.enabled) return;
    control::Historian::Options options;
    options.path = forecast::history_path(settings_->state_dir);
    options.workers = workers_.size();
    options.snapshot = [this] { return count_loads(); };
    options.collect = [this](const std::shared_ptr<control::CollectedKeys>& keys) { collect_keys(keys); };
    options.maker.catalog = [this](const std::string& name) { return last_catalog(name); };
    options.maker.replay = [](const session::KeyTally::Seen& seen) {
        const auto replay = control::replay_of_key(*seen.settings, seen.statement->text, seen.key);
        return replay ? control::text_of(*replay).value_or("") : std::string();
    };
    options.maker.reads = [this](const forecast::SeriesName& statement,
                                 const std::vector<std::string>& tables) {
        statement_tables_.on_reads(statement, tables);
    };
    for (auto& worker : workers_) (void)worker->exchange_keys(std::make_unique<session::KeyTally>());
    historian_ = std::make_unique<control::Historian>(std::move(options), settings_->forecast, log_);
}

void Server::collect_keys(const std::shared_ptr<control::CollectedKeys>& keys) {
    for (auto& worker : workers_) {
        if (threads_.empty()) {  // they have ended
            keys->give(worker->exchange_keys({}));
            continue;
        }
        // Shared, because a task is copied.
        auto fresh = std::make_shared<session::KeyTallySlot>(std::make_unique<session::KeyTally>());
        const bool posted =
            worker->post([&worker, keys, fresh] { keys->give(worker->exchange_keys(std::move(*fresh))); });
        if (!posted) keys->give({});
    }
}

control::LoadSnapshot Server::count_loads() {
    control::LoadSnapshot snapshot;
    for (const auto& [name, totals] : counters_.totals())
        snapshot.databases[name] = {totals.queries_total(), totals.hits};
    snapshot.templates = ledger_.loads();
    return snapshot;
}

std::shared_ptr<const sql::Catalog> Server::last_catalog(const std::string& name) const {
    for (const session::Database* database : databases_.all())
        if (database->name() == name) return database->last_loaded();
    return nullptr;
}

Result<void> Server::serve_http() {
    if (!settings_->http) return {};
    auto http = admin::HttpServer::start(
        *settings_->http, {[this] { return observe(); }, [this] { return ledger_.rows(kTemplatesShownMax); },
                           [this](const session::TemplateRow& row) {
                               return statement_tables_.of(row.database, sql::digest_text(row.digest));
                           },
                           [this] { return trainer_.outlook(); }, [this] { return prewarmer_->view(); }});
    if (!http) return tl::unexpected(http.error());
    http_ = std::move(*http);
    log_.info("serving HTTP", {{LogKey::Address, io::text_of(*settings_->http)}});
    return {};
}

admin::Observation Server::observe() const {
    admin::Observation seen;
    seen.databases = counters_.totals();
    seen.store = store_.stats();
    seen.store_bytes_max = shared_.settings()->cache.memory;
    if (disk_) seen.disk = disk_->stats();
    seen.flights = flights_.under_way();
    seen.templates = templates_.size();
    seen.ledger = ledger_.totals();
    if (historian_) seen.history = historian_->numbers();
    seen.observing = switches_.observing();
    seen.prewarm = prewarmer_->numbers();
    seen.next_query = foresights_.counts();
    seen.process = admin::read_process_stats();
    seen.uptime = std::chrono::milliseconds((clock_.now_us() - started_us_) / 1000);
    seen.outlook = trainer_.outlook();
    seen.not_ready = control_.not_ready_because();
    return seen;
}

forecast::ProcessTotals Server::process_totals() const {
    forecast::ProcessTotals totals;
    totals.cpu_s = admin::read_process_stats().cpu_seconds;
    for (const auto& [name, of] : counters_.totals())
        totals.queries += static_cast<double>(of.queries_total());
    return totals;
}

Result<void> Server::listen() {
    for (const Address& address : settings_->listen) {
        auto first = io::ListenSocket::open(address);
        if (!first) return tl::unexpected(first.error());
        for (std::size_t i = 1; i < workers_.size(); ++i) {
            auto another = first->for_another_worker();
            if (!another) return tl::unexpected(another.error());
            if (auto listening = workers_[i]->listen(std::move(*another)); !listening) return listening;
        }
        log_.info("listening", {{LogKey::Address, first->text()}});
        if (auto listening = workers_[0]->listen(std::move(*first)); !listening) return listening;
    }
    return {};
}

// The console answers on a worker: what takes time or another thread is posted.
admin::ConsoleContext Server::console_context() {
    admin::ConsoleContext context;
    context.observe = [this] { return observe(); };
    context.connections = [this] { return directory_.rows(clock_.now_us()); };
    context.settings = [this] { return shared_.settings(); };
    context.explain = [this](const std::string& database, std::string_view query) {
        return explain(database, query);
    };
    context.flush = [this](const std::optional<std::string>& database) { return flush_cache(database); };
    context.templates = [this] { return ledger_.rows(); };
    context.resume = [this](std::optional<std::uint64_t> digest) { return ledger_.resume(digest); };
    context.next_query = [this] { return foresights_.rows(clock_.now_us()); };
    context.prewarm = [this] { return prewarmer_->view(); };
    context.prewarm_one = [this](std::string_view replay) { return prewarmer_->prewarm(replay); };
    context.reload = [this]() -> Result<void> {
        if (command_line_.config_file.empty())
            return fail("55000", "there is no configuration file to reload");
        if (::kill(::getpid(), SIGHUP) != 0) return fail("58000", "the process cannot signal itself");
        return {};
    };
    context.shut_down = [] { (void)::kill(::getpid(), SIGTERM); };
    return context;
}

control::Prewarmer::Options Server::prewarm_options() {
    control::Prewarmer::Options options;
    auto keys = control::recorded_keys(forecast::history_path(settings_->state_dir));
    keys.calendar = forecast::make_calendar(settings_->forecast);
    const auto book = std::make_shared<control::KeyBook>(std::move(keys));
    options.hot = [this, book](const forecast::HotKeyOptions& asked) {
        return book->hot(*board_.current(), asked);
    };
    options.known = [book](std::uint64_t key) { return book->known(key); };
    options.misses = [this] {
        control::MissLoad load;
        for (const auto& [name, totals] : counters_.totals()) {
            load.misses += totals.miss_latency.count();
            load.took_us += totals.miss_latency.sum_us;
        }
        return load;
    };
    options.reachable = [this] { return control_.not_ready_because().empty(); };
    options.conninfo_for = [this](const std::string& database) {
        return upstream_.target().conninfo_for(database);
    };
    options.first_ledger_worker = worker_count(*settings_);
    return options;
}

// As the upstream account sees names, with the default search path.
Result<admin::Properties> Server::explain(const std::string& name, std::string_view query) {
    const auto& target = upstream_.target();
    const auto& database = databases_.get(name.empty() ? target.dbname : name);
    const auto judges = database.judges();
    sql::AnalysisContext context;
    context.catalog = judges.catalog.get();
    context.choices = judges.choices.get();
    context.search_path = {"$user", "public"};
    context.user = target.user;
    context.tells_steps = true;
    const auto analysis = sql::analyse(query, context);
    auto properties = admin::explain(analysis, judges.catalog.get());
    if (const auto off = ledger_.off_text(database.name(), analysis.digest); !off.empty())
        properties.emplace_back("state", off);
    if (switches_.observing()) properties.emplace_back("mode", "observe: nothing is answered from memory");
    return properties;
}

void Server::log_mismatch(const session::MismatchFound& found) {
    log_.warning("a kept answer is not what PostgreSQL answers, the statement is switched off",
                 {{LogKey::Database, found.database},
                  {LogKey::Statement, found.text},
                  {LogKey::Reason, "template " + sql::digest_text(found.digest)},
                  {LogKey::Before, sql::digest_text(found.kept)},
                  {LogKey::After, sql::digest_text(found.now)}});
}

void Server::clear_cache() {
    store_.clear();
    if (disk_) disk_->clear();
}

Result<void> Server::flush_cache(const std::optional<std::string>& name) {
    for (session::Database* database : databases_.all()) {
        if (name && database->name() != *name) continue;
        write_log_.everything_changed(database->name());
        counters_.count_invalidation(database->name(), session::DropCause::Flush);
    }
    if (!name) clear_cache();
    return {};
}

void Server::log_turned(const session::Turned& turned) {
    log_.info(
        turned.on ? "a statement is kept again" : "a statement is not kept: it costs more than it brings",
        {{LogKey::Database, turned.database},
         {LogKey::Statement, turned.text},
         {LogKey::Reason, turned.reason}});
}

void Server::announce() {
    const auto seconds = std::chrono::duration<double>(settings_->cache.ttl);
    log_.info("serving", {{LogKey::Version, version()},
                          {LogKey::Upstream, upstream_.text()},
                          {LogKey::Count, workers_.size()}});
    log_.info(
        "mode ttl: writes through warmfront are seen at once, writes past it after the ttl at the latest",
        {{LogKey::Mode, "ttl"}, {LogKey::Seconds, seconds}});
    if (switches_.observing())
        log_.info("observing: nothing is answered from memory, what would be is counted",
                  {{LogKey::Mode, "observe"}});
}

void Server::reload() {
    auto loaded = load_settings_file(command_line_.config_file, command_line_.overrides);
    if (!loaded) {
        for (const SettingsError& error : loaded.error())
            log_.error("reload refused, the settings stay as they are", {{LogKey::Reason, to_line(error)}});
        return;
    }
    auto tls = tls_of(*loaded);
    if (!tls)
        return log_.error("reload refused, the settings stay as they are",
                          {{LogKey::Reason, tls.error().text}});
    for (const SettingChange& change : difference(*settings_, *loaded))
        log_.info(
            change.needs_restart ? "setting changed, takes effect at the next start" : "setting changed",
            {{LogKey::Setting, change.name}, {LogKey::Before, change.before}, {LogKey::After, change.after}});
    const auto before =
        std::exchange(settings_, std::make_shared<const Settings>(after_reload(*settings_, *loaded)));
    shared_.replace(settings_, std::move(*tls));
    log_.set_level(settings_->log.level);
    store_.set_limits(store_memory(), static_cast<std::uint64_t>(settings_->cache.ttl.count()));
    control_.set_refresh(settings_->catalog.refresh);
    if (historian_) historian_->set(settings_->forecast);
    switches_.set(*settings_);
    if (disk_) disk_->set_ttl(static_cast<std::uint64_t>(settings_->cache.ttl.count()));
    if (before->cache.mode != settings_->cache.mode) clear_cache();
    foresights_.set(settings_->next_query);
    (void)ledger_.resume(std::nullopt);
    auto choices = sql::choices_of(*settings_);
    if (choices != sql::choices_of(*before))
        databases_.choose(std::make_shared<const sql::Choices>(std::move(choices)));
}

void Server::shut_down() {
    if (ending_) return;
    ending_ = true;
    log_.info("shutting down",
              {{LogKey::Seconds, std::chrono::duration<double>(settings_->shutdown_timeout)}});
    if (historian_) (void)historian_->close(wall_clock_ms());  // draining may take longer than a bucket
    for (auto& worker : workers_)
        (void)worker->post([&worker, timeout = settings_->shutdown_timeout] { worker->shut_down(timeout); });
    loop_->stop();
}

int Server::run() {
    loop_.emplace();
    {
        const io::Signal term(*loop_, SIGTERM, [this] { shut_down(); });
        const io::Signal interrupt(*loop_, SIGINT, [this] { shut_down(); });
        const io::Signal hang_up(*loop_, SIGHUP, [this] { reload(); });
        io::Timer review(*loop_, [this] {
            ledger_.review(switches_.break_even() && !switches_.observing(), clock_.now_us() / 1000,
                           static_cast<std::uint64_t>(settings_->cache.ttl.count()));
        });
        review.start_every(kReviewEvery);
        io::Timer bucket_end(*loop_, [&] { bucket_end.start_once(historian_->close(wall_clock_ms())); });
        if (historian_) bucket_end.start_once(historian_->close(wall_clock_ms()));
        io::Mailbox keep_running(*loop_);
        loop_->run();
    }
    next_query_sink_.detach();
    prewarmer_->stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    if (historian_) historian_->finish(wall_clock_ms());
    http_ = nullptr;
    if (disk_) disk_->stop();
    trainer_.stop();
    control_.stop();
    log_.info("ended");
    return 0;
}

int serve(const CommandLine& command_line) {
    Logger log(command_line.settings.log.level);
    const auto refuse = [&](const Error& error) {
        log.error("cannot start", {{LogKey::Sqlstate, error.sqlstate}, {LogKey::Reason, error.text}});
        return 1;
    };
    auto target = control::UpstreamTarget::parse(command_line.settings.upstream);
    if (!target) return refuse(target.error());
    auto upstream = control::PostgresUpstream::make(std::move(*target));
    if (!upstream) return refuse(upstream.error());
    auto tls = tls_of(command_line.settings);
    if (!tls) return refuse(tls.error());
    const auto server = std::make_unique<Server>(command_line, std::move(*upstream), std::move(*tls));
    if (const auto started = server->start(); !started) return refuse(started.error());
    return server->run();
}

}  // namespace warmfront
