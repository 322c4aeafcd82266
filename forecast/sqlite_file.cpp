#include "forecast/sqlite_file.h"

#include <algorithm>
#include <limits>

#include <sqlite3.h>

namespace warmfront::forecast {
namespace {

// Of the pages that a connection keeps in memory, in KiB.
constexpr int kCacheKiB = 8192;

std::string_view sqlstate_of(int code) {
    switch (code & 0xff) {
        case SQLITE_FULL: return "53100";
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return "XX001";
        default: return "58030";
    }
}

}  // namespace

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
    sqlite3_finalize(statement);
}

// What a failed binding leaves unbound fails the statement's NOT NULL columns: no result of bind is lost.
SqliteStatement& SqliteStatement::bind(int place, std::int64_t number) {
    sqlite3_bind_int64(statement_.get(), place, number);
    return *this;
}

SqliteStatement& SqliteStatement::bind(int place, std::uint64_t number) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return bind(place, static_cast<std::int64_t>(std::min(number, most)));
}

SqliteStatement& SqliteStatement::bind_text(int place, std::string_view text) {
    sqlite3_bind_text(statement_.get(), place, text.data() ? text.data() : "", static_cast<int>(text.size()),
                      SQLITE_TRANSIENT);
    return *this;
}

SqliteStatement& SqliteStatement::bind_blob(int place, std::string_view bytes) {
    sqlite3_bind_blob(statement_.get(), place, bytes.data() ? bytes.data() : "",
                      static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
    return *this;
}

Result<bool> SqliteStatement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    Error error = file_->error(code);
    sqlite3_reset(statement_.get());
    return tl::unexpected(std::move(error));
}

Result<void> SqliteStatement::run() {
    for (;;) {
        const auto row = step();
        if (!row) return tl::unexpected(row.error());
        if (!*row) break;
    }
    reset();
    return {};
}

void SqliteStatement::reset() {
    sqlite3_reset(statement_.get());
}

std::int64_t SqliteStatement::number(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

std::uint64_t SqliteStatement::count(int column) const {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, number(column)));
}

std::string_view SqliteStatement::text(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
    return text ? std::string_view(text,
                                   static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)))
                : std::string_view();
}

std::string_view SqliteStatement::blob(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
    return bytes ? std::string_view(bytes,
                                    static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)))
                 : std::string_view();
}

Result<std::unique_ptr<SqliteFile>> SqliteFile::open(const std::string& path, Mode mode,
                                                     std::chrono::milliseconds patience) {
    const int flags = mode == Mode::Read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    sqlite3* connection = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    std::unique_ptr<SqliteFile> file(new SqliteFile(path, connection));
    if (code != SQLITE_OK) return tl::unexpected(file->error(code));
    sqlite3_extended_result_codes(connection, 1);
    sqlite3_busy_timeout(connection, static_cast<int>(patience.count()));
    auto done =
        file->execute("PRAGMA cache_size = -" + std::to_string(kCacheKiB) + "; PRAGMA temp_store = FILE");
    if (!done) return tl::unexpected(done.error());
    return file;
}

SqliteFile::~SqliteFile() {
    sqlite3_close_v2(connection_);
}

Result<void> SqliteFile::execute(const std::string& statements) {
    const int code = sqlite3_exec(connection_, statements.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return tl::unexpected(error(code));
    return {};
}

Result<SqliteStatement> SqliteFile::prepare(std::string_view statement) {
    sqlite3_stmt* made = nullptr;
    const int code =
        sqlite3_prepare_v2(connection_, statement.data(), static_cast<int>(statement.size()), &made, nullptr);
    if (code != SQLITE_OK) return tl::unexpected(error(code));
    return SqliteStatement(*this, made);
}

Result<std::int64_t> SqliteFile::number(std::string_view query) {
    auto statement = prepare(query);
    if (!statement) return tl::unexpected(statement.error());
    const auto row = statement->step();
    if (!row) return tl::unexpected(row.error());
    return *row ? statement->number(0) : 0;
}

Error SqliteFile::error(int code) const {
    const char* text = connection_ ? sqlite3_errmsg(connection_) : sqlite3_errstr(code);
    return Error{std::string(sqlstate_of(code)), path_ + ": " + text};
}

// At once for writing: a lock that cannot be had is told here, and not in the middle.
Result<SqliteTransaction> SqliteTransaction::begin(SqliteFile& file) {
    if (auto begun = file.execute("BEGIN IMMEDIATE"); !begun) return tl::unexpected(begun.error());
    return SqliteTransaction(file);
}

SqliteTransaction::~SqliteTransaction() {
    if (file_) (void)file_->execute("ROLLBACK");
}

Result<void> SqliteTransaction::commit() {
    if (auto done = file_->execute("COMMIT"); !done) return done;  // the destructor rolls back
    file_ = nullptr;
    return {};
}

}  // namespace warmfront::forecast
