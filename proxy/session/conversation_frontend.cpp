// The client's side of a conversation: requests are collected, planned, and answered from the cache or
// forwarded.

#include <algorithm>
#include <utility>
#include <vector>

#include "proxy/session/conversation.h"
#include "proxy/session/message_walk.h"
#include "proxy/wire/encode.h"
#include "sql/statement_scan.h"
#include "sql/tokenizer.h"

namespace warmfront::session {
namespace {

// What a walsender takes that is not SQL (PostgreSQL manual, "Streaming Replication Protocol"): none of it
// changes rows.
bool is_replication_command(std::string_view sql) {
    constexpr std::string_view kCommands[] = {
        "IDENTIFY_SYSTEM", "TIMELINE_HISTORY",      "CREATE_REPLICATION_SLOT",
        "BASE_BACKUP",     "START_REPLICATION",     "DROP_REPLICATION_SLOT",
        "UPLOAD_MANIFEST", "READ_REPLICATION_SLOT", "ALTER_REPLICATION_SLOT"};
    const auto same = [](char a, char b) { return (a >= 'a' && a <= 'z' ? a - 32 : a) == b; };
    for (const std::string_view command : kCommands)
        if (sql.size() >= command.size() &&
            std::equal(command.begin(), command.end(), sql.begin(),
                       [&](char want, char have) { return same(have, want); }))
            return true;
    return false;
}

// The zero-terminated string at the front of a body that may be cut off; empty if its end is not in sight.
std::string_view leading_string(std::string_view body) {
    const auto end = body.find('\0');
    return end == std::string_view::npos ? std::string_view{} : body.substr(0, end);
}

// A Parse message's parameter types, from network order.
std::vector<std::uint32_t> types_of(std::string_view raw) {
    std::vector<std::uint32_t> types(raw.size() / 4);
    for (std::size_t i = 0; i < types.size(); ++i) {
        std::uint32_t type = 0;
        for (std::size_t byte = 0; byte < 4; ++byte)
            type = type << 8 | static_cast<unsigned char>(raw[i * 4 + byte]);
        types[i] = type;
    }
    return types;
}

}  // namespace

void Conversation::on_frontend(const wire::Piece& piece, std::uint64_t now_us) {
    now_us_ = now_us;
    if (orphan_) return on_orphaned(piece);
    if (!piece.whole()) return on_fragment(piece);
    switch (piece.type) {
        case 'Q':
            if (!request_.empty()) forward_extended(std::exchange(request_, {}), false);
            return request_ready(Request::Simple, piece.raw);
        case 'F':
            if (!request_.empty()) forward_extended(std::exchange(request_, {}), false);
            return request_ready(Request::Function, piece.raw);
        case 'P':
        case 'B':
        case 'D':
        case 'E':
        case 'C': return collect(piece);
        case 'S': return on_sync(piece);
        case 'H':
            request_.append(piece.raw);
            if (open_) return forward_extended(std::exchange(request_, {}), false);
            return request_ready(Request::Flushed, {});
        case 'd': return on_copy_data(piece);
        case 'c':
        case 'f': return on_copy_end(piece);
        case 'X':
            terminated_ = true;
            if (!request_.empty()) forward_extended(std::exchange(request_, {}), false);
            return services_.to_server.add(piece.raw);
        default: return services_.to_server.add(piece.raw);  // CopyData; and what only PostgreSQL can judge
    }
}

// A message too long to be looked at as a whole: sent on as it comes; what it may do is assumed.
void Conversation::on_fragment(const wire::Piece& piece) {
    if (piece.type == 'd') return on_copy_data(piece);
    if (piece.first) {
        if (!request_.empty()) forward_extended(std::exchange(request_, {}), false);
        const PlanRef opaque = services_.planner.opaque(database_);
        switch (piece.type) {
            case 'Q':
                prepared_.simple_query(true);
                account(begin_exchange(Exchange::Kind::Simple), opaque);
                break;
            case 'F': account(begin_exchange(Exchange::Kind::FunctionCall), opaque); break;
            case 'B': {
                if (!open_) open_ = &begin_exchange(Exchange::Kind::Extended);
                open_->synced = false;
                ++open_->steps_sent;
                const auto portal = leading_string(piece.body);
                bind_portal(
                    *open_, nullptr, portal,
                    leading_string(piece.body.substr(std::min(piece.body.size(), portal.size() + 1))));
                break;
            }
            case 'P': {
                if (!open_) open_ = &begin_exchange(Exchange::Kind::Extended);
                open_->synced = false;
                ++open_->steps_sent;
                PreparedStatement statement;
                statement.plan = opaque;
                statement.opaque = true;
                open_->parses.push_back({std::string(leading_string(piece.body)), false});
                prepared_.put(open_->parses.back().name, std::move(statement));
                break;
            }
            default:
                if (!open_) open_ = &begin_exchange(Exchange::Kind::Extended);
                open_->synced = false;
                if (piece.type == 'D' || piece.type == 'E' || piece.type == 'C') ++open_->steps_sent;
                account(*open_, opaque);
                break;
        }
    }
    services_.to_server.add(piece.raw);
}

void Conversation::collect(const wire::Piece& piece) {
    request_.append(piece.raw);
    if (open_ || request_.size() > kRequestBytesMax) forward_extended(std::exchange(request_, {}), false);
}

void Conversation::on_sync(const wire::Piece& piece) {
    if (open_) {
        if (!request_.empty()) forward_extended(std::exchange(request_, {}), false);
        open_->synced = true;
        open_ = nullptr;
        return services_.to_server.add(piece.raw);
    }
    request_.append(piece.raw);
    request_ready(Request::Extended, {});
}

void Conversation::on_copy_data(const wire::Piece& piece) {
    if (!exchanges_.empty() && exchanges_.front().copied) exchanges_.front().copied->feed(piece.body);
    services_.to_server.add(piece.raw);
}

// libpq sends Sync after the Execute of a COPY and again after CopyDone, the server ignores the first: then
// the next Sync belongs to the exchange that is under way already.
void Conversation::on_copy_end(const wire::Piece& piece) {
    if (!exchanges_.empty() && exchanges_.front().copied) account_copied(exchanges_.front());
    services_.to_server.add(piece.raw);
    if (open_ || exchanges_.empty()) return;
    Exchange& last = exchanges_.back();
    if (last.kind != Exchange::Kind::Extended || !last.synced) return;
    ++last.syncs_after_copy;
    last.synced = false;
    open_ = &last;
}

// bytes: the request, unless it was collected in request_.
void Conversation::request_ready(Request request, std::string_view bytes) {
    go_alone_ = disk_tried_ = false;
    disk_since_us_ = 0;
    settings_refused_ = false;
    followed_ = {};
    if (!settings() && settings_first_) use_profile();
    if (exchanges_.size() >= kExchangesMax) return hold(Wait::Room, request, bytes);
    // A Query or FunctionCall amid extended messages: wait until it is clear whether the server will skip it.
    if (open_ && (request == Request::Simple || request == Request::Function)) {
        if (open_->failed)
            return services_.to_server.copy(bytes);  // PostgreSQL skips it, up to the next Sync
        if (open_->steps_done < open_->steps_sent) {
            services_.to_server.compose([](std::string& out) { wire::append_flush(out); });
            return hold(Wait::Drain, request, bytes);
        }
    }
    process(request, bytes);
}

void Conversation::hold(Wait wait, Request request, std::string_view bytes) {
    wait_ = wait;
    held_ = request;
    if (!bytes.empty()) request_.assign(bytes);  // collected requests are in request_ already
}

void Conversation::resume() {
    wait_ = Wait::None;
    const Request request = std::exchange(held_, Request::None);
    const std::string bytes = std::exchange(request_, {});
    process(request, bytes);
    if (leads_ && wait_ != Wait::Flight) give_up_lead();  // the request took another way
}

// bytes are taken from request_ for collected requests; a hold puts them back.
void Conversation::process(Request request, std::string_view bytes) {
    std::string collected;
    if (bytes.empty()) {
        collected.swap(request_);
        bytes = collected;
    }
    switch (request) {
        case Request::None: break;
        case Request::Simple: process_simple(bytes); break;
        case Request::Extended: process_extended(bytes); break;
        case Request::Function: forward_function(bytes); break;
        case Request::Flushed:
            if (exchanges_.empty() && !settings_ &&
                settings_wanted(services_.planner.opaque(database_)->analysis())) {
                hold(Wait::Settings, request, bytes);
                ask_settings();
                break;
            }
            if (snapshot_owed(nullptr)) {
                hold(Wait::Settings, request, bytes);
                take_snapshot();
                break;
            }
            forward_extended(bytes, false);
            break;
    }
    // Keep the buffer of a collected request, so that the next one allocates nothing; not a large one.
    if (request_.empty() && collected.capacity() > 0 && collected.capacity() <= kKeepBytes) {
        collected.clear();
        request_.swap(collected);
    }
}

void Conversation::process_simple(std::string_view bytes) {
    const auto query = wire::decode_query(bytes.substr(kHeaderBytes));
    if (!query) return forward_simple(bytes, services_.planner.opaque(database_));
    if (options_.replication && is_replication_command(query->sql)) return forward_simple(bytes, nullptr);

    const Names meant = names();
    const sql::SessionSettings* known = meant.settings;
    // Of an unknown session nothing is assumed that could cut its text wrongly.
    const sql::NormalizeOptions lexis{known && known->standard_conforming_strings,
                                      known && known->ascii_safe_encoding};
    std::string& text = services_.scratch_template;
    std::string& literals = services_.scratch_literals;
    if (!sql::normalize(query->sql, lexis, text, literals)) {
        const PlanRef opaque = services_.planner.opaque(database_);
        if (known || !settings_wanted(opaque->analysis())) return forward_simple(bytes, opaque);
        hold(Wait::Settings, Request::Simple, bytes);
        return ask_settings();
    }
    PlanRef plan = services_.planner.plan(database_, meant, text, query->sql, &lexis);
    if (!known && settings_wanted(plan->analysis())) {
        hold(Wait::Settings, Request::Simple, bytes);
        return ask_settings();
    }
    if (snapshot_owed(&plan->analysis())) {
        hold(Wait::Settings, Request::Simple, bytes);
        return take_snapshot();
    }
    if (!may_read_cache(*plan)) {
        const ExecutionValues given(plan->analysis().changes.empty() ? std::string_view{} : literals,
                                    speaks_utf8());
        forward_simple(bytes, plan, given.values());
        return watch(exchanges_.back(), literals);
    }

    const cache::KeyView key = key_of(*plan, literals);
    const Reply reply;
    const Given given{.literals = literals};
    if (serve_or_follow(plan, key, literals, reply, given)) {
        if (wait_ == Wait::Flight)
            hold(Wait::Flight, Request::Simple, bytes);
        else
            prepared_.simple_query(false);
        return;
    }
    forward_simple(bytes, plan);
    want_kept(exchanges_.back(), plan, key, reply, given);
}

void Conversation::process_extended(std::string_view bytes) {
    const auto single = as_single(bytes);
    if (!single) {
        // Several statements at once, or a part of one: only their plans need the settings.
        if (!settings() && settings_wanted(services_.planner.opaque(database_)->analysis())) {
            hold(Wait::Settings, Request::Extended, bytes);
            return ask_settings();
        }
        if (snapshot_owed(nullptr)) {
            hold(Wait::Settings, Request::Extended, bytes);
            return take_snapshot();
        }
        return forward_extended(bytes, true);
    }
    PreparedStatement* const statement = single->parse ? nullptr : prepared_.find(single->bind->statement);
    if (!single->parse && (!statement || statement->opaque || statement->by_sql)) {
        if (!snapshot_owed(nullptr)) return forward_extended(bytes, true);
        hold(Wait::Settings, Request::Extended, bytes);
        return take_snapshot();
    }
    const PlanRef plan =
        statement ? plan_of(*statement)
                  : services_.planner.plan(database_, names(), single->parse->sql, single->parse->sql);
    if (!settings() && settings_wanted(plan->analysis())) {
        hold(Wait::Settings, Request::Extended, bytes);
        return ask_settings();
    }
    if (snapshot_owed(&plan->analysis())) {
        hold(Wait::Settings, Request::Extended, bytes);
        return take_snapshot();
    }
    const std::string_view parameter_types =
        statement ? std::string_view(statement->parameter_types) : single->parse->parameter_types;
    const bool settled = !statement || statement->settled.holds(settings_seen(), database_.catalog_version(),
                                                                plan->analysis().read_once);
    if (!may_read_cache(*plan) || !settled) {
        forward_extended(bytes, true);
        if (exchanges_.back().plain_read) note_refusal(*plan);
        return watch(exchanges_.back(), *single, parameter_types);
    }

    const cache::KeyView key = key_of(*plan, *single, parameter_types);
    const Reply reply{true, single->parse.has_value(), single->describe, single->row_limit != 0};
    const Given given{.parameter_types = parameter_types, .bind = &*single->bind};
    if (serve_or_follow(plan, key, single->bind->after_names, reply, given)) {
        if (wait_ == Wait::Flight) return hold(Wait::Flight, Request::Extended, bytes);
        if (!statement)
            prepared_.put_unnamed(single->parse->sql, single->parse->parameter_types, plan,
                                  {settings_seen(), database_.catalog_version()});
        return;
    }
    forward_extended(bytes, true);
    want_kept(exchanges_.back(), plan, key, reply, given);
}

// plan: nullptr for what changes nothing and is not SQL.
void Conversation::forward_simple(std::string_view bytes, const PlanRef& plan,
                                  const sql::StatementValues& values) {
    prepared_.simple_query(true);
    absorb_open();
    Exchange& exchange = begin_exchange(Exchange::Kind::Simple);
    exchange.plan = plan;
    // Of a COPY nobody sees anything before its end: its rows are counted when they are known.
    const bool reads_rows = plan && !plan->analysis().copies.empty() && exchanges_.size() == 1 && !absorbed_;
    if (reads_rows) {
        exchange.copied = std::make_shared<CopiedRows>(plan, speaks_utf8());
        exchange.catalog_judged = true;
        exchange.epoch = database_.begin_write();
    }
    if (plan) account(exchange, plan, reads_rows ? EffectSet{} : plan->effects(values));
    if (plan && !plan->analysis().sql_prepare.empty()) {
        exchange.prepared_name = plan->analysis().sql_prepare;
        exchange.prepared_query = sql::query_of_prepare(wire::decode_query(bytes.substr(kHeaderBytes))->sql);
    }
    exchange.plain_read = plan && exchange.is_plain_read();
    if (exchange.plain_read) note_refusal(*plan);
    services_.to_server.copy(bytes);
}

void Conversation::forward_function(std::string_view bytes) {
    absorb_open();
    account(begin_exchange(Exchange::Kind::FunctionCall), services_.planner.opaque(database_));
    services_.to_server.copy(bytes);
}

// A Query or FunctionCall amid extended messages commits what these did: one ReadyForQuery for both. The
// former exchange has been answered in full (request_ready() waited for that), so it is merged into the one
// that comes.
void Conversation::absorb_open() {
    if (!open_ || open_->failed) return;
    ensure(exchanges_.size() == 1, "an exchange is absorbed when it is the only one");
    absorbed_.emplace(std::move(exchanges_.front()));
    exchanges_.pop_front();
    open_ = nullptr;
}

void Conversation::forward_extended(std::string_view bytes, bool synced) {
    Exchange& exchange = open_ ? *open_ : begin_exchange(Exchange::Kind::Extended);
    exchange.synced = synced;
    open_ = synced ? nullptr : &exchange;
    while (!bytes.empty()) {
        const WholeMessage message = take_message(bytes);
        forward_step(exchange, message);
    }
    exchange.plain_read = exchange.is_plain_read();
}

void Conversation::forward_step(Exchange& exchange, const WholeMessage& message) {
    switch (message.type) {
        case 'P': forward_parse(exchange, message.body); break;
        case 'B': {
            const auto bind = wire::decode_bind(message.body);
            if (bind)
                bind_portal(exchange, &*bind, bind->portal, bind->statement);
            else
                account(exchange, services_.planner.opaque(database_));
            break;
        }
        case 'D': {
            const auto describe = wire::decode_describe(message.body);
            if (describe && describe->what == 'S') {
                align_unnamed(exchange, describe->name);
                if (PreparedStatement* const statement = prepared_.find(describe->name))
                    statement->settled.used(settings_seen());
            }
            if (describe && describe->what == 'P') align_portal(exchange, describe->name);
            break;
        }
        case 'E': {
            const auto execute = wire::decode_execute(message.body);
            const auto portal = execute ? portals_.find(execute->portal) : portals_.end();
            if (execute) align_portal(exchange, execute->portal);
            if (portal == portals_.end())
                account(exchange, services_.planner.opaque(database_));
            else
                account(exchange, portal->second.plan, portal->second.effects);
            break;
        }
        case 'C': forward_close(exchange, message.body); break;
        default: services_.to_server.copy(message.raw); return;  // Flush, Sync: not answered one by one
    }
    if (exchange.steps_sent++ == 0) exchange.begins_unexecuted = message.type == 'P' || message.type == 'B';
    services_.to_server.copy(message.raw);
}

void Conversation::forward_parse(Exchange& exchange, std::string_view body) {
    const auto parse = wire::decode_parse(body);
    if (!parse) return account(exchange, services_.planner.opaque(database_));
    PreparedStatement statement;
    statement.sql = parse->sql;
    statement.parameter_types = parse->parameter_types;
    statement.settled = {settings_seen(), database_.catalog_version()};
    statement.parsed_version = database_.catalog_version();
    if (statement.parsed_version == 0) statement.parsed_epoch = database_.epoch();
    (void)plan_of(statement);
    exchange.parses.push_back({std::string(parse->statement), false});
    prepared_.put(parse->statement, std::move(statement));
}

// bind: nullptr for one too long to be looked at as a whole.
void Conversation::bind_portal(Exchange& exchange, const wire::Bind* bind, std::string_view portal,
                               std::string_view name) {
    align_unnamed(exchange, name);
    if (portal.empty()) unnamed_portal_gone_ = false;
    PreparedStatement* statement = prepared_.find(name);
    if (statement) statement->settled.used(settings_seen());
    PlanRef plan = statement ? plan_of(*statement) : services_.planner.opaque(database_);
    exchange.binds = exchange.binds == 0 ? 1 : 2;
    exchange.bound = name;
    exchange.plan = plan;
    if (portals_.size() >= kPortalsMax) portals_.clear();  // executing a forgotten one is opaque
    const bool valued = bind && statement && !plan->analysis().changes.empty();
    EffectSet effects =
        valued ? plan->effects(ExecutionValues(statement->parameter_types, *bind, speaks_utf8()).values())
               : plan->effects({});
    portals_.insert_or_assign(std::string(portal), Portal{std::move(plan), std::move(effects)});
}

void Conversation::forward_close(Exchange& exchange, std::string_view body) {
    const auto close = wire::decode_close(body);
    if (!close) return;
    exchange.closes.push_back({});
    if (close->what == 'S') prepared_.close(close->name);
    if (close->what == 'P')
        if (const auto portal = portals_.find(close->name); portal != portals_.end()) portals_.erase(portal);
}

// Brings the server's unnamed statement in line with the client's before it is used.
void Conversation::align_unnamed(Exchange& exchange, std::string_view statement) {
    if (!statement.empty()) return;
    switch (prepared_.needed_before_use()) {
        case PreparedStatements::Need::Nothing: return;
        case PreparedStatements::Need::Parse: {
            const PreparedStatement& unnamed = *prepared_.find("");
            services_.to_server.compose([&](std::string& out) {
                wire::append_parse(out, "", unnamed.sql, types_of(unnamed.parameter_types));
            });
            exchange.parses.push_back({{}, true});
            return prepared_.unnamed_is_on_server();
        }
        case PreparedStatements::Need::Close:
            services_.to_server.compose([](std::string& out) { wire::append_close(out, 'S', ""); });
            exchange.closes.push_back({{}, true});
            return prepared_.unnamed_is_closed_on_server();
    }
}

// An answer from the cache left no portal on the server; an older one of the same (empty) name must not stand
// in for it.
void Conversation::align_portal(Exchange& exchange, std::string_view portal) {
    if (!portal.empty() || !std::exchange(unnamed_portal_gone_, false)) return;
    services_.to_server.compose([](std::string& out) { wire::append_close(out, 'P', ""); });
    exchange.closes.push_back({{}, true});
}

// What the statement's names meant under this catalog, they may mean to PostgreSQL under later ones as well.
void Conversation::remember_known(PreparedStatement& statement) {
    const bool parsed_now = statement.parsed_version != 0
                                ? statement.parsed_version == database_.catalog_version()
                                : statement.parsed_epoch == database_.epoch();
    PlanRef before = statement.known;
    // What it meant when it was parsed nobody knows: anything of the name.
    if (!before && !parsed_now)
        before = services_.planner.plan(database_, {nullptr, false}, statement.sql, statement.sql);
    // Under other settings PostgreSQL looks anew.
    else if (before && before->made_from->fingerprint != statement.plan->made_from->fingerprint)
        before = nullptr;
    if (before)
        statement.plan = Planner::as_prepared(database_.judges().catalog.get(), statement.plan, *before);
    statement.known = statement.plan;
}

PlanRef Conversation::plan_of(PreparedStatement& statement) {
    if (statement.opaque) return statement.plan;
    const Names meant = names();
    const bool fresh = statement.plan && meant.settings &&
                       statement.plan->made_from->fingerprint == meant.settings->fingerprint &&
                       statement.plan->made_from->catalog_version == database_.catalog_version();
    if (fresh) return statement.plan;
    statement.plan = services_.planner.plan(database_, meant, statement.sql, statement.sql);
    if (meant.settings && statement.plan->made_from->catalog_version != 0) remember_known(statement);
    return statement.plan;
}

}  // namespace warmfront::session
