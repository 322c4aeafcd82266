#include "sql/catalog.h"

#include <algorithm>
#include <functional>

#include "sql/catalog_settings.h"
#include "sql/functions.h"
#include "sql/routine.h"

namespace warmfront::sql {
namespace {

constexpr std::string_view kPgCatalog = "pg_catalog";

// Identifiers that are not quoted are folded: PostgreSQL folds ASCII only, in the encodings that matter here.
char folded(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

}  // namespace

// Boost's hash_combine: the order counts, which is that of the loader.
static std::uint64_t digest_of_callables(const Catalog& catalog) {
    std::uint64_t digest = 0;
    const auto add = [&digest](std::uint64_t value) {
        digest ^= value + 0x9e3779b97f4a7c15U + (digest << 6) + (digest >> 2);
    };
    const std::hash<std::string> hash;
    for (const Function& function : catalog.functions) {
        add(static_cast<std::uint64_t>(function.oid));
        add(hash(function.schema));
        add(hash(function.name));
    }
    for (const Operator& each : catalog.operators) {
        add(static_cast<std::uint64_t>(each.function));
        add(hash(each.schema));
        add(hash(each.name));
    }
    return digest;
}

void Catalog::index() {
    relation_by_oid_.clear();
    relations_by_name_.clear();
    function_by_oid_.clear();
    functions_by_name_.clear();
    procedures_by_name_.clear();
    operators_by_name_.clear();
    types_by_name_.clear();
    calling_domains_.clear();
    for (std::size_t i = 0; i < relations.size(); ++i) {
        relation_by_oid_[static_cast<std::uint32_t>(relations[i].oid)] = i;
        relations_by_name_[relations[i].name].push_back(i);
    }
    for (std::size_t i = 0; i < functions.size(); ++i) {
        const auto& function = functions[i];
        function_by_oid_[static_cast<std::uint32_t>(function.oid)] = i;
        if (function.is_trigger) continue;
        (function.kind == 'p' ? procedures_by_name_ : functions_by_name_)[function.name].push_back(i);
    }
    for (std::size_t i = 0; i < operators.size(); ++i) operators_by_name_[operators[i].name].push_back(i);
    for (std::size_t i = 0; i < types.size(); ++i) {
        if (!types[i].called.empty()) calling_domains_.push_back(i);
        const auto [first, is_new] = types_by_name_.emplace(types[i].name, i);
        if (!is_new && types[first->second].kind == 'e') first->second = i;  // see type_named
    }
    has_writing_functions_ = std::ranges::any_of(functions, [](const Function& function) {
        return !function.is_trigger && function.kind != 'p' && may_write(function);
    });
    callables_ = digest_of_callables(*this);
    routines_ = std::make_shared<Routines>();
    watched_settings = settings_read_by(*this);
    if (watched_settings.size() > kWatchedMax) watched_settings.resize(kWatchedMax);
}

bool Catalog::watches(std::string_view setting) const {
    std::string name(setting);
    std::ranges::transform(name, name.begin(), folded);
    return std::ranges::binary_search(watched_settings, name);
}

const Relation* Catalog::find(Oid oid) const {
    const auto found = relation_by_oid_.find(static_cast<std::uint32_t>(oid));
    return found == relation_by_oid_.end() ? nullptr : &relations[found->second];
}

const Relation* Catalog::find(const RelationName& name, const std::vector<std::string>& search_path,
                              std::string_view user) const {
    const auto found = relations_by_name_.find(name.name);
    if (found == relations_by_name_.end()) return nullptr;
    const auto in_schema = [&](std::string_view schema) -> const Relation* {
        for (const auto place : found->second) {
            if (relations[place].schema == schema) return &relations[place];
        }
        return nullptr;
    };
    if (!name.schema.empty()) return in_schema(name.schema);
    if (std::ranges::find(search_path, kPgCatalog) == search_path.end()) {
        if (const auto* relation = in_schema(kPgCatalog)) return relation;
    }
    for (const auto& schema : search_path) {
        if (const auto* relation = in_schema(schema == "$user" ? user : schema)) return relation;
    }
    return nullptr;
}

std::vector<const Relation*> Catalog::relations_named(const RelationName& name) const {
    std::vector<const Relation*> named;
    const auto found = relations_by_name_.find(name.name);
    if (found == relations_by_name_.end()) return named;
    for (const auto place : found->second) {
        if (name.schema.empty() || relations[place].schema == name.schema) named.push_back(&relations[place]);
    }
    return named;
}

const Function* Catalog::function(Oid oid) const {
    const auto found = function_by_oid_.find(static_cast<std::uint32_t>(oid));
    return found == function_by_oid_.end() ? nullptr : &functions[found->second];
}

std::vector<const Function*> Catalog::named(const Places& places, std::string_view schema,
                                            std::string_view name) const {
    std::vector<const Function*> named;
    const auto found = places.find(std::string(name));
    if (found == places.end()) return named;
    for (const auto place : found->second) {
        if (schema.empty() || functions[place].schema == schema) named.push_back(&functions[place]);
    }
    return named;
}

std::vector<const Function*> Catalog::functions_named(std::string_view schema, std::string_view name) const {
    return named(functions_by_name_, schema, name);
}

std::vector<const Function*> Catalog::procedures_named(std::string_view schema, std::string_view name) const {
    return named(procedures_by_name_, schema, name);
}

std::shared_ptr<const Routine> Catalog::routine(const Function& function) const {
    return routines_->of(function);
}

std::vector<const Operator*> Catalog::operators_named(std::string_view name) const {
    std::vector<const Operator*> named;
    const auto found = operators_by_name_.find(std::string(name));
    if (found == operators_by_name_.end()) return named;
    for (const auto place : found->second) named.push_back(&operators[place]);
    return named;
}

const Type* Catalog::type_named(std::string_view name) const {
    const auto found = types_by_name_.find(std::string(name));
    return found == types_by_name_.end() ? nullptr : &types[found->second];
}

std::vector<const Type*> Catalog::calling_domains() const {
    std::vector<const Type*> domains;
    for (const auto place : calling_domains_) domains.push_back(&types[place]);
    return domains;
}

std::vector<std::string> parse_search_path(std::string_view setting) {
    std::vector<std::string> schemas;
    std::size_t at = 0;
    while (at < setting.size()) {
        if (is_blank(setting[at]) || setting[at] == ',') {
            ++at;
            continue;
        }
        std::string schema;
        if (setting[at] == '"') {
            for (++at; at < setting.size(); ++at) {
                if (setting[at] != '"') {
                    schema += setting[at];
                } else if (at + 1 < setting.size() && setting[at + 1] == '"') {
                    schema += setting[++at];
                } else {
                    ++at;
                    break;
                }
            }
        } else {
            for (; at < setting.size() && setting[at] != ',' && !is_blank(setting[at]); ++at)
                schema += folded(setting[at]);
        }
        if (!schema.empty()) schemas.push_back(std::move(schema));
    }
    return schemas;
}

}  // namespace warmfront::sql
