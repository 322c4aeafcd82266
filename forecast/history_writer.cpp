// Opening and appending; what makes room is history_rollup.cpp.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "forecast/history.h"
#include "forecast/history_rows.h"
#include "forecast/history_schema.h"
#include "forecast/sqlite_file.h"

namespace warmfront::forecast {
namespace {

constexpr std::chrono::milliseconds kPatience{5'000};

// What replays a key holds values of the database: the file, and with it SQLite's log, is the owner's alone.
void make_private(const std::string& path) {
    const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0) ::close(file);  // else it is there, or SQLite says why it cannot be made
}

Result<std::unique_ptr<SqliteFile>> open_checked(const std::string& path) {
    make_private(path);
    auto file = SqliteFile::open(path, SqliteFile::Mode::ReadWrite, kPatience);
    if (!file) return file;
    if (auto checked = lay_or_check(**file); !checked) return tl::unexpected(checked.error());
    return file;
}

// The write-ahead log goes with its file: it would be played into the new one.
Result<std::string> put_aside(const std::string& path, std::int64_t now_s) {
    const std::string aside = path + ".damaged-" + std::to_string(now_s);
    if (std::rename(path.c_str(), aside.c_str()) != 0)
        return fail("58030", "cannot rename " + path + ": " + std::strerror(errno));
    for (const char* companion : {"-wal", "-shm"})
        if (std::rename((path + companion).c_str(), (aside + companion).c_str()) != 0 && errno != ENOENT)
            return fail("58030", "cannot rename " + path + companion + ": " + std::strerror(errno));
    return aside;
}

}  // namespace

void LoadCounts::add(const LoadCounts& other) {
    requests += other.requests;
    hits += other.hits;
    rows += other.rows;
    bytes += other.bytes;
    origin_us += other.origin_us;
    reads += other.reads;
    writes += other.writes;
}

HistoryWriter::HistoryWriter(std::unique_ptr<SqliteFile> file, Retention retention)
    : file_(std::move(file)), retention_(retention) {}
HistoryWriter::HistoryWriter(HistoryWriter&&) noexcept = default;
HistoryWriter& HistoryWriter::operator=(HistoryWriter&&) noexcept = default;
HistoryWriter::~HistoryWriter() = default;

Result<HistoryWriter> HistoryWriter::open(const std::string& path, Retention retention, std::int64_t now_s) {
    auto file = open_checked(path);
    if (file) return HistoryWriter(std::move(*file), retention);
    if (file.error().sqlstate != "XX001") return tl::unexpected(file.error());
    return start_anew(path, retention, now_s, file.error().text);
}

Result<HistoryWriter> HistoryWriter::start_anew(const std::string& path, Retention retention,
                                                std::int64_t now_s, const std::string& why) {
    auto aside = put_aside(path, now_s);
    if (!aside) return tl::unexpected(aside.error());
    auto file = open_checked(path);
    if (!file) return tl::unexpected(file.error());
    HistoryWriter writer(std::move(*file), retention);
    writer.set_aside_ = *aside + ": " + why;
    return writer;
}

Result<void> HistoryWriter::append(const Bucket& bucket) {
    if (bucket.step_s <= 0 || bucket.begin_s % bucket.step_s != 0 || bucket.until_ms <= bucket.from_ms)
        return fail("22023", "a bucket must begin at a multiple of its step and last");
    auto transaction = SqliteTransaction::begin(*file_);
    if (!transaction) return tl::unexpected(transaction.error());
    auto rows = HistoryRows::prepare(*file_, HistoryRows::Same::Add);
    if (!rows) return tl::unexpected(rows.error());

    const std::size_t subjects = std::min(bucket.subjects.size(), kBucketSubjectsMax);
    for (std::size_t i = 0; i < subjects; ++i) {
        const SubjectLoad& load = bucket.subjects[i];
        if (load.counts.none()) continue;
        const auto id = rows->subject(load.subject, load.label);
        if (!id) return tl::unexpected(id.error());
        if (auto put = rows->put_load(*id, bucket.begin_s, bucket.step_s, load.counts); !put) return put;
    }
    const std::size_t keys = std::min(bucket.keys.size(), kBucketKeysMax);
    for (std::size_t i = 0; i < keys; ++i) {
        const KeyLoad& load = bucket.keys[i];
        if (load.requests == 0 || load.key.size() > kKeyBytesMax) continue;
        const auto id = rows->subject({SeriesName::Kind::Template, load.database, load.name}, {});
        if (!id) return tl::unexpected(id.error());
        const auto key = rows->key(*id, load.key, load.replay);
        if (!key) return tl::unexpected(key.error());
        if (auto put = rows->put_key_load(*key, bucket.begin_s, bucket.step_s, load.requests); !put)
            return put;
    }
    if (auto put = rows->put_recorded({bucket.from_ms, bucket.until_ms, bucket.step_s}); !put) return put;
    return transaction->commit();
}

Result<HistoryFileStats> HistoryWriter::stats() const {
    return stats_of(*file_);
}

}  // namespace warmfront::forecast
