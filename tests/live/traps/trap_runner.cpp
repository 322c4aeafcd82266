#include "tests/live/traps/trap_runner.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

#include "proxy/wire/messages.h"
#include "tests/live/twin/masks.h"

namespace warmfront::test {

using namespace std::chrono_literals;

namespace {

constexpr auto kWarmLimit = 20s;
constexpr auto kWarmAgainLimit = 300ms;

std::string replaced(std::string text, std::string_view word, std::string_view with) {
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + with.size()))
        text.replace(at, word.size(), with);
    return text;
}

// The words in braces, for one schema.
class Words {
public:
    explicit Words(std::string schema) : schema_(std::move(schema)) {}
    [[nodiscard]] std::string in(std::string text) const {
        text = replaced(std::move(text), "{schema}", schema_);
        text = replaced(std::move(text), "{second}", schema_ + "_b");
        text = replaced(std::move(text), "{alice}", schema_ + "_alice");
        return replaced(std::move(text), "{bob}", schema_ + "_bob");
    }
    [[nodiscard]] Question in(Question question) const {
        question.sql = in(std::move(question.sql));
        for (auto& value : question.values)
            if (value.text) value.text = in(std::move(*value.text));
        return question;
    }
    [[nodiscard]] Trap in(Trap trap) const {
        for (std::string* text : {&trap.setup, &trap.reader, &trap.writer}) *text = in(std::move(*text));
        for (auto& text : trap.session) text = in(std::move(text));
        for (auto& read : trap.reads) read = in(std::move(read));
        for (auto& step : trap.steps) step.question = in(std::move(step.question));
        return trap;
    }

private:
    std::string schema_;
};

bool mentions(const Trap& trap, std::string_view word) {
    const auto has = [word](std::string_view text) { return text.find(word) != std::string_view::npos; };
    bool found = has(trap.setup) || has(trap.reader) || has(trap.writer);
    for (const auto& step : trap.steps) found = found || has(step.question.sql);
    for (const auto& text : trap.session) found = found || has(text);
    for (const auto& read : trap.reads) found = found || has(read.sql);
    return found;
}

// Hits of one database, as the admin console counts them.
class Hits {
public:
    Hits(std::uint16_t port, std::string database)
        : console_(must(RawClient::connect({.port = port, .database = "warmfront"}))),
          database_(std::move(database)) {}
    std::uint64_t count() {
        const auto answer = must(console_.query("SHOW STATS"));
        std::size_t column = 0;
        for (const auto& message : answer) {
            if (message.type == 'T') column = column_of(message, "hits");
            if (message.type != 'D') continue;
            const auto values = must(wire::decode_data_row(message.body));
            if (values[0] == database_) return std::stoull(std::string(values[column].value()));
        }
        return 0;
    }

private:
    static std::size_t column_of(const Message& description, std::string_view name) {
        const auto fields = must(wire::decode_row_description(description.body));
        for (std::size_t i = 0; i < fields.size(); ++i)
            if (fields[i].name == name) return i;
        throw std::runtime_error("SHOW STATS has no column " + std::string(name));
    }
    RawClient console_;
    std::string database_;
};

bool has_error(const std::vector<Messages>& answers, std::string_view prefix) {
    for (const auto& answer : answers) {
        const auto state = sqlstate_of(answer);
        if (!state.empty() && state.starts_with(prefix)) return true;
    }
    return false;
}

}  // namespace

// One trap in one mode.
class TrapRunner::Play {
public:
    struct Ports {
        std::uint16_t direct, through;
    };
    Play(const Trap& trap, TrapMode mode, std::string place, Ports ports, const std::string& database,
         const std::string& schema, std::size_t number, TrapTally& tally)
        : trap_(trap),
          mode_(mode),
          place_(std::move(place)),
          ports_(ports),
          database_(database),
          schema_(schema),
          write_delivery_(kDeliveries[(number + static_cast<std::size_t>(mode)) % kDeliveries.size()]),
          tally_(tally),
          reader_(open(ports.through, trap.reader)),
          twin_(open(ports.direct, trap.reader)) {
        if (!direct_mode()) hits_.emplace(ports.through, database);
    }

    void run() {
        warm();
        switch (mode_) {
            case TrapMode::Same: write_in_turn(reader_); break;
            case TrapMode::Other: {
                Asker writer = open(ports_.through, trap_.writer);
                write_in_turn(writer);
                break;
            }
            case TrapMode::Commit: commit(); break;
            case TrapMode::Rollback: roll_back(); break;
            case TrapMode::Steps: steps(); break;
        }
    }

private:
    using Answers = std::vector<Messages>;

    Asker open(std::uint16_t port, const std::string& user) const {
        Asker asker({port, user, database_, schema_ + ", public"});
        for (const auto& text : trap_.session) (void)asker.say(text);
        return asker;
    }

    Answers ask_all(Asker& asker) const {
        Answers answers;
        for (const auto& read : trap_.reads) {
            for (const auto delivery : kDeliveries) {
                answers.push_back(asker.ask(read, delivery));
                if (trap_.temporary) mask(answers.back());
            }
        }
        return answers;
    }

    void fail(const std::string& when, const std::string& what) {
        tally_.failures.push_back(place_ + ", " + when + " (writes " + std::string(name_of(write_delivery_)) +
                                  "): " + what);
    }

    void check(const std::string& when, const Answers& expected, const Answers& got) {
        for (std::size_t i = 0; i < expected.size(); ++i) {
            ++tally_.comparisons;
            const auto& read = trap_.reads[i / kDeliveries.size()];
            const auto differs = difference(read, expected[i], got[i]);
            if (differs.empty()) continue;
            fail(when, std::string(name_of(kDeliveries[i % kDeliveries.size()])) + " " + differs);
            return;  // one is enough
        }
    }

    // Ends with the first time where an error has ended the readers' block.
    Answers compare(const std::string& when) {
        Answers expected = ask_all(twin_);
        const auto before = hits_ ? hits_->count() : 0;
        check(when + ", first time", expected, ask_all(reader_));
        if (hits_) tally_.kept += hits_->count() - before;
        if (status_of(expected.back()) == 'E') return expected;
        if (has_error(expected, "26000")) expected = ask_all(twin_);  // prepared anew
        const auto between = hits_ ? hits_->count() : 0;
        check(when + ", second time", expected, ask_all(reader_));
        if (hits_) hits_at_last_ = hits_->count() - between;
        return expected;
    }

    void warm() {
        std::uint64_t wanted = 0;
        for (const auto& read : trap_.reads) wanted += read.hits ? kDeliveries.size() : 0;
        const Answers expected = ask_all(twin_);
        const auto until = std::chrono::steady_clock::now() + kWarmLimit;
        for (int round = 1;; ++round) {
            const auto before = hits_ ? hits_->count() : 0;
            check("before anything", expected, ask_all(reader_));
            const auto had = hits_ ? hits_->count() - before : wanted;
            if (round >= 3 && had >= wanted) return;
            if (std::chrono::steady_clock::now() > until) {
                fail("before anything",
                     "only " + std::to_string(had) + " of " + std::to_string(wanted) + " reads are hits");
                return;
            }
            if (round >= 3) std::this_thread::sleep_for(5ms);
            if (round % 20 == 0) prepare_anew();
        }
    }

    // A statement that was first used while the settings were not known may stay unserved.
    void prepare_anew() {
        for (Asker* asker : {&reader_, &twin_}) asker->close_statements();
        (void)ask_all(twin_);
    }

    // False if it failed, as it was to.
    bool write(Asker& writer, const TrapStep& step) {
        const auto answer = writer.run(step, write_delivery_);
        if (sqlstate_of(answer) != step.error)
            fail("writing", step.question.sql + ": " + sqlstate_of(answer) + " " + error_text_of(answer));
        return step.error.empty();
    }

    // Between two steps: until what may be kept is kept again, after a definition that takes a while. Some
    // reads may have become such that they are not kept: that is not insisted on.
    void warm_again(const Answers& expected) {
        std::uint64_t wanted = 0;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            if (status_of(expected[i]) != 'I') return;
            wanted += trap_.reads[i / kDeliveries.size()].hits && sqlstate_of(expected[i]).empty() ? 1 : 0;
        }
        if (!hits_ || hits_at_last_ >= wanted) return;
        const auto until = std::chrono::steady_clock::now() + kWarmAgainLimit;
        while (std::chrono::steady_clock::now() < until) {
            const auto before = hits_->count();
            check("between steps", expected, ask_all(reader_));
            if (hits_->count() - before >= wanted) return;
            std::this_thread::sleep_for(10ms);
        }
    }

    void after_step(const TrapStep& step) {
        const auto expected = compare("after " + step.question.sql);
        if (&step != &trap_.steps.back()) warm_again(expected);
    }

    void write_in_turn(Asker& writer) {
        for (const auto& step : trap_.steps) {
            (void)write(writer, step);
            after_step(step);
        }
    }

    bool write_all(Asker& writer) {
        for (const auto& step : trap_.steps)
            if (!write(writer, step)) return false;  // and so would be the rest of the block
        return true;
    }

    // While another session has written and not committed. False if it has locked what is read, or if a block
    // would end with the first question because it fails.
    bool compare_meanwhile(const std::string& when) {
        (void)twin_.say("SET lock_timeout = '30ms'");
        const Answers expected = ask_all(twin_);
        (void)twin_.say("SET lock_timeout = 0");
        if (has_error(expected, "55P03")) return false;
        for (const char* time : {"first", "second"})
            check(when + ", " + time + " time", expected, ask_all(reader_));
        return !has_error(expected, "");
    }

    void both(const std::string& sql) {
        (void)twin_.say(sql);
        (void)reader_.say(sql);
    }

    Answers own_answers(Asker& writer) const {
        Answers answers;
        (void)writer.say("SAVEPOINT before_reading");
        for (const auto& read : trap_.reads) {
            answers.push_back(writer.ask(read, Delivery::Simple));
            answers.back().pop_back();  // ReadyForQuery, which tells of the block
            if (has_error({answers.back()}, "")) (void)writer.say("ROLLBACK TO before_reading");
        }
        return answers;
    }

    void check_own(const Answers& own, const Answers& after) {
        for (std::size_t i = 0; i < own.size(); ++i) {
            Messages expected = after[i * kDeliveries.size()];
            expected.pop_back();
            const auto differs = difference(trap_.reads[i], expected, own[i]);
            if (!differs.empty()) return fail("what the writer saw in its block (below: after it)", differs);
        }
    }

    void commit() {
        Asker writer = open(ports_.through, trap_.writer);
        (void)writer.say("BEGIN");
        const bool succeeded = write_all(writer);
        const bool own_counts = succeeded && trap_.own && trap_.reader == trap_.writer;
        const Answers own = own_counts ? own_answers(writer) : Answers();
        const bool free = compare_meanwhile("before the commit");
        if (free) {
            both("BEGIN");
            (void)compare_meanwhile("before the commit, in a block");
        }
        const auto end = writer.say("COMMIT");
        if (!sqlstate_of(end).empty()) fail("COMMIT", error_text_of(end));
        if (free) {
            (void)compare("after the commit, in a block");
            both("COMMIT");
        }
        check_own(own, compare("after the commit"));
    }

    void roll_back() {
        Asker writer = open(ports_.through, trap_.writer);
        (void)writer.say("BEGIN");
        (void)write_all(writer);
        (void)compare_meanwhile("before the rollback");
        (void)writer.say("ROLLBACK");
        (void)compare("after the rollback");
        (void)writer.say("BEGIN");
        (void)write_all(writer);
        (void)writer.say("COMMIT");
        (void)compare("after a rollback and a commit");
    }

    void steps() {
        Asker other = open(ports_.through, trap_.writer);
        Asker direct = open(ports_.direct, trap_.writer);
        for (const auto& step : trap_.steps) {
            switch (step.who) {
                case TrapStep::Who::Writer:
                case TrapStep::Who::Other: (void)write(other, step); break;
                case TrapStep::Who::Direct: (void)write(direct, step); break;
                case TrapStep::Who::Reader: (void)write(reader_, step); break;
                case TrapStep::Who::Both: write_both(step); break;
            }
            after_step(step);
        }
    }

    void write_both(const TrapStep& step) {
        const auto expected = twin_.run(step, write_delivery_);
        const auto got = reader_.run(step, write_delivery_);
        const auto differs = difference(step.question, expected, got);
        if (!differs.empty()) fail("writing", differs);
        if (sqlstate_of(expected) != step.error)
            fail("writing", step.question.sql + ": " + sqlstate_of(expected) + " " + error_text_of(expected));
    }

    const Trap& trap_;
    const TrapMode mode_;
    const std::string place_;
    const Ports ports_;
    const std::string database_, schema_;
    const Delivery write_delivery_;
    TrapTally& tally_;
    Asker reader_, twin_;
    std::optional<Hits> hits_;
    std::uint64_t hits_at_last_ = 0;  // of the second time of the last compare()
};

TrapRunner::TrapRunner(const PostgresServer& server, const WarmfrontProcess& warmfront, TrapGroup group,
                       std::string database)
    : server_(server), warmfront_(warmfront), group_(std::move(group)), database_(std::move(database)) {}

std::string TrapRunner::schema_of(std::size_t number, TrapMode mode) const {
    return database_ + "_" + std::to_string(number + 1) + "_" + std::string(name_of(mode));
}

void TrapRunner::lay(const Trap& trap, std::size_t number, TrapMode mode) {
    const std::string schema = schema_of(number, mode);
    const Words words(schema);
    std::string sql = "SET client_min_messages = warning;" + words.in("CREATE SCHEMA {schema};");
    if (mentions(trap, "{second}")) sql += words.in("CREATE SCHEMA {second};");
    for (const std::string_view role : {"{alice}", "{bob}"}) {
        if (!mentions(trap, role)) continue;
        const std::string name = words.in(std::string(role));
        sql += "CREATE ROLE " + name + " LOGIN; GRANT USAGE ON SCHEMA " + schema;
        if (mentions(trap, "{second}")) sql += ", " + words.in("{second}");
        sql += " TO " + name + ";";
    }
    sql += "SET search_path = " + schema + ", public;" + words.in(trap.setup);
    try {
        server_.sql(sql, database_);
    } catch (const std::exception& wrong) {
        throw std::runtime_error(group_.name + ": " + trap.name + ": " + wrong.what());
    }
}

TrapTally TrapRunner::run(std::string_view only) {
    TrapTally tally;
    const auto wanted = [&](const Trap& trap) {
        return (group_.name + ": " + trap.name).find(only) != std::string::npos;
    };
    if (std::ranges::none_of(group_.traps, wanted)) return tally;
    server_.sql("CREATE DATABASE " + database_ + " TEMPLATE template0");
    if (!group_.once.empty()) server_.sql(group_.once, database_);
    const auto each = [&](auto&& use) {
        for (std::size_t number = 0; number < group_.traps.size(); ++number) {
            const Trap& trap = group_.traps[number];
            if (!wanted(trap)) continue;
            for (const auto mode : trap.modes) use(trap, number, mode);
        }
    };
    each([this](const Trap& trap, std::size_t number, TrapMode mode) { lay(trap, number, mode); });
    const Trap* last = nullptr;
    each([&](const Trap& trap, std::size_t number, TrapMode mode) {
        const std::string schema = schema_of(number, mode);
        const std::string place = group_.name + ": " + trap.name + ", mode " + std::string(name_of(mode));
        try {
            const Trap here = Words(schema).in(trap);
            Play(here, mode, place, {server_.port(), warmfront_.port()}, database_, schema, number, tally)
                .run();
        } catch (const std::exception& wrong) {
            tally.failures.push_back(place + ": " + wrong.what());
        }
        tally.traps += last == &trap ? 0 : 1;
        ++tally.runs;
        last = &trap;
    });
    return tally;
}

}  // namespace warmfront::test
