// forecast/sqlite_file.h: a connection to a SQLite file, and statements on it. The one door to SQLite.
//
// One thread at a time. Errors carry 58030, 53100 (disk or file full) or XX001 (damaged, or no SQLite file).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "config/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace warmfront::forecast {

class SqliteFile;

// A prepared statement; ends before its file. Places and columns count as in SQLite: parameters from 1,
// columns from 0.
class SqliteStatement {
public:
    SqliteStatement(SqliteStatement&&) noexcept = default;
    SqliteStatement& operator=(SqliteStatement&&) noexcept = default;

    SqliteStatement& bind(int place, std::int64_t number);
    SqliteStatement& bind(int place, std::uint64_t number);  // beyond the signed range: its maximum
    SqliteStatement& bind_text(int place, std::string_view text);
    SqliteStatement& bind_blob(int place, std::string_view bytes);
    // True: a row is there, its columns are valid until the next call.
    [[nodiscard]] Result<bool> step();
    // To its end, and ready to be bound anew.
    [[nodiscard]] Result<void> run();
    void reset();
    [[nodiscard]] std::int64_t number(int column) const;
    [[nodiscard]] std::uint64_t count(int column) const;  // a negative number is 0
    [[nodiscard]] std::string_view text(int column) const;
    [[nodiscard]] std::string_view blob(int column) const;

private:
    friend class SqliteFile;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };
    SqliteStatement(SqliteFile& file, sqlite3_stmt* statement) : file_(&file), statement_(statement) {}
    SqliteFile* file_;
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class SqliteFile {
public:
    enum class Mode : std::uint8_t { Read, ReadWrite };
    // ReadWrite makes the file if there is none. Another connection's lock is waited for, for `patience` at
    // most.
    [[nodiscard]] static Result<std::unique_ptr<SqliteFile>> open(const std::string& path, Mode mode,
                                                                  std::chrono::milliseconds patience);
    ~SqliteFile();
    SqliteFile(const SqliteFile&) = delete;
    SqliteFile& operator=(const SqliteFile&) = delete;

    [[nodiscard]] Result<void> execute(const std::string& statements);
    [[nodiscard]] Result<SqliteStatement> prepare(std::string_view statement);
    // The first column of the first row; 0 without a row.
    [[nodiscard]] Result<std::int64_t> number(std::string_view query);
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] Error error(int code) const;  // of the last call, which gave this code

private:
    SqliteFile(std::string path, sqlite3* connection) : path_(std::move(path)), connection_(connection) {}
    const std::string path_;
    sqlite3* const connection_;
};

// Undone at its end unless it was committed.
class SqliteTransaction {
public:
    [[nodiscard]] static Result<SqliteTransaction> begin(SqliteFile& file);
    ~SqliteTransaction();
    SqliteTransaction(SqliteTransaction&& other) noexcept : file_(other.file_) { other.file_ = nullptr; }
    SqliteTransaction& operator=(SqliteTransaction&&) = delete;
    [[nodiscard]] Result<void> commit();

private:
    explicit SqliteTransaction(SqliteFile& file) : file_(&file) {}
    SqliteFile* file_;  // nullptr: it has ended
};

}  // namespace warmfront::forecast
