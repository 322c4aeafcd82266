// sql/session_settings.h: the settings (GUCs) of a session that alter which rows or bytes a query gives, and
// their fingerprint.
//
// The values are never guessed: the session asks PostgreSQL itself with probe_sql() whenever they may have
// changed. Which settings count, and why the others do not: session_settings_table.cpp. Pure; thread rules at
// the class.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace warmfront::sql {

// One simple query whose single row holds, in order, the values of probed_settings() and of the settings
// watched (plain names). Needs no privileges, and uses only pg_catalog-qualified functions, operators and
// types, so that nothing on the search path can shadow them. A setting that the server lacks gives NULL.
[[nodiscard]] std::string probe_sql(std::span<const std::string> watched = {});

// Whether it is among probed_settings() and decides a fingerprint (any case).
[[nodiscard]] bool is_probed(std::string_view setting);

// Names in the order of the probe's columns. The first six are not GUCs but expressions: current database,
// session_user, current_user, whether anything is in its temp schema (a backend that had one keeps it, empty,
// to its end), where the database's files are, which tells a database from an earlier one of the same name,
// and the schemas in which names are looked for.
[[nodiscard]] const std::vector<std::string_view>& probed_settings();

// Whether an analysis that SETs this name (any case) can alter what the probe tells; unknown names count as
// yes. False only for settings known to alter no answer, and for names with a dot: nothing that is kept reads
// those (their decisions and conditions: session_settings_table.cpp).
[[nodiscard]] bool alters_answers(std::string_view setting);

struct SessionSettings {
    std::vector<std::string> values;   // as probed, NULL as "\0"
    std::vector<std::string> watched;  // names of the last ones, beyond probed_settings()
    // Same number = same values, time limits aside, which alter no answer; never reused within the
    // process; 0 is none.
    std::uint32_t fingerprint = 0;
    // Read off the values:
    std::string database;
    std::string user;                      // current_user
    std::vector<std::string> search_path;  // the schemas of it that are looked in
    bool read_committed = false;  // default_transaction_isolation; READ UNCOMMITTED is the same to PostgreSQL
    bool standard_conforming_strings = true;
    bool utf8 = false;                 // client_encoding is UTF8
    bool ascii_safe_encoding = false;  // client_encoding; see NormalizeOptions in sql/tokenizer.h
    bool has_temp_objects = false;
    // 0: none
    std::uint64_t statement_timeout_ms = 0;
    std::uint64_t idle_timeout_ms = 0;           // idle_session_timeout
    std::uint64_t idle_in_block_timeout_ms = 0;  // idle_in_transaction_session_timeout
};

// Gives equal value lists the same fingerprint. Thread-safe (one short lock). At most entries_max different
// ones are remembered; when they are reached, those that no session holds are forgotten.
class SettingsInterner {
public:
    explicit SettingsInterner(std::size_t entries_max);

    // nullptr: the session is not cached, because entries_max different lists are in use, or it is not one
    // value for each setting probed, or the session sees messages of the server's log (client_min_messages of
    // log or lower), which a kept answer would lack.
    // watched: the names of the settings probed beside probed_settings(), whose values come last.
    [[nodiscard]] std::shared_ptr<const SessionSettings> intern(std::vector<std::string> values,
                                                                std::span<const std::string> watched = {});

private:
    struct Family {  // of one fingerprint: they differ in time limits
        std::uint32_t fingerprint;
        std::vector<std::shared_ptr<const SessionSettings>> members;
    };

    void forget_unused();

    std::mutex mutex_;
    const std::size_t entries_max_;
    std::size_t entries_ = 0;
    std::uint32_t last_fingerprint_ = 0;
    std::unordered_map<std::string, Family> families_;  // by the values that alter answers
};

}  // namespace warmfront::sql
