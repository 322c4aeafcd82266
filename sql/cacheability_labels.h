// sql/cacheability_labels.h: the closed set of labels of refusals. Internal to sql/analysis and
// sql/cacheability.
#pragma once

#include <array>
#include <string_view>

namespace warmfront::sql::label {

// The string as a whole.
inline constexpr std::string_view kUnparsed = "unparsed";        // libpg_query does not understand it
inline constexpr std::string_view kOpaque = "opaque";            // the tokenizer could make no template of it
inline constexpr std::string_view kNotASelect = "not_a_select";  // anything but one SELECT
inline constexpr std::string_view kSeveralStatements = "several_statements";  // "SELECT 1; SELECT 2"
inline constexpr std::string_view kHintOff = "hint_off";                      // /* warmfront: off */
inline constexpr std::string_view kCatalogUnknown = "catalog_unknown";        // no snapshot yet
inline constexpr std::string_view kSettingsUnknown =
    "settings_unknown";  // changed in this block; asked for after it
inline constexpr std::string_view kTooLong = "statement_too_long";  // no template is kept of it
// What the statement does besides reading.
inline constexpr std::string_view kWrites = "writes";         // CTEs that change rows
inline constexpr std::string_view kLocksRows = "locks_rows";  // FOR UPDATE, FOR SHARE
// What it reads.
inline constexpr std::string_view kNoTable = "no_table";  // SELECT 1: nothing gained
inline constexpr std::string_view kUnknownRelation = "unknown_relation";
inline constexpr std::string_view kSystemCatalog = "system_catalog";  // pg_catalog, information_schema
inline constexpr std::string_view kTempTable = "temp_table";
inline constexpr std::string_view kForeignTable = "foreign_table";
inline constexpr std::string_view kSequence = "sequence";
inline constexpr std::string_view kRowSecurity = "row_security";
inline constexpr std::string_view kExcluded = "excluded";  // cache.exclude
inline constexpr std::string_view kUnreadableView = "unreadable_view";
inline constexpr std::string_view kTooManyRelations = "too_many_relations";
// What it computes.
inline constexpr std::string_view kSample = "sample";               // TABLESAMPLE
inline constexpr std::string_view kSystemColumn = "system_column";  // ctid, xmin, ...
inline constexpr std::string_view kClock = "clock";                 // now(), CURRENT_DATE, timetz
inline constexpr std::string_view kTextToTime = "text_to_time";     // a cast that would read "now"
inline constexpr std::string_view kVolatileFunction = "volatile_function";
inline constexpr std::string_view kStableFunction = "stable_function";
inline constexpr std::string_view kUserFunction = "user_function";
inline constexpr std::string_view kUnknownFunction = "unknown_function";
inline constexpr std::string_view kUserOperator = "user_operator";
inline constexpr std::string_view kUserType = "user_type";
inline constexpr std::string_view kUserCast = "user_cast";

inline constexpr std::array kAll{
    kOpaque,           kUnparsed,         kNotASelect,   kSeveralStatements, kHintOff,      kCatalogUnknown,
    kSettingsUnknown,  kTooLong,          kWrites,       kLocksRows,         kNoTable,      kUnknownRelation,
    kSystemCatalog,    kTempTable,        kForeignTable, kSequence,          kRowSecurity,  kExcluded,
    kUnreadableView,   kTooManyRelations, kSample,       kSystemColumn,      kClock,        kTextToTime,
    kVolatileFunction, kStableFunction,   kUserFunction, kUnknownFunction,   kUserOperator, kUserType,
    kUserCast};

}  // namespace warmfront::sql::label
