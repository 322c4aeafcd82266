// forecast/load_source.h: where loads that were counted come from.
//
// Called on the training's thread only; may read files, must not wait for a worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "config/result.h"
#include "forecast/board.h"

namespace warmfront::forecast {

class LoadSource {
public:
    virtual ~LoadSource() = default;
    // What is to be forecast, what matters most first: databases, tables, then the statements with the most
    // requests. At most series_max.
    [[nodiscard]] virtual Result<std::vector<SeriesName>> names(std::size_t series_max) = 0;
    // The buckets of step_s that begin within [from_s, to_s), both multiples of step_s: NaN where nothing is
    // known, none before the first that is known. Empty if nothing is.
    [[nodiscard]] virtual Result<Series> load(const SeriesName& name, std::int64_t from_s, std::int64_t to_s,
                                              std::int64_t step_s) = 0;
    // load() of each: for thousands of series and few buckets. May end before to_s where that is too much at
    // once; it then ends early for all.
    [[nodiscard]] virtual Result<std::vector<Series>> load_all(std::span<const SeriesName> names,
                                                               std::int64_t from_s, std::int64_t to_s,
                                                               std::int64_t step_s) {
        std::vector<Series> all;
        for (const SeriesName& name : names) {
            auto series = load(name, from_s, to_s, step_s);
            if (!series) return tl::unexpected(series.error());
            all.push_back(*std::move(series));
        }
        return all;
    }
};

}  // namespace warmfront::forecast
