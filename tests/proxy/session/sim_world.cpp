#include "tests/proxy/session/sim_world.h"

#include <algorithm>
#include <utility>

#include <doctest/doctest.h>

namespace warmfront::session::test {
namespace {

std::shared_ptr<sql::Catalog> catalog_of_accounts() {
    auto catalog = Stage::catalog(2);
    sql::Relation relation;
    relation.oid = sql::Oid{20004};
    relation.schema = "public";
    relation.name = "accounts";
    for (const char* name : {"id", "v"}) {
        sql::Column column;
        column.name = name;
        column.type = column.value.oid = sql::Oid{23};
        column.value.kind = sql::ValueKind::Integer;
        column.number = static_cast<std::int16_t>(relation.columns.size() + 1);
        relation.columns.push_back(column);
    }
    catalog->relations.push_back(std::move(relation));
    sql::Function sum;
    sum.oid = sql::Oid{2108};
    sum.schema = "pg_catalog";
    sum.name = "sum";
    sum.volatility = 'i';
    sum.kind = 'a';
    catalog->functions.push_back(std::move(sum));
    catalog->index();
    return catalog;
}

// The value of the first row, or the tag.
std::string answer_in(std::string_view bytes) {
    std::string found;
    while (!bytes.empty()) {
        const auto message = take_message(bytes);
        if (message.type == 'D') {
            const auto row = wire::decode_data_row(message.body);
            if (row && !row->empty() && row->front()) return std::string(*row->front());
        }
        if (message.type == 'C') found = message.body.substr(0, message.body.find('\0'));
    }
    return found;
}

constexpr std::size_t kStoryMax = 60;

}  // namespace

SimWorld::SimWorld(int sessions) : postgres_(sessions), sessions_(at(sessions)) {
    REQUIRE(stage_.database.publish(catalog_of_accounts(), stage_.database.epoch()));
    for (Session& session : sessions_) session.actor = std::make_unique<Actor>(stage_);
}

void SimWorld::tell(int session, const std::string& what) {
    story_.push_back("session " + std::to_string(session) + " " + what);
    if (story_.size() > kStoryMax) story_.erase(story_.begin());
}

std::string SimWorld::story() const {
    std::string text;
    for (const auto& line : story_) text += line + "\n";
    return text;
}

void SimWorld::send(int session, const Statement& statement) {
    Session& own = sessions_[at(session)];
    own.statement = statement;
    own.floor = known_;
    own.forwarded = false;
    tell(session, "sends " + statement.sql());
    own.actor->client_sends(query(statement.sql()));
    take(session);
}

// Looks at what the proxy did of late for this session.
void SimWorld::take(int session) {
    Session& own = sessions_[at(session)];
    if (own.actor->server.find("current_setting") != std::string::npos) {
        own.actor->server.clear();
        own.actor->answer_probe();
    }
    if (!own.actor->take_server().empty()) own.forwarded = true;
    const auto bytes = own.actor->take_client();
    if (bytes.empty()) return;
    const auto value = answer_in(bytes);
    tell(session, "gets " + value);
    const Statement statement = *own.statement;
    if (!own.forwarded) own.expected = std::nullopt;
    if (statement.reads()) judge(session, value);
    own.statement.reset();
    if (statement.reads()) return;
    using Kind = Statement::Kind;
    // Row 1 only grows, so all of it that is committed by now was before its writer hears of it.
    const bool commits = statement.kind == Kind::Commit || statement.kind == Kind::CommitPrepared ||
                         (statement.kind == Kind::Add && postgres_.status(session) == 'I');
    if (commits) known_ = std::max(known_, own.committed);
}

bool SimWorld::can_step(int session) const {
    const Session& own = of(session);
    if (!own.statement) return false;
    if (own.result || own.actor->has_landed()) return true;
    return own.forwarded && postgres_.ready(session, *own.statement);
}

void SimWorld::step(int session) {
    Session& own = sessions_[at(session)];
    if (own.actor->has_landed()) {
        tell(session, "is told of a shared answer");
        own.actor->deliver();
        return take(session);
    }
    if (!own.result) {
        own.expected = std::nullopt;
        own.result = postgres_.execute(session, *own.statement);
        own.committed = postgres_.committed().at(1);
        if (own.statement->reads() && postgres_.apart(session)) own.expected = own.result;
        return tell(session, "is executed: " + *own.result);
    }
    const auto result = *std::exchange(own.result, std::nullopt);
    const char status = postgres_.status(session);
    own.actor->server_sends(own.statement->reads() ? rows(result, status)
                                                   : command_complete(result) + ready(status));
    take(session);
}

void SimWorld::judge(int session, const std::string& value) {
    Session& own = sessions_[at(session)];
    const Statement& statement = *own.statement;
    if (own.expected && value != *own.expected) complain(session, "other than PostgreSQL says", value);
    if (!own.expected && postgres_.apart(session)) complain(session, "the block is apart, but served", value);
    if (own.expected) return;
    if (statement.kind != Statement::Kind::Read) {
        if (value != "200") complain(session, "a sum that never was", value);
        return;
    }
    if (statement.row != 1) return;
    const auto seen = std::stoll(value);
    if (seen < own.floor) complain(session, "less than " + std::to_string(own.floor), value);
    known_ = std::max<std::int64_t>(known_, seen);
}

void SimWorld::complain(int session, const std::string& what, const std::string& value) {
    violations_.push_back("session " + std::to_string(session) + " got " + value + " of " +
                          sessions_[at(session)].statement->sql() + ": " + what);
}

}  // namespace warmfront::session::test
