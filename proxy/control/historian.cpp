#include "proxy/control/historian.h"

#include <algorithm>
#include <utility>

namespace warmfront::control {
namespace {

constexpr int kMaintainTurnsMax = 50;  // after one bucket

std::int64_t seconds(std::chrono::milliseconds time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

std::int64_t now_s() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

void CollectedKeys::give(session::KeyTallySlot tally) {
    const std::lock_guard lock(mutex_);
    if (awaited_ == 0) return;
    --awaited_;
    if (tally) tallies_.push_back(std::move(tally));
    came_.notify_all();
}

std::vector<session::KeyTallySlot> CollectedKeys::take(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    came_.wait_for(lock, patience, [this] { return awaited_ == 0; });
    awaited_ = 0;
    return std::move(tallies_);
}

Historian::Historian(Options options, const ForecastSettings& settings, Logger& log)
    : options_(std::move(options)),
      step_s_(seconds(settings.bucket)),
      log_(log),
      settings_(settings),
      maker_(options_.maker) {}

Historian::~Historian() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        wake_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
}

void Historian::start(std::int64_t now_ms) {
    open_from_ms_ = now_ms;
    thread_ = std::thread([this] { run(); });
}

std::chrono::milliseconds Historian::close(std::int64_t now_ms) {
    const std::int64_t step_ms = step_s_ * 1000;
    const auto until_end = [&](std::int64_t at_ms) {
        return std::chrono::milliseconds(step_ms - at_ms % step_ms);
    };
    if (now_ms <= open_from_ms_) {  // the clock was set back: what was counted stays open
        open_from_ms_ = now_ms;
        return until_end(now_ms);
    }
    Closed closed;
    forecast::Bucket& bucket = closed.bucket;
    bucket.step_s = step_s_;
    bucket.begin_s = open_from_ms_ / step_ms * step_s_;
    bucket.from_ms = open_from_ms_;
    const std::int64_t end_ms = (bucket.begin_s + step_s_) * 1000;
    bucket.until_ms = std::min(now_ms, end_ms);
    const bool too_late = now_ms - end_ms > step_ms / 2 + 1000;
    if (too_late) closed.dropped_because = "it was closed too late";
    // A little late: what came since is counted here, and the next bucket is complete all the same.
    open_from_ms_ = too_late ? now_ms : bucket.until_ms;
    closed.snapshot = options_.snapshot();
    closed.keys = std::make_shared<CollectedKeys>(options_.workers);
    options_.collect(closed.keys);

    wait_for_writing(std::move(closed));
    return until_end(now_ms);
}

// Of what is dropped the counts must be known all the same, lest they count as the next bucket's.
void Historian::wait_for_writing(Closed closed) {
    constexpr std::string_view kSlow = "the file is not written fast enough";
    const std::lock_guard lock(mutex_);
    if (waiting_.size() > kWaitingMax) {
        waiting_.back().snapshot = std::move(closed.snapshot);
        return drop(kSlow);
    }
    if (waiting_.size() == kWaitingMax) closed.dropped_because = kSlow;
    waiting_.push_back(std::move(closed));
    wake_.notify_all();
}

void Historian::finish(std::int64_t now_ms) {
    (void)close(now_ms);
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        wake_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
}

void Historian::set(const ForecastSettings& settings) {
    const std::lock_guard lock(mutex_);
    settings_ = settings;
}

admin::HistoryNumbers Historian::numbers() const {
    const std::lock_guard lock(mutex_);
    return numbers_;
}

// With mutex_ held.
void Historian::drop(std::string_view why) {
    ++numbers_.dropped;
    if (numbers_.problem != why)
        log_.error("a bucket of the history is dropped",
                   {{LogKey::Reason, why}, {LogKey::File, options_.path}});
    numbers_.problem = why;
}

void Historian::run() {
    if (auto opened = open(); !opened)
        log_.error("the history cannot be opened, it is tried again at every bucket",
                   {{LogKey::Reason, opened.error().text}});
    for (;;) {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        Closed closed = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        write(std::move(closed));
    }
}

void Historian::write(Closed closed) {
    forecast::Bucket& bucket = closed.bucket;
    std::size_t keys_max = 0;
    {
        const std::lock_guard lock(mutex_);
        keys_max = settings_.keys;
    }
    bucket.subjects = maker_.loads(std::move(closed.snapshot));
    bucket.keys = maker_.keys(closed.keys->take(kTallyPatience), bucket.step_s, keys_max);
    if (!closed.dropped_because.empty()) {
        const std::lock_guard lock(mutex_);
        return drop(closed.dropped_because);
    }
    const auto begun = std::chrono::steady_clock::now();
    const auto appended = append(bucket);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    if (!appended) return note_failure(appended.error());
    const auto stats = file_->stats();
    {
        const std::lock_guard lock(mutex_);
        ++numbers_.written;
        numbers_.write_seconds = took.count();
        if (stats) numbers_.file_bytes = stats->file_bytes;
        if (!numbers_.problem.empty()) log_.info("the history is written again");
        numbers_.problem.clear();
    }
    maintain();
}

Result<void> Historian::append(const forecast::Bucket& bucket) {
    if (!file_)
        if (auto opened = open(); !opened) return opened;
    auto appended = file_->append(bucket);
    if (appended || appended.error().sqlstate != "XX001") return appended;
    // It was damaged while it was in use.
    file_.reset();
    auto anew =
        forecast::HistoryWriter::start_anew(options_.path, retention(), now_s(), appended.error().text);
    if (!anew) return tl::unexpected(anew.error());
    file_ = std::move(*anew);
    note_set_aside();
    return file_->append(bucket);
}

Result<void> Historian::open() {
    auto opened = forecast::HistoryWriter::open(options_.path, retention(), now_s());
    if (!opened) return tl::unexpected(opened.error());
    file_ = std::move(*opened);
    note_set_aside();
    return {};
}

void Historian::note_set_aside() {
    if (!file_->set_aside().empty())
        log_.warning("a damaged history was set aside, a new one begins",
                     {{LogKey::File, options_.path}, {LogKey::Reason, file_->set_aside()}});
}

void Historian::note_failure(const Error& error) {
    const std::lock_guard lock(mutex_);
    drop(error.text);
}

void Historian::maintain() {
    file_->set_retention(retention());
    for (int turn = 0; turn < kMaintainTurnsMax; ++turn) {
        const auto more = file_->maintain(now_s());
        if (!more) {
            log_.warning("the history cannot be rolled up", {{LogKey::Reason, more.error().text}});
            return;
        }
        const std::lock_guard lock(mutex_);
        if (!*more || ending_ || !waiting_.empty()) return;
    }
}

forecast::Retention Historian::retention() const {
    const std::lock_guard lock(mutex_);
    forecast::Retention retention;
    retention.buckets_s = seconds(settings_.keep);
    retention.hours_s = seconds(settings_.keep_hours);
    retention.days_s = seconds(settings_.keep_days);
    retention.key_hours_s = seconds(settings_.keep_keys);
    retention.key_buckets_s = std::min(retention.key_buckets_s, retention.key_hours_s);
    retention.keys_max = settings_.keys;
    retention.bytes_max = settings_.history_size;
    return retention;
}

}  // namespace warmfront::control
