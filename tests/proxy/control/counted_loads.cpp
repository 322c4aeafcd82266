#include "tests/proxy/control/counted_loads.h"

#include <algorithm>
#include <utility>

namespace warmfront::control {

using forecast::Series;
using forecast::SeriesName;

// Databases come first by their kind; of one kind, those with most requests do.
Result<std::vector<SeriesName>> CountedLoads::names(std::size_t series_max) {
    std::vector<std::pair<double, SeriesName>> found;
    for (const auto& [name, total] : totals_()) found.emplace_back(total, name);
    std::ranges::sort(found, [](const auto& a, const auto& b) {
        return a.second.kind != b.second.kind ? a.second.kind < b.second.kind : a.first > b.first;
    });
    if (found.size() > series_max) found.resize(series_max);
    std::vector<SeriesName> names;
    for (auto& [total, name] : found) names.push_back(std::move(name));
    return names;
}

Result<Series> CountedLoads::load(const SeriesName& name, std::int64_t from_s, std::int64_t to_s,
                                  std::int64_t step_s) {
    if (step_s != step_s_) return fail("22023", "loads are counted in other steps");
    if (to_s > looked_s_) look(to_s);
    Series series{from_s, step_s_, {}, {}};
    const auto found = counted_.find(name);
    if (found == counted_.end()) return series;
    const Counted& counted = found->second;
    series.start_s = std::max(from_s, counted.start_s);
    auto time_s = counted.start_s;
    for (const double value : counted.values) {
        if (time_s >= series.start_s && time_s < to_s) series.values.push_back(value);
        time_s += step_s_;
    }
    return series;
}

void CountedLoads::look(std::int64_t to_s) {
    for (const auto& [name, total] : totals_()) take(name, total, to_s);
    looked_s_ = to_s;
}

// What is met for the first time has its total counted as the load of the bucket just over, unless this is
// the first look of all: then it may be from long before.
void CountedLoads::take(const SeriesName& name, double total, std::int64_t to_s) {
    const auto found = counted_.find(name);
    if (found == counted_.end()) {
        if (counted_.size() >= kSeriesMax) return;
        Counted& counted = counted_[name];
        counted.total = total;
        counted.start_s = looked_s_ == 0 ? to_s : to_s - step_s_;
        if (looked_s_ != 0) counted.values.push_back(total);
        return;
    }
    Counted& counted = found->second;
    const std::int64_t end_s = counted.start_s + static_cast<std::int64_t>(counted.values.size()) * step_s_;
    const std::int64_t buckets = (to_s - end_s) / step_s_;
    const double came = std::max(0.0, total - counted.total);
    counted.total = total;
    if (buckets > static_cast<std::int64_t>(kBuckets)) {  // of such a gap nothing can be said
        counted.start_s = to_s;
        counted.values.clear();
        return;
    }
    for (std::int64_t i = 0; i < buckets; ++i) counted.values.push_back(came / static_cast<double>(buckets));
    while (counted.values.size() > kBuckets) {
        counted.values.pop_front();
        counted.start_s += step_s_;
    }
}

}  // namespace warmfront::control
