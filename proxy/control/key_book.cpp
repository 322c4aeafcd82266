#include "proxy/control/key_book.h"

#include <algorithm>
#include <utility>

#include "cache/key.h"

namespace warmfront::control {
namespace {

using forecast::Analogs;

constexpr std::int64_t kReadEvery_s = 60;  // or each bucket, where those are shorter
constexpr std::int64_t kLate = 3;          // buckets after which one without requests is believed

double load_of(const forecast::SeriesForecast& forecast) {
    double sum = 0;
    for (const double each : forecast.point) sum += std::max(0.0, each);
    return sum;
}

// The history numbers keys by database and template together; the highest bit is the operator's (prewarm()).
std::uint64_t number_of(const forecast::SeriesName& name, std::uint64_t id) {
    const std::string text = name.database + '\n' + name.name + '\n' + std::to_string(id);
    return cache::hash_of(text) & ~(std::uint64_t{1} << 63);
}

}  // namespace

bool KeyBook::Page::due(std::int64_t now_s) const {
    return read_s == INT64_MIN || now_s - read_s >= std::clamp<std::int64_t>(step_s, 1, kReadEvery_s);
}

void KeyBook::forget(const Page& page) {
    if (!page.analogs) return;
    for (const std::uint64_t key : page.analogs->keys()) replays_.erase(key);
}

// Pages for the templates that matter most, and no others.
void KeyBook::choose(const forecast::Forecasts& forecasts) {
    if (forecasts.made_s != 0 && forecasts.made_s == chosen_s_) return;
    chosen_s_ = forecasts.made_s;
    std::vector<std::pair<double, forecast::SeriesName>> wanted;
    for (const auto& [name, forecast] : forecasts.series)
        if (name.kind == forecast::SeriesName::Kind::Template && name.measure == forecast::Measure::Requests)
            wanted.emplace_back(load_of(forecast), name);
    std::ranges::sort(wanted, std::greater{}, &std::pair<double, forecast::SeriesName>::first);
    if (wanted.size() > kTemplatesMax) wanted.resize(kTemplatesMax);
    std::erase_if(pages_, [&](const auto& page) {
        const bool stays =
            std::ranges::any_of(wanted, [&](const auto& each) { return each.second == page.first; });
        if (!stays) forget(page.second);
        return !stays;
    });
    const std::size_t each = kAllKeysMax / std::max<std::size_t>(wanted.size(), 1);
    for (const auto& [load, name] : wanted) {
        Page& page = pages_[name];
        page.keys_max = std::min(kKeysMax, each);
        const forecast::Series& recent = forecasts.series.at(name).recent;
        page.step_s = std::max<std::int64_t>(recent.step_s, 1);
        if (recent.seasons.empty()) continue;
        page.cycle_s = static_cast<std::int64_t>(recent.seasons.front()) * page.step_s;
        page.longer_s =
            recent.seasons.size() > 1 ? static_cast<std::int64_t>(recent.seasons[1]) * page.step_s : 0;
    }
}

std::uint64_t KeyBook::add(const forecast::SeriesName& name, Page& page, std::int64_t from_s,
                           std::int64_t to_s) {
    std::uint64_t requests = 0;
    std::vector<Analogs::Step> steps;
    options_.keys(name, from_s, to_s, page.keys_max, [&](KeyRecord& record) {
        steps.clear();
        for (const auto& step : record.steps) {
            requests += step.requests;
            steps.push_back({step.begin_s, step.step_s, static_cast<double>(step.requests)});
        }
        const std::uint64_t key = number_of(name, record.id);
        if (page.analogs->add(key, steps) && !record.replay.empty())
            replays_.try_emplace(key, std::move(record.replay));
    });
    return requests;
}

void KeyBook::read_all(const forecast::SeriesName& name, Page& page, std::int64_t now_s) {
    forget(page);
    page.anew_s = now_s;
    page.analogs.emplace(Analogs::Options{.cycle_s = page.cycle_s,
                                          .longer_s = page.longer_s,
                                          .resolution_s = page.step_s,
                                          .keys_max = page.keys_max,
                                          .counts_max = kCountsMax * page.keys_max / kAllKeysMax,
                                          .calendar = options_.calendar});
    // Further back, holidays like one that is near.
    auto days = page.analogs->days_before(now_s);
    const auto soon = page.analogs->days_before(now_s + page.cycle_s / kReadsAnew);
    days.insert(days.end(), soon.begin(), soon.end());
    std::ranges::sort(days, std::greater{});
    days.erase(std::ranges::unique(days).begin(), days.end());
    const std::int64_t usual_s = now_s - (Analogs::kDays + 1) * page.cycle_s;
    std::int64_t read_to_s = INT64_MIN;
    for (const std::int64_t before_s : days) {
        const std::int64_t from_s = std::max(now_s - before_s - page.cycle_s / 2, read_to_s);
        const std::int64_t to_s = std::min(now_s - before_s + page.cycle_s, usual_s);
        if (from_s >= to_s) break;
        add(name, page, from_s, to_s);
        read_to_s = to_s;
    }
    const std::uint64_t of_known = add(name, page, usual_s, now_s);
    const std::uint64_t all = std::max(options_.requests(name, usual_s, now_s), of_known);
    page.known = all == 0 ? 1 : static_cast<double>(of_known) / static_cast<double>(all);
}

void KeyBook::read(const forecast::SeriesName& name, Page& page, std::int64_t now_s) {
    if (!page.analogs || now_s - page.anew_s >= page.cycle_s / kReadsAnew)
        read_all(name, page, now_s);
    else
        add(name, page, page.analogs->last_s(page.anew_s), now_s);
    page.read_s = now_s;
}

void KeyBook::foresee(const forecast::SeriesName& name, Page& page, const forecast::SeriesForecast& forecast,
                      const forecast::HotKeyOptions& options) const {
    const auto now = static_cast<double>(options.now_s);
    Analogs::Window window;
    window.from_s = options.now_s;
    window.within_s = options.within_s;
    window.soon_s = options.soon_s;
    window.known_s =
        std::clamp(page.analogs->last_s(options.now_s), options.now_s - kLate * page.step_s, options.now_s);
    window.requests = page.known * requests_between(forecast, now, now + options.within_s);
    window.requests_soon = page.known * requests_between(forecast, now, now + options.soon_s);
    page.hot.clear();
    for (const auto& key : page.analogs->ahead(window))
        if (replays_.contains(key.key)) page.hot.push_back(forecast::hot_key(name, key, options));
}

std::vector<forecast::HotKey> KeyBook::hot(const forecast::Forecasts& forecasts,
                                           const forecast::HotKeyOptions& options) {
    choose(forecasts);
    std::vector<std::pair<std::int64_t, const forecast::SeriesName*>> due;
    for (const auto& [name, page] : pages_)
        if (page.due(options.now_s)) due.emplace_back(page.read_s, &name);
    std::ranges::sort(due, {}, &std::pair<std::int64_t, const forecast::SeriesName*>::first);
    for (std::size_t i = 0; i < std::min(due.size(), kReadsAtOnce); ++i) {
        const forecast::SeriesName& name = *due[i].second;
        const auto forecast = forecasts.series.find(name);
        if (forecast == forecasts.series.end()) continue;
        Page& page = pages_.at(name);
        read(name, page, options.now_s);
        foresee(name, page, forecast->second, options);
    }
    std::vector<forecast::HotKey> hottest;
    for (const auto& [name, page] : pages_) hottest.insert(hottest.end(), page.hot.begin(), page.hot.end());
    forecast::keep_hottest(hottest, options.keys_max);
    return hottest;
}

std::optional<KnownKey> KeyBook::known(std::uint64_t key) const {
    const auto found = replays_.find(key);
    if (found == replays_.end()) return std::nullopt;
    return KnownKey{found->second, 0, 0};
}

}  // namespace warmfront::control
