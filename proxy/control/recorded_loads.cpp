#include "proxy/control/recorded_loads.h"

#include <algorithm>
#include <cmath>
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

Result<void> RecordedLoads::count_new(const forecast::HistoryReader& history) {
    using enum SeriesName::Kind;
    const auto stats = history.stats();
    if (!stats) return tl::unexpected(stats.error());
    const std::int64_t oldest_s = now_ms_() / 1000 - kNamesOf_s;
    if (stats->last_s < counted_s_) {  // another file
        weights_.clear();
        counted_s_ = 0;
    }
    const std::int64_t from_s = std::max(counted_s_, oldest_s);
    std::map<forecast::Subject, Weight> weights = weights_;
    const double kept =
        std::exp2(-static_cast<double>(stats->last_s - from_s) / static_cast<double>(kHalf_s));
    for (auto& [subject, weight] : weights) weight.load *= std::min(kept, 1.0);
    for (const auto kind : {Database, Table, Template}) {
        auto found = history.subjects(kind, from_s, stats->last_s, kSubjectsMax);
        if (!found) return tl::unexpected(found.error());
        for (const auto& [subject, label, counts] : *found) {
            Weight& weight = weights[subject];
            weight.load += static_cast<double>(counts.requests + counts.reads + counts.writes);
            weight.last_s = stats->last_s;
            weight.reads |= counts.reads > 0;
            weight.writes |= counts.writes > 0;
        }
    }
    std::erase_if(weights, [&](const auto& each) { return each.second.last_s < oldest_s; });
    weights_ = std::move(weights);
    counted_s_ = stats->last_s;
    return {};
}

// Databases first, then tables, then statements; of a kind those with most load.
Result<std::vector<SeriesName>> RecordedLoads::names(std::size_t series_max) {
    std::vector<SeriesName> names;
    const auto* history = history_.reader();
    if (history == nullptr) return names;
    if (auto counted = count_new(*history); !counted) {
        history_.reopen();
        return tl::unexpected(counted.error());
    }
    using Entry = std::map<forecast::Subject, Weight>::value_type;
    std::vector<const Entry*> order;
    for (const Entry& entry : weights_) order.push_back(&entry);
    std::ranges::stable_sort(order, [](const Entry* a, const Entry* b) {
        return a->first.kind != b->first.kind ? a->first.kind < b->first.kind
                                              : a->second.load > b->second.load;
    });
    for (const Entry* entry : order) {
        const auto& [subject, weight] = *entry;
        const auto add = [&](Measure measure) {
            if (names.size() < series_max)
                names.push_back({subject.kind, subject.database, subject.name, measure});
        };
        if (subject.kind != SeriesName::Kind::Table) {
            add(Measure::Requests);
            continue;
        }
        if (weight.reads) add(Measure::Reads);
        if (weight.writes) add(Measure::Writes);
    }
    std::vector<forecast::Subject> beyond;
    for (std::size_t i = kSubjectsMax; i < order.size(); ++i) beyond.push_back(order[i]->first);
    for (const forecast::Subject& subject : beyond) weights_.erase(subject);
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

Result<std::vector<forecast::Series>> RecordedLoads::load_all(std::span<const SeriesName> names,
                                                              std::int64_t from_s, std::int64_t to_s,
                                                              std::int64_t step_s) {
    const auto* history = history_.reader();
    if (history == nullptr) return std::vector<forecast::Series>(names.size(), {from_s, step_s, {}, {}});
    const auto buckets_max = static_cast<std::int64_t>(forecast::HistoryReader::kSeriesMax);
    const auto count = std::max<std::int64_t>(static_cast<std::int64_t>(names.size()), 1);
    const std::int64_t until_s =
        std::min(to_s, from_s + std::max<std::int64_t>(buckets_max / count, 1) * step_s);
    auto all = history->series_of_all(names, from_s, until_s, step_s);
    if (!all) history_.reopen();
    return all;
}

KeyBook::Options recorded_keys(const std::string& path) {
    auto history = std::make_shared<RecordedHistory>(path);
    KeyBook::Options options;
    options.keys = [history](const SeriesName& name, std::int64_t from_s, std::int64_t to_s,
                             std::size_t keys_max, const KeyBook::Visit& visit) {
        const auto* reader = history->reader();
        if (reader == nullptr) return;
        using KeyHistory = forecast::HistoryReader::KeyHistory;
        const auto read =
            reader->hot_keys(name.database, name.name, from_s, to_s, keys_max, [&](KeyHistory key) {
                KeyRecord record{static_cast<std::uint64_t>(key.id), std::move(key.replay), {}};
                record.steps.reserve(key.steps.size());
                for (const auto& step : key.steps)
                    record.steps.push_back({step.begin_s, step.step_s, step.requests});
                visit(record);
            });
        if (!read) history->reopen();
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
