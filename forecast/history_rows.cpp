#include "forecast/history_rows.h"

#include <algorithm>
#include <string>
#include <system_error>

#include <sys/stat.h>

#include "forecast/history_schema.h"

namespace warmfront::forecast {
namespace {

constexpr std::string_view kSubject =
    "INSERT INTO subjects (kind, database, name, label) VALUES (?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET label = CASE excluded.label WHEN '' THEN label ELSE excluded.label END "
    "RETURNING id";
constexpr std::string_view kKey =
    "INSERT INTO keys (template, key, replay) VALUES (?, ?, ?) "
    "ON CONFLICT DO UPDATE SET replay = CASE excluded.replay WHEN '' THEN replay ELSE excluded.replay END "
    "RETURNING id";
constexpr std::string_view kLoad = "INSERT INTO loads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO ";
constexpr std::string_view kAddLoad =
    "UPDATE SET requests = requests + excluded.requests, hits = hits + excluded.hits, "
    "rows = rows + excluded.rows, bytes = bytes + excluded.bytes, origin_us = origin_us + "
    "excluded.origin_us, reads = reads + excluded.reads, writes = writes + excluded.writes";
constexpr std::string_view kReplaceLoad =
    "UPDATE SET requests = excluded.requests, hits = excluded.hits, rows = excluded.rows, "
    "bytes = excluded.bytes, origin_us = excluded.origin_us, reads = excluded.reads, "
    "writes = excluded.writes";
constexpr std::string_view kKeyLoad = "INSERT INTO key_loads VALUES (?, ?, ?, ?) ON CONFLICT DO ";
constexpr std::string_view kAddKeyLoad = "UPDATE SET requests = requests + excluded.requests";
constexpr std::string_view kReplaceKeyLoad = "UPDATE SET requests = excluded.requests";

Result<std::int64_t> id_from(SqliteStatement& statement) {
    const auto row = statement.step();
    if (!row) return tl::unexpected(row.error());
    const std::int64_t id = statement.number(0);
    if (auto done = statement.run(); !done) return tl::unexpected(done.error());
    return id;
}

}  // namespace

std::string_view cut_text(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
    return text.substr(0, end);
}

Result<HistoryRows> HistoryRows::prepare(SqliteFile& file, Same same) {
    const bool add = same == Same::Add;
    auto subject = file.prepare(kSubject);
    if (!subject) return tl::unexpected(subject.error());
    auto key = file.prepare(kKey);
    if (!key) return tl::unexpected(key.error());
    auto load = file.prepare(std::string(kLoad).append(add ? kAddLoad : kReplaceLoad));
    if (!load) return tl::unexpected(load.error());
    auto key_load = file.prepare(std::string(kKeyLoad).append(add ? kAddKeyLoad : kReplaceKeyLoad));
    if (!key_load) return tl::unexpected(key_load.error());
    return HistoryRows(std::move(*subject), std::move(*load), std::move(*key), std::move(*key_load), file);
}

Result<std::int64_t> HistoryRows::subject(const Subject& subject, std::string_view label) {
    subject_.bind_text(1, name_of(subject.kind))
        .bind_text(2, cut_text(subject.database, kSubjectNameBytesMax))
        .bind_text(3, cut_text(subject.name, kSubjectNameBytesMax))
        .bind_text(4, cut_text(label, kLabelBytesMax));
    return id_from(subject_);
}

Result<std::int64_t> HistoryRows::key(std::int64_t subject, std::string_view key, std::string_view replay) {
    key_.bind(1, subject)
        .bind_blob(2, key)
        .bind_text(3, replay.size() <= kReplayBytesMax ? replay : std::string_view());
    return id_from(key_);
}

Result<void> HistoryRows::put_load(std::int64_t subject, std::int64_t begin_s, std::int64_t step_s,
                                   const LoadCounts& counts) {
    load_.bind(1, subject).bind(2, begin_s).bind(3, step_s).bind(4, counts.requests).bind(5, counts.hits);
    load_.bind(6, counts.rows).bind(7, counts.bytes).bind(8, counts.origin_us);
    load_.bind(9, counts.reads).bind(10, counts.writes);
    return load_.run();
}

Result<void> HistoryRows::put_key_load(std::int64_t key, std::int64_t begin_s, std::int64_t step_s,
                                       std::uint64_t requests) {
    key_load_.bind(1, key).bind(2, begin_s).bind(3, step_s).bind(4, requests);
    return key_load_.run();
}

static Result<void> insert_span(SqliteFile& file, const RecordedSpan& span) {
    // The one that ends where this begins grows; else it stands alone.
    auto grow = file.prepare("UPDATE recorded SET until_ms = ?1 WHERE until_ms = ?2 AND step_s = ?3");
    if (!grow) return tl::unexpected(grow.error());
    grow->bind(1, span.until_ms).bind(2, span.from_ms).bind(3, span.step_s);
    if (auto done = grow->run(); !done) return done;
    const auto grown = file.number("SELECT changes()");
    if (!grown) return tl::unexpected(grown.error());
    if (*grown > 0) return {};
    auto insert = file.prepare("INSERT INTO recorded VALUES (?, ?, ?)");
    if (!insert) return tl::unexpected(insert.error());
    return insert->bind(1, span.from_ms).bind(2, span.until_ms).bind(3, span.step_s).run();
}

Result<void> HistoryRows::put_recorded(const RecordedSpan& span) {
    const auto there = recorded_spans(*file_, span.from_ms, span.until_ms);
    if (!there) return tl::unexpected(there.error());
    std::int64_t from_ms = span.from_ms;
    for (const RecordedSpan& known : *there) {
        if (known.from_ms > from_ms)
            if (auto done = insert_span(*file_, {from_ms, known.from_ms, span.step_s}); !done) return done;
        from_ms = std::max(from_ms, known.until_ms);
    }
    if (from_ms >= span.until_ms) return {};
    return insert_span(*file_, {from_ms, span.until_ms, span.step_s});
}

Result<std::vector<RecordedSpan>> recorded_spans(SqliteFile& file, std::int64_t from_ms,
                                                 std::int64_t until_ms) {
    auto query = file.prepare(
        "SELECT from_ms, until_ms, step_s FROM recorded WHERE until_ms > ? AND from_ms < ? ORDER BY from_ms");
    if (!query) return tl::unexpected(query.error());
    query->bind(1, from_ms).bind(2, until_ms);
    std::vector<RecordedSpan> spans;
    for (;;) {
        const auto row = query->step();
        if (!row) return tl::unexpected(row.error());
        if (!*row) return spans;
        spans.push_back({query->number(0), query->number(1), query->number(2)});
    }
}

Result<HistoryFileStats> stats_of(SqliteFile& file) {
    auto query = file.prepare(
        "SELECT (SELECT count(*) FROM subjects), (SELECT count(*) FROM keys), "
        "(SELECT min(from_ms) / 1000 FROM recorded), (SELECT max(until_ms) / 1000 FROM recorded)");
    if (!query) return tl::unexpected(query.error());
    if (const auto row = query->step(); !row) return tl::unexpected(row.error());
    HistoryFileStats stats;
    stats.subjects = query->count(0);
    stats.keys = query->count(1);
    stats.first_s = query->number(2);
    stats.last_s = query->number(3);
    for (const char* companion : {"", "-wal"}) {
        struct stat info {};
        if (::stat((file.path() + companion).c_str(), &info) == 0)
            stats.file_bytes += static_cast<std::uint64_t>(info.st_size);
    }
    return stats;
}

}  // namespace warmfront::forecast
