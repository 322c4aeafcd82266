#include "tests/proxy/session/stage.h"

#include <array>
#include <optional>
#include <utility>

#include <doctest/doctest.h>

namespace warmfront::session::test {
namespace {

std::string message(char type, std::string_view body) {
    std::string out(1, type);
    const auto length = static_cast<std::uint32_t>(body.size() + 4);
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift & 0xff);
    return out.append(body);
}

sql::Relation table(std::uint32_t oid, std::string name) {
    sql::Relation relation;
    relation.oid = sql::Oid{oid};
    relation.schema = "public";
    relation.name = std::move(name);
    return relation;
}

sql::Function function(std::uint32_t oid, std::string schema, std::string name, char volatility) {
    sql::Function made;
    made.oid = sql::Oid{oid};
    made.schema = std::move(schema);
    made.name = std::move(name);
    made.volatility = volatility;
    return made;
}

}  // namespace

std::string row_description() {
    std::string out;
    const std::string_view column = "v";
    wire::append_text_row_description(out, std::span(&column, 1));
    return out;
}
std::string data_row(std::string_view value) {
    std::string out;
    const std::optional<std::string_view> field = value;
    wire::append_text_row(out, std::span(&field, 1));
    return out;
}
std::string command_complete(std::string_view tag) {
    std::string out;
    wire::append_command_complete(out, tag);
    return out;
}
std::string ready(char status) {
    std::string out;
    wire::append_ready_for_query(out, status);
    return out;
}
std::string rows(std::string_view value, char status) {
    return row_description() + data_row(value) + command_complete("SELECT 1") + ready(status);
}
std::string parse_complete() {
    return message('1', {});
}
std::string bind_complete() {
    return message('2', {});
}
std::string error(std::string_view sqlstate) {
    std::string out;
    wire::append_error(out, sqlstate, "no");
    return out;
}
std::string query(std::string_view sql) {
    std::string out;
    wire::append_query(out, sql);
    return out;
}
std::string sync() {
    std::string out;
    wire::append_sync(out);
    return out;
}
std::string extended(std::string_view statement, std::string_view sql, std::string_view parameter,
                     std::uint32_t limit) {
    std::string out;
    if (!sql.empty()) wire::append_parse(out, statement, sql, {});
    const std::optional<std::string_view> value = parameter;
    wire::append_bind(out, "", statement, {}, std::span(&value, 1), {});
    wire::append_describe(out, 'P', "");
    wire::append_execute(out, "", limit);
    wire::append_sync(out);
    return out;
}

std::string types(std::string_view bytes) {
    std::string out;
    while (!bytes.empty()) out += take_message(bytes).type;
    return out;
}

std::shared_ptr<sql::Catalog> Stage::catalog(std::uint64_t version) {
    auto catalog = std::make_shared<sql::Catalog>();
    catalog->version = version;
    catalog->relations = {table(20001, "t"), table(20002, "u"), table(20003, "t")};
    catalog->relations.back().schema = "other";
    catalog->functions = {function(20100, "public", "f", 'v'), function(1598, "pg_catalog", "random", 'v'),
                          function(65, "pg_catalog", "int4eq", 'i')};
    catalog->index();
    return catalog;
}

Stage::Stage()
    : store(cache::StoreOptions{}),
      templates(1000),
      interner(100),
      planner(templates, ledger, 0, 1000),
      database("app", log, [this](Database&) { ++catalogs_wanted; }) {
    REQUIRE(database.publish(catalog(), database.epoch()));
}

Actor::Actor(Stage& stage, std::string startup_key, ConversationOptions options)
    : stage_(stage),
      from_client_(wire::Framer::First::Typed, {Conversation::kRequestBytesMax, 1 << 30}),
      from_server_(wire::Framer::First::Typed, {16 * 1024, 1 << 30}) {
    const Services services{stage.store,
                            stage.flights,
                            stage.interner,
                            stage.planner,
                            stage.key,
                            stage.to_client,
                            stage.to_server,
                            stage.scratch_template,
                            stage.scratch_literals,
                            stage.switches,
                            stage.sampler,
                            stage.ledger,
                            stage.keys,
                            stage.disk,
                            stage.foresight};
    conversation_ = std::make_unique<Conversation>(services, stage.database, stage.tally, this,
                                                   std::move(startup_key), options);
}

Actor::~Actor() {
    for (Unsettled& left : hang_up()) {
        if (left.catalog_judged) (void)stage_.database.end_write(left.epoch);
        left.marked.end();
    }
}

std::vector<Unsettled> Actor::hang_up() {
    return conversation_->abandon();
}

void Actor::flush() {
    for (const std::string_view piece : stage_.to_client.take()) client.append(piece);
    for (const std::string_view piece : stage_.to_server.take()) server.append(piece);
    stage_.to_client.clear();
    stage_.to_server.clear();
}

void Actor::pump() {
    while (!conversation_->blocked()) {
        const auto piece = from_client_.next();
        REQUIRE(piece);
        if (!*piece) break;
        conversation_->on_frontend(**piece, stage_.now_us);
    }
    flush();
    from_client_.keep_rest();
}

void Actor::client_sends(std::string_view bytes) {
    from_client_.feed(bytes);
    pump();
}

void Actor::server_sends(std::string_view bytes) {
    from_server_.feed(bytes);
    for (;;) {
        const auto piece = from_server_.next();
        REQUIRE(piece);
        if (!*piece) break;
        conversation_->on_backend(**piece, stage_.now_us);
    }
    flush();
    from_server_.keep_rest();
    if (!conversation_->blocked()) client_sends({});
}

void Actor::answer_probe(std::string_view isolation, std::string_view search_path, bool temp,
                         std::string_view idle_timeout) {
    std::string body;
    const auto& names = sql::probed_settings();
    body += static_cast<char>(names.size() >> 8);
    body += static_cast<char>(names.size() & 0xff);
    for (std::size_t i = 0; i < names.size(); ++i) {
        std::string value = i == 0 ? "app" : i <= 2 ? "alice" : i == 3 ? (temp ? "t" : "f") : "";
        if (names[i] == "default_transaction_isolation") value = isolation;
        if (names[i] == "search_path" || names[i] == "current_schemas") value = search_path;
        if (names[i] == "idle_session_timeout") value = idle_timeout;
        if (names[i] == "standard_conforming_strings") value = "on";
        if (names[i] == "statement_timeout") value = "0";
        for (int shift = 24; shift >= 0; shift -= 8) body += static_cast<char>(value.size() >> shift & 0xff);
        body += value;
    }
    server_sends(row_description() + message('D', body) + command_complete("SELECT 1") + ready());
}

void Actor::run(std::string_view sql, std::string_view tag, char status) {
    client_sends(query(sql));
    if (server.find("current_setting") != std::string::npos) {
        server.clear();
        answer_probe();
    }
    server_sends(command_complete(tag) + ready(status));
}

void Actor::landed(std::uint64_t ticket, cache::EntryRef result) noexcept {
    const std::lock_guard lock(landed_mutex_);
    landed_.emplace_back(ticket, std::move(result));
}

bool Actor::cancel() {
    const bool done = conversation_->cancel();
    flush();
    return done;
}

void Actor::deliver() {
    std::vector<std::pair<std::uint64_t, cache::EntryRef>> now;
    {
        const std::lock_guard lock(landed_mutex_);
        now.swap(landed_);
    }
    for (auto& [ticket, result] : now) conversation_->on_landed(ticket, result, stage_.now_us);
    flush();
    if (!conversation_->blocked()) client_sends({});
}

void warm(Stage& stage, std::string_view value) {
    Actor actor(stage);
    actor.client_sends(query("SELECT v FROM t WHERE id = 1"));
    if (types(actor.take_server()) == "Q" && actor.conversation().blocked()) actor.answer_probe();
    actor.server_sends(rows(value));
    REQUIRE(actor.take_client() == rows(value));
}

}  // namespace warmfront::session::test
