// forecast/hot_keys.h: which keys will be asked for, and how often: the forecast of each template, shared out
// among its keys.
//
// Pure. A key is a number that the caller gave it. Times are Unix seconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "forecast/board.h"

namespace warmfront::forecast {

// P(key | template, time): how the requests of a template fall on its keys at some moment.
class ShareSource {
public:
    virtual ~ShareSource() = default;
    struct Share {
        std::uint64_t key = 0;
        double share = 0;  // 0 to 1; those of one template sum to 1 at most, the rest being keys not known
    };
    [[nodiscard]] virtual std::vector<Share> of(const SeriesName& name, std::int64_t time_s) const = 0;
};

struct HotKey {
    std::uint64_t key = 0;
    SeriesName name;       // of its template
    double rate_now = 0;   // requests a second predicted for this moment
    double requests = 0;   // predicted for (now, now + within]
    double rate_most = 0;  // the highest rate in between
    double rate_soon = 0;  // the highest rate within soon_s
};

struct HotKeyOptions {
    std::int64_t now_s = 0;
    double within_s = 60;
    double soon_s = 60;  // at most within_s
    std::size_t keys_max = 10'000;
};

// Of all templates whose requests are forecast; most requests first, none with less than 0.001. What lies
// beyond the end of a forecast counts as its last bucket.
[[nodiscard]] std::vector<HotKey> hot_keys(const Forecasts& forecasts, const ShareSource& shares,
                                           const HotKeyOptions& options);

}  // namespace warmfront::forecast
