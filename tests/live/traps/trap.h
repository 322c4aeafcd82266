// tests/live/traps/trap.h: invalidation traps as data: reads that are kept, then a write that changes their
// answers, and every way in which a cache could fail to notice.
//
// One YAML file is one group, which has a database of its own; every trap runs in each of its modes in a
// schema of its own, which is the search path of all its sessions.
//
//   group:   what the traps have in common
//   once:    SQL, run in the database (extensions) optional setup:   SQL, run in the schema of every trap of
//   the group                                         optional traps:
//   - trap:  what is tried, in words
//     setup: SQL, run after the group's optional read:  a SELECT, or a list of them with:  [5, "5", null] one
//     parameter each: the read is three questions; [[1, a], [2, b]] for more.
//                                As a literal, what is written bare and is a number, true, false or null
//                                stays bare; everything else is quoted.
//     write: a statement, or a list of steps (below)
//     hits:  no                  the read is not kept today. By default the runner insists on hits before it
//                                writes, so that a trap cannot pass without a cache
//     modes: [same, other, commit, rollback]    by default all; those that apply
//     session: SQL or a list, run in every session at its start optional reader:, writer:           the role
//     that logs in; by default the superuser. If they differ, not mode same own:   no                  in its
//     block, the writer need not see what others see after it
//
// A read may also be {sql:, with:, hits:}. A step is a statement for the mode's writer, or one of
//   {sql:, with: [a, b], error: SQLSTATE}     with the parameters of one execution; it must fail
//   {copy: COPY t FROM STDIN, data: "1\n"}
//   {both:}, {reader:}, {other:}, {direct:}   who runs it: the reading session and its direct twin, the
//   reading
//                                             session alone, another session through warmfront, another
//                                             session past it. A trap with these has mode steps only; sql,
//                                             with, error and copy may be given beside.
// In all SQL, {schema} is the trap's schema, {second} another one, {alice} and {bob} are roles that may log
// in and use both; roles and {second} are there if they are named. What ends in a semicolon or has one before
// its end goes by the simple protocol only.
//
// Pure: text in, traps out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace warmfront::test {

struct Value {
    std::optional<std::string> text;  // nullopt: NULL
    bool bare = false;                // as a literal: without quotes
    bool operator==(const Value&) const = default;
};

struct Question {
    std::string sql;
    std::vector<Value> values = {};
    bool hits = true;  // expected to be kept
};

struct TrapStep {
    enum class Who { Writer, Both, Reader, Other, Direct };
    Who who = Who::Writer;
    Question question = {};
    std::string error = {};  // SQLSTATE, empty if it must succeed
    std::optional<std::string> copy_data = {};
};

enum class TrapMode { Same, Other, Commit, Rollback, Steps };
[[nodiscard]] std::string_view name_of(TrapMode mode);

struct Trap {
    std::string name;
    std::string setup;
    std::vector<Question> reads;
    std::vector<TrapStep> steps;
    std::vector<TrapMode> modes;
    std::vector<std::string> session;
    std::string reader = "postgres", writer = "postgres";
    bool own = true;
    bool temporary = false;
};

struct TrapGroup {
    std::string name;
    std::string once;
    std::vector<Trap> traps;  // their setups begin with the group's
};

// Throws std::runtime_error with the place of what is wrong.
[[nodiscard]] TrapGroup load_traps(const std::string& file);

// The question with its parameters as literals.
[[nodiscard]] std::string with_literals(const Question& question);
// Whether it is several statements, or may be.
[[nodiscard]] bool has_semicolon(std::string_view sql);

}  // namespace warmfront::test
