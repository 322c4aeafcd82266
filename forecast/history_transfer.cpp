// Export and import: the file as lines of CSV, and back.
#include <functional>
#include <optional>
#include <string>

#include "forecast/history.h"
#include "forecast/history_csv.h"
#include "forecast/history_rows.h"
#include "forecast/history_schema.h"
#include "forecast/sqlite_file.h"

namespace warmfront::forecast {
namespace {

using F = CsvField;
using WriteLine = std::function<bool(std::string_view line)>;
constexpr F kCounts[] = {F::Requests, F::Hits, F::Rows, F::Bytes, F::OriginUs, F::Reads, F::Writes};

struct Export {
    std::string_view query;
    // The record of a row.
    CsvRecord (*record)(const SqliteStatement& row);
};

void put_bucket(CsvRecord& record, std::int64_t begin_s, std::int64_t step_s) {
    record[F::Step] = std::to_string(step_s);
    record[F::From] = time_text(begin_s * 1000);
    record[F::Until] = time_text((begin_s + step_s) * 1000);
}

void put_subject(CsvRecord& record, const SqliteStatement& row) {  // of its first three columns
    record[F::Kind] = row.text(0);
    record[F::Database] = row.text(1);
    record[F::Name] = row.text(2);
}

CsvRecord recorded_record(const SqliteStatement& row) {
    CsvRecord record;
    record[F::Record] = "recorded";
    record[F::Step] = std::to_string(row.number(2));
    record[F::From] = time_text(row.number(0));
    record[F::Until] = time_text(row.number(1));
    return record;
}

CsvRecord subject_record(const SqliteStatement& row) {
    CsvRecord record;
    record[F::Record] = "subject";
    put_subject(record, row);
    record[F::Label] = row.text(3);
    return record;
}

CsvRecord load_record(const SqliteStatement& row) {
    CsvRecord record;
    record[F::Record] = "load";
    put_subject(record, row);
    put_bucket(record, row.number(3), row.number(4));
    int column = 5;
    for (const F field : kCounts) record[field] = std::to_string(row.number(column++));
    return record;
}

CsvRecord key_record(const SqliteStatement& row) {
    CsvRecord record;
    record[F::Record] = "key";
    put_subject(record, row);
    record[F::Key] = hex_of(row.blob(3));
    record[F::Replay] = row.text(4);
    return record;
}

CsvRecord key_load_record(const SqliteStatement& row) {
    CsvRecord record;
    record[F::Record] = "key_load";
    put_subject(record, row);
    record[F::Key] = hex_of(row.blob(3));
    put_bucket(record, row.number(4), row.number(5));
    record[F::Requests] = std::to_string(row.number(6));
    return record;
}

constexpr Export kExports[] = {
    {"SELECT from_ms, until_ms, step_s FROM recorded ORDER BY from_ms", recorded_record},
    {"SELECT kind, database, name, label FROM subjects ORDER BY kind, database, name", subject_record},
    {"SELECT kind, database, name, begin_s, step_s, requests, hits, rows, bytes, origin_us, reads, writes "
     "FROM subjects s CROSS JOIN loads l ON l.subject = s.id ORDER BY kind, database, name, begin_s, step_s",
     load_record},
    {"SELECT kind, database, name, key, replay FROM subjects s CROSS JOIN keys k ON k.template = s.id "
     "ORDER BY kind, database, name, key",
     key_record},
    {"SELECT kind, database, name, k.key, begin_s, step_s, requests FROM subjects s CROSS JOIN keys k ON "
     "k.template = s.id CROSS JOIN key_loads l ON l.key = k.id ORDER BY kind, database, name, k.key, "
     "begin_s, step_s",
     key_load_record}};

Result<bool> write_rows(SqliteFile& file, const Export& what, const WriteLine& write) {
    auto query = file.prepare(what.query);
    if (!query) return tl::unexpected(query.error());
    for (;;) {
        auto row = query->step();
        if (!row) return row;
        if (!*row) return true;
        if (!write(csv_line(what.record(*query)))) return false;
    }
}

// Puts records into a file, within a transaction of the caller's.
class Importer {
public:
    Importer(SqliteFile& file, HistoryRows rows) : file_(file), rows_(std::move(rows)) {}
    [[nodiscard]] Result<void> take(const CsvRecord& record);

private:
    struct Times {
        std::int64_t step_s, from_ms, until_ms;
    };
    [[nodiscard]] static Result<Times> times_of(const CsvRecord& record);
    [[nodiscard]] static Result<Times> bucket_of(const CsvRecord& record);
    [[nodiscard]] static Result<std::uint64_t> count_of(const CsvRecord& record, F field);
    [[nodiscard]] Result<void> take_recorded(const CsvRecord& record);
    [[nodiscard]] Result<void> take_load(const CsvRecord& record);
    [[nodiscard]] Result<std::int64_t> subject_of(const CsvRecord& record);
    [[nodiscard]] Result<std::int64_t> key_of(const CsvRecord& record);
    [[nodiscard]] Result<void> take_key_load(const CsvRecord& record);

    SqliteFile& file_;
    HistoryRows rows_;
    // Of the record before, which mostly is about the same.
    Subject last_subject_;
    std::int64_t last_id_ = 0;
};

Result<Importer::Times> Importer::times_of(const CsvRecord& record) {
    const auto step_s = parse_count(record[F::Step]);
    const auto from_ms = parse_time_ms(record[F::From]), until_ms = parse_time_ms(record[F::Until]);
    if (!step_s || *step_s == 0 || *step_s > 86'400)
        return fail("22P04", "step_s: expected seconds, 1 to 86400, not \"" + record[F::Step] + "\"");
    if (!from_ms) return fail("22P04", "from: expected a time, not \"" + record[F::From] + "\"");
    if (!until_ms) return fail("22P04", "until: expected a time, not \"" + record[F::Until] + "\"");
    if (*until_ms <= *from_ms) return fail("22P04", "until is not after from");
    return Times{*step_s, *from_ms, *until_ms};
}

Result<Importer::Times> Importer::bucket_of(const CsvRecord& record) {
    auto times = times_of(record);
    if (!times) return times;
    if (times->from_ms % (times->step_s * 1000) != 0 ||
        times->until_ms != times->from_ms + times->step_s * 1000)
        return fail("22P04", "from and until are not those of a bucket of step_s");
    return times;
}

Result<std::uint64_t> Importer::count_of(const CsvRecord& record, F field) {
    const auto count = parse_count(record[field]);
    if (!count) return fail("22P04", "expected a number from 0 on, not \"" + record[field] + "\"");
    return static_cast<std::uint64_t>(*count);
}

// The same time in other steps would be counted twice.
Result<void> Importer::take_recorded(const CsvRecord& record) {
    const auto times = times_of(record);
    if (!times) return tl::unexpected(times.error());
    const auto there = recorded_spans(file_, times->from_ms, times->until_ms);
    if (!there) return tl::unexpected(there.error());
    for (const RecordedSpan& span : *there)
        if (span.step_s != times->step_s)
            return fail("22P04", "the history has " + time_text(span.from_ms) + " to " +
                                     time_text(span.until_ms) + " already, in steps of " +
                                     std::to_string(span.step_s) + " s");
    return rows_.put_recorded({times->from_ms, times->until_ms, times->step_s});
}

Result<std::int64_t> Importer::subject_of(const CsvRecord& record) {
    const auto kind = kind_of(record[F::Kind]);
    if (!kind) return fail("22P04", "kind: " + kind.error().text);
    Subject subject{*kind, record[F::Database], record[F::Name]};
    if (last_id_ != 0 && subject == last_subject_ && record[F::Label].empty()) return last_id_;
    auto id = rows_.subject(subject, record[F::Label]);
    if (id) last_id_ = *id, last_subject_ = std::move(subject);
    return id;
}

Result<void> Importer::take_load(const CsvRecord& record) {
    const auto times = bucket_of(record);
    if (!times) return tl::unexpected(times.error());
    std::uint64_t numbers[std::size(kCounts)];
    for (std::size_t i = 0; i < std::size(kCounts); ++i) {
        const auto count = count_of(record, kCounts[i]);
        if (!count) return tl::unexpected(count.error());
        numbers[i] = *count;
    }
    const auto id = subject_of(record);
    if (!id) return tl::unexpected(id.error());
    return rows_.put_load(
        *id, times->from_ms / 1000, times->step_s,
        {numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6]});
}

Result<std::int64_t> Importer::key_of(const CsvRecord& record) {
    const auto key = bytes_of_hex(record[F::Key]);
    if (!key || key->size() > kKeyBytesMax) return fail("22P04", "key: expected hexadecimal digits");
    if (record[F::Kind] != "template") return fail("22P04", "kind: a key is one of a template");
    auto id = subject_of(record);
    if (!id) return id;
    return rows_.key(*id, *key, record[F::Replay]);
}

Result<void> Importer::take_key_load(const CsvRecord& record) {
    const auto times = bucket_of(record);
    if (!times) return tl::unexpected(times.error());
    const auto requests = count_of(record, F::Requests);
    if (!requests) return tl::unexpected(requests.error());
    const auto key = key_of(record);
    if (!key) return tl::unexpected(key.error());
    return rows_.put_key_load(*key, times->from_ms / 1000, times->step_s, *requests);
}

Result<void> Importer::take(const CsvRecord& record) {
    const std::string& kind = record[F::Record];
    if (kind == "recorded") return take_recorded(record);
    if (kind == "load") return take_load(record);
    if (kind == "key_load") return take_key_load(record);
    if (kind != "subject" && kind != "key")
        return fail("22P04", "expected recorded, subject, load, key or key_load, not \"" + kind + "\"");
    const auto id = kind == "key" ? key_of(record) : subject_of(record);
    if (!id) return tl::unexpected(id.error());
    return {};
}

tl::unexpected<Error> at_line(std::size_t line, const Error& error) {
    return fail(error.sqlstate, "line " + std::to_string(line) + ": " + error.text);
}

}  // namespace

Result<void> HistoryReader::export_history(const WriteLine& write) const {
    if (auto begun = file_->execute("BEGIN"); !begun) return begun;
    Result<bool> go_on = write(csv_header());
    for (const Export& what : kExports)
        if (go_on && *go_on) go_on = write_rows(*file_, what, write);
    auto ended = file_->execute("ROLLBACK");
    if (!go_on) return tl::unexpected(go_on.error());
    return ended;
}

Result<std::size_t> HistoryWriter::import(const std::function<bool(std::string& line)>& next_line) {
    std::string header;
    if (!next_line(header)) return fail("22P04", "line 1: expected the header, found nothing");
    if (header.ends_with('\r')) header.pop_back();
    if (header != csv_header())
        return fail("22P04", "line 1: expected the header " + std::string(csv_header()));
    auto transaction = SqliteTransaction::begin(*file_);
    if (!transaction) return tl::unexpected(transaction.error());
    auto rows = HistoryRows::prepare(*file_, HistoryRows::Same::Replace);
    if (!rows) return tl::unexpected(rows.error());
    Importer importer(*file_, std::move(*rows));
    CsvReader reader(next_line);
    std::size_t records = 0;
    for (;;) {
        const auto record = reader.next();
        if (!record) return at_line(reader.line() + 1, record.error());  // after the header
        if (!*record) break;
        if (auto taken = importer.take(**record); !taken) return at_line(reader.line() + 1, taken.error());
        ++records;
    }
    if (auto done = transaction->commit(); !done) return tl::unexpected(done.error());
    keys_rolled_s_ = 0;
    return records;
}

}  // namespace warmfront::forecast
