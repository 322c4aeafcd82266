#include "sql/choices.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <xxhash.h>

#include "config/values.h"
#include "sql/tokenizer.h"

namespace warmfront::sql {
namespace {

constexpr std::chrono::milliseconds kTtlMax = std::chrono::hours{30 * 24};
constexpr std::size_t kDigestDigits = 16;

RelationName name_of(const std::string& text) {
    const auto dot = text.find('.');
    if (dot == std::string::npos) return {{}, text};
    return {text.substr(0, dot), text.substr(dot + 1)};
}

std::optional<std::uint32_t> ms_of(std::optional<std::chrono::milliseconds> ttl) {
    if (!ttl) return std::nullopt;
    return static_cast<std::uint32_t>(ttl->count());
}

void keep_least(std::optional<std::uint32_t>& least, std::optional<std::uint32_t> other) {
    if (other && (!least || *other < *least)) least = other;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Calls on_table for each entry that names the relation, an ancestor or a descendant of it.
template <typename OnTable>
void for_family(const std::vector<Choices::Table>& tables, const Relation& relation, const Catalog& catalog,
                const OnTable& on_table) {
    if (tables.empty()) return;
    const auto look_at = [&](const Relation& member) {
        for (const auto& table : tables) {
            const bool meant = table.name.name == member.name &&
                               (table.name.schema.empty() || table.name.schema == member.schema);
            if (meant) on_table(table);
        }
    };
    for (const auto* member : with_descendants(relation, catalog)) look_at(*member);
    for (const auto* member : with_ancestors(relation, catalog))
        if (member != &relation) look_at(*member);
}

}  // namespace

const Choices::Statement* Choices::of_statement(std::uint64_t digest) const {
    const auto found = statements.find(digest);
    return found == statements.end() ? nullptr : &found->second;
}

const Choices::Table* Choices::turned_off(const Relation& relation, const Catalog& catalog) const {
    const Table* off = nullptr;
    for_family(tables, relation, catalog, [&](const Table& table) {
        if (off == nullptr && table.cache == false) off = &table;
    });
    return off;
}

bool Choices::turned_on(const Relation& relation, const Catalog& catalog) const {
    bool on = false;
    for_family(tables, relation, catalog, [&](const Table& table) { on |= table.cache == true; });
    return on;
}

std::optional<std::uint32_t> Choices::ttl_ms(const Relation& relation, const Catalog& catalog) const {
    std::optional<std::uint32_t> least;
    for_family(tables, relation, catalog, [&](const Table& table) { keep_least(least, table.ttl_ms); });
    return least;
}

std::optional<std::uint32_t> Choices::stale_ms(const Relation& relation, const Catalog& catalog) const {
    std::optional<std::uint32_t> least;
    for_family(tables, relation, catalog, [&](const Table& table) { keep_least(least, table.stale_ms); });
    return least;
}

std::uint32_t Choices::stale_ms_max() const {
    std::uint32_t most = 0;
    for (const Table& table : tables) most = std::max(most, table.stale_ms.value_or(0));
    for (const auto& [digest, statement] : statements) most = std::max(most, statement.stale_ms.value_or(0));
    return most;
}

Choices choices_of(const Settings& settings) {
    Choices choices;
    for (const Choice& choice : settings.tables)
        choices.tables.push_back(
            {name_of(choice.of), choice.cache, ms_of(choice.ttl), "tables", ms_of(choice.stale_if_error)});
    for (const std::string& name : settings.cache.exclude)
        choices.tables.push_back({name_of(name), false, std::nullopt, "cache.exclude"});
    for (const Choice& choice : settings.templates) {
        const auto digest = parse_digest(choice.of).value_or(digest_of(shown_text(choice.of)));
        auto& statement = choices.statements[digest];
        if (choice.cache) statement.cache = statement.cache.value_or(true) && *choice.cache;
        keep_least(statement.ttl_ms, ms_of(choice.ttl));
        keep_least(statement.stale_ms, ms_of(choice.stale_if_error));
    }
    choices.functions = settings.functions;
    return choices;
}

bool vouched(const Choices* choices, VouchedList list, std::string_view schema, std::string_view name) {
    if (choices == nullptr) return false;
    return std::ranges::any_of(choices->functions.*list, [&](std::string_view listed) {
        const auto dot = listed.find('.');
        if (listed == name) return true;
        return dot != std::string_view::npos && listed.substr(0, dot) == schema &&
               listed.substr(dot + 1) == name;
    });
}

std::string shown_text(std::string_view sql) {
    std::string text, literals;
    if (!normalize(sql, {}, text, literals))
        return fmt::format("(not to be cut: {:016x})", XXH3_64bits(sql.data(), sql.size()));
    std::string shown;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        const bool parameter = c == '$' && at + 1 < text.size() && is_digit(text[at + 1]);
        shown += c == kNumberPlaceholder || c == kStringPlaceholder || parameter ? '?' : c;
        if (!parameter) continue;
        while (at + 1 < text.size() && is_digit(text[at + 1])) ++at;
    }
    return shown;
}

std::uint64_t digest_of(std::string_view shown) {
    while (!shown.empty() && (shown.back() == ';' || shown.back() == ' ')) shown.remove_suffix(1);
    return XXH3_64bits(shown.data(), shown.size());
}

std::string digest_text(std::uint64_t digest) {
    return fmt::format("{:016x}", digest);
}

std::optional<std::uint64_t> parse_digest(std::string_view text) {
    std::uint64_t digest = 0;
    const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), digest, 16);
    if (text.size() != kDigestDigits || error != std::errc{} || stopped != text.data() + text.size())
        return std::nullopt;
    return digest;
}

Lifetime lifetime_of(const Reach& reach, const AnalysisContext& context) {
    const auto own_ttl_ms = context.own_ttl_ms;
    std::optional<std::uint32_t> ttl = own_ttl_ms, stale = context.own_stale_ms;
    bool all_have_ttl = true, all_have_stale = true;
    for (const auto* relation : reach.relations) {
        std::optional<std::uint32_t> ttl_ms, stale_ms;
        if (context.choices != nullptr) {
            ttl_ms = context.choices->ttl_ms(*relation, *context.catalog);
            stale_ms = context.choices->stale_ms(*relation, *context.catalog);
        }
        keep_least(ttl, ttl_ms);
        keep_least(stale, stale_ms);
        all_have_ttl &= ttl_ms || relation->kind == 'v';
        all_have_stale &= stale_ms || relation->kind == 'v';
    }
    const bool may_be_stale = context.own_stale_ms || all_have_stale;
    return {ttl.value_or(0), !own_ttl_ms && !(ttl && all_have_ttl), may_be_stale ? stale.value_or(0) : 0};
}

std::optional<std::uint32_t> ttl_in_hint(std::string_view hint) {
    constexpr std::string_view kTtl = "ttl=";
    if (!hint.starts_with(kTtl)) return std::nullopt;
    const auto ttl = parse_duration(hint.substr(kTtl.size()));
    if (!ttl || ttl->count() < 1 || *ttl > kTtlMax) return std::nullopt;
    return ms_of(ttl);
}

}  // namespace warmfront::sql
