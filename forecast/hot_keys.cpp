#include "forecast/hot_keys.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace warmfront::forecast {
namespace {

constexpr double kRequestsMin = 0.001;
constexpr double kShareLooks = 12;          // within the time asked for, and
constexpr double kSoonLooks = 6;            // within what is soon
constexpr std::size_t kBucketsMax = 1'000;  // looked at in one forecast

// What the forecast says of one bucket, in requests a second.
double rate_in(const SeriesForecast& forecast, std::int64_t bucket) {
    const auto last = static_cast<std::int64_t>(forecast.point.size()) - 1;
    const auto place = static_cast<std::size_t>(std::clamp<std::int64_t>(bucket, 0, last));
    const double requests = forecast.point[place];
    return std::isfinite(requests) ? std::max(0.0, requests) / static_cast<double>(forecast.recent.step_s)
                                   : 0;
}

void add_keys(std::unordered_map<std::uint64_t, HotKey>& keys, const SeriesName& name,
              const SeriesForecast& forecast, const ShareSource& shares, const HotKeyOptions& options) {
    const std::int64_t step_s = forecast.recent.step_s;
    const double now = static_cast<double>(options.now_s), end = now + options.within_s;
    const auto floor_of = [&](double time) {
        return static_cast<std::int64_t>(
            std::floor((time - static_cast<double>(forecast.from_s)) / static_cast<double>(step_s)));
    };
    const std::int64_t first = floor_of(now);
    const std::int64_t beyond =
        std::min(floor_of(std::nextafter(end, now)) + 1, first + static_cast<std::int64_t>(kBucketsMax));
    std::vector<ShareSource::Share> now_shared;
    double asked = 0;
    for (std::int64_t bucket = first; bucket < beyond; ++bucket) {
        const std::int64_t begin_s = forecast.from_s + bucket * step_s;
        // Shares change slowly: of many short buckets not each asks for them.
        const bool soon = static_cast<double>(begin_s) < now + options.soon_s;
        const double apart = soon ? options.soon_s / kSoonLooks : options.within_s / kShareLooks;
        if (bucket == first || static_cast<double>(begin_s) - asked >= apart) {
            now_shared = shares.of(name, begin_s);
            asked = static_cast<double>(begin_s);
        }
        const double seconds = std::min(end, static_cast<double>(begin_s + step_s)) -
                               std::max(now, static_cast<double>(begin_s));
        const double rate = rate_in(forecast, bucket);
        for (const auto& [key, share] : now_shared) {
            HotKey& hot = keys[key];
            hot.key = key;
            hot.name = name;
            if (bucket == first) hot.rate_now = rate * share;
            hot.rate_most = std::max(hot.rate_most, rate * share);
            if (soon) hot.rate_soon = std::max(hot.rate_soon, rate * share);
            hot.requests += rate * share * seconds;
        }
    }
}

}  // namespace

std::vector<HotKey> hot_keys(const Forecasts& forecasts, const ShareSource& shares,
                             const HotKeyOptions& options) {
    std::unordered_map<std::uint64_t, HotKey> keys;
    for (const auto& [name, forecast] : forecasts.series) {
        const bool of_template = name.kind == SeriesName::Kind::Template && name.measure == Measure::Requests;
        if (of_template && !forecast.point.empty() && forecast.recent.step_s > 0)
            add_keys(keys, name, forecast, shares, options);
    }
    std::vector<HotKey> hottest;
    for (auto& [key, hot] : keys)
        if (hot.requests >= kRequestsMin) hottest.push_back(std::move(hot));
    std::ranges::sort(hottest, [](const HotKey& a, const HotKey& b) {
        return a.requests != b.requests ? a.requests > b.requests : a.key < b.key;
    });
    if (hottest.size() > options.keys_max) hottest.resize(options.keys_max);
    return hottest;
}

}  // namespace warmfront::forecast
