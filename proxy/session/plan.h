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
#include "proxy/session/ledger.h"
#include "sql/session_settings.h"
#include "sql/template.h"

namespace warmfront::session {

// What statements may have changed, as lines of the write log; everything is the database's own line alone.
struct EffectSet {
    std::vector<cache::Line*> lines;  // unique
    bool everything = false;

    [[nodiscard]] bool none() const { return lines.empty(); }
    void add_everything(cache::Line& database);
    void add(const EffectSet& other);
    void clear() {
        lines.clear();
        everything = false;
    }
};

struct Plan {
    std::shared_ptr<const sql::Template> made_from;
    std::vector<cache::Line*> reads;  // the database's own line first; empty unless cacheable
    EffectSet effects;
    Ledger::Place ledger;  // where it is counted; nowhere if the session's names are not known

    [[nodiscard]] const sql::Analysis& analysis() const { return made_from->analysis; }
    [[nodiscard]] bool cacheable() const { return !reads.empty(); }
    // Not switched off by what was measured.
    [[nodiscard]] bool on() const { return !ledger.account || ledger.account->on(); }
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
};

class Planner {
public:
    // worker: the one that it belongs to, where its statements are counted in the ledger.
    Planner(sql::TemplateTable& templates, Ledger& ledger, std::size_t worker, std::size_t plans_max);

    // text: the template (simple protocol) or the statement as prepared; example: a statement that it stands
    // for.
    [[nodiscard]] PlanRef plan(Database& database, Names names, std::string_view text,
                               std::string_view example);
    // A plan for what cannot be analysed: everything may change.
    [[nodiscard]] PlanRef opaque(Database& database);

private:
    using TemplateRef = std::shared_ptr<const sql::Template>;
    [[nodiscard]] TemplateRef of_known_names(Database& database, const sql::SessionSettings& settings,
                                             std::string_view text, std::string_view example);
    [[nodiscard]] TemplateRef of_unknown_names(const Database::Judges& judges, std::string_view text,
                                               std::string_view example);
    [[nodiscard]] static std::shared_ptr<Plan> resolve(Database& database, TemplateRef made_from);

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
