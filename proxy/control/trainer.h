// proxy/control/trainer.h: runs the training (forecast/training.h), a tick a bucket, on a thread of its own.
//
// The thread has a low priority and is on no query's path; readers take what it
// published last: the Board (forecasts) or outlook() (everything else too). What takes longer (histories that
// are read, the model of thousands of series) comes after a tick's forecasts are out. Ticks come a quarter of
// a second to two seconds after a bucket's end, so that whoever records the bucket is done.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "config/clock.h"
#include "config/log.h"
#include "config/settings.h"
#include "forecast/board.h"
#include "forecast/training.h"

namespace warmfront::control {

struct TrainerOptions {
    forecast::TrainingOptions training;
    // CPU time and queries of the process so far; called on the trainer's thread, which subtracts its own.
    std::function<forecast::ProcessTotals()> totals;
    std::function<std::int64_t()> now_ms;  // Unix milliseconds
};

// Without a calendar: proxy/control/event_calendars.h.
[[nodiscard]] forecast::TrainingOptions training_options(const Settings& settings, unsigned cores);
[[nodiscard]] std::int64_t unix_ms();

// How long from now_ms to the next tick: a little after the end of the bucket under way.
[[nodiscard]] std::chrono::milliseconds until_next_tick(std::int64_t now_ms, std::int64_t step_s);

class Trainer {
public:
    // All that is referred to outlives this.
    Trainer(TrainerOptions options, std::unique_ptr<forecast::LoadSource> source,
            forecast::MakeForecaster make, forecast::Board& board, const Clock& clock, Logger& log);
    ~Trainer();

    void start();
    // Waits for the fit under way, if there is one; what thousands of series share stops at once.
    void stop();
    // What start()'s thread does once a bucket; not while that runs.
    void tick();

    // From any thread; never nullptr.
    [[nodiscard]] std::shared_ptr<const forecast::Outlook> outlook() const;

private:
    void run();
    void log_alarm(const forecast::AlarmChange& change);

    std::atomic<bool> stopping_ = false;  // asked from within a training
    const TrainerOptions options_;
    const std::unique_ptr<forecast::LoadSource> source_;
    forecast::Training training_;
    forecast::Board& board_;
    Logger& log_;
    bool told_of_problem_ = false;

    mutable std::mutex mutex_;  // of what follows; held for the length of a copy of a pointer
    std::condition_variable wake_;
    bool ending_ = false;
    std::shared_ptr<const forecast::Outlook> outlook_ = std::make_shared<forecast::Outlook>();
    std::thread thread_;
};

}  // namespace warmfront::control
