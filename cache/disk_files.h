// cache/disk_files.h: numbered values in files that are given up oldest first. The one door to RocksDB.
//
// A RocksDB of level-0 files under FIFO compaction: values are written once under growing numbers, so files
// hold ranges of numbers that do not meet, and the oldest file goes when all are larger than size_bytes.
// There is no log and no sync: what is there at the start is of no use (cache/disk_value.h) and is removed.
// RocksDB checks a checksum for every block that it reads (XXH3).
//
// Errors: XX001 for what is not as it was written (a flipped byte, a file cut short, one that is not ours),
// 53100 for a full disk, 55006 for files in use by another process, 58030 for any other failure.
// Thread-safe: one writer at a time, any number of readers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "config/result.h"

namespace warmfront::cache {

class DiskFiles {
public:
    struct Options {
        std::string directory;
        std::uint64_t size_bytes = std::uint64_t{1} << 30;
        // Values are collected up to this size, twice at most, and become one file.
        std::size_t write_buffer_bytes = std::size_t{4} << 20;
    };
    static constexpr int kOpenFilesMax = 256;
    static constexpr std::size_t kWriteBufferBytesMin = std::size_t{64} << 10;

    // Makes the directory ready to be opened: what an earlier run left is removed; what is not such (a file
    // that is no part of it, one that is cut short) is renamed to `directory`.aside, in place of an earlier
    // one. The text: what was set aside and why; empty if nothing was.
    [[nodiscard]] static Result<std::string> make_ready(const std::string& directory);
    // Renames it to `directory`.aside, in place of an earlier one.
    [[nodiscard]] static Result<void> set_aside(const std::string& directory);

    // In a directory that was made ready.
    [[nodiscard]] static Result<std::unique_ptr<DiskFiles>> open(const Options& options);
    ~DiskFiles();
    DiskFiles(const DiskFiles&) = delete;
    DiskFiles& operator=(const DiskFiles&) = delete;

    using Numbered = std::pair<std::uint64_t, std::string_view>;
    // All of them or none. After a failure every further call fails.
    [[nodiscard]] Result<void> write(std::span<const Numbered> values);
    // nullopt: given up, or never written.
    [[nodiscard]] Result<std::optional<std::string>> read(std::uint64_t number) const;
    // Makes a file of what is collected and waits for it.
    [[nodiscard]] Result<void> flush();

    [[nodiscard]] std::uint64_t file_bytes() const;
    // Of memory, beside the two write buffers: what is kept of open files.
    [[nodiscard]] std::uint64_t table_bytes() const;

private:
    struct Database;
    explicit DiskFiles(std::unique_ptr<Database> database);
    std::unique_ptr<Database> database_;
};

}  // namespace warmfront::cache
