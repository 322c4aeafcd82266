// Level-0 files are searched from the newest to the oldest by their ranges of keys, so their number is kept
// low by the caller (a write buffer is a file). No filters: what the index knows is there. No block cache:
// the kernel's pages do, and entries that are asked for often are in the store. No compression: what the
// index counts is what lies on disk.
#include "cache/disk_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <mutex>
#include <system_error>

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

namespace warmfront::cache {

namespace fs = std::filesystem;

namespace {

tl::unexpected<Error> failed(const rocksdb::Status& status, std::string_view doing) {
    const std::string text = std::string(doing) + ": " + status.ToString();
    if (status.IsCorruption()) return fail("XX001", text);
    if (status.IsNoSpace()) return fail("53100", text);
    return fail("58030", text);
}

tl::unexpected<Error> failed(const std::error_code& code, std::string_view doing, const std::string& path) {
    const bool full = code == std::errc::no_space_on_device;
    return fail(full ? "53100" : "58030", std::string(doing) + " " + path + ": " + code.message());
}

// RocksDB's own log: what matters of it comes as errors.
class NoLog final : public rocksdb::Logger {
public:
    using rocksdb::Logger::Logv;
    void Logv(const char*, va_list) override {}
};

// A file that cannot be made of what is collected is found out in the background, and only later by a write.
class Troubles final : public rocksdb::EventListener {
public:
    void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
        const std::lock_guard lock(mutex_);
        if (first_.ok()) first_ = *status;
    }
    [[nodiscard]] rocksdb::Status first() const {
        const std::lock_guard lock(mutex_);
        return first_;
    }

private:
    mutable std::mutex mutex_;
    rocksdb::Status first_;
};

rocksdb::Options base_options() {
    rocksdb::Options options;
    options.compaction_style = rocksdb::kCompactionStyleFIFO;
    options.compression = rocksdb::kNoCompression;
    options.info_log = std::make_shared<NoLog>();
    options.max_open_files = DiskFiles::kOpenFilesMax;
    options.ttl = 0;  // FIFO's own default would go by age
    options.periodic_compaction_seconds = 0;
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    rocksdb::BlockBasedTableOptions table;
    table.no_block_cache = true;
    table.checksum = rocksdb::kXXH3;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return options;
}

rocksdb::Options options_of(const DiskFiles::Options& given) {
    rocksdb::Options options = base_options();
    options.create_if_missing = true;
    options.error_if_exists = true;
    options.compaction_options_fifo.max_table_files_size = given.size_bytes;
    options.compaction_options_fifo.allow_compaction = false;
    options.write_buffer_size = given.write_buffer_bytes;
    options.max_write_buffer_number = 2;
    options.avoid_flush_during_shutdown = true;
    options.max_bgerror_resume_count = 0;  // a failing disk is switched off
    options.allow_concurrent_memtable_write = false;
    return options;
}

// Big-endian, so that numbers are in the order of keys.
std::array<char, 8> key_of(std::uint64_t number) {
    std::array<char, 8> key{};
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<char>(number >> (56 - 8 * i));
    return key;
}

bool is_ours(const std::string& name) {
    constexpr std::string_view kNames[] = {"CURRENT", "IDENTITY", "LOCK"};
    constexpr std::string_view kBeginnings[] = {"MANIFEST-", "OPTIONS-", "LOG"};
    constexpr std::string_view kEnds[] = {".sst", ".log", ".dbtmp"};
    return std::ranges::any_of(kNames, [&](std::string_view each) { return name == each; }) ||
           std::ranges::any_of(kBeginnings, [&](std::string_view each) { return name.starts_with(each); }) ||
           std::ranges::any_of(kEnds, [&](std::string_view each) { return name.ends_with(each); });
}

// A name in the directory that is no part of a RocksDB; empty if there is none.
std::string foreign_name(const std::string& directory) {
    std::error_code code;
    for (fs::directory_iterator file(directory, code), end; !code && file != end; file.increment(code))
        if (!file->is_regular_file() || !is_ours(file->path().filename().string()))
            return file->path().filename().string();
    return {};
}

// Whether another process has it open.
Result<void> check_unused(const std::string& directory) {
    rocksdb::Env* const env = rocksdb::Env::Default();
    rocksdb::FileLock* lock = nullptr;
    const auto status = env->LockFile(directory + "/LOCK", &lock);
    if (!status.ok()) return fail("55006", "the files in " + directory + " are in use: " + status.ToString());
    (void)env->UnlockFile(lock);
    return {};
}

// Why what an earlier run left is not whole; empty if it is.
std::string fault_of(const std::string& directory) {
    rocksdb::DB* opened = nullptr;
    const auto status = rocksdb::DB::OpenForReadOnly(base_options(), directory, &opened);
    delete opened;
    return status.ok() ? std::string() : status.ToString();
}

}  // namespace

struct DiskFiles::Database {
    std::shared_ptr<Troubles> troubles = std::make_shared<Troubles>();
    std::unique_ptr<rocksdb::DB> db;
};

DiskFiles::DiskFiles(std::unique_ptr<Database> database) : database_(std::move(database)) {}
DiskFiles::~DiskFiles() = default;

Result<void> DiskFiles::set_aside(const std::string& directory) {
    std::error_code code;
    fs::remove_all(directory + ".aside", code);
    if (code) return failed(code, "cannot remove", directory + ".aside");
    fs::rename(directory, directory + ".aside", code);
    if (code) return failed(code, "cannot rename", directory);
    return {};
}

Result<std::string> DiskFiles::make_ready(const std::string& directory) {
    std::error_code code;
    if (!fs::exists(directory, code)) return std::string();
    std::string why;
    if (!fs::is_directory(directory, code)) {
        why = "is not a directory";
    } else if (const std::string foreign = foreign_name(directory); !foreign.empty()) {
        why = "holds a file that is not warmfront's: " + foreign;
    } else if (fs::exists(directory + "/CURRENT", code)) {
        if (auto unused = check_unused(directory); !unused) return tl::unexpected(unused.error());
        why = fault_of(directory);
    }
    if (!why.empty()) {
        if (auto set = set_aside(directory); !set) return tl::unexpected(set.error());
        return directory + " " + why;
    }
    fs::remove_all(directory, code);
    if (code) return failed(code, "cannot remove", directory);
    return std::string();
}

Result<std::unique_ptr<DiskFiles>> DiskFiles::open(const Options& options) {
    auto database = std::make_unique<Database>();
    rocksdb::Options rocksdb_options = options_of(options);
    rocksdb_options.listeners.push_back(database->troubles);
    rocksdb::DB* opened = nullptr;
    const auto status = rocksdb::DB::Open(rocksdb_options, options.directory, &opened);
    database->db.reset(opened);
    if (!status.ok()) return failed(status, "cannot open the disk tier");
    return std::unique_ptr<DiskFiles>(new DiskFiles(std::move(database)));
}

Result<void> DiskFiles::write(std::span<const Numbered> values) {
    rocksdb::WriteBatch batch;
    for (const auto& [number, value] : values) {
        const auto key = key_of(number);
        const auto status = batch.Put({key.data(), key.size()}, {value.data(), value.size()});
        if (!status.ok()) return failed(status, "cannot write to the disk tier");
    }
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    auto status = database_->troubles->first();
    if (status.ok()) status = database_->db->Write(options, &batch);
    if (!status.ok()) return failed(status, "cannot write to the disk tier");
    return {};
}

Result<std::optional<std::string>> DiskFiles::read(std::uint64_t number) const {
    const auto key = key_of(number);
    std::string value;
    rocksdb::ReadOptions options;
    options.verify_checksums = true;
    const auto status = database_->db->Get(options, {key.data(), key.size()}, &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return failed(status, "cannot read from the disk tier");
    return value;
}

Result<void> DiskFiles::flush() {
    const auto status = database_->db->Flush(rocksdb::FlushOptions{});
    if (!status.ok()) return failed(status, "cannot write to the disk tier");
    return {};
}

std::uint64_t DiskFiles::file_bytes() const {
    std::uint64_t bytes = 0;
    (void)database_->db->GetIntProperty(rocksdb::DB::Properties::kLiveSstFilesSize, &bytes);
    return bytes;
}

std::uint64_t DiskFiles::table_bytes() const {
    std::uint64_t bytes = 0;
    (void)database_->db->GetIntProperty(rocksdb::DB::Properties::kEstimateTableReadersMem, &bytes);
    return bytes;
}

}  // namespace warmfront::cache
