// forecast/next_query.h: what a session asks next: P(next statement | this one), and where the next one's
// parameters come from.
//
// Statements are opaque numbers, values opaque bytes. Learnt online from what sessions ask one after the
// other:
//   statement -> count, and of what followed it a few successors with their counts (a pair). Dirichlet:
//                P = (pair + a) / (statement + a (successors + 1)), a = kPrior; the last term stands for
//                something else, or nothing, that follows.
//   pair      -> for each parameter of the successor a few sources that it may come from: a column of the
//                first row, or a parameter, of one of the last kHistory requests, or a constant; and how
//                often each of them agreed. Sure of it is one whose Wilson lower bound (one-sided, 95 %) is
//                high; the pair's mapping is as sure as its least sure parameter.
// Confidence = P x mapping. A pair is in force from Options::confidence on until it falls below kStay of
// that. Counts are halved at a bound, so what was long ago fades. The idea of fetching dependent queries
// ahead: Glasbergen et al., "ChronoCache: Predictive and Adaptive Mid-Tier Query Result Caching" (SIGMOD
// 2020).
//
// A pair whose parameters come from a column may be asked for once a row: "N+1 queries", a list and then one
// query for each of its rows. How far down that goes is measured by rank (forecast/fan_out.h), and so many of
// the rows are predicted at once as have P x chance of Options::confidence at least.
//
// What came of predictions is told to the model: a pair that cost more than it brought is off for a while,
// each time twice as long (Options::off_us, at most kOffMax times that); one that was only late, for a moment
// (Options::off_us / kOffMax).
//
// Bounds: kStatements statements (the seldom asked give way), kSuccessors successors each, kParameters
// parameters, kColumns columns, values of kValueBytes; what is beyond is not learnt. Not thread-safe.
// Counting allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forecast/fan_out.h"

namespace warmfront::forecast {

// nullopt: NULL, or not known.
using OpaqueValue = std::optional<std::string_view>;

// A request that was answered, as far as it is known.
struct AnsweredRequest {
    std::span<const OpaqueValue> parameters;
    std::span<const OpaqueValue> columns;  // of the answer's first row; empty: no row
};

struct QueryPair {
    std::uint64_t from = 0, to = 0;
    bool operator==(const QueryPair&) const = default;
};

struct NextQueryCounts {
    std::uint64_t predicted = 0;   // its parameters were told beforehand
    std::uint64_t there = 0;       // of those, the answer was there already
    std::uint64_t prefetched = 0;  // was to be fetched
    std::uint64_t used = 0;        // and was answered from memory when the session asked for it
    std::uint64_t late = 0;        // was asked for before it was there
    std::uint64_t wasted = 0;      // the session did not ask for it in time
    std::uint64_t saved_us = 0;    // by those used
    std::uint64_t wasted_us = 0;   // PostgreSQL's time for those wasted
    void add(const NextQueryCounts& other);
};

struct NextQueryRow {  // of one pair, for people
    QueryPair pair;
    std::uint64_t seen = 0;  // since it was first seen, not faded
    double probability = 0, mapping = 0, confidence = 0;
    bool in_force = false, off = false;
    std::size_t rows = 1;  // of a list, that are predicted at once
    std::string sources;   // "column 2", "parameter 1 of the one before", ... in the order of the parameters
    NextQueryCounts counts;
};

class NextQuery {
public:
    static constexpr std::size_t kHistory = 3;
    static constexpr std::size_t kStatements = 1024, kSuccessors = 6;
    static constexpr std::size_t kParameters = 8, kColumns = 16, kValueBytes = 256;
    static constexpr std::size_t kSources = 6;  // remembered for a parameter
    static constexpr double kPrior = 0.5, kStay = 0.9;
    static constexpr std::uint64_t kOffMax = 64;
    static constexpr std::uint32_t kThereRun = 16;

    struct Options {
        double confidence = 0.8;
        std::uint64_t overhead_us = 50;  // what fetching an answer costs this process
        std::uint64_t off_us = 60'000'000;
    };
    NextQuery() : NextQuery(Options{}) {}
    explicit NextQuery(Options options);
    void set_confidence(double confidence) { options_.confidence = confidence; }

    struct Noted {
        bool new_statement = false;  // `to` was not known
        bool wants_example = false;  // learn() is worth its while
    };
    // `to` was asked for, after `from` in the same session (0: after nothing, or long after).
    Noted asked(std::uint64_t from, std::uint64_t to);
    // pair.to was asked for with these parameters. history: the requests before it, the last one (pair.from)
    // first, kHistory at most. More parameters than kParameters, or one that is not known: nothing is learnt.
    void learn(QueryPair pair, std::span<const AnsweredRequest> history,
               std::span<const OpaqueValue> parameters);

    // Whether it is worth calling candidates() for it.
    [[nodiscard]] bool leads(std::uint64_t statement) const;
    struct Candidate {
        std::uint64_t to = 0;
        double confidence = 0;
    };
    using Candidates = std::array<Candidate, kSuccessors>;
    // What is in force of what follows it, and not off; how many there are. It was just asked for. A pair
    // whose answers were there kThereRun times in a row is told only now and then.
    [[nodiscard]] std::size_t candidates(std::uint64_t statement, std::uint64_t now_us, Candidates& found);
    // How sure it is that after a list (pair.from), of which this row (from 1: the second) is there, the
    // query for it comes too, after those for the rows before. 0: the rows of that list are not asked for.
    [[nodiscard]] double row_confidence(QueryPair pair, std::size_t rank) const;
    [[nodiscard]] double confidence() const { return options_.confidence; }
    // Whether it is worth following how many rows are asked for. pair.to was just asked for.
    [[nodiscard]] bool wants_fan_out(QueryPair pair) const;
    // Of a list with so many rows, the first `asked` were asked for, one after the other.
    void fanned_out(QueryPair pair, std::size_t there, std::size_t asked);
    // Whether what is saved, if the confidence is right, is more than what is wasted and the overhead.
    // origin_us: PostgreSQL's time for it.
    [[nodiscard]] bool pays(double confidence, std::uint64_t origin_us) const;
    // The parameters of pair.to to be expected, as views into history and this, valid until the next call of
    // asked() or learn(). nullopt: one of them is not known this time.
    using Parameters = std::vector<std::string_view>;
    [[nodiscard]] std::optional<Parameters> parameters(QueryPair pair,
                                                       std::span<const AnsweredRequest> history) const;

    // What came of a prediction. first: of the first row.
    void there(QueryPair pair, bool first = true);
    void prefetched(QueryPair pair);
    void used(QueryPair pair, std::uint64_t saved_us, std::uint64_t now_us);
    void late(QueryPair pair, std::uint64_t now_us);
    void wasted(QueryPair pair, std::uint64_t cost_us, std::uint64_t now_us);

    [[nodiscard]] const NextQueryCounts& totals() const { return totals_; }
    [[nodiscard]] std::vector<NextQueryRow> rows(std::uint64_t now_us) const;

private:
    struct Source {
        enum class Kind : std::uint8_t { Column, Parameter, Constant };
        Kind kind = Kind::Constant;
        std::uint8_t back = 0, index = 0;  // which request before, which value of it
        double agreed = 0;
        [[nodiscard]] bool same_place(const Source& other) const {
            return kind == other.kind && back == other.back && index == other.index;
        }
    };
    struct ParameterSources {
        std::array<Source, kSources> sources;
        std::size_t count = 0;
        std::string constant;
    };
    struct Mapping {
        double examples = 0;
        double bound = 0;  // of its least sure parameter
        std::vector<ParameterSources> parameters;
    };
    struct Pair {
        std::uint64_t to = 0;  // 0: free
        std::uint64_t seen = 0, last = 0;
        double count = 0;
        bool in_force = false;
        std::uint32_t there_run = 0;  // predictions whose answer was there, since one was not
        std::uint32_t eager = 0;      // so many examples are wanted, whatever is known
        std::unique_ptr<Mapping> mapping;
        std::unique_ptr<FanOut> fan_out;  // nullptr: never were two rows asked for
        NextQueryCounts counts;
        // Since it was last judged:
        double brought_us = 0, cost_us = 0;
        std::uint32_t outcomes = 0;
        std::uint64_t off_until_us = 0, off_times = 1;
    };
    struct Statement {
        std::uint64_t id = 0;  // 0: free
        double count = 0;
        std::uint8_t heat = 0, mapped = 0;  // mapped: pairs whose mapping is known
        std::array<Pair, kSuccessors> pairs;
    };
    static constexpr std::size_t kWays = 8;

    [[nodiscard]] std::span<Statement, kWays> set_of(std::uint64_t id);
    [[nodiscard]] Statement* find(std::uint64_t id);
    [[nodiscard]] const Statement* find(std::uint64_t id) const;
    [[nodiscard]] Pair* find(QueryPair pair);
    [[nodiscard]] const Pair* find(QueryPair pair) const;
    [[nodiscard]] Statement& take(std::uint64_t id);
    [[nodiscard]] Pair& take_pair(Statement& statement, std::uint64_t to);
    static void fade(Statement& statement);
    static void count_mapped(Statement& statement);
    static void add_example(ParameterSources& known, std::span<const AnsweredRequest> history,
                            std::string_view value, double examples);
    [[nodiscard]] static const Source* best(const ParameterSources& known);
    [[nodiscard]] static double probability(const Statement& statement, const Pair& pair);
    void judge(Pair& pair, double brought_us, double cost_us, std::uint64_t now_us);

    Options options_;
    std::uint64_t tick_ = 0;
    std::vector<Statement> statements_;  // sets of kWays
    NextQueryCounts totals_;
};

// The lower end of Wilson's interval (1927) for the share of successes, one-sided at 95 %; 0 without trials.
[[nodiscard]] double wilson_lower_bound(double successes, double trials);

}  // namespace warmfront::forecast
