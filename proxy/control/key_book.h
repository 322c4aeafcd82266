// proxy/control/key_book.h: the keys of the request history, as the prewarmer wants them: their shares of
// their templates by time of day, and what asks for them again.
//
// What repeats are the two shortest seasons of the template's series (a day and a week; without one, a day),
// and holidays (forecast/occasions.h). The shorter is cut into kSlotsMax slots at most, and what happened in
// the last kCycles of it counts. A few templates are read at each call, those that were read longest ago
// first, so that no call takes long; each anew after a fiftieth of the cycle, between one second and a
// minute. Where what was asked lately is hardly what the shares had said (a day unlike all before), nothing
// is predicted until it is again. Bounds: kTemplatesMax templates, those with the highest forecast; kKeysMax
// keys of each, kAllKeysMax in all.
//
// On the prewarmer's thread alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "forecast/board.h"
#include "forecast/calendar.h"
#include "forecast/hot_keys.h"
#include "forecast/occasions.h"
#include "proxy/control/prewarmer.h"

namespace warmfront::control {

// A key as the history remembers it.
struct KeyRecord {
    std::uint64_t id = 0;  // the history's own
    std::string replay;    // empty: it cannot be asked for again
    struct Step {
        std::int64_t begin_s = 0, step_s = 0;
        std::uint64_t requests = 0;
    };
    std::vector<Step> steps;  // in which it was asked for
};

class KeyBook final : public forecast::ShareSource {
public:
    static constexpr std::size_t kTemplatesMax = 256;
    static constexpr std::size_t kKeysMax = 2'000, kAllKeysMax = 20'000;
    static constexpr std::size_t kReadsAtOnce = 4;
    static constexpr std::size_t kSlotsMax = 48;
    static constexpr std::int64_t kCycles = 15;
    // Least share of the requests that must have been where they were expected, of the last twenty-fourth of
    // the cycle or so, and of how many requests at least that is said.
    static constexpr double kMetMin = 0.3, kJudgedMin = 50;

    struct Options {
        // The keys of a template that were asked for most within [from_s, to_s), most first.
        std::function<std::vector<KeyRecord>(const forecast::SeriesName& name, std::int64_t from_s,
                                             std::int64_t to_s, std::size_t keys_max)>
            keys;
        // How many requests of the template there were in all, in those steps: keys not known count as well.
        std::function<std::uint64_t(const forecast::SeriesName& name, std::int64_t from_s, std::int64_t to_s)>
            requests;
        forecast::Calendar calendar = {};
    };
    explicit KeyBook(Options options) : options_(std::move(options)) {}

    // For Prewarmer::Options.
    [[nodiscard]] std::vector<forecast::HotKey> hot(const forecast::Forecasts& forecasts,
                                                    const forecast::HotKeyOptions& options);
    [[nodiscard]] std::optional<KnownKey> known(std::uint64_t key) const;

    [[nodiscard]] std::vector<Share> of(const forecast::SeriesName& name, std::int64_t time_s) const override;

private:
    struct Page {  // one template
        std::unique_ptr<forecast::Occasions> shares;
        std::vector<std::uint64_t> keys;
        std::int64_t read_s = 0;
        bool whole = false;  // a whole cycle was seen: before, nothing is known of the time to come
        std::int64_t cycle_s = 86'400;  // what repeats
        std::int64_t longer_s = 0;      // and repeats as well; 0: nothing
        std::size_t keys_max = kKeysMax;
        std::size_t slots = kSlotsMax;  // of it
        double asked = 0, met = 0;      // requests lately, and how many of them were where they were expected
        [[nodiscard]] bool due(std::int64_t now_s) const;
        [[nodiscard]] bool trusted() const { return asked < kJudgedMin || met >= kMetMin * asked; }
    };
    void choose(const forecast::Forecasts& forecasts);
    void read(const forecast::SeriesName& name, Page& page, std::int64_t now_s);
    static void judge(Page& page, const forecast::SeriesName& name, const std::vector<KeyRecord>& records,
                      std::int64_t now_s);
    static void observe(Page& page, std::uint64_t key, const KeyRecord::Step& step, double others);
    void forget(const Page& page);

    const Options options_;
    std::map<forecast::SeriesName, Page> pages_;
    std::unordered_map<std::uint64_t, std::string> replays_;  // by key, of all pages
};

}  // namespace warmfront::control
