// What makes room: one slot (an hour or a day) of one table at a time, each in a transaction of its own.
//
// Above bytes_max every age of the retention shrinks, a tenth at a time, until the file fits; well below it
// they grow back. So what is given up first is always the oldest of each kind.
#include <algorithm>
#include <optional>

#include "forecast/history.h"
#include "forecast/history_rows.h"
#include "forecast/sqlite_file.h"

namespace warmfront::forecast {
namespace {

constexpr std::int64_t kHour_s = 3600, kDay_s = 86'400;
constexpr double kShrink = 0.9, kShrunkMin = 0.001;
constexpr std::int64_t kVacuumPages = 1024;  // given back to the file system at a time

std::int64_t floor_to(std::int64_t time_s, std::int64_t step_s) {
    const std::int64_t rest = time_s % step_s;
    return time_s - (rest < 0 ? rest + step_s : rest);
}

// The two tables that are rolled up alike.
struct Rolled {
    std::string_view table, owner, owners, sums, added;
};
constexpr Rolled kLoads{
    "loads", "subject", "subjects",
    "sum(requests), sum(hits), sum(rows), sum(bytes), sum(origin_us), sum(reads), sum(writes)",
    "requests = requests + excluded.requests, hits = hits + excluded.hits, rows = rows + excluded.rows, "
    "bytes = bytes + excluded.bytes, origin_us = origin_us + excluded.origin_us, "
    "reads = reads + excluded.reads, writes = writes + excluded.writes"};
constexpr Rolled kKeyLoads{"key_loads", "key", "keys", "sum(requests)",
                           "requests = requests + excluded.requests"};

std::string text(std::string_view part) {
    return std::string(part);
}

// By owner, since that is how the rows lie.
std::string within_slot(const Rolled& what) {
    return text(what.owner) + " IN (SELECT id FROM " + text(what.owners) +
           ") AND begin_s >= ?1 AND begin_s < ?2 AND step_s < ?3";
}

Result<void> run_on_slot(SqliteFile& file, const std::string& sql, std::int64_t slot_s, std::int64_t step_s) {
    auto statement = file.prepare(sql);
    if (!statement) return tl::unexpected(statement.error());
    return statement->bind(1, slot_s).bind(2, slot_s + step_s).bind(3, step_s).run();
}

Result<void> roll_rows(SqliteFile& file, const Rolled& what, std::int64_t slot_s, std::int64_t step_s) {
    const std::string rows = within_slot(what);
    const std::string sum = "INSERT INTO " + text(what.table) + " SELECT " + text(what.owner) + ", ?1, ?3, " +
                            text(what.sums) + " FROM " + text(what.table) + " WHERE " + rows + " GROUP BY " +
                            text(what.owner) + " ON CONFLICT DO UPDATE SET " + text(what.added);
    if (auto done = run_on_slot(file, sum, slot_s, step_s); !done) return done;
    return run_on_slot(file, "DELETE FROM " + text(what.table) + " WHERE " + rows, slot_s, step_s);
}

// The spans of a slot become one of the same length, joined to the slot before where nothing is missing.
Result<void> roll_recorded(SqliteFile& file, std::int64_t slot_s, std::int64_t step_s) {
    const std::int64_t from_ms = slot_s * 1000, until_ms = (slot_s + step_s) * 1000;
    const auto spans = recorded_spans(file, from_ms, until_ms);
    if (!spans) return tl::unexpected(spans.error());
    std::int64_t length_ms = 0;
    for (const RecordedSpan& span : *spans)
        length_ms += std::min(span.until_ms, until_ms) - std::max(span.from_ms, from_ms);
    auto removal = file.prepare("DELETE FROM recorded WHERE until_ms > ? AND from_ms < ?");
    if (!removal) return tl::unexpected(removal.error());
    if (auto done = removal->bind(1, from_ms).bind(2, until_ms).run(); !done) return done;
    auto rows = HistoryRows::prepare(file, HistoryRows::Same::Add);
    if (!rows) return tl::unexpected(rows.error());
    for (const RecordedSpan& span : *spans) {
        if (span.from_ms < from_ms)
            if (auto put = rows->put_recorded({span.from_ms, from_ms, span.step_s}); !put) return put;
        if (span.until_ms > until_ms)
            if (auto put = rows->put_recorded({until_ms, span.until_ms, span.step_s}); !put) return put;
    }
    return rows->put_recorded({from_ms, from_ms + length_ms, step_s});
}

// The begin of the first slot of step_s with something finer recorded that ends at until_s at the latest.
Result<std::optional<std::int64_t>> slot_to_roll(SqliteFile& file, std::int64_t step_s,
                                                 std::int64_t until_s) {
    auto query =
        file.prepare("SELECT from_ms / 1000 FROM recorded WHERE step_s < ? ORDER BY from_ms LIMIT 1");
    if (!query) return tl::unexpected(query.error());
    const auto row = query->bind(1, step_s).step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return std::optional<std::int64_t>();
    const std::int64_t slot_s = floor_to(query->number(0), step_s);
    return slot_s + step_s <= until_s ? std::optional(slot_s) : std::nullopt;
}

Result<bool> roll_loads(SqliteFile& file, std::int64_t step_s, std::int64_t until_s) {
    const auto slot_s = slot_to_roll(file, step_s, until_s);
    if (!slot_s) return tl::unexpected(slot_s.error());
    if (!*slot_s) return false;
    auto transaction = SqliteTransaction::begin(file);
    if (!transaction) return tl::unexpected(transaction.error());
    if (auto done = roll_rows(file, kLoads, **slot_s, step_s); !done) return tl::unexpected(done.error());
    if (auto done = roll_recorded(file, **slot_s, step_s); !done) return tl::unexpected(done.error());
    if (auto done = transaction->commit(); !done) return tl::unexpected(done.error());
    return true;
}

Result<void> in_transaction(SqliteFile& file, std::initializer_list<std::string> statements) {
    auto transaction = SqliteTransaction::begin(file);
    if (!transaction) return tl::unexpected(transaction.error());
    for (const std::string& statement : statements)
        if (auto done = file.execute(statement); !done) return done;
    return transaction->commit();
}

std::string older_than(std::string_view table, std::string_view owner, std::string_view owners,
                       std::int64_t before_s) {
    return "DELETE FROM " + text(table) + " WHERE " + text(owner) + " IN (SELECT id FROM " + text(owners) +
           ") AND begin_s < " + std::to_string(before_s);
}

}  // namespace

std::int64_t HistoryWriter::age(std::int64_t full_s) const {
    return static_cast<std::int64_t>(static_cast<double>(full_s) * shrunk_);
}

Result<bool> HistoryWriter::roll_keys(std::int64_t now_s) {
    const std::int64_t until_s = floor_to(now_s - age(retention_.key_buckets_s), kHour_s);
    if (keys_rolled_s_ == 0) {
        const auto first = file_->number("SELECT min(begin_s) FROM key_loads WHERE step_s < 3600");
        if (!first) return tl::unexpected(first.error());
        keys_rolled_s_ = *first == 0 ? until_s : floor_to(*first, kHour_s);
    }
    if (keys_rolled_s_ + kHour_s > until_s) return false;
    auto transaction = SqliteTransaction::begin(*file_);
    if (!transaction) return tl::unexpected(transaction.error());
    if (auto done = roll_rows(*file_, kKeyLoads, keys_rolled_s_, kHour_s); !done)
        return tl::unexpected(done.error());
    if (auto done = transaction->commit(); !done) return tl::unexpected(done.error());
    keys_rolled_s_ += kHour_s;
    return true;
}

// What nothing refers to any more goes too. Once an hour.
Result<void> HistoryWriter::forget_old(std::int64_t now_s) {
    const std::int64_t days_s = floor_to(now_s - age(retention_.days_s), kDay_s);
    const std::int64_t key_hours_s = floor_to(now_s - age(retention_.key_hours_s), kHour_s);
    const std::string oldest_ms = std::to_string(days_s * 1000);
    return in_transaction(
        *file_, {older_than("loads", "subject", "subjects", days_s),
                 older_than("key_loads", "key", "keys", key_hours_s),
                 "DELETE FROM recorded WHERE until_ms <= " + oldest_ms,
                 "UPDATE recorded SET from_ms = " + oldest_ms + " WHERE from_ms < " + oldest_ms,
                 // Of each template those with most requests stay.
                 "CREATE TEMP TABLE leaving AS SELECT id FROM (SELECT k.id AS id, row_number() OVER ("
                 "PARTITION BY k.template ORDER BY (SELECT sum(requests) FROM key_loads WHERE key = k.id) "
                 "DESC, k.id DESC) AS place FROM keys k) WHERE place > " +
                     std::to_string(retention_.keys_max),
                 "DELETE FROM key_loads WHERE key IN (SELECT id FROM leaving)",
                 "DELETE FROM keys WHERE id IN (SELECT id FROM leaving)", "DROP TABLE leaving",
                 "DELETE FROM keys WHERE NOT EXISTS (SELECT 1 FROM key_loads WHERE key = keys.id)",
                 "DELETE FROM subjects WHERE kind <> 'database' AND NOT EXISTS (SELECT 1 FROM loads WHERE "
                 "subject = subjects.id) AND NOT EXISTS (SELECT 1 FROM keys WHERE template = subjects.id)"});
}

// True if the ages have shrunk, so that there is more to roll up and to forget.
Result<bool> HistoryWriter::fit_size() {
    const auto used = file_->number(
        "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, "
        "pragma_page_size");
    if (!used) return tl::unexpected(used.error());
    if (auto done = file_->execute("PRAGMA incremental_vacuum(" + std::to_string(kVacuumPages) + ")"); !done)
        return tl::unexpected(done.error());
    const auto bytes = static_cast<std::uint64_t>(*used);
    if (bytes <= retention_.bytes_max) {
        if (bytes < retention_.bytes_max / 2) shrunk_ = std::min(1.0, shrunk_ / kShrink);
        return false;
    }
    if (shrunk_ <= kShrunkMin) return false;
    shrunk_ *= kShrink;
    forgotten_s_ = 0;
    return true;
}

Result<bool> HistoryWriter::maintain(std::int64_t now_s) {
    const std::int64_t hours_s = floor_to(now_s - age(retention_.buckets_s), kHour_s);
    auto rolled = roll_loads(*file_, kHour_s, hours_s);
    if (!rolled || *rolled) return rolled;
    const std::int64_t until_s = floor_to(now_s - age(retention_.hours_s), kDay_s);
    auto rolled_days = roll_loads(*file_, kDay_s, std::min(until_s, hours_s));
    if (!rolled_days || *rolled_days) return rolled_days;
    auto rolled_keys = roll_keys(now_s);
    if (!rolled_keys || *rolled_keys) return rolled_keys;
    if (forgotten_s_ == 0 || now_s >= forgotten_s_ + kHour_s) {
        if (auto done = forget_old(now_s); !done) return tl::unexpected(done.error());
        forgotten_s_ = now_s;
    }
    return fit_size();
}

}  // namespace warmfront::forecast
