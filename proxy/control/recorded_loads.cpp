#include "proxy/control/recorded_loads.h"

#include <filesystem>
#include <memory>
#include <utility>

namespace warmfront::control {

using forecast::Measure;
using forecast::SeriesName;

const forecast::HistoryReader* RecordedHistory::reader() {
    if (!reader_) {
        std::error_code none;
        if (!std::filesystem::exists(path_, none)) return nullptr;
        auto opened = forecast::HistoryReader::open(path_);
        if (!opened) return nullptr;  // being made, or set aside: tried anew
        reader_.emplace(*std::move(opened));
    }
    return &*reader_;
}

Result<std::vector<SeriesName>> RecordedLoads::names(std::size_t series_max) {
    std::vector<SeriesName> names;
    const auto* history = history_.reader();
    if (history == nullptr) return names;
    const std::int64_t now_s = now_ms_() / 1000;
    using enum SeriesName::Kind;
    for (const auto kind : {Database, Table, Template}) {
        auto found = history->subjects(kind, now_s - kNamesOf_s, now_s, series_max);
        if (!found) {
            history_.reopen();
            return tl::unexpected(found.error());
        }
        for (auto& each : *found) {
            const auto add = [&](Measure measure) {
                if (names.size() < series_max)
                    names.push_back({kind, each.subject.database, each.subject.name, measure});
            };
            if (kind != Table) {
                add(Measure::Requests);
                continue;
            }
            if (each.counts.reads > 0) add(Measure::Reads);
            if (each.counts.writes > 0) add(Measure::Writes);
        }
    }
    return names;
}

Result<forecast::Series> RecordedLoads::load(const SeriesName& name, std::int64_t from_s, std::int64_t to_s,
                                             std::int64_t step_s) {
    const auto* history = history_.reader();
    if (history == nullptr) return forecast::Series{from_s, step_s, {}, {}};
    auto series = history->series(name, from_s, to_s, step_s);
    if (!series) history_.reopen();
    return series;
}

KeyBook::Options recorded_keys(const std::string& path) {
    auto history = std::make_shared<RecordedHistory>(path);
    KeyBook::Options options;
    options.keys = [history](const SeriesName& name, std::int64_t from_s, std::int64_t to_s,
                             std::size_t keys_max) {
        std::vector<KeyRecord> records;
        const auto* reader = history->reader();
        if (reader == nullptr) return records;
        auto keys = reader->hot_keys(name.database, name.name, from_s, to_s, keys_max);
        if (!keys) {
            history->reopen();
            return records;
        }
        for (auto& key : *keys) {
            KeyRecord record{static_cast<std::uint64_t>(key.id), std::move(key.replay), {}};
            for (const auto& step : key.steps)
                record.steps.push_back({step.begin_s, step.step_s, step.requests});
            records.push_back(std::move(record));
        }
        return records;
    };
    options.requests = [history](const SeriesName& name, std::int64_t from_s,
                                 std::int64_t to_s) -> std::uint64_t {
        const auto* reader = history->reader();
        if (reader == nullptr) return 0;
        return reader->requests({name.kind, name.database, name.name}, from_s, to_s).value_or(0);
    };
    return options;
}

}  // namespace warmfront::control
