#include "tests/live/twin/statement_generator.h"

#include <algorithm>
#include <utility>

#include "tests/live/twin/patterns.h"

namespace warmfront::test {

using namespace std::string_view_literals;

StatementGenerator::StatementGenerator(std::uint64_t seed, unsigned sessions)
    : random_(seed), sessions_(sessions) {}

bool StatementGenerator::alone(unsigned session) const {
    for (unsigned other = 0; other < sessions_.size(); ++other)
        if (other != session && sessions_[other].status != 'I') return false;
    return prepared_.empty();
}

unsigned StatementGenerator::pick_session() {
    if (sole_) return *sole_;
    if (random_.chance(25)) return last_session_;
    const auto session = static_cast<unsigned>(random_.below(sessions_.size()));
    if (sessions_[session].status != 'I' || random_.chance(50)) return session;
    return static_cast<unsigned>(random_.below(sessions_.size()));  // those in a transaction get there sooner
}

static Login draw_login(Random& random, bool calm) {
    if (calm && random.chance(85)) return {"postgres", {}};  // sessions with equal settings share answers
    using Parameters = std::vector<std::pair<std::string, std::string>>;
    static const std::vector<Parameters> parameters = {
        {},
        {},
        {{"options", "-c search_path=other,public -c DateStyle=SQL"}},
        {{"DateStyle", "German"}, {"TimeZone", "America/New_York"}},
        {{"client_encoding", "LATIN1"}},
        {{"application_name", "twin"}, {"extra_float_digits", "0"}},
        {{"app.tenant", "blue"}}};
    static const std::vector<std::string> users = {"postgres", "postgres", "postgres", "postgres",
                                                   "alice",    "bob",      "carol"};
    return {random.pick<std::string>(users), random.pick<Parameters>(parameters)};
}

Turn StatementGenerator::next() {
    using G = StatementGenerator;
    static constexpr Choice kIdle[] = {{120, &G::read}, {22, &G::write},   {9, &G::begin},
                                       {8, &G::set},    {5, &G::define},   {5, &G::mistake},
                                       {2, &G::odd},    {5, &G::pipeline}, {3, &G::end_prepared}};
    static constexpr Choice kInside[] = {{60, &G::read},
                                         {18, &G::write},
                                         {26, &G::end},
                                         {8, &G::savepoint},
                                         {4, &G::set},
                                         {3, &G::define},
                                         {2, &G::mistake},
                                         {1, &G::odd},
                                         {2, &G::pipeline},
                                         {2, &G::begin},
                                         {2, &G::prepare_transaction}};
    static constexpr Choice kFailed[] = {
        {60, &G::end}, {20, &G::savepoint}, {8, &G::read}, {4, &G::write},
        {3, &G::set},  {2, &G::pipeline},   {2, &G::odd},  {1, &G::prepare_transaction}};
    ++turns_;
    preparing_.reset();
    ending_.reset();
    begins_serializable_ = false;
    last_session_ = pick_session();
    const char status = sessions_[last_session_].status;
    // A calm phase begins without temporary tables, without settings that were changed.
    const bool first_of_calm = std::exchange(sessions_[last_session_].calm, calm()) != calm() && calm();
    if (status == 'I' && (first_of_calm || random_.below(400) == 0)) {
        sessions_[last_session_].delivery = {};
        return {last_session_, {Kind::Session, "a new session", {}}, draw_login(random_, calm())};
    }
    if (calm() && turns_ % 400 == 0) definition_due_ = true;
    if (definition_due_ && alone(last_session_) && status == 'I') {
        definition_due_ = false;
        return {last_session_, say(last_session_, random_.pick_weighted(definition_patterns()))};
    }
    std::span<const Choice> choices = kFailed;
    if (status == 'I') choices = kIdle;
    if (status == 'T') choices = kInside;
    const Act act = random_.pick_weighted(choices).act;
    return {last_session_, (this->*act)(last_session_)};
}

void StatementGenerator::observe(const Turn& turn, const Messages& answer) {
    Session& session = sessions_[turn.session];
    session.status = status_of(answer);
    session.delivery.observe(answer);
    const auto tag = tag_of(answer);
    if (preparing_ && tag == "PREPARE TRANSACTION") prepared_.push_back(*preparing_);
    if (ending_ && tag.ends_with(" PREPARED")) std::erase(prepared_, *ending_);
    if (turn.step.kind == Kind::Definition || begins_serializable_) sole_ = turn.session;
    if (sole_ == turn.session && session.status == 'I') sole_.reset();
}

// What could do anything: a cache forgets all, and trusts nothing until it has looked at the catalog again.
static bool is_opaque(const Pattern& pattern) {
    for (const auto word : {"DO $$"sv, "innocent("sv, "SELEC "sv, "PREPARE "sv, "EXECUTE "sv, "INTO loans"sv})
        if (pattern.sql.find(word) != pattern.sql.npos) return true;
    return false;
}

const Pattern& StatementGenerator::pick(std::span<const Pattern> patterns) {
    for (;;) {
        const Pattern& pattern = random_.pick_weighted(patterns);
        if (!calm()) return pattern;
        if (pattern.kind != Kind::Definition && (!is_opaque(pattern) || random_.chance(5))) return pattern;
    }
}

Style StatementGenerator::style() {
    Style style = draw_style(random_);
    if (calm() && style.mode == Style::Mode::SqlPrepare && random_.chance(95))
        style.mode = Style::Mode::Simple;  // EXECUTE is opaque, too
    return style;
}

Step StatementGenerator::say(unsigned session, const Pattern& pattern) {
    Statement statement = fill(pattern, random_);
    for (auto at = statement.sql.find('@'); at != std::string::npos; at = statement.sql.find('@'))
        statement.sql.replace(at, 1, std::to_string(session));
    return sessions_[session].delivery.deliver(statement, style());
}

Step StatementGenerator::say_text(unsigned session, Kind kind, std::string text) {
    Statement statement{.kind = kind, .sql = std::move(text), .parameters = {}};
    Style style = this->style();
    if (style.mode == Style::Mode::Named)
        style.mode = Style::Mode::Simple;  // one-off texts would crowd out the names
    return sessions_[session].delivery.deliver(statement, style);
}

Step StatementGenerator::read(unsigned session) {
    constexpr std::size_t kRecent = 8;
    if (recent_.size() == kRecent && random_.chance(calm() ? 95 : 65)) {
        Said again = recent_[random_.below(kRecent)];
        if (random_.chance(7)) redraw(again.statement, random_);
        if (random_.chance(7) || again.style.mode == Style::Mode::SqlPrepare) again.style = style();
        return sessions_[session].delivery.deliver(again.statement, again.style);
    }
    Said said{fill(pick(read_patterns()), random_), style()};
    if (said.statement.kind == Kind::Read) {
        if (recent_.size() < kRecent) {
            recent_.push_back(said);
        } else {
            recent_[recent_next_++ % kRecent] = said;
        }
    }
    return sessions_[session].delivery.deliver(said.statement, said.style);
}

Step StatementGenerator::write(unsigned session) {
    if (calm() && random_.chance(75)) return read(session);
    return say(session, pick(write_patterns()));
}

Step StatementGenerator::define(unsigned session) {
    if (!may_define(session)) return read(session);
    return say(session, random_.pick_weighted(definition_patterns()));
}

Step StatementGenerator::set(unsigned session) {
    static constexpr Pattern kBack[] = {{1, Kind::Session, "RESET ROLE"},
                                        {1, Kind::Session, "RESET SESSION AUTHORIZATION"},
                                        {1, Kind::Session, "RESET ALL"}};
    if (calm() && random_.chance(60)) return read(session);
    if (calm() && random_.chance(60)) return say(session, random_.pick_weighted<Pattern>(kBack));
    return say(session, pick(session_patterns()));
}

Step StatementGenerator::mistake(unsigned session) {
    if (calm() && random_.chance(80)) return read(session);
    const Pattern& pattern = pick(mistake_patterns());
    if (pattern.kind == Kind::Definition && !may_define(session)) return read(session);
    return say(session, pattern);
}

Step StatementGenerator::odd(unsigned) {
    return Delivery::oddity(random_);
}

Step StatementGenerator::pipeline(unsigned session) {
    std::vector<Statement> statements;
    for (auto left = random_.between(2, 6); left > 0; --left) {
        const auto patterns = random_.chance(80) ? read_patterns() : write_patterns();
        Statement statement = fill(pick(patterns), random_);
        if (statement.simple_only) continue;
        statements.push_back(std::move(statement));
        if (random_.chance(30)) statements.push_back(statements.back());
    }
    if (statements.empty()) return read(session);
    return sessions_[session].delivery.pipeline(statements, random_, random_.chance(50));
}

Step StatementGenerator::begin(unsigned session) {
    static constexpr Pattern kPatterns[] = {
        {12, Kind::Session, "BEGIN"},
        {8, Kind::Session, "BEGIN ISOLATION LEVEL [isolation]"},
        {2, Kind::Session, "START TRANSACTION READ ONLY"},
        {1, Kind::Session, "BEGIN; SET TRANSACTION READ ONLY"},
        {1, Kind::Session, "BEGIN; SET LOCAL search_path TO other"},
    };
    if (alone(session) && sessions_[session].status == 'I' && random_.chance(15)) {
        begins_serializable_ = true;
        return say_text(session, Kind::Session, "BEGIN ISOLATION LEVEL SERIALIZABLE");
    }
    return say(session, random_.pick_weighted<Pattern>(kPatterns));
}

Step StatementGenerator::savepoint(unsigned session) {
    static constexpr Pattern kPatterns[] = {
        {3, Kind::Session, "SAVEPOINT [savepoint]"},
        {3, Kind::Session, "ROLLBACK TO [savepoint]"},
        {2, Kind::Session, "RELEASE SAVEPOINT [savepoint]"},
    };
    return say(session, random_.pick_weighted<Pattern>(kPatterns));
}

Step StatementGenerator::end(unsigned session) {
    static constexpr Pattern kPatterns[] = {
        {12, Kind::Session, "COMMIT"},
        {5, Kind::Session, "ROLLBACK"},
        {1, Kind::Session, "END"},
        {1, Kind::Session, "ABORT"},
        {1, Kind::Session, "COMMIT AND CHAIN"},
        {1, Kind::Session, "ROLLBACK AND CHAIN"},
        {1, Kind::Session, "COMMIT; SELECT v FROM counters WHERE k = {counter}"},
    };
    return say(session, random_.pick_weighted<Pattern>(kPatterns));
}

Step StatementGenerator::prepare_transaction(unsigned session) {
    if (sole_ || prepared_.size() > 2) return end(session);
    preparing_ = std::to_string(++gids_);
    return say_text(session, Kind::Session, "PREPARE TRANSACTION 'g" + *preparing_ + "'");
}

Step StatementGenerator::end_prepared(unsigned session) {
    if (prepared_.empty()) return read(session);
    ending_ = random_.pick<std::string>(prepared_);
    return say_text(session, Kind::Session,
                    (random_.chance(70) ? "COMMIT PREPARED 'g" : "ROLLBACK PREPARED 'g") + *ending_ + "'");
}

}  // namespace warmfront::test
