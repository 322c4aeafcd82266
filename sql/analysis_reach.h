// sql/analysis_reach.h: what a statement reads once its views are opened, with the names looked up.
//
// Internal to sql/analysis, sql/effects and sql/cacheability. Pure.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/analysis.h"
#include "sql/catalog.h"
#include "sql/routine.h"
#include "sql/statement.h"

namespace warmfront::sql {

// How names without a schema are found: by the session's search path, or, in a view's definition, where the
// loader had everything but pg_catalog qualified, there only.
struct Scope {
    const Catalog* catalog = nullptr;
    const std::vector<std::string>* search_path = nullptr;  // nullptr: not known, any schema may be meant
    std::string_view user;
    const Choices* choices = nullptr;  // of the settings
    // Of a routine: any of the path's schemas may be meant. Which of its own path the role may use is not
    // known, and PostgreSQL passes over the others; and a session goes on with what PL/pgSQL found at its
    // first run, also when another relation of the name has come to lie nearer.
    bool any_of_path = false;

    // Every relation that the name could mean: at most one if the search path is known for sure.
    [[nodiscard]] std::vector<const Relation*> relations(const RelationName& name) const;
    // Every function that the call could mean; argument types are not looked at.
    [[nodiscard]] std::vector<const Function*> functions(const FunctionUse& use) const;
    // The same of procedures.
    [[nodiscard]] std::vector<const Function*> procedures(const FunctionUse& use) const;
    [[nodiscard]] Scope of_views() const;
    // Of a routine called where names are looked up in this scope; the routine outlives it.
    [[nodiscard]] Scope of_routine(const Function& function, const Routine& routine) const;
};

// The scope of a client's statement. The context outlives it; its catalog is known.
[[nodiscard]] Scope scope_of(const AnalysisContext& context);

// A view's definition, parsed; nullopt where this parser does not understand it.
[[nodiscard]] std::optional<Statement> definition_of(const Relation& view);

struct Reach {
    static constexpr std::size_t kRelationsMax = 1000;

    struct Part {
        const Statement* statement;
        Scope scope;
        bool plpgsql = false;  // of a function in PL/pgSQL: a column's name in it may be a variable's
        const Relation* policy_of = nullptr;  // an expression of its row-level security
    };
    std::vector<Part> parts;                 // the statement, then what it opens
    std::vector<const Relation*> relations;  // named in a part's reads, each once
    std::vector<RelationName> unknown;       // named, but not in the catalog
    std::string unreadable_view;             // one whose definition was not understood; empty: none
    bool truncated = false;                  // there are more than kRelationsMax
    std::vector<std::string> steps;          // if asked for: how it came to them, indented

    std::deque<Statement> definitions;  // what parts points into; stays put when a Reach is moved
    std::vector<std::shared_ptr<const Routine>> routines;  // so does this
};

struct ReachOptions {
    bool functions = false;  // open functions, too: those of which why_untrusted() has nothing to say
    bool steps = false;
};

// The statement outlives the result. Views and policies of row-level security are opened in turn, each once;
// a materialized view is not: it has rows of its own.
[[nodiscard]] Reach reach_of(const Statement& statement, const Scope& scope, ReachOptions options = {});

// Why the answers of a function that is not built in may depend on more than what its body names, as the end
// of a sentence ("is volatile"); nullopt: they do not, and it changes nothing.
[[nodiscard]] std::optional<std::string> why_untrusted(const Function& function, const Catalog& catalog);

// The relation's descendants (partitions, inheritance children), itself first; at most Reach::kRelationsMax.
[[nodiscard]] std::vector<const Relation*> with_descendants(const Relation& relation, const Catalog& catalog);
[[nodiscard]] std::vector<const Relation*> with_ancestors(const Relation& relation, const Catalog& catalog);

}  // namespace warmfront::sql
