// forecast/occasions.h: how the requests of one template fall on its keys at some time: as at this time of
// day; as at this time of the week, as far as that is known; and on a holiday as on holidays before.
//
// Each occasion's shares are posterior means whose prior is the next coarser occasion's (forecast/pooling.h
// has the sources): with little seen of it, it says what that one says. Holidays count for holidays alone.
// Bounds: Options. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "forecast/calendar.h"
#include "forecast/pooling.h"

namespace warmfront::forecast {

class Occasions {
public:
    struct Options {
        std::int64_t day_s = 86'400;        // the shorter of what repeats
        std::int64_t week_s = 0;            // the longer, a multiple of it; 0: nothing longer repeats
        std::size_t slots = 48;             // of a day; at most 1,024 in a week
        double half_life_s = 7 * 86'400.0;  // after which a request counts half
        double prior = 20;                  // requests that an occasion needs to be believed as much
        std::size_t keys_max = 1'000;
        Calendar calendar;
    };
    explicit Occasions(const Options& options);

    // As of KeyShares.
    void observe(KeyId key, std::int64_t time_s, double requests);
    void observe_others(std::int64_t time_s, double requests);
    [[nodiscard]] double share(KeyId key, std::int64_t time_s) const;

private:
    [[nodiscard]] bool is_holiday(std::int64_t time_s) const;
    [[nodiscard]] double refined(const KeyShares& by, KeyId key, std::int64_t time_s, double prior) const;

    Options options_;
    KeyShares day_;
    std::optional<KeyShares> week_, holiday_;
};

}  // namespace warmfront::forecast
