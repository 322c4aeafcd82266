// proxy/control/recorded_loads.h: the request history (forecast/history.h) as what is forecast from, and the
// keys in it as what is prewarmed from.
//
// Each opens the file when it is first there, and anew after an error. Not thread-safe: each object belongs
// to the thread that uses it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "forecast/history.h"
#include "forecast/load_source.h"
#include "proxy/control/key_book.h"

namespace warmfront::control {

class RecordedHistory {
public:
    explicit RecordedHistory(std::string path) : path_(std::move(path)) {}
    // nullptr: there is nothing yet.
    [[nodiscard]] const forecast::HistoryReader* reader();
    void reopen() { reader_.reset(); }

private:
    const std::string path_;
    std::optional<forecast::HistoryReader> reader_;
};

// Which subjects matter is kept from call to call: each reads what was recorded since the last one, and the
// loads of before count half after kHalf_s. Bound: kSubjectsMax subjects; beyond, those with least load go.
class RecordedLoads final : public forecast::LoadSource {
public:
    static constexpr std::int64_t kNamesOf_s = 2 * 86'400;  // subjects without load for as long are left out
    static constexpr std::int64_t kHalf_s = 86'400;
    static constexpr std::size_t kSubjectsMax = 40'000;
    RecordedLoads(std::string path, std::function<std::int64_t()> now_ms)
        : history_(std::move(path)), now_ms_(std::move(now_ms)) {}

    [[nodiscard]] Result<std::vector<forecast::SeriesName>> names(std::size_t series_max) override;
    [[nodiscard]] Result<forecast::Series> load(const forecast::SeriesName& name, std::int64_t from_s,
                                                std::int64_t to_s, std::int64_t step_s) override;
    [[nodiscard]] Result<std::vector<forecast::Series>> load_all(std::span<const forecast::SeriesName> names,
                                                                 std::int64_t from_s, std::int64_t to_s,
                                                                 std::int64_t step_s) override;

private:
    struct Weight {
        double load = 0;          // decayed
        std::int64_t last_s = 0;  // until when some came, at the latest
        bool reads = false, writes = false;
    };
    [[nodiscard]] Result<void> count_new(const forecast::HistoryReader& history);

    RecordedHistory history_;
    const std::function<std::int64_t()> now_ms_;
    std::map<forecast::Subject, Weight> weights_;
    std::int64_t counted_s_ = 0;  // until when; 0: not yet
};

// What a KeyBook asks of the history in that file.
[[nodiscard]] KeyBook::Options recorded_keys(const std::string& path);

}  // namespace warmfront::control
