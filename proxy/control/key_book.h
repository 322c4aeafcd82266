// proxy/control/key_book.h: the keys of the request history, as the prewarmer wants them: which will be asked
// for, how surely (forecast/analogs.h), and what asks for them again.
//
// What repeats are the two shortest seasons of the template's series (a day and a week; without one, a day).
// A template's keys are read once, then what is new of them each bucket (a second to a minute), and all anew
// eight times in a cycle, which forgets what is old. A few templates are read at each call, those that were
// read longest ago first, so that no call takes long. Bounds: kTemplatesMax templates, those with the highest
// forecast; kKeysMax keys of each, kAllKeysMax and kCountsMax counts in all, shared out evenly.
//
// On the prewarmer's thread alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "forecast/analogs.h"
#include "forecast/board.h"
#include "forecast/calendar.h"
#include "forecast/hot_keys.h"
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
    std::vector<Step> steps;  // in which it was asked for, ascending
};

class KeyBook {
public:
    static constexpr std::size_t kTemplatesMax = 256;
    static constexpr std::size_t kKeysMax = 10'000, kAllKeysMax = 40'000;
    static constexpr std::size_t kCountsMax = 8'000'000;  // of all keys: 64 MB
    static constexpr std::size_t kReadsAtOnce = 4;
    static constexpr std::int64_t kReadsAnew = 8;  // in a cycle

    using Visit = std::function<void(KeyRecord& record)>;  // its texts may be taken

    struct Options {
        // Shows the keys of a template that were asked for most within [from_s, to_s), most first.
        std::function<void(const forecast::SeriesName& name, std::int64_t from_s, std::int64_t to_s,
                           std::size_t keys_max, const Visit& visit)>
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

private:
    struct Page {  // one template
        std::optional<forecast::Analogs> analogs;
        std::vector<forecast::HotKey> hot;  // as of read_s
        std::int64_t step_s = 60;           // of its series
        std::int64_t cycle_s = 86'400;      // what repeats
        std::int64_t longer_s = 0;          // and repeats as well; 0: nothing
        std::int64_t read_s = INT64_MIN;    // when it was read last,
        std::int64_t anew_s = 0;            // and when all of it
        std::size_t keys_max = kKeysMax;
        double known = 1;  // share of its requests whose keys are known
        [[nodiscard]] bool due(std::int64_t now_s) const;
    };
    void choose(const forecast::Forecasts& forecasts);
    void read(const forecast::SeriesName& name, Page& page, std::int64_t now_s);
    void read_all(const forecast::SeriesName& name, Page& page, std::int64_t now_s);
    // Gives how many requests there were.
    std::uint64_t add(const forecast::SeriesName& name, Page& page, std::int64_t from_s, std::int64_t to_s);
    void foresee(const forecast::SeriesName& name, Page& page, const forecast::SeriesForecast& forecast,
                 const forecast::HotKeyOptions& options) const;
    void forget(const Page& page);

    const Options options_;
    std::map<forecast::SeriesName, Page> pages_;
    std::int64_t chosen_s_ = 0;  // when the forecasts were made that they were chosen by
    std::unordered_map<std::uint64_t, std::string> replays_;  // by key, of all pages
};

}  // namespace warmfront::control
