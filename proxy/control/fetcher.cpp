#include "proxy/control/fetcher.h"

#include <algorithm>
#include <utility>

#include "proxy/session/execution_values.h"
#include "proxy/wire/encode.h"
#include "proxy/wire/messages.h"
#include "sql/session_settings.h"
#include "sql/tokenizer.h"

namespace warmfront::control {
namespace {

BackendWire::Deadline soon() {
    return std::chrono::steady_clock::now() + Fetcher::kFetchMax;
}

// Parse with the types as they stand in a key.
void append_parse_of(std::string& out, const Replay& replay) {
    std::vector<std::uint32_t> types;
    for (std::size_t at = 0; at + 4 <= replay.parameter_types.size(); at += 4) {
        std::uint32_t type = 0;
        for (std::size_t byte = 0; byte < 4; ++byte)
            type = type << 8 | static_cast<unsigned char>(replay.parameter_types[at + byte]);
        types.push_back(type);
    }
    wire::append_parse(out, "", replay.statement, types);
}

void append_bind_of(std::string& out, const Replay& replay) {
    const auto length = static_cast<std::uint32_t>(4 + 2 + replay.bind.size());
    out += 'B';
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift & 0xff);
    out.append(2, '\0');
    out += replay.bind;
}

std::string request_of(const Replay& replay) {
    std::string request;
    if (replay.kind == 'Q') {
        wire::append_query(request, replay.statement);
        return request;
    }
    append_parse_of(request, replay);
    append_bind_of(request, replay);
    wire::append_describe(request, 'P', "");
    wire::append_execute(request, "", replay.row_limit);
    wire::append_sync(request);
    return request;
}

std::string text_of_error(const wire::Piece& piece) {
    const auto fields = piece.whole() ? wire::decode_error_fields(piece.body) : wire::decode_error_fields({});
    if (!fields) return "an error that cannot be read";
    return std::string(fields->field('C')) + ": " + std::string(fields->field('M'));
}

}  // namespace

std::string_view name_of(FetchOutcome outcome) {
    switch (outcome) {
        case FetchOutcome::Stored: return "stored";
        case FetchOutcome::There: return "there";
        case FetchOutcome::UnderWay: return "under_way";
        case FetchOutcome::Overtaken: return "overtaken";
        case FetchOutcome::Refused: return "refused";
        case FetchOutcome::Failed: return "failed";
        case FetchOutcome::TooLarge: return "too_large";
        case FetchOutcome::Unreachable: return "unreachable";
        case FetchOutcome::Late: return "late";
    }
    return "late";
}

struct Fetcher::Dressed {
    std::unique_ptr<BackendWire> wire;
    session::Database* database = nullptr;
    bool superuser = false;
    // As which it stands there; nullptr: as nobody that is known.
    std::shared_ptr<const sql::SessionSettings> settings;
    Guise guise = Guise::Own;
    std::vector<std::pair<std::string, std::string>> wanted;  // Replay::settings
    std::uint64_t generation = 0;
    std::chrono::steady_clock::time_point used;
};

struct Fetcher::Question {
    std::string literals;  // of a simple query
    std::optional<wire::Bind> bind;
};

Fetcher::Fetcher(session::Shared& shared, Options options, const std::atomic<bool>& stopping)
    : shared_(shared),
      options_(std::move(options)),
      stopping_(stopping),
      planner_(shared.templates, shared.ledger, options_.ledger_worker, kPlansMax) {}

Fetcher::~Fetcher() = default;

void Fetcher::rest() {
    if (on_ && std::chrono::steady_clock::now() - on_->used > kIdleMax) on_ = nullptr;
}

bool Fetcher::suits(const Replay& replay) const {
    return on_ && on_->settings && on_->database->name() == replay.database &&
           on_->wanted == replay.settings && on_->generation == on_->database->settings_generation();
}

Result<void> Fetcher::run(std::string_view sql) {
    std::string request;
    wire::append_query(request, sql);
    std::string error;
    auto ran = on_->wire->exchange(request, soon(), [&](const wire::Piece& piece) {
        if (piece.type == 'E' && error.empty()) error = text_of_error(piece);
    });
    if (!ran) return ran;
    if (!error.empty()) return fail("42501", error);
    return {};
}

Result<ProbedValues> Fetcher::probe(const std::vector<std::string>& watched) {
    std::string request;
    wire::append_query(request, sql::probe_sql(watched));
    ProbedValues values;
    std::vector<std::string_view> names = sql::probed_settings();
    names.insert(names.end(), watched.begin(), watched.end());
    auto ran = on_->wire->exchange(request, soon(), [&](const wire::Piece& piece) {
        if (piece.type != 'D' || !piece.whole()) return;
        const auto row = wire::decode_data_row(piece.body);
        if (!row || row->size() != names.size()) return;
        for (std::size_t i = 0; i < names.size(); ++i)
            values.emplace_back(names[i], (*row)[i] ? std::string(*(*row)[i]) : std::string(1, '\0'));
    });
    if (!ran) return tl::unexpected(ran.error());
    if (values.empty()) return fail("55000", "the session's settings cannot be asked for");
    return values;
}

Result<void> Fetcher::connect(session::Database& database) {
    if (on_ && on_->database == &database) return {};
    on_ = nullptr;
    auto wire = BackendWire::open(options_.conninfo_for(database.name()), soon(), stopping_);
    if (!wire) return tl::unexpected(wire.error());
    on_ = std::make_unique<Dressed>();
    on_->wire = std::move(*wire);
    on_->database = &database;
    std::string request;
    wire::append_query(request,
                       "SELECT rolsuper FROM pg_catalog.pg_roles"
                       " WHERE rolname OPERATOR(pg_catalog.=) session_user");
    return on_->wire->exchange(request, soon(), [&](const wire::Piece& piece) {
        if (piece.type != 'D' || !piece.whole()) return;
        const auto row = wire::decode_data_row(piece.body);
        on_->superuser = row && row->size() == 1 && (*row)[0] == "t";
    });
}

// A connection that could not be dressed is still good for others.
Result<void> Fetcher::dress(session::Database& database, const Replay& replay) {
    if (auto connected = connect(database); !connected) return connected;
    on_->settings = nullptr;
    on_->generation = database.settings_generation();
    const auto watched = database.watched_settings();
    if (auto reset = run("RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL"); !reset) return reset;
    const auto base = probe(watched);
    if (!base) return tl::unexpected(base.error());
    const auto roles = shared_.settings()->prewarm.roles;
    const auto dress = dress_for(replay, *base, on_->superuser, roles);
    if (!dress) return tl::unexpected(dress.error());
    const std::string limit = std::to_string(kFetchMax.count());
    std::string sql = dress->sql.empty() ? "SELECT " : dress->sql + ", ";
    sql += "pg_catalog.set_config('statement_timeout', '" + limit + "', false)";
    if (auto set = run(sql); !set) return set;
    if (!dress->role_sql.empty())
        if (auto set = run(dress->role_sql); !set) return set;
    const auto probed = probe(watched);
    if (!probed) return tl::unexpected(probed.error());
    auto values = client_values(replay, *probed, dress->guise);
    if (!values) return tl::unexpected(values.error());
    on_->settings = shared_.interner.intern(std::move(*values), watched);
    if (!on_->settings) return fail("55000", "sessions with these settings are not cached");
    on_->guise = dress->guise;
    on_->wanted = replay.settings;
    return {};
}

session::PlanRef Fetcher::plan_of(session::Database& database, const Replay& replay, Question& question) {
    const sql::SessionSettings& settings = *on_->settings;
    const session::Names names{&settings, false};
    if (replay.kind != 'Q') {
        question.bind = bind_of(replay.bind);
        if (!question.bind) return nullptr;
        return planner_.plan(database, names, replay.statement, replay.statement);
    }
    const sql::NormalizeOptions lexis{settings.standard_conforming_strings, settings.ascii_safe_encoding};
    std::string text;
    if (!sql::normalize(replay.statement, lexis, text, question.literals)) return nullptr;
    return planner_.plan(database, names, text, replay.statement, &lexis);
}

std::string Fetcher::why_not(const session::Plan& plan, const session::Database& database,
                             std::string_view details) const {
    const sql::Analysis& analysis = plan.analysis();
    if (database.catalog_version() == 0) return "the catalog is not known at the moment";
    if (!plan.cacheable()) return analysis.refusal.text;
    if (!plan.on()) return "the statement is switched off";
    if (plan.made_from->catalog_version != database.catalog_version()) return "the catalog has changed";
    if (!on_->settings->read_committed) return "the session's transactions are not READ COMMITTED";
    if (sql::may_mean_now(details)) return "a value may mean the present moment";
    if (on_->guise == Guise::Own) return {};
    if (analysis.runs_user_code) return "runs functions that are not PostgreSQL's own, as another role";
    if (on_->guise == Guise::Assumed && analysis.reads_role)
        return "reads who asks (CURRENT_USER, SESSION_USER), and the role is only assumed";
    return {};
}

Fetched Fetcher::unreachable_or_refused(const Error& error) {
    Fetched fetched;
    if (error.sqlstate == "57P01")
        fetched.outcome = FetchOutcome::Late;
    else
        fetched.outcome = error.sqlstate == "42501" || error.sqlstate == "55000" ? FetchOutcome::Refused
                                                                                 : FetchOutcome::Unreachable;
    fetched.reason = error.text;
    return fetched;
}

Fetched Fetcher::fetch(const Replay& replay, bool anew) {
    session::Database& database = shared_.databases.get(replay.database);
    Fetched fetched;
    if (shared_.switches.observing() || !shared_.settings()->cache.enabled) {
        fetched.outcome = FetchOutcome::Refused;
        fetched.reason = "nothing is answered from memory";
        return fetched;
    }
    if (!suits(replay)) {
        if (auto dressed = dress(database, replay); !dressed) {
            fetched = unreachable_or_refused(dressed.error());
            if (fetched.outcome != FetchOutcome::Refused) on_ = nullptr;
            return fetched;
        }
    }
    on_->used = std::chrono::steady_clock::now();
    Question question;
    const session::PlanRef plan = plan_of(database, replay, question);
    fetched.outcome = FetchOutcome::Refused;
    const std::string_view details =
        replay.kind == 'Q' ? std::string_view(question.literals) : std::string_view(replay.bind);
    fetched.reason = plan ? why_not(*plan, database, details) : "the statement cannot be taken apart";
    if (plan) fetched.account = plan->ledger.account;
    if (plan) fetched.digest = plan->analysis().digest;
    if (!fetched.reason.empty()) return fetched;

    key_.start(on_->settings->fingerprint, plan->made_from->id, replay.kind,
               replay.kind == 'Q' ? 0 : replay.row_limit);
    if (replay.kind != 'Q') key_.append_sized(replay.parameter_types);
    key_.append(details);
    fetched.key = key_.finish().bytes;
    if (!anew && shared_.store.glance(key_.finish(), shared_.clock.now_ms()).current) {
        fetched.outcome = FetchOutcome::There;
        return fetched;
    }
    ask(database, plan, replay, question, fetched);
    if (fetched.account)
        fetched.account->worth()->spent_us.fetch_add(fetched.took_us, std::memory_order_relaxed);
    return fetched;
}

// The order matters as it does for a miss: what the answer depends on is observed before PostgreSQL is asked.
void Fetcher::ask(session::Database& database, const session::PlanRef& plan, const Replay& replay,
                  const Question& question, Fetched& fetched) {
    const cache::KeyView key = key_.finish();
    const bool utf8 = on_->settings->utf8;
    const std::uint64_t asked_us = shared_.clock.now_us();
    const cache::FillTicket ticket = plan->observe(
        question.bind ? session::ExecutionValues(replay.parameter_types, *question.bind, utf8).values()
                      : session::ExecutionValues(question.literals, utf8).values());
    fetched.outcome = FetchOutcome::Overtaken;
    fetched.reason = "a write is under way";
    if (!ticket.fillable) return;
    const std::uint64_t flight = ++flight_number_;
    const auto role = shared_.flights.join(key, ticket, this, flight);
    if (role == cache::FlightRole::Follow) {
        shared_.flights.leave(key, this, flight);
        fetched.outcome = FetchOutcome::UnderWay;
        fetched.reason = "a client asks for it";
        return;
    }
    session::Capture capture;
    capture.start({.extended = replay.kind != 'Q',
                   .parse_complete = true,
                   .describe = true,
                   .row_limit = replay.kind != 'Q' && replay.row_limit != 0,
                   .bytes_max = shared_.settings()->cache.max_result});
    std::string error;
    bool settings_told = false;
    const auto answered = on_->wire->exchange(request_of(replay), soon(), [&](const wire::Piece& piece) {
        if (piece.type == 'Z' || piece.type == 'A') return;
        if (piece.type == 'S') {
            settings_told = true;
            return;
        }
        if (piece.type == 'E' && error.empty()) error = text_of_error(piece);
        capture.on_backend(piece);
    });
    fetched.took_us = shared_.clock.now_us() - asked_us;
    cache::EntryRef entry;
    const bool same_session = !settings_told && on_->generation == database.settings_generation() &&
                              plan->made_from->catalog_version == database.catalog_version();
    if (!answered) {
        fetched.outcome =
            answered.error().sqlstate == "57P01" ? FetchOutcome::Late : FetchOutcome::Unreachable;
        fetched.reason = answered.error().text;
    } else if (!error.empty()) {
        fetched.outcome = FetchOutcome::Failed;
        fetched.reason = error;
    } else if (capture.too_large()) {
        fetched.outcome = FetchOutcome::TooLarge;
        fetched.reason = "the answer is larger than cache.max_result";
    } else if (!capture.complete()) {
        fetched.outcome = FetchOutcome::Failed;
        fetched.reason = "the answer is no plain result: it came with a notice, or has no columns";
    } else if (same_session) {
        keep(*plan, key, ticket, capture, asked_us, fetched, entry);
    }
    if (role == cache::FlightRole::Lead) shared_.flights.land(key, this, flight, entry);
    if (!answered) on_ = nullptr;
    if (on_ && settings_told) on_->settings = nullptr;
}

void Fetcher::keep(const session::Plan& plan, const cache::KeyView& key, const cache::FillTicket& ticket,
                   const session::Capture& capture, std::uint64_t asked_us, Fetched& fetched,
                   cache::EntryRef& entry) {
    session::Account* const account = plan.ledger.account.get();
    const std::uint64_t mean_us = account == nullptr ? 0 : account->origin_mean_us();
    const std::uint64_t saves_us = mean_us == 0 ? fetched.took_us : mean_us;
    entry = cache::Entry::make(
        key, ticket.seen, capture.row_description(), capture.rows_and_close(), asked_us / 1000,
        {.lifetime = plan.analysis().lifetime,
         .residence = account == nullptr ? nullptr : account->residence(),
         .worth = account == nullptr ? nullptr : account->worth(),
         .worth_us = static_cast<std::uint32_t>(std::min<std::uint64_t>(saves_us, UINT32_MAX))});
    const bool stored = shared_.store.fill(entry);
    fetched.outcome = stored ? FetchOutcome::Stored : FetchOutcome::Overtaken;
    fetched.reason = stored ? "" : "a write or another answer overtook it, or there is no room";
}

}  // namespace warmfront::control
