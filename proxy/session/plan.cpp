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

}  // namespace

void EffectSet::add_everything(cache::Line& database) {
    everything = true;
    lines.assign(1, &database);
}

void EffectSet::add(const EffectSet& other) {
    if (everything || other.none()) return;
    if (other.everything) {
        *this = other;
        return;
    }
    for (cache::Line* line : other.lines)
        if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
}

Planner::Planner(sql::TemplateTable& templates, Ledger& ledger, std::size_t worker, std::size_t plans_max)
    : templates_(templates), ledger_(ledger), worker_(worker), plans_max_(plans_max) {}

PlanRef Planner::plan(Database& database, Names names, std::string_view text, std::string_view example) {
    const sql::SessionSettings* const settings = names.settings;
    // The parser reads backslashes as standard_conforming_strings = on would.
    const bool strings_standard = settings && settings->standard_conforming_strings;
    if (!strings_standard && example.find('\\') != std::string_view::npos) return opaque(database);
    // Nor does it know in which encoding an unknown session writes.
    const bool judged = settings || (!names.maybe_temporary && is_ascii(example));
    const std::uint32_t fingerprint = settings ? settings->fingerprint : kUnknownSettings;
    const std::uint64_t version = judged ? database.catalog_version() : 0;
    const std::uint64_t place = slot_of(fingerprint, database, text);
    if (const auto found = slots_.find(place); found != slots_.end()) {
        const Slot& slot = found->second;
        if (slot.fingerprint == fingerprint && slot.version == version && slot.database == &database &&
            slot.plan->made_from->text == text)
            return slot.plan;
    }
    auto made = resolve(database, settings ? of_known_names(database, *settings, text, example)
                                           : of_unknown_names(judged ? database.judges() : Database::Judges{},
                                                              text, example));
    if (settings && version != 0)
        made->ledger = ledger_.place(worker_, database.name(), example, made->analysis());
    if (slots_.size() >= plans_max_) slots_.clear();
    slots_.insert_or_assign(place, Slot{fingerprint, made->made_from->catalog_version, &database, made});
    return made;
}

PlanRef Planner::opaque(Database& database) {
    auto& made = opaque_[&database];
    if (!made) {
        auto nothing_known = std::make_shared<sql::Template>();
        nothing_known->analysis.effects.everything = true;
        nothing_known->analysis.transaction = sql::TransactionEffect::Mixed;
        nothing_known->analysis.changes_settings = true;
        nothing_known->analysis.effects_reason = "the statement cannot be analysed";
        nothing_known->analysis.refusal = {"opaque", "the statement cannot be analysed"};
        made = resolve(database, std::move(nothing_known));
    }
    return made;
}

Planner::TemplateRef Planner::of_known_names(Database& database, const sql::SessionSettings& settings,
                                             std::string_view text, std::string_view example) {
    const auto judges = database.judges();
    if (auto known = templates_.find(settings.fingerprint, text, judges.version)) return known;

    sql::AnalysisContext context;
    context.catalog = judges.catalog.get();
    context.choices = judges.choices.get();
    context.search_path = settings.search_path;
    context.user = settings.user;
    context.has_temporary = settings.has_temp_objects;
    sql::Template made;
    made.fingerprint = settings.fingerprint;
    made.catalog_version = judges.version;
    made.text = text;
    made.example = example.substr(0, kExampleBytesMax);
    made.analysis = sql::analyse(example, context);
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
    return made;
}

std::shared_ptr<Plan> Planner::resolve(Database& database, TemplateRef made_from) {
    auto plan = std::make_shared<Plan>();
    const sql::Analysis& analysis = made_from->analysis;
    if (analysis.effects.everything) {
        plan->effects.add_everything(database.everything());
    } else {
        for (const sql::Oid oid : analysis.effects.relations)
            plan->effects.lines.push_back(&database.log().line(database.name(), oid));
    }
    if (analysis.cacheable && analysis.reads.size() < cache::FillTicket::kRelationsMax) {
        plan->reads.push_back(&database.everything());
        for (const sql::Oid oid : analysis.reads)
            plan->reads.push_back(&database.log().line(database.name(), oid));
    }
    plan->made_from = std::move(made_from);
    return plan;
}

}  // namespace warmfront::session
