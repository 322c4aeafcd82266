#include "proxy/session/plan.h"

#include <algorithm>
#include <utility>

#include "cache/key.h"

namespace warmfront::session {
namespace {

constexpr std::size_t kExampleBytesMax = 4096;

// Stands for all sessions whose settings are not known.
constexpr std::uint32_t kUnknownSettings = 0;

bool is_ascii(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

std::uint64_t slot_of(std::uint32_t fingerprint, const Database& database, std::string_view text) {
    const auto salt = (std::uint64_t{fingerprint} << 32) ^ reinterpret_cast<std::uintptr_t>(&database);
    return cache::hash_of(text) ^ (salt * 0x9e3779b97f4a7c15U);
}

// How many values of its keys an answer may depend on one by one.
constexpr std::size_t kKeyValuesMax = 16;

// The answer depends on the rows that the footprint fixes; false where these values do not tell which.
bool observe_rows(const Plan::Read& read, const sql::StatementValues& values, cache::FillTicket& ticket) {
    cache::Interest& interest = *read.interest;
    if (interest.view().range) {
        const auto range = sql::interval_of(*read.footprint->range, values);
        if (!range) return false;
        ticket.observe(interest.line());
        ticket.observe(interest.ranges(), *range);
        return true;
    }
    if (interest.view().keys.empty()) {
        ticket.observe(interest.line());
        return true;
    }
    const auto images = sql::images_of(read.footprint->keys, values, kKeyValuesMax);
    if (!images) return false;
    ticket.observe(interest.line());
    for (const auto& image : *images) ticket.observe(interest.line_of(image));
    return true;
}

cache::View view_of(const sql::Footprint& footprint) {
    cache::View view;
    view.columns = footprint.columns;
    for (const auto& key : footprint.keys) view.keys.push_back(key.column);
    if (footprint.range) view.range = footprint.range->column;
    return view;
}

}  // namespace

EffectSet Plan::effects(const sql::StatementValues& values) const {
    EffectSet effects;
    if (analysis().effects.everything) effects.add_everything(*database);
    for (const Write& write : writes)
        effects.add(*write.relation,
                    write.change ? sql::change_of(*write.change, values) : sql::RowsChange{});
    return effects;
}

cache::FillTicket Plan::observe(const sql::StatementValues& values) const {
    cache::FillTicket ticket;
    ticket.start();
    ticket.observe(*database);
    for (const Read& read : reads) {
        const bool relied_on = read.interest != nullptr && read.relation->settled(*read.interest);
        if (relied_on && observe_rows(read, values, ticket)) continue;
        ticket.observe(read.relation->line());
    }
    return ticket;
}

Planner::Planner(sql::TemplateTable& templates, Ledger& ledger, std::size_t worker, std::size_t plans_max)
    : templates_(templates), ledger_(ledger), worker_(worker), plans_max_(plans_max) {}

PlanRef Planner::plan(Database& database, Names names, std::string_view text, std::string_view example,
                      const sql::NormalizeOptions* lexis) {
    const sql::SessionSettings* const settings = names.settings;
    // The parser reads backslashes as standard_conforming_strings = on would.
    const bool strings_standard = settings && settings->standard_conforming_strings;
    if (!strings_standard && example.find('\\') != std::string_view::npos) return opaque(database);
    // Nor does it know in which encoding an unknown session writes.
    const bool judged = settings || (!names.maybe_temporary && is_ascii(example));
    const std::uint32_t fingerprint = settings ? settings->fingerprint : kUnknownSettings;
    const std::uint64_t in_force = names.judges ? names.judges->version : database.catalog_version();
    const std::uint64_t version = judged ? in_force : 0;
    const std::uint64_t place = slot_of(fingerprint, database, text);
    if (const auto found = slots_.find(place); found != slots_.end()) {
        const Slot& slot = found->second;
        if (slot.fingerprint == fingerprint && slot.version == version && slot.database == &database &&
            slot.plan->made_from->text == text)
            return slot.plan;
    }
    const Database::Judges judges =
        names.judges ? *names.judges : (judged ? database.judges() : Database::Judges{});
    auto made = resolve(database, settings ? of_known_names(judges, *settings, text, example, lexis)
                                           : of_unknown_names(judges, text, example));
    if (settings && version != 0)
        made->ledger = ledger_.place(worker_, database.name(), example, made->analysis());
    made->identity = cache::hash_of(text) ^ (cache::hash_of(database.name()) * 0x9e3779b97f4a7c15U);
    if (slots_.size() >= plans_max_) slots_.clear();
    slots_.insert_or_assign(place, Slot{fingerprint, made->made_from->catalog_version, &database, made});
    return made;
}

PlanRef Planner::as_prepared(const sql::Catalog* catalog, const PlanRef& now, const Plan& before) {
    const auto& reads = now->analysis().reads;
    const bool other_code = now->made_from->callables != before.made_from->callables &&
                            (before.analysis().runs_user_code || now->analysis().runs_user_code);
    const bool other_reads = std::ranges::any_of(before.analysis().reads, [&](sql::Oid oid) {
        return !std::ranges::binary_search(reads, oid) && (!catalog || catalog->find(oid) != nullptr);
    });
    std::vector<Plan::Write> more;
    for (const Plan::Write& write : before.writes)
        if (std::ranges::find(now->writes, write.oid, &Plan::Write::oid) == now->writes.end())
            more.push_back({write.oid, write.relation, nullptr});
    const bool uncertain = before.uncertain || other_code || other_reads;
    if (more.empty() && !uncertain) return now;
    auto made = std::make_shared<Plan>(*now);
    made->writes.insert(made->writes.end(), more.begin(), more.end());
    made->uncertain = uncertain;
    if (uncertain) made->reads.clear();
    return made;
}

PlanRef Planner::opaque(Database& database) {
    auto& made = opaque_[&database];
    if (!made) {
        auto nothing_known = std::make_shared<sql::Template>();
        nothing_known->analysis.effects.everything = true;
        nothing_known->analysis.transaction = sql::TransactionEffect::Mixed;
        nothing_known->analysis.savepoint = sql::SavepointEffect::Uncertain;
        nothing_known->analysis.changes_settings = true;
        nothing_known->analysis.holds_in_session = true;
        nothing_known->analysis.effects_reason = "the statement cannot be analysed";
        nothing_known->analysis.refusal = {"opaque", "the statement cannot be analysed"};
        made = resolve(database, std::move(nothing_known));
    }
    return made;
}

Planner::TemplateRef Planner::of_known_names(const Database::Judges& judges,
                                             const sql::SessionSettings& settings, std::string_view text,
                                             std::string_view example, const sql::NormalizeOptions* lexis) {
    if (auto known = templates_.find(settings.fingerprint, text, judges.version)) return known;

    sql::AnalysisContext context;
    context.catalog = judges.catalog.get();
    context.choices = judges.choices.get();
    context.search_path = settings.search_path;
    context.user = settings.user;
    context.has_temporary = settings.has_temp_objects;
    if (lexis) context.literal_places = sql::literal_places(example, *lexis);
    sql::Template made;
    made.fingerprint = settings.fingerprint;
    made.catalog_version = judges.version;
    made.text = text;
    made.example = example.substr(0, kExampleBytesMax);
    made.analysis = sql::analyse(example, context);
    made.callables = judges.catalog ? judges.catalog->callables() : 0;
    return templates_.insert(std::move(made));
}

// Of one database and no use to other sessions for long: kept by this worker alone.
Planner::TemplateRef Planner::of_unknown_names(const Database::Judges& judges, std::string_view text,
                                               std::string_view example) {
    sql::AnalysisContext context;
    context.catalog = judges.catalog.get();
    context.choices = judges.choices.get();
    context.names_known = false;
    auto made = std::make_shared<sql::Template>();
    made->fingerprint = kUnknownSettings;
    made->catalog_version = judges.version;
    made->text = text;
    made->analysis = sql::analyse(example, context);
    made->callables = judges.catalog ? judges.catalog->callables() : 0;
    return made;
}

std::shared_ptr<Plan> Planner::resolve(Database& database, TemplateRef made_from) {
    auto plan = std::make_shared<Plan>();
    const sql::Analysis& analysis = made_from->analysis;
    plan->database = &database.everything();
    const auto log_of = [&](sql::Oid oid) { return &database.log().relation(database.name(), oid); };
    if (!analysis.effects.everything) {
        for (const sql::Oid oid : analysis.effects.relations) {
            const auto known = std::ranges::find(analysis.changes, oid, &sql::ChangePlan::relation);
            plan->writes.push_back({oid, log_of(oid), known == analysis.changes.end() ? nullptr : &*known});
        }
    }
    if (analysis.cacheable) {
        for (const sql::Oid oid : analysis.reads) plan->reads.push_back({log_of(oid), nullptr, nullptr});
        if (!analysis.footprints.empty()) plan->reads = footprint_reads(database, analysis);
    }
    plan->made_from = std::move(made_from);
    return plan;
}

// Of the relations read, those that have footprints by these, the others (views) as a whole.
std::vector<Plan::Read> Planner::footprint_reads(Database& database, const sql::Analysis& analysis) {
    std::vector<Plan::Read> reads;
    for (const sql::Oid oid : analysis.reads) {
        auto& log = database.log().relation(database.name(), oid);
        bool found = false;
        for (const auto& footprint : analysis.footprints) {
            if (footprint.relation != oid) continue;
            found = true;
            reads.push_back({&log, &log.interest(view_of(footprint)), &footprint});
        }
        if (!found) reads.push_back({&log, nullptr, nullptr});
    }
    return reads;
}

}  // namespace warmfront::session
