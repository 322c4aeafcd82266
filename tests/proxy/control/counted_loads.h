// tests/proxy/control/counted_loads.h: a LoadSource of growing totals, for tests of the training.
//
// Looks at growing totals and keeps the differences, a bucket each: databases (requests) and the statements
// with most requests. Knows nothing of what was before, and nothing of tables. Used on the training's thread
// alone. Bounds: kSeriesMax series of kBuckets buckets; when there are more, further ones are left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "forecast/load_source.h"

namespace warmfront::control {

class CountedLoads final : public forecast::LoadSource {
public:
    static constexpr std::size_t kBuckets = 4096, kSeriesMax = 2000;
    using Totals = std::map<forecast::SeriesName, double>;

    CountedLoads(std::function<Totals()> totals, std::int64_t step_s)
        : totals_(std::move(totals)), step_s_(step_s) {}

    [[nodiscard]] Result<std::vector<forecast::SeriesName>> names(std::size_t series_max) override;
    // Looks at the totals if to_s is new: what came since the last look is the load of the buckets between.
    // 22023 for another step than the one it counts in.
    [[nodiscard]] Result<forecast::Series> load(const forecast::SeriesName& name, std::int64_t from_s,
                                                std::int64_t to_s, std::int64_t step_s) override;

private:
    struct Counted {
        double total = 0;          // at the last look
        std::int64_t start_s = 0;  // begin of the first bucket
        std::deque<double> values;
    };
    void look(std::int64_t to_s);
    void take(const forecast::SeriesName& name, double total, std::int64_t to_s);

    const std::function<Totals()> totals_;
    const std::int64_t step_s_;
    std::int64_t looked_s_ = 0;  // end of the last bucket counted; 0: no look yet
    std::map<forecast::SeriesName, Counted> counted_;
};

}  // namespace warmfront::control
