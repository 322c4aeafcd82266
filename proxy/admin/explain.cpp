#include "proxy/admin/explain.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "config/values.h"
#include "proxy/admin/explain_rows.h"
#include "sql/choices.h"

namespace warmfront::admin {

static std::string name_of(sql::Oid oid, const sql::Catalog* catalog) {
    const sql::Relation* relation = catalog == nullptr ? nullptr : catalog->find(oid);
    if (relation == nullptr) return fmt::format("oid {}", static_cast<std::uint32_t>(oid));
    return relation->schema + "." + relation->name;
}

static std::string names_of(std::span<const sql::Oid> relations, const sql::Catalog* catalog) {
    std::string names;
    for (const sql::Oid oid : relations.first(std::min(relations.size(), kNamesMax)))
        names += (names.empty() ? "" : ", ") + name_of(oid, catalog);
    if (relations.size() > kNamesMax) names += fmt::format(" and {} more", relations.size() - kNamesMax);
    return names.empty() ? "nothing" : names;
}

static void add_rows(Properties& properties, const sql::Analysis& analysis, const sql::Catalog& catalog) {
    for (const auto& footprint : analysis.footprints) {
        const auto* relation = catalog.find(footprint.relation);
        if (relation == nullptr) continue;
        properties.emplace_back(
            "looks at", name_of(relation->oid, &catalog) + ": " + rows_looked_at(footprint, *relation));
    }
    for (const auto& change : analysis.changes) {
        const auto* relation = catalog.find(change.relation);
        if (relation == nullptr) continue;
        properties.emplace_back("changes",
                                name_of(relation->oid, &catalog) + ": " + rows_changed(change, *relation));
    }
}

Properties explain(const sql::Analysis& analysis, const sql::Catalog* catalog) {
    Properties properties{{"class", std::string(sql::name_of(analysis.query_class))},
                          {"cached", analysis.cacheable ? "yes" : "no"}};
    if (!analysis.cacheable && !analysis.refusal.label.empty()) {
        properties.emplace_back("reason", std::string(analysis.refusal.label));
        properties.emplace_back("because", analysis.refusal.text);
    }
    if (analysis.query_class == sql::QueryClass::Read)
        properties.emplace_back("depends on", names_of(analysis.reads, catalog));
    if (analysis.effects.everything) {
        properties.emplace_back("drops", "everything kept of the database");
        if (!analysis.effects_reason.empty())
            properties.emplace_back("drops because", analysis.effects_reason);
    } else if (!analysis.effects.none()) {
        properties.emplace_back("drops",
                                "what was read from " + names_of(analysis.effects.relations, catalog));
    }
    if (catalog != nullptr) add_rows(properties, analysis, *catalog);
    for (const auto& step : analysis.read_steps) properties.emplace_back("reads", step);
    for (const auto& step : analysis.effect_steps) properties.emplace_back("effect", step);
    if (analysis.cacheable && analysis.lifetime.ms != 0) {
        properties.emplace_back(
            "kept for", fmt::format("{}{}", print_duration(std::chrono::milliseconds(analysis.lifetime.ms)),
                                    analysis.lifetime.at_most_default ? ", at most cache.ttl" : ""));
    }
    if (analysis.cacheable && analysis.lifetime.stale_ms != 0)
        properties.emplace_back("stale if error",
                                print_duration(std::chrono::milliseconds(analysis.lifetime.stale_ms)));
    if (analysis.query_class == sql::QueryClass::Read && analysis.digest != 0)
        properties.emplace_back("digest", sql::digest_text(analysis.digest));
    if (!analysis.hint.empty()) {
        const bool understood = analysis.hint == "off" || sql::ttl_in_hint(analysis.hint);
        properties.emplace_back(
            "hint", analysis.hint + (understood ? "" : " (not understood: off, or ttl= from 1ms to 30d)"));
    }
    if (catalog == nullptr)
        properties.emplace_back("catalog", "not known yet: reads are not kept, writes drop everything");
    return properties;
}

}  // namespace warmfront::admin
