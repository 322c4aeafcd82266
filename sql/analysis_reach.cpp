#include "sql/analysis_reach.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace warmfront::sql {
namespace {

constexpr std::string_view kPgCatalog = "pg_catalog";
const std::vector<std::string> kNoPath;

class Opener {
public:
    explicit Opener(Reach& out) : out_(out) {}

    void open(const Statement& statement, const Scope& scope) {
        out_.parts.push_back({&statement, scope});
        for (const auto& name : statement.reads) {
            if (out_.relations.size() >= Reach::kRelationsMax) {
                out_.truncated = true;
                return;
            }
            const auto meant = scope.relations(name);
            if (meant.empty()) out_.unknown.push_back(name);
            for (const auto* relation : meant) {
                if (seen_.insert(relation).second) add(*relation, scope);
            }
        }
    }

private:
    // PostgreSQL's own views are not opened: whoever reads them is refused for that alone, and they call
    // nothing else.
    void add(const Relation& relation, const Scope& scope) {
        out_.relations.push_back(&relation);
        if (relation.kind != 'v' || is_builtin(relation.oid)) return;
        auto definition = definition_of(relation);
        if (!definition) {
            out_.unreadable_view = relation.name;
            return;
        }
        open(out_.definitions.emplace_back(std::move(*definition)), scope.of_views());
    }

    Reach& out_;
    std::unordered_set<const Relation*> seen_;
};

std::vector<const Relation*> closure(const Relation& relation, const Catalog& catalog,
                                     std::vector<Oid> Relation::*next) {
    std::vector<const Relation*> found{&relation};
    std::unordered_set<const Relation*> seen{&relation};
    for (std::size_t i = 0; i < found.size() && found.size() < Reach::kRelationsMax; ++i) {
        for (const auto oid : found[i]->*next) {
            const auto* other = catalog.find(oid);
            if (other != nullptr && seen.insert(other).second) found.push_back(other);
        }
    }
    return found;
}

}  // namespace

std::vector<const Relation*> Scope::relations(const RelationName& name) const {
    if (search_path == nullptr) return catalog->relations_named(name);
    if (const auto* meant = relation(name)) return {meant};
    return {};
}

std::vector<const Function*> Scope::functions(const FunctionUse& use) const {
    auto candidates = catalog->functions_named(use.schema, use.name);
    if (!use.schema.empty() || search_path == nullptr) return candidates;
    std::erase_if(candidates, [this](const Function* function) {
        if (function->schema == kPgCatalog) return false;
        return std::ranges::none_of(*search_path, [&](const std::string& schema) {
            return function->schema == (schema == "$user" ? user : std::string_view(schema));
        });
    });
    return candidates;
}

Scope Scope::of_views() const {
    return {catalog, &kNoPath, user, choices};
}

Scope scope_of(const AnalysisContext& context) {
    return {context.catalog, context.names_known ? &context.search_path : nullptr, context.user,
            context.choices};
}

std::optional<Statement> definition_of(const Relation& view) {
    auto parsed = parse(view.view_definition);
    if (!parsed || parsed->size() != 1) return std::nullopt;
    return std::move(parsed->front());
}

Reach reach_of(const Statement& statement, const Scope& scope) {
    Reach reach;
    Opener(reach).open(statement, scope);
    return reach;
}

std::vector<const Relation*> with_descendants(const Relation& relation, const Catalog& catalog) {
    return closure(relation, catalog, &Relation::children);
}

std::vector<const Relation*> with_ancestors(const Relation& relation, const Catalog& catalog) {
    return closure(relation, catalog, &Relation::parents);
}

}  // namespace warmfront::sql
