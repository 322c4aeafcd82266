// One mutex for index and queues: what happens under it takes some hundred nanoseconds, and only misses,
// evictions and fills take it. The writer moves a batch from the queue to `writing_`, writes it without the
// lock, and then puts it into the index; what a newer answer supersedes is struck out wherever it is.
//
// Why an answer from disk is as good as one from memory: entry E was asked for at sequence numbers s, which
// are written with it. A reader that looks while every line still shows s (Entry::current, after the read)
// has an answer that was true at that moment, which is after it was asked for. The index's short form of s
// only saves reads that would be in vain.
#include "cache/disk_tier.h"

#include <algorithm>
#include <random>

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cache/disk_value.h"
#include "cache/expiry.h"

namespace warmfront::cache {
namespace {

constexpr std::size_t kFilesAbout = 256;  // so many write buffers are the tier's size
constexpr std::size_t kBatchBytesMin = std::size_t{16} << 10, kBatchBytesMax = std::size_t{256} << 10;
constexpr std::size_t kBatchEntriesMax = 64;
constexpr std::size_t kIndexShare = 2;    // of the budget, for the index at most
constexpr std::size_t kBufferShare = 16;  // for one of two write buffers at most
constexpr std::size_t kQueueShare = 8;    // for what waits to be written at most
// Hits in memory come first.
constexpr int kReaderNice = 4, kWriterNice = 4;

std::size_t write_buffer_bytes(const DiskTierOptions& options) {
    const std::size_t most = std::max(options.memory_bytes / kBufferShare, DiskFiles::kWriteBufferBytesMin);
    return std::clamp<std::size_t>(options.size_bytes / kFilesAbout, DiskFiles::kWriteBufferBytesMin, most);
}

std::uint64_t number_of_this_process() {
    std::random_device random;
    return std::uint64_t{random()} << 32 | random();
}

// The oldest file goes as a whole, so a little less than all of it is sure to be there.
std::uint64_t indexed_bytes(const DiskTierOptions& options, std::size_t write_buffer) {
    const std::uint64_t sure =
        options.size_bytes - std::min<std::uint64_t>(options.size_bytes, 2 * write_buffer);
    return std::max<std::uint64_t>(sure / 32 * 31,
                                   write_buffer);  // keys, block trailers and indexes of files
}

}  // namespace

DiskTier::DiskTier(Store& store, const Clock& clock, DiskTierOptions options)
    : store_(store),
      clock_(clock),
      options_(std::move(options)),
      write_buffer_bytes_(write_buffer_bytes(options_)),
      queue_bytes_max_(options_.memory_bytes / kQueueShare),
      batch_bytes_(std::clamp(queue_bytes_max_ / 4, kBatchBytesMin, kBatchBytesMax)),
      writer_(number_of_this_process()),
      ttl_ms_(options_.ttl_ms),
      index_({options_.memory_bytes / kIndexShare, indexed_bytes(options_, write_buffer_bytes_)}) {}

DiskTier::~DiskTier() {
    stop();
}

Result<void> DiskTier::open() {
    auto opened = DiskFiles::open({options_.directory, options_.size_bytes, write_buffer_bytes_});
    if (!opened) return tl::unexpected(opened.error());
    files_ = std::move(*opened);
    return {};
}

bool DiskTier::start() {
    const auto ready = DiskFiles::make_ready(options_.directory);
    if (!ready) return switch_off(ready.error().text), false;
    if (!ready->empty()) {
        {
            const std::lock_guard lock(mutex_);
            ++counted_.set_aside;
        }
        options_.alarm({DiskAlarm::What::SetAside, *ready});
    }
    if (const auto opened = open(); !opened) return switch_off(opened.error().text), false;
    on_ = true;
    tell_memory();
    threads_.emplace_back([this] { write_all(); });
    for (unsigned i = 0; i < options_.readers; ++i) threads_.emplace_back([this] { read_all(); });
    store_.set_lower_tier(this);
    return true;
}

void DiskTier::stop() {
    store_.set_lower_tier(nullptr);
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    work_.notify_all();
    readers_.notify_all();
    settled_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    on_ = false;
    files_ = nullptr;
}

std::size_t DiskTier::fixed_bytes() const {
    return 2 * write_buffer_bytes_ + queue_bytes_max_ + 2 * batch_bytes_;  // a batch, and as bytes
}

// The store gives up what the tier takes.
void DiskTier::tell_memory() {
    std::size_t bytes = 0;
    std::uint64_t file_bytes = 0;
    {
        const std::shared_lock files(files_mutex_);
        if (files_) file_bytes = files_->file_bytes();
    }
    {
        const std::lock_guard lock(mutex_);
        bytes = on_ ? fixed_bytes() + index_.memory_bytes() : 0;
        counted_.bytes = file_bytes;
        if (bytes == std::exchange(told_memory_bytes_, bytes)) return;
    }
    store_.reserve(bytes);
}

// ---- writing

bool DiskTier::is_old(const Entry& entry) const {
    return expired(entry.filled_at_ms(), clock_.now_ms(), entry.lifetime().within(ttl_ms_.load()));
}

void DiskTier::gave_up(EntryRef entry) noexcept {
    if (!on_ || entry->is_stub()) return;
    const std::uint64_t hash = entry->key().hash;
    if (is_old(*entry) || !entry->current()) return;
    const std::size_t bytes = entry->charge();
    bool was_empty = false;
    {
        const std::lock_guard lock(mutex_);
        if (index_.holds_young(hash, entry->filled_at_ms())) return;
        if (waiting_bytes_ + bytes > queue_bytes_max_) {
            ++counted_.dropped;
            return;
        }
        was_empty = waiting_order_.empty();
        auto& place = waiting_[hash];
        if (!place)
            waiting_order_.push_back(hash);
        else if (place->filled_at_ms() > entry->filled_at_ms())
            return;
        else
            waiting_bytes_ -= place->charge();
        place = std::move(entry);
        waiting_bytes_ += bytes;
    }
    if (was_empty) work_.notify_one();
}

void DiskTier::superseded(std::uint64_t hash) noexcept {
    if (!on_) return;
    const std::lock_guard lock(mutex_);
    index_.forget(hash);
    if (const auto found = waiting_.find(hash); found != waiting_.end()) {
        waiting_bytes_ -= found->second->charge();
        waiting_.erase(found);
        std::erase(waiting_order_, hash);
    }
    for (Writing& each : writing_) each.superseded |= each.entry->key().hash == hash;
}

bool DiskTier::take_batch(std::unique_lock<std::mutex>& lock) {
    work_.wait(lock, [this] { return stopping_ || !waiting_order_.empty(); });
    if (!stopping_ && waiting_bytes_ < batch_bytes_)
        work_.wait_for(lock, kCollectFor, [this] { return stopping_; });
    if (stopping_) return false;
    std::size_t bytes = 0;
    while (!waiting_order_.empty() && bytes < batch_bytes_ && writing_.size() < kBatchEntriesMax) {
        const auto found = waiting_.find(waiting_order_.front());
        waiting_order_.pop_front();
        waiting_bytes_ -= found->second->charge();
        bytes += found->second->charge();
        writing_.push_back({std::move(found->second), next_number_++, false});
        waiting_.erase(found);
    }
    return true;
}

Result<void> DiskTier::write_batch() {
    std::string bytes;
    std::vector<std::size_t> ends;
    for (const Writing& each : writing_) {
        append_disk_value(bytes, *each.entry, writer_);
        ends.push_back(bytes.size());
    }
    std::vector<DiskFiles::Numbered> values;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < writing_.size(); ++i) {
        values.emplace_back(writing_[i].number, std::string_view(bytes).substr(begin, ends[i] - begin));
        begin = ends[i];
    }
    const std::shared_lock files(files_mutex_);
    if (!files_) return {};
    return files_->write(values);
}

// Under the lock.
void DiskTier::index_batch() {
    for (const Writing& each : writing_) {
        const std::size_t bytes = disk_value_bytes(*each.entry);
        ++counted_.writes;
        counted_.written_bytes += bytes;
        if (each.superseded) continue;
        index_.add({each.entry->key().hash, each.number, static_cast<std::uint32_t>(bytes),
                    each.entry->filled_at_ms(), each.entry->lifetime()},
                   each.entry->seen());
    }
    writing_.clear();
}

// writing_ is changed by this thread alone, but for the mark `superseded`.
void DiskTier::write_all() {
    (void)pthread_setname_np(pthread_self(), "warm-disk-write");
    (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kWriterNice);
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            if (waiting_order_.empty()) settled_.notify_all();
            if (!take_batch(lock)) return;
        }
        const auto written = write_batch();
        {
            const std::lock_guard lock(mutex_);
            if (written && on_)
                index_batch();
            else
                writing_.clear();
        }
        if (!written) switch_off(written.error().text);
        tell_memory();
    }
}

// ---- reading

// Under the lock. A read that was not made teaches nothing: now and then one is.
bool DiskTier::worth_asking(std::uint64_t origin_us, std::uint64_t now_us) {
    if (options_.read_always || origin_us == 0 || read_ns_ == 0) return true;
    const std::uint64_t queue = reads_.size() / std::max(1U, options_.readers);
    if (read_ns_ * (1 + queue) < origin_us * 1000) return true;
    const auto stale_us = static_cast<std::uint64_t>(kMeasureAnewAfter.count());
    const bool is_due = now_us - read_measured_us_ > stale_us || ++not_made_ >= kMeasureEvery;
    if (is_due && reads_.empty()) return not_made_ = 0, true;
    return false;
}

// Follows the median: one read in a hundred that waits for the processor or the disk must not decide.
void DiskTier::learn(std::uint64_t took_us) {
    constexpr std::uint64_t kStep = 16;
    const std::uint64_t took_ns = std::max<std::uint64_t>(took_us, 1) * 1000;
    if (read_ns_ == 0)
        read_ns_ = took_ns;
    else if (took_ns > read_ns_)
        read_ns_ += std::min(took_ns - read_ns_, read_ns_ / kStep);
    else
        read_ns_ -= std::min(read_ns_ - took_ns, read_ns_ / kStep);
}

// What was given up a moment ago and is not written yet. Under the lock.
EntryRef DiskTier::in_queue(const KeyView& key) const {
    const auto good = [&](const Entry& entry) {
        return entry.key() == key && entry.current() && !is_old(entry);
    };
    const auto found = waiting_.find(key.hash);
    if (found != waiting_.end() && good(*found->second)) return found->second;
    for (const Writing& each : writing_)
        if (!each.superseded && good(*each.entry)) return each.entry;
    return {};
}

bool DiskTier::ask(const KeyView& key, const Asked& asked) {
    if (!on_) return false;
    const std::uint64_t now_us = clock_.now_us();
    EntryRef queued;
    {
        const std::lock_guard lock(mutex_);
        queued = in_queue(key);
        if (queued) ++counted_.hits;
    }
    if (queued) {
        (void)store_.bring_back(queued);
        asked.waiter->landed(asked.ticket, std::move(queued));
        return true;
    }
    {
        const std::lock_guard lock(mutex_);
        switch (index_.look(key.hash, now_us / 1000, ttl_ms_.load())) {
            case DiskIndex::State::Absent: return false;
            case DiskIndex::State::Void: ++counted_.voided; return false;
            case DiskIndex::State::Expired: ++counted_.expired; return false;
            case DiskIndex::State::Good: break;
        }
        if (!worth_asking(asked.origin_us, now_us)) return ++counted_.reads_slow, false;
        if (reads_.size() >= kReadsMax) return ++counted_.reads_full, false;
        reads_.push_back({std::string(key.bytes), key.hash, asked, now_us, reads_.empty()});
    }
    readers_.notify_one();
    return true;
}

void DiskTier::leave(const Waiter* waiter, std::uint64_t ticket) {
    const std::lock_guard lock(mutex_);
    std::erase_if(
        reads_, [&](const Read& read) { return read.asked.waiter == waiter && read.asked.ticket == ticket; });
    std::erase(reading_, std::pair{waiter, ticket});
}

void DiskTier::read_all() {
    (void)pthread_setname_np(pthread_self(), "warm-disk-read");
    (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kReaderNice);
    for (;;) {
        std::unique_lock lock(mutex_);
        readers_.wait(lock, [this] { return stopping_ || !reads_.empty(); });
        if (stopping_) return;
        Read read = std::move(reads_.front());
        reads_.pop_front();
        reading_.emplace_back(read.asked.waiter, read.asked.ticket);
        lock.unlock();
        serve(std::move(read));
    }
}

// Whether what was found is the entry, and may still be given.
DiskTier::Brought DiskTier::bring(const Read& read, const DiskIndex::Found& found) {
    Brought brought;
    const std::shared_lock files(files_mutex_);
    if (!files_) return brought;
    const auto bytes = files_->read(found.number);
    if (!bytes)
        return {
            bytes.error().sqlstate == "XX001" ? Outcome::Corrupt : Outcome::Failing, {}, bytes.error().text};
    if (!*bytes) return brought;
    brought.bytes = (*bytes)->size();
    const auto value = read_disk_value(**bytes, writer_);
    if (!value) return {Outcome::Corrupt, {}, value.error().text};
    if (value->key != read.key || value->seen_count != found.lines.size()) return brought;  // the same hash
    std::vector<Seen> seen;
    seen.reserve(found.lines.size());
    for (std::size_t i = 0; i < found.lines.size(); ++i) seen.push_back({found.lines[i], value->sequence(i)});
    const std::uint64_t ttl_ms = value->lifetime.within(ttl_ms_.load());
    if (expired(value->filled_at_ms, clock_.now_ms(), ttl_ms)) return brought;
    brought.entry = Entry::make({value->key, read.hash}, seen, value->row_description, value->rows_and_close,
                                value->filled_at_ms,
                                {.lifetime = value->lifetime, .residence = read.asked.residence.get()});
    if (brought.entry && brought.entry->current()) brought.outcome = Outcome::Brought;
    return brought;
}

void DiskTier::serve(Read read) {
    std::optional<DiskIndex::Found> found;
    {
        const std::lock_guard lock(mutex_);
        found = index_.find(read.hash);
    }
    Brought brought;
    if (found) brought = bring(read, *found);
    const bool good = brought.outcome == Outcome::Brought;
    if (good) {
        bool still_there = false;
        {
            const std::lock_guard lock(mutex_);
            const auto now = index_.find(read.hash);
            still_there = now && now->number == found->number;
        }
        if (still_there) (void)store_.bring_back(brought.entry);
    }
    {
        const std::lock_guard lock(mutex_);
        const std::uint64_t now_us = clock_.now_us();
        const std::uint64_t took_us = now_us - read.since_us;
        ++counted_.reads;
        counted_.reads_us += took_us;
        counted_.read_bytes += brought.bytes;
        ++(good ? counted_.hits : counted_.reads_void);
        read_measured_us_ = now_us;
        if (read.alone) learn(took_us);
        if (!good && found) index_.forget(read.hash, found->number);
        const auto waits = std::ranges::find(
            reading_, std::pair<const Waiter*, std::uint64_t>(read.asked.waiter, read.asked.ticket));
        if (waits != reading_.end()) {
            reading_.erase(waits);
            read.asked.waiter->landed(read.asked.ticket, good ? std::move(brought.entry) : EntryRef());
        }
    }
    if (brought.outcome == Outcome::Corrupt) begin_anew(brought.why);
    if (brought.outcome == Outcome::Failing) switch_off(brought.why);
}

// ---- trouble

void DiskTier::begin_anew(const std::string& why) {
    {
        const std::unique_lock files(files_mutex_);
        {
            const std::lock_guard lock(mutex_);
            if (!on_) return;
            index_.clear();
            ++counted_.errors;
        }
        files_ = nullptr;
        if (const auto set = DiskFiles::set_aside(options_.directory); set) {
            std::uint64_t asides = 0;
            {
                const std::lock_guard lock(mutex_);
                asides = ++counted_.set_aside;
            }
            options_.alarm({DiskAlarm::What::SetAside, why});
            if (asides < kAsidesMax && open()) return;
        }
    }
    switch_off(why);
}

void DiskTier::switch_off(const std::string& why) {
    {
        const std::unique_lock files(files_mutex_);
        files_ = nullptr;
        const std::lock_guard lock(mutex_);
        if (!on_.exchange(false) && !threads_.empty()) return;  // it was off, and told so
        ++counted_.errors;
        index_.clear();
        waiting_.clear();
        waiting_order_.clear();
        waiting_bytes_ = 0;
        settled_.notify_all();
    }
    tell_memory();
    options_.alarm({DiskAlarm::What::Off, why});
}

void DiskTier::clear() {
    const std::lock_guard lock(mutex_);
    index_.clear();
    waiting_.clear();
    waiting_order_.clear();
    waiting_bytes_ = 0;
    for (Writing& each : writing_) each.superseded = true;
}

void DiskTier::settle() {
    std::unique_lock lock(mutex_);
    settled_.wait(lock, [this] { return stopping_ || !on_ || (waiting_order_.empty() && writing_.empty()); });
}

DiskStats DiskTier::stats() const {
    DiskStats stats;
    {
        const std::lock_guard lock(mutex_);
        stats = counted_;
        stats.entries = index_.entries();
        stats.memory_bytes = told_memory_bytes_;
        stats.read_us = read_ns_ / 1000;
    }
    stats.on = on_;
    stats.bytes_max = options_.size_bytes;
    return stats;
}

}  // namespace warmfront::cache
