#include "proxy/control/key_book.h"

#include <algorithm>
#include <utility>

#include "cache/key.h"

namespace warmfront::control {
namespace {

constexpr forecast::TemplateId kOnly = 1;  // each page has shares of its own

double load_of(const forecast::SeriesForecast& forecast) {
    double sum = 0;
    for (const double each : forecast.point) sum += std::max(0.0, each);
    return sum;
}

}  // namespace

// The history numbers keys by database and template together; the highest bit is the operator's (prewarm()).
std::uint64_t KeyBook::number_of(const forecast::SeriesName& name, std::uint64_t id) const {
    const std::string text = name.database + '\n' + name.name + '\n' + std::to_string(id);
    return cache::hash_of(text) & ~(std::uint64_t{1} << 63);
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
    for (const auto& [load, name] : wanted) pages_.try_emplace(name);
}

void KeyBook::read(const forecast::SeriesName& name, Page& page, std::int64_t now_s) {
    forget(page);
    forecast::KeyShares::Options how;
    how.cycle_s = options_.cycle_s;
    how.slots = options_.slots;
    how.half_life_s = static_cast<double>(options_.look_back_s);
    how.keys_max = kKeysMax;
    page = {std::make_unique<forecast::KeyShares>(how), {}, now_s};
    const std::int64_t from_s = now_s - options_.look_back_s;
    auto records = options_.keys(name, from_s, now_s, kKeysMax);
    std::uint64_t of_known = 0;
    for (const KeyRecord& record : records)
        for (const auto& step : record.steps) of_known += step.requests;
    const std::uint64_t all = std::max(options_.requests(name, from_s, now_s), of_known);
    // Keys that are not known came, as far as is known, when the others came.
    const double others =
        of_known == 0 ? 0 : static_cast<double>(all - of_known) / static_cast<double>(of_known);
    for (KeyRecord& record : records) {
        const std::uint64_t key = number_of(name, record.id);
        for (const auto& step : record.steps) {
            const auto requests = static_cast<double>(step.requests);
            const std::int64_t middle_s = step.begin_s + step.step_s / 2;
            page.shares->observe(kOnly, key, middle_s, requests);
            page.shares->observe_others(kOnly, middle_s, requests * others);
        }
        if (record.replay.empty()) continue;
        page.keys.push_back(key);
        replays_[key] = std::move(record.replay);
    }
}

std::vector<forecast::HotKey> KeyBook::hot(const forecast::Forecasts& forecasts, std::int64_t now_s,
                                           double within_s) {
    choose(forecasts);
    std::vector<std::pair<std::int64_t, const forecast::SeriesName*>> due;
    for (const auto& [name, page] : pages_)
        if (now_s - page.read_s >= options_.read_every_s) due.emplace_back(page.read_s, &name);
    std::ranges::sort(due, {}, &std::pair<std::int64_t, const forecast::SeriesName*>::first);
    for (std::size_t i = 0; i < std::min(due.size(), kReadsAtOnce); ++i)
        read(*due[i].second, pages_.at(*due[i].second), now_s);
    return forecast::hot_keys(forecasts, *this,
                              {.now_s = now_s, .within_s = within_s, .keys_max = Prewarmer::kKeysMax});
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
    if (page == pages_.end() || !page->second.shares) return shares;
    for (const std::uint64_t key : page->second.keys)
        shares.push_back({key, page->second.shares->share(kOnly, key, time_s)});
    return shares;
}

}  // namespace warmfront::control
