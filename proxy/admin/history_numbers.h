// proxy/admin/history_numbers.h: how the recording of the history goes (proxy/control/historian.h). Plain
// data.
#pragma once

#include <cstdint>
#include <string>

namespace warmfront::admin {

struct HistoryNumbers {
    std::uint64_t written = 0, dropped = 0;  // buckets
    std::uint64_t file_bytes = 0;            // with its write-ahead log
    double write_seconds = 0;                // the last write
    std::string problem{};                   // why the last bucket was not written; empty: it was
};

}  // namespace warmfront::admin
