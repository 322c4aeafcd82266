#include "proxy/control/trainer.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "forecast/summary.h"

namespace warmfront::control {

using forecast::AlarmChange;
using forecast::AlarmEvent;
using forecast::MassModel;

static constexpr double kUtilisationMin = 0.01;
static constexpr std::int64_t kHorizonBucketsMax = 1440;

forecast::TrainingOptions training_options(const Settings& settings, unsigned cores) {
    using std::chrono::duration_cast;
    using std::chrono::seconds;
    const ForecastSettings& of = settings.forecast;
    forecast::TrainingOptions options;
    options.step_s = std::max<std::int64_t>(1, duration_cast<seconds>(of.bucket).count());
    options.horizon =
        static_cast<std::size_t>(std::clamp<std::int64_t>(of.horizon / of.bucket, 1, kHorizonBucketsMax));
    options.retrain_s = std::max<std::int64_t>(1, duration_cast<seconds>(of.retrain).count());
    options.series_max = of.series;
    options.shared_max =
        std::min(of.shared_series, MassModel::kSeriesMax - std::min(of.series, MassModel::kSeriesMax));
    options.seasons_s.clear();
    for (const auto season : of.seasons) options.seasons_s.push_back(duration_cast<seconds>(season).count());
    options.fit_budget = of.bucket / 2;
    options.alarm_buckets = of.alarm_buckets;
    options.capacity = {static_cast<double>(cores), std::max(kUtilisationMin, settings.capacity.utilisation),
                        settings.capacity.min, settings.capacity.max,
                        duration_cast<seconds>(settings.capacity.lower_after)};
    return options;
}

std::int64_t unix_ms() {
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count();
}

std::chrono::milliseconds until_next_tick(std::int64_t now_ms, std::int64_t step_s) {
    const std::int64_t step_ms = step_s * 1000;
    const std::int64_t settle_ms = std::clamp<std::int64_t>(step_ms / 4, 250, 2000);
    const std::int64_t passed_ms = (now_ms - settle_ms) % step_ms;
    return std::chrono::milliseconds(step_ms - passed_ms);
}

static TrainerOptions stopped_by(TrainerOptions options, const std::atomic<bool>& stopping) {
    options.training.stop = [&stopping] { return stopping.load(std::memory_order_relaxed); };
    return options;
}

Trainer::Trainer(TrainerOptions options, std::unique_ptr<forecast::LoadSource> source,
                 forecast::MakeForecaster make, forecast::Board& board, const Clock& clock, Logger& log)
    : options_(stopped_by(std::move(options), stopping_)),
      source_(std::move(source)),
      training_(options_.training, *source_, std::move(make), clock),
      board_(board),
      log_(log) {}

Trainer::~Trainer() {
    stop();
}

void Trainer::start() {
    thread_ = std::thread([this] { run(); });
}

void Trainer::stop() {
    stopping_ = true;
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

// On Linux a thread has a nice value of its own (setpriority(2), "C library/kernel differences"). Neither
// call needs a right; if one fails, training is merely less modest.
static void yield_to_queries() {
    constexpr int kNice =
        10;  // a tenth of a worker's share; with 19, ticks came seconds late on a busy machine
    (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
    const sched_param none{};
    (void)::sched_setscheduler(0, SCHED_BATCH, &none);
}

void Trainer::run() {
    yield_to_queries();
    std::unique_lock lock(mutex_);
    for (;;) {
        const auto wait = until_next_tick(options_.now_ms(), options_.training.step_s);
        if (wake_.wait_for(lock, wait, [this] { return ending_; })) return;
        lock.unlock();
        tick();
        lock.lock();
    }
}

static double own_cpu_s() {
    timespec time{};
    if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0) return 0;
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void Trainer::tick() {
    forecast::ProcessTotals totals = options_.totals();
    totals.cpu_s -= own_cpu_s();
    auto result = training_.on_tick(options_.now_ms() / 1000, totals);
    board_.publish(result.outlook->forecasts);
    for (const AlarmChange& change : result.alarms) log_alarm(change);
    const std::string& problem = result.outlook->problem;
    if (!problem.empty() && !told_of_problem_)
        log_.warning("forecasts stay as they are: the history cannot be read, or not be learnt from",
                     {{LogKey::Reason, problem}});
    told_of_problem_ = !problem.empty();
    {
        const std::lock_guard lock(mutex_);
        outlook_ = std::move(result.outlook);
    }
    training_.study();
}

static std::string number(double value) {
    return fmt::format("{:.4g}", value);
}

void Trainer::log_alarm(const AlarmChange& change) {
    const bool began = change.event == AlarmEvent::Began;
    const auto message = began ? "the load is outside what was to be expected"
                               : "the load is back within what was to be expected";
    const auto lasted = std::chrono::seconds(options_.now_ms() / 1000 - change.since_s);
    log_.log(began ? LogLevel::Warning : LogLevel::Info, message,
             {{LogKey::Series, forecast::id_of(change.name)},
              {LogKey::Side, forecast::name_of(change.side)},
              {LogKey::Actual, number(change.alarm.actual)},
              {LogKey::Expected, number(change.alarm.point)},
              {LogKey::Low, number(change.alarm.lo)},
              {LogKey::High, number(change.alarm.hi)},
              {LogKey::Seconds, lasted}});
}

std::shared_ptr<const forecast::Outlook> Trainer::outlook() const {
    const std::lock_guard lock(mutex_);
    return outlook_;
}

}  // namespace warmfront::control
