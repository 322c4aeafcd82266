#include "proxy/control/key_book.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "cache/key.h"

namespace warmfront::control {
namespace {

constexpr std::size_t kLongerMax = 10;  // of the shorter season: a slot of its own for each part of it

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
    return now_s - read_s >= std::clamp<std::int64_t>(cycle_s / 50, 1, 60);
}

void KeyBook::forget(const Page& page) {
    for (const std::uint64_t key : page.keys) replays_.erase(key);
}

// Pages for the templates that matter most, and no others.
void KeyBook::choose(const forecast::Forecasts& forecasts) {
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
        if (recent.seasons.empty()) continue;
        page.cycle_s = static_cast<std::int64_t>(recent.seasons.front()) * recent.step_s;
        page.slots = std::min(recent.seasons.front(), kSlotsMax);
        if (recent.seasons.size() > 1 && recent.seasons[1] <= kLongerMax * recent.seasons[0])
            page.longer_s = static_cast<std::int64_t>(recent.seasons[1]) * recent.step_s;
    }
}

// Requests of a step that is longer than a slot are spread over the slots. Keys that are not known came, as
// far as is known, when the others came: `others` for each request.
void KeyBook::observe(Page& page, std::uint64_t key, const KeyRecord::Step& step, double others) {
    const std::int64_t slot_s =
        std::max<std::int64_t>(1, page.cycle_s / static_cast<std::int64_t>(page.slots));
    const std::int64_t parts = std::clamp<std::int64_t>((step.step_s + slot_s - 1) / slot_s, 1,
                                                        static_cast<std::int64_t>(page.slots));
    const double requests = static_cast<double>(step.requests) / static_cast<double>(parts);
    for (std::int64_t part = 0; part < parts; ++part) {
        const std::int64_t middle_s = step.begin_s + (2 * part + 1) * step.step_s / (2 * parts);
        page.shares->observe(key, middle_s, requests);
        page.shares->observe_others(middle_s, requests * others);
    }
}

// By the shares as they were before any of it was seen.
void KeyBook::judge(Page& page, const forecast::SeriesName& name, const std::vector<KeyRecord>& records,
                    std::int64_t now_s) {
    if (!page.shares || !page.whole) return;
    std::map<std::int64_t, double> steps;  // begin: requests
    const auto is_new = [&](const KeyRecord::Step& step) { return step.begin_s >= page.read_s; };
    for (const KeyRecord& record : records)
        for (const auto& step : record.steps)
            if (is_new(step)) steps[step.begin_s] += static_cast<double>(step.requests);
    double asked = 0, met = 0;
    for (const auto& [begin_s, requests] : steps) asked += requests;
    for (const KeyRecord& record : records) {
        double came = 0, expected = 0;
        for (const auto& step : record.steps)
            if (is_new(step)) came += static_cast<double>(step.requests);
        if (came == 0) continue;
        for (const auto& [begin_s, requests] : steps)
            expected += requests * page.shares->share(number_of(name, record.id), begin_s);
        met += std::min(came, expected);
    }
    const double half_lives =
        static_cast<double>(now_s - page.read_s) / (static_cast<double>(page.cycle_s) / 24);
    page.asked = page.asked * std::exp2(-half_lives) + asked;
    page.met = page.met * std::exp2(-half_lives) + met;
}

void KeyBook::read(const forecast::SeriesName& name, Page& page, std::int64_t now_s) {
    forget(page);
    const std::int64_t from_s = now_s - kCycles * page.cycle_s;
    forecast::Occasions::Options how;
    how.day_s = page.cycle_s;
    how.week_s = page.longer_s;
    how.slots = page.slots;
    how.half_life_s = static_cast<double>(kCycles * page.cycle_s) / 2;
    how.keys_max = 2 * page.keys_max;
    how.calendar = options_.calendar;
    auto records = options_.keys(name, from_s, now_s, page.keys_max);
    judge(page, name, records, now_s);
    page.shares = std::make_unique<forecast::Occasions>(how);
    page.keys.clear();
    page.read_s = now_s;
    std::uint64_t of_known = 0;
    std::int64_t first_s = now_s;
    for (const KeyRecord& record : records) {
        for (const auto& step : record.steps) of_known += step.requests;
        if (!record.steps.empty()) first_s = std::min(first_s, record.steps.front().begin_s);
    }
    page.whole = now_s - first_s >= page.cycle_s;
    const std::uint64_t all = std::max(options_.requests(name, from_s, now_s), of_known);
    const double others =
        of_known == 0 ? 0 : static_cast<double>(all - of_known) / static_cast<double>(of_known);
    for (KeyRecord& record : records) {
        const std::uint64_t key = number_of(name, record.id);
        for (const auto& step : record.steps) observe(page, key, step, others);
        if (record.replay.empty()) continue;
        page.keys.push_back(key);
        replays_[key] = std::move(record.replay);
    }
}

std::vector<forecast::HotKey> KeyBook::hot(const forecast::Forecasts& forecasts,
                                           const forecast::HotKeyOptions& options) {
    const std::int64_t now_s = options.now_s;
    choose(forecasts);
    std::vector<std::pair<std::int64_t, const forecast::SeriesName*>> due;
    for (const auto& [name, page] : pages_)
        if (page.due(now_s)) due.emplace_back(page.read_s, &name);
    std::ranges::sort(due, {}, &std::pair<std::int64_t, const forecast::SeriesName*>::first);
    for (std::size_t i = 0; i < std::min(due.size(), kReadsAtOnce); ++i)
        read(*due[i].second, pages_.at(*due[i].second), now_s);
    return forecast::hot_keys(forecasts, *this, options);
}

std::optional<KnownKey> KeyBook::known(std::uint64_t key) const {
    const auto found = replays_.find(key);
    if (found == replays_.end()) return std::nullopt;
    return KnownKey{found->second, 0, 0};
}

std::vector<forecast::ShareSource::Share> KeyBook::of(const forecast::SeriesName& name,
                                                      std::int64_t time_s) const {
    std::vector<Share> shares;
    const auto page = pages_.find(name);
    if (page == pages_.end() || !page->second.shares || !page->second.whole || !page->second.trusted())
        return shares;
    for (const std::uint64_t key : page->second.keys)
        shares.push_back({key, page->second.shares->share(key, time_s)});
    return shares;
}

}  // namespace warmfront::control
