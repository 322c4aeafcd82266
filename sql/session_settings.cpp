// A session's settings come as one row of text. The interner joins the values, each with its length, to one
// string; equal strings are equal settings.
#include "sql/session_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <limits>
#include <span>
#include <utility>

#include "sql/catalog.h"
#include "sql/session_settings_table.h"

namespace warmfront::sql {
namespace {

struct Expression {
    std::string_view name;
    std::string_view sql;
};

// The path of a catalog's file holds the database's OID, which a role may lack the right to look up in
// pg_database.
constexpr std::array<Expression, 6> kExpressions{{
    {"current_database", "pg_catalog.current_database()"},
    {"session_user", "session_user"},
    {"current_user", "current_user"},
    {"has_temp_objects",
     "EXISTS(SELECT FROM pg_catalog.pg_depend WHERE refclassid OPERATOR(pg_catalog.=) 2615"
     " AND refobjid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())"},
    {"database_files", "pg_catalog.pg_relation_filepath('pg_catalog.pg_am'::pg_catalog.regclass)"},
    // Those of the search_path that there are and that the role may use: PostgreSQL passes over the others.
    {"current_schemas",
     "pg_catalog.array_to_string(ARRAY(SELECT pg_catalog.quote_ident(s) FROM"
     " pg_catalog.unnest(pg_catalog.current_schemas(false)) s), ', ')"},
}};
enum : std::size_t {
    kDatabase,
    kSessionUser,
    kCurrentUser,
    kHasTempObjects,
    kDatabaseFiles,
    kCurrentSchemas
};

// They alter no answer, and come last.
constexpr std::array<std::string_view, 3> kTimeLimits{"statement_timeout", "idle_session_timeout",
                                                      "idle_in_transaction_session_timeout"};

std::vector<std::string_view> probed_gucs() {
    const auto names = fingerprinted_settings();
    std::vector<std::string_view> gucs(names.begin(), names.end());
    gucs.insert(gucs.end(), kTimeLimits.begin(), kTimeLimits.end());
    return gucs;
}

std::string make_probe_sql(std::span<const std::string> watched) {
    std::string sql = "SELECT ";
    for (const Expression& expression : kExpressions) {
        sql += expression.sql;
        sql += ", ";
    }
    for (const std::string_view name : probed_gucs()) {
        sql += "pg_catalog.current_setting('";
        sql += name;
        sql += "', true), ";
    }
    for (const std::string& name : watched) sql += "pg_catalog.current_setting('" + name + "', true), ";
    sql.resize(sql.size() - 2);
    return sql;
}

std::size_t place_of(std::string_view name) {
    const auto& names = probed_settings();
    return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
}

// Whether every byte below 0x80 is an ASCII character wherever it stands: true for all encodings that a
// server can have, not for those that only clients have.
bool is_ascii_safe(std::string_view encoding) {
    if (encoding == "UTF8" || encoding == "SQL_ASCII" || encoding == "MULE_INTERNAL") return true;
    constexpr std::array<std::string_view, 5> families{"LATIN", "ISO_8859_", "WIN", "KOI8", "EUC_"};
    return std::ranges::any_of(families, [&](std::string_view each) { return encoding.starts_with(each); });
}

bool shows_log(std::string_view client_min_messages) {
    return client_min_messages.starts_with("debug") || client_min_messages == "log";
}

// "5s", "1min", "0": a number and the largest unit that divides it. What is not that counts as no time-out.
std::uint64_t milliseconds(std::string_view text) {
    struct Unit {
        std::string_view name;
        std::uint64_t ms;
    };
    constexpr std::array<Unit, 6> units{
        {{"", 1}, {"ms", 1}, {"s", 1'000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
    std::uint32_t number = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return 0;
    const std::string_view name = text.substr(static_cast<std::size_t>(rest - text.data()));
    const auto unit = std::ranges::find(units, name, &Unit::name);
    return unit == units.end() ? 0 : number * unit->ms;
}

std::string joined(std::span<const std::string> values) {
    std::string all;
    for (const std::string& value : values) {
        all += std::to_string(value.size());
        all += ':';
        all += value;
    }
    return all;
}

SessionSettings read_off(std::vector<std::string> values) {
    const auto value = [&](std::string_view name) -> const std::string& { return values[place_of(name)]; };
    SessionSettings settings;
    settings.database = values[kDatabase];
    settings.user = values[kCurrentUser];
    settings.search_path = parse_search_path(values[kCurrentSchemas]);
    const std::string& isolation = value("default_transaction_isolation");
    settings.read_committed = isolation == "read committed" || isolation == "read uncommitted";
    settings.standard_conforming_strings = value("standard_conforming_strings") == "on";
    settings.utf8 = value("client_encoding") == "UTF8";
    settings.ascii_safe_encoding = is_ascii_safe(value("client_encoding"));
    settings.has_temp_objects = values[kHasTempObjects] != "f";
    settings.statement_timeout_ms = milliseconds(value("statement_timeout"));
    settings.idle_timeout_ms = milliseconds(value("idle_session_timeout"));
    settings.idle_in_block_timeout_ms = milliseconds(value("idle_in_transaction_session_timeout"));
    settings.values = std::move(values);
    return settings;
}

}  // namespace

std::string probe_sql(std::span<const std::string> watched) {
    static const std::string usual = make_probe_sql({});
    return watched.empty() ? usual : make_probe_sql(watched);
}

bool is_probed(std::string_view setting) {
    return std::ranges::any_of(fingerprinted_settings(),
                               [&](std::string_view name) { return same_setting(name, setting); });
}

const std::vector<std::string_view>& probed_settings() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> all;
        for (const Expression& expression : kExpressions) all.push_back(expression.name);
        for (const std::string_view name : probed_gucs()) all.push_back(name);
        return all;
    }();
    return names;
}

bool alters_answers(std::string_view setting) {
    return !is_harmless_setting(setting);
}

SettingsInterner::SettingsInterner(std::size_t entries_max) : entries_max_(entries_max) {}

std::shared_ptr<const SessionSettings> SettingsInterner::intern(std::vector<std::string> values,
                                                                std::span<const std::string> watched) {
    const std::size_t usual = probed_settings().size();
    if (values.size() != usual + watched.size()) return nullptr;
    if (shows_log(values[place_of("client_min_messages")])) return nullptr;
    const std::size_t altering = usual - kTimeLimits.size();
    std::string key = joined(std::span(values).first(altering)) + joined(watched) +
                      joined(std::span(values).subspan(usual));

    const std::lock_guard lock(mutex_);
    auto family = families_.find(key);
    if (family != families_.end())
        for (const auto& member : family->second.members)
            if (std::ranges::equal(std::span(member->values).subspan(altering),
                                   std::span(values).subspan(altering)))
                return member;
    if (entries_ >= entries_max_) {
        forget_unused();
        if (entries_ >= entries_max_) return nullptr;
        family = families_.find(key);
    }
    if (family == families_.end()) {
        if (last_fingerprint_ == std::numeric_limits<std::uint32_t>::max()) return nullptr;
        family = families_.emplace(std::move(key), Family{++last_fingerprint_, {}}).first;
    }
    SessionSettings settings = read_off(std::move(values));
    settings.watched.assign(watched.begin(), watched.end());
    settings.fingerprint = family->second.fingerprint;
    ++entries_;
    return family->second.members.emplace_back(std::make_shared<SessionSettings>(std::move(settings)));
}

void SettingsInterner::forget_unused() {
    for (auto family = families_.begin(); family != families_.end();) {
        auto& members = family->second.members;
        entries_ -= std::erase_if(members, [](const auto& member) { return member.use_count() == 1; });
        family = members.empty() ? families_.erase(family) : std::next(family);
    }
}

}  // namespace warmfront::sql
