#include "sql/analysis_reach.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "sql/choices.h"

namespace warmfront::sql {
namespace {

constexpr std::string_view kPgCatalog = "pg_catalog";
const std::vector<std::string> kNoPath;

bool on_path(std::string_view schema, const Scope& scope) {
    return std::ranges::any_of(*scope.search_path, [&](const std::string& each) {
        return schema == (each == "$user" ? scope.user : std::string_view(each));
    });
}

std::vector<const Function*> visible(std::vector<const Function*> candidates, const FunctionUse& use,
                                     const Scope& scope) {
    if (!use.schema.empty() || scope.search_path == nullptr) return candidates;
    std::erase_if(candidates, [&](const Function* function) {
        return function->schema != kPgCatalog && !on_path(function->schema, scope);
    });
    return candidates;
}

class Opener {
public:
    Opener(Reach& out, ReachOptions options) : out_(out), options_(options) {}

    // running: where the functions that it calls look up their names.
    void open(const Statement& statement, const Scope& scope, const Scope& running, bool plpgsql = false) {
        if (out_.parts.size() >= kPartsMax || depth_ > kDepthMax) {
            out_.truncated = true;
            return;
        }
        out_.parts.push_back({&statement, scope, plpgsql});
        for (const auto& name : statement.reads) {
            if (out_.relations.size() >= Reach::kRelationsMax) {
                out_.truncated = true;
                return;
            }
            const auto meant = scope.relations(name);
            if (meant.empty()) out_.unknown.push_back(name);
            for (const auto* relation : meant) {
                if (seen_.insert(relation).second) add(*relation, running);
            }
        }
        if (!options_.functions) return;
        for (const auto& use : statement.functions) open_functions(use, scope, running);
    }

private:
    static constexpr std::size_t kPartsMax = 10'000;
    static constexpr std::size_t kDepthMax = 100;
    static constexpr std::size_t kStepsMax = 200;

    // PostgreSQL's own views are not opened: whoever reads them is refused for that alone, and they call
    // nothing else.
    void add(const Relation& relation, const Scope& running) {
        out_.relations.push_back(&relation);
        const bool view = relation.kind == 'v' && !is_builtin(relation.oid);
        step((view ? "view " : "") + relation.schema + "." + relation.name);
        ++depth_;
        if (view) {
            if (auto definition = definition_of(relation))
                open(out_.definitions.emplace_back(std::move(*definition)), running.of_views(), running);
            else
                out_.unreadable_view = relation.name;
        }
        if (relation.row_security) {
            for (const auto& policy : relation.policies) open_policy(relation, policy, running);
        }
        --depth_;
    }

    void open_policy(const Relation& relation, const std::string& policy, const Scope& running) {
        auto parsed = parse("SELECT " + policy);
        if (!parsed || parsed->size() != 1) {
            out_.unreadable_view = relation.name;
            return;
        }
        step("policy of " + relation.schema + "." + relation.name);
        ++depth_;
        const auto place = out_.parts.size();
        open(out_.definitions.emplace_back(std::move(parsed->front())), running.of_views(), running);
        if (place < out_.parts.size()) out_.parts[place].policy_of = &relation;
        --depth_;
    }

    void open_functions(const FunctionUse& use, const Scope& scope, const Scope& running) {
        if (use.form == FunctionUse::Form::Operator) return;
        for (const auto* function : scope.functions(use)) {
            if (use.form == FunctionUse::Form::Field && !function->takes_row) continue;
            if (is_builtin(function->oid) ||
                !called_.insert({function, running.search_path, running.user}).second)
                continue;
            if (vouched(scope.choices, &FunctionSettings::user, function->schema, function->name) ||
                why_untrusted(*function, *scope.catalog))
                continue;
            open_function(*function, running);
        }
    }

    void open_function(const Function& function, const Scope& running) {
        const auto routine = out_.routines.emplace_back(running.catalog->routine(function));
        const Scope inside = running.of_routine(function, *routine);
        step("function " + function.schema + "." + function.name + "()");
        ++depth_;
        for (const auto& statement : routine->statements)
            open(statement, function.atomic ? inside.of_views() : inside, inside,
                 function.language == "plpgsql");
        --depth_;
    }

    void step(std::string text) {
        if (!options_.steps || out_.steps.size() > kStepsMax) return;
        out_.steps.push_back(out_.steps.size() == kStepsMax ? "..." : std::string(2 * depth_, ' ') + text);
    }

    Reach& out_;
    const ReachOptions options_;
    std::size_t depth_ = 0;
    std::unordered_set<const Relation*> seen_;
    std::set<std::tuple<const Function*, const void*, std::string_view>> called_;
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
    if (any_of_path && name.schema.empty()) {
        auto named = catalog->relations_named(name);
        std::erase_if(named, [&](const Relation* relation) {
            return relation->schema != kPgCatalog && !on_path(relation->schema, *this);
        });
        return named;
    }
    if (const auto* meant = catalog->find(name, *search_path, user)) return {meant};
    return {};
}

std::vector<const Function*> Scope::functions(const FunctionUse& use) const {
    return visible(catalog->functions_named(use.schema, use.name), use, *this);
}

std::vector<const Function*> Scope::procedures(const FunctionUse& use) const {
    return visible(catalog->procedures_named(use.schema, use.name), use, *this);
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

Scope Scope::of_routine(const Function& function, const Routine& routine) const {
    if (routine.sets_role) return {catalog, nullptr, {}, choices};
    const std::string_view runs_as = function.security_definer ? std::string_view(function.owner) : user;
    if (routine.sets_search_path) return {catalog, &routine.search_path, runs_as, choices, true};
    // What the session's path comes to for the owner is not known.
    if (function.security_definer) return {catalog, nullptr, runs_as, choices};
    return {catalog, search_path, runs_as, choices, any_of_path || function.language == "plpgsql"};
}

Reach reach_of(const Statement& statement, const Scope& scope, ReachOptions options) {
    Reach reach;
    Opener(reach, options).open(statement, scope, scope);
    return reach;
}

std::vector<const Relation*> with_descendants(const Relation& relation, const Catalog& catalog) {
    return closure(relation, catalog, &Relation::children);
}

std::vector<const Relation*> with_ancestors(const Relation& relation, const Catalog& catalog) {
    return closure(relation, catalog, &Relation::parents);
}

}  // namespace warmfront::sql
