// proxy/session/plan.h: what a session does with a statement: its analysis, and the write-log lines it reads
// and writes.
//
// A Planner belongs to one worker: it keeps the plans of the worker's statements so that a repeated statement
// costs one hash look-up without a lock. Behind it stands the template table that all workers share. At
// plans_max plans they are all dropped and made anew from the template table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/write_log.h"
#include "proxy/session/database.h"
#include "proxy/session/effect_set.h"
#include "proxy/session/ledger.h"
#include "sql/predicate.h"
#include "sql/session_settings.h"
#include "sql/template.h"
#include "sql/tokenizer.h"

namespace warmfront::session {

struct Plan {
    // A table that the statement reads: at any row, or as footprint and interest say.
    struct Read {
        cache::RelationLog* relation = nullptr;
        cache::Interest* interest = nullptr;
        const sql::Footprint* footprint = nullptr;  // in the analysis
    };
    struct Write {
        sql::Oid oid{};
        cache::RelationLog* relation = nullptr;
        const sql::ChangePlan* change = nullptr;  // in the analysis; nullptr: any row
    };
    std::shared_ptr<const sql::Template> made_from;
    cache::Line* database = nullptr;
    std::vector<Read> reads;  // empty unless cacheable
    std::vector<Write> writes;
    Ledger::Place ledger;  // where it is counted; nowhere if the session's names are not known
    // Of a prepared statement: PostgreSQL may go on with other relations than its names mean now.
    bool uncertain = false;
    // The same for all sessions that send it: of database and text. 0: of what cannot be analysed.
    std::uint64_t identity = 0;

    [[nodiscard]] const sql::Analysis& analysis() const { return made_from->analysis; }
    [[nodiscard]] bool cacheable() const { return !reads.empty(); }
    // Not switched off by what was measured.
    [[nodiscard]] bool on() const { return !ledger.account || ledger.account->on(); }
    [[nodiscard]] bool writes_rows() const {
        return analysis().effects.everything || !analysis().effects.relations.empty();
    }
    // What an execution with these values changes.
    [[nodiscard]] EffectSet effects(const sql::StatementValues& values) const;
    // To be called just before the statement is sent as a miss: what its answer depends on.
    [[nodiscard]] cache::FillTicket observe(const sql::StatementValues& values) const;
};
using PlanRef = std::shared_ptr<const Plan>;

// How a session's names are found.
struct Names {
    // nullptr: not known (something may have changed them since they were asked for); a name may then mean
    // what has it in any schema, and no read is cacheable.
    const sql::SessionSettings* settings = nullptr;
    // With unknown settings: a name may mean something temporary, which the catalog does not hold: any
    // statement may change anything.
    bool maybe_temporary = true;
    // Of a session that outlives its connection to PostgreSQL; nullptr: what is in force.
    const Database::Judges* judges = nullptr;
};

class Planner {
public:
    // worker: the one that it belongs to, where its statements are counted in the ledger.
    Planner(sql::TemplateTable& templates, Ledger& ledger, std::size_t worker, std::size_t plans_max);

    // text: the template (simple protocol) or the statement as prepared; example: a statement that it stands
    // for. lexis: how text was made from the example; nullptr where they are the same.
    [[nodiscard]] PlanRef plan(Database& database, Names names, std::string_view text,
                               std::string_view example, const sql::NormalizeOptions* lexis = nullptr);
    // Of a statement that was prepared under an earlier catalog, where it had the plan `before` (of the same
    // settings); catalog: that of now. PostgreSQL goes on with the relations that it found then, unless they
    // are gone or were altered, also when another one of the name has come to lie nearer. So what it wrote
    // then it may write still, and it is uncertain if it read something else that is still there, or runs
    // functions of the user's and there are others now.
    [[nodiscard]] static PlanRef as_prepared(const sql::Catalog* catalog, const PlanRef& now,
                                             const Plan& before);
    // A plan for what cannot be analysed: everything may change.
    [[nodiscard]] PlanRef opaque(Database& database);

private:
    using TemplateRef = std::shared_ptr<const sql::Template>;
    [[nodiscard]] TemplateRef of_known_names(const Database::Judges& judges,
                                             const sql::SessionSettings& settings, std::string_view text,
                                             std::string_view example, const sql::NormalizeOptions* lexis);
    [[nodiscard]] TemplateRef of_unknown_names(const Database::Judges& judges, std::string_view text,
                                               std::string_view example);
    [[nodiscard]] static std::shared_ptr<Plan> resolve(Database& database, TemplateRef made_from);
    [[nodiscard]] static std::vector<Plan::Read> footprint_reads(Database& database,
                                                                 const sql::Analysis& analysis);

    struct Slot {
        std::uint32_t fingerprint;
        std::uint64_t version;
        const Database* database;
        PlanRef plan;
    };
    sql::TemplateTable& templates_;
    Ledger& ledger_;
    const std::size_t worker_;
    const std::size_t plans_max_;
    std::unordered_map<std::uint64_t, Slot> slots_;  // by hash of fingerprint and text; compared in full
    std::unordered_map<const Database*, PlanRef> opaque_;
};

}  // namespace warmfront::session
