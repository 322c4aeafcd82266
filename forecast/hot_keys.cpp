#include "forecast/hot_keys.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace warmfront::forecast {
namespace {

// Of one bucket; beyond either end as at that end.
double requests_in(const SeriesForecast& forecast, std::int64_t bucket) {
    const auto last = static_cast<std::int64_t>(forecast.point.size()) - 1;
    const double requests =
        forecast.point[static_cast<std::size_t>(std::clamp<std::int64_t>(bucket, 0, last))];
    return std::isfinite(requests) ? std::max(0.0, requests) : 0;
}

}  // namespace

double requests_between(const SeriesForecast& forecast, double from_s, double to_s) {
    const auto step_s = static_cast<double>(forecast.recent.step_s);
    if (forecast.point.empty() || step_s <= 0 || to_s <= from_s) return 0;
    // In buckets of the forecast: what lies outside it is all alike.
    const double from = (from_s - static_cast<double>(forecast.from_s)) / step_s;
    const double to = (to_s - static_cast<double>(forecast.from_s)) / step_s;
    const auto size = static_cast<double>(forecast.point.size());
    double sum = 0;
    if (from < 0) sum += (std::min(to, 0.0) - from) * requests_in(forecast, 0);
    if (to > size) sum += (to - std::max(from, size)) * requests_in(forecast, INT64_MAX);
    const double begin = std::max(from, 0.0), end = std::min(to, size);
    for (double at = begin; at < end;) {
        const double bucket = std::floor(at), next = std::min(end, bucket + 1);
        sum += (next - at) * requests_in(forecast, static_cast<std::int64_t>(bucket));
        at = next;
    }
    return sum;
}

HotKey hot_key(const SeriesName& name, const Analogs::Key& key, const HotKeyOptions& options) {
    HotKey hot{key.key, name, 0, key.requests, 0, key.chance, key.chance_soon};
    hot.rate_now = options.soon_s > 0 ? key.requests_soon / options.soon_s : 0;
    hot.rate_most = std::max(hot.rate_now, options.within_s > 0 ? key.requests / options.within_s : 0);
    return hot;
}

void keep_hottest(std::vector<HotKey>& keys, std::size_t keys_max) {
    std::ranges::sort(keys, [](const HotKey& a, const HotKey& b) {
        return a.requests != b.requests ? a.requests > b.requests : a.key < b.key;
    });
    if (keys.size() > keys_max) keys.resize(keys_max);
}

}  // namespace warmfront::forecast
