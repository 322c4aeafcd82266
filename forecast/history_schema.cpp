// Loads come subject by subject in the file, because a series is read at a time; without a second index on
// time, since that would double the file. What goes by time (roll-up) walks over the subjects instead.
#include "forecast/history_schema.h"

#include "forecast/history.h"

namespace warmfront::forecast {
namespace {

constexpr std::int64_t kApplicationId = 0x77666869;  // "wfhi"
constexpr std::int64_t kVersion = 1;

constexpr std::string_view kTables = R"(
CREATE TABLE subjects (
    id       INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL CHECK (kind IN ('database', 'table', 'template')),
    database TEXT NOT NULL,
    name     TEXT NOT NULL,
    label    TEXT NOT NULL,
    UNIQUE (kind, database, name));
CREATE TABLE loads (
    subject   INTEGER NOT NULL REFERENCES subjects (id),
    begin_s   INTEGER NOT NULL,
    step_s    INTEGER NOT NULL,
    requests  INTEGER NOT NULL,
    hits      INTEGER NOT NULL,
    rows      INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    origin_us INTEGER NOT NULL,
    reads     INTEGER NOT NULL,
    writes    INTEGER NOT NULL,
    PRIMARY KEY (subject, begin_s, step_s)) WITHOUT ROWID;
CREATE TABLE recorded (
    from_ms  INTEGER PRIMARY KEY,
    until_ms INTEGER NOT NULL,
    step_s   INTEGER NOT NULL);
CREATE TABLE keys (
    id       INTEGER PRIMARY KEY,
    template INTEGER NOT NULL REFERENCES subjects (id),
    key      BLOB NOT NULL,
    replay   TEXT NOT NULL,
    UNIQUE (template, key));
CREATE TABLE key_loads (
    key      INTEGER NOT NULL REFERENCES keys (id),
    begin_s  INTEGER NOT NULL,
    step_s   INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    PRIMARY KEY (key, begin_s, step_s)) WITHOUT ROWID;
)";

Result<void> lay(SqliteFile& file) {
    return file.execute("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; BEGIN IMMEDIATE;" +
                        std::string(kTables) + "PRAGMA application_id = " + std::to_string(kApplicationId) +
                        "; PRAGMA user_version = " + std::to_string(kVersion) + "; COMMIT");
}

Result<void> check_pages(SqliteFile& file) {
    const auto bytes = file.number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
    if (!bytes) return tl::unexpected(bytes.error());
    if (*bytes > kCheckedBytesMax) return {};
    auto check = file.prepare("PRAGMA quick_check(1)");
    if (!check) return tl::unexpected(check.error());
    const auto row = check->step();
    if (!row) return tl::unexpected(row.error());
    if (!*row || check->text(0) != "ok")
        return fail("XX001", file.path() + ": damaged: " + std::string(check->text(0)));
    return {};
}

}  // namespace

std::string history_path(const std::string& state_dir) {
    return state_dir + "/history.sqlite";
}

std::string_view name_of(SeriesName::Kind kind) {
    switch (kind) {
        case SeriesName::Kind::Database: return "database";
        case SeriesName::Kind::Table: return "table";
        case SeriesName::Kind::Template: return "template";
    }
    return {};
}

Result<SeriesName::Kind> kind_of(std::string_view word) {
    for (const auto kind : {SeriesName::Kind::Database, SeriesName::Kind::Table, SeriesName::Kind::Template})
        if (name_of(kind) == word) return kind;
    return fail("22023", "expected database, table or template, not \"" + std::string(word) + "\"");
}

// A writer that has just made its file lays the tables in a moment.
Result<void> check_is_history(SqliteFile& file) {
    const auto tables = file.number("SELECT count(*) FROM sqlite_schema");
    if (!tables) return tl::unexpected(tables.error());
    if (*tables == 0) return fail("58030", file.path() + ": nothing was recorded yet");
    const auto application = file.number("PRAGMA application_id");
    if (!application) return tl::unexpected(application.error());
    const auto version = file.number("PRAGMA user_version");
    if (!version) return tl::unexpected(version.error());
    if (*application != kApplicationId)
        return fail("XX001", file.path() + ": a file of another program, no history of warmfront's");
    if (*version != kVersion)
        return fail("XX001", file.path() + ": a history of version " + std::to_string(*version) +
                                 ", this warmfront reads version " + std::to_string(kVersion));
    return {};
}

Result<void> lay_or_check(SqliteFile& file) {
    const auto tables = file.number("SELECT count(*) FROM sqlite_schema");
    if (!tables) return tl::unexpected(tables.error());
    if (*tables == 0) {
        if (auto laid = lay(file); !laid) return laid;
    }
    if (auto is = check_is_history(file); !is) return is;
    if (auto whole = check_pages(file); !whole) return whole;
    return file.execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216");
}

}  // namespace warmfront::forecast
