// sql/session_settings.h: the settings (GUCs) of a session that alter which rows or bytes a query gives, and their
// fingerprint.
//
// The values are never guessed: the session asks PostgreSQL itself with kProbeSql whenever they may have changed.
// Pure; thread rules at the class.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace warmfront::sql {

// One simple query whose single row holds, in order, the values of probed_settings(). Uses only pg_catalog-qualified
// functions, so that nothing on the search path can shadow them. current_setting(name, true): a setting that this
// server version lacks gives NULL.
[[nodiscard]] const std::string& probe_sql();

// Names in the order of the probe's columns. The first four are not GUCs but expressions: current database,
// session_user, current_user, and whether the session has a temp schema (pg_my_temp_schema() <> 0).
[[nodiscard]] const std::vector<std::string_view>& probed_settings();

// Whether an analysis that SETs this name (any case) can alter the fingerprint; unknown names count as yes.
// False only for settings known to alter no answer (application_name, statement_timeout's display ... ).
[[nodiscard]] bool alters_answers(std::string_view setting);

struct SessionSettings {
    std::vector<std::string> values;  // as probed, NULL as "\0"
    std::uint32_t fingerprint = 0;    // same number = same values; never reused within the process; 0 is none
    // Read off the values:
    std::string database;
    std::string user;                 // current_user
    std::vector<std::string> search_path;
    bool read_committed = false;      // default_transaction_isolation
    bool standard_conforming_strings = true;
    bool has_temp_schema = false;
    std::uint64_t statement_timeout_ms = 0;
};

// Gives equal value lists the same fingerprint. Thread-safe (one short lock). At most entries_max different ones are
// remembered; beyond that intern() returns nullptr and the session is not cached.
class SettingsInterner {
public:
    explicit SettingsInterner(std::size_t entries_max);
    [[nodiscard]] std::shared_ptr<const SessionSettings> intern(std::vector<std::string> values);

private:
    std::mutex mutex_;
    std::size_t entries_max_;
    std::unordered_map<std::string, std::shared_ptr<const SessionSettings>> by_values_;
};

}  // namespace warmfront::sql
