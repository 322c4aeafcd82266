// proxy/control/historian.h: records the history: closes a bucket at its end and has it written.
//
// close() is called by one thread on a timer and only takes numbers; a thread of the historian's own waits
// for the workers' tallies, makes the bucket (bucket_maker.h) and owns the file (forecast/history.h). Where
// it cannot keep up, kWaitingMax buckets wait; the next one is dropped, counted and logged: it is then not
// known, and what was requested in it is lost. So is what cannot be written. A full disk stops nothing else:
// every bucket is tried anew.
//
// Everything but close() and finish() may be called from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "config/log.h"
#include "config/settings.h"
#include "forecast/history.h"
#include "proxy/admin/history_numbers.h"
#include "proxy/control/bucket_maker.h"
#include "proxy/session/key_tally.h"

namespace warmfront::control {

// The workers' tallies of one bucket, as they come in.
class CollectedKeys {
public:
    explicit CollectedKeys(std::size_t workers) : awaited_(workers) {}
    void give(session::KeyTallySlot tally);
    // All that came within `patience`; later ones are lost.
    [[nodiscard]] std::vector<session::KeyTallySlot> take(std::chrono::milliseconds patience);

private:
    std::mutex mutex_;
    std::condition_variable came_;
    std::size_t awaited_;
    std::vector<session::KeyTallySlot> tallies_;
};

class Historian {
public:
    static constexpr std::size_t kWaitingMax = 8;
    static constexpr std::chrono::milliseconds kTallyPatience{2'000};

    struct Options {
        std::string path;
        std::size_t workers = 1;
        std::function<LoadSnapshot()> snapshot;
        // Has every worker count in a fresh tally, and give the former one.
        std::function<void(std::shared_ptr<CollectedKeys>)> collect;
        BucketMaker::Options maker;
    };
    // The file is opened by the historian's thread: what is wrong with it is logged.
    Historian(Options options, const ForecastSettings& settings, Logger& log);
    ~Historian();
    Historian(const Historian&) = delete;
    Historian& operator=(const Historian&) = delete;

    // Recording begins at this moment.
    void start(std::int64_t now_ms);
    // Ends what is open: at its end or before (what follows is counted in the same bucket). How long until
    // the next call. A bucket that is closed more than half its length (and a second) too late is dropped.
    std::chrono::milliseconds close(std::int64_t now_ms);
    // The last close(), and waits until all is written. For when the workers have ended.
    void finish(std::int64_t now_ms);
    // Of a reload.
    void set(const ForecastSettings& settings);
    [[nodiscard]] admin::HistoryNumbers numbers() const;

private:
    struct Closed {
        forecast::Bucket bucket;  // its times
        LoadSnapshot snapshot;
        std::shared_ptr<CollectedKeys> keys;
        std::string_view dropped_because{};  // empty: it is kept; else only differences are taken
    };
    void wait_for_writing(Closed closed);
    void run();
    void write(Closed closed);
    [[nodiscard]] Result<void> append(const forecast::Bucket& bucket);
    [[nodiscard]] Result<void> open();
    void note_set_aside();
    void note_failure(const Error& error);
    void maintain();
    void drop(std::string_view why);
    [[nodiscard]] forecast::Retention retention() const;

    const Options options_;
    const std::int64_t step_s_;
    Logger& log_;
    std::int64_t open_from_ms_ = 0;  // of the thread that calls close()

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    ForecastSettings settings_;
    std::deque<Closed> waiting_;
    bool ending_ = false;
    admin::HistoryNumbers numbers_;

    // Of the historian's thread:
    BucketMaker maker_;
    std::optional<forecast::HistoryWriter> file_;
    std::thread thread_;
};

}  // namespace warmfront::control
