#include "proxy/control/prefetcher.h"

#include <algorithm>
#include <utility>

namespace warmfront::control {
namespace {

std::size_t place(auto each) {
    return static_cast<std::size_t>(each);
}

}  // namespace

std::string_view name_of(PrefetchReason reason) {
    switch (reason) {
        case PrefetchReason::NextQuery: return "next_query";
        case PrefetchReason::Write: return "write";
        case PrefetchReason::Expiry: return "expiry";
        case PrefetchReason::Command: return "command";
        case PrefetchReason::Rise: return "rise";
    }
    return "rise";
}

Prefetcher::Prefetcher(session::Shared& shared, Options options, Done done)
    : shared_(shared),
      options_(std::move(options)),
      done_(std::move(done)),
      tokens_(options_.rate, kBurst, shared.clock.now_us()) {}

Prefetcher::~Prefetcher() {
    stop();
}

void Prefetcher::start() {
    for (std::size_t i = 0; i < options_.concurrency; ++i) threads_.emplace_back([this, i] { run(i); });
}

void Prefetcher::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_.store(true);
        for (Queue& queue : queues_) queue.clear();
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
}

bool Prefetcher::submit(PrefetchRequest request) {
    {
        const std::lock_guard lock(mutex_);
        std::size_t waiting = 0;
        for (const Queue& queue : queues_) waiting += queue.size();
        if (stopping_.load() || threads_.empty() || waiting >= kQueueMax) {
            ++totals_.dropped;
            return false;
        }
        queues_[place(request.reason)].push_back(std::move(request));
    }
    wake_.notify_one();
    return true;
}

void Prefetcher::withdraw(PrefetchReason reason) {
    const std::lock_guard lock(mutex_);
    queues_[place(reason)].clear();
}

void Prefetcher::set_rate(double per_second) {
    {
        const std::lock_guard lock(mutex_);
        tokens_.set_rate(per_second, shared_.clock.now_us());
    }
    wake_.notify_all();
}

PrefetchTotals Prefetcher::totals() const {
    const std::lock_guard lock(mutex_);
    PrefetchTotals totals = totals_;
    totals.waiting = 0;
    for (const Queue& queue : queues_) totals.waiting += queue.size();
    totals.rate = tokens_.rate();
    return totals;
}

// With the lock held.
std::optional<PrefetchRequest> Prefetcher::take(const Fetcher& fetcher) {
    for (Queue& queue : queues_) {
        if (queue.empty()) continue;
        const auto end = queue.begin() + static_cast<std::ptrdiff_t>(std::min(queue.size(), kLookAhead));
        auto chosen = std::find_if(queue.begin(), end,
                                   [&](const PrefetchRequest& each) { return fetcher.suits(*each.replay); });
        if (chosen == end) chosen = queue.begin();
        PrefetchRequest request = std::move(*chosen);
        queue.erase(chosen);
        return request;
    }
    return std::nullopt;
}

std::optional<PrefetchRequest> Prefetcher::next(Fetcher& fetcher) {
    std::unique_lock lock(mutex_);
    for (;;) {
        if (stopping_.load()) return std::nullopt;
        const bool any = std::ranges::any_of(queues_, [](const Queue& queue) { return !queue.empty(); });
        if (!any) {
            if (wake_.wait_for(lock, Fetcher::kIdleMax) == std::cv_status::timeout) fetcher.rest();
            continue;
        }
        const auto now = std::chrono::steady_clock::now();
        if (now < paused_until_) {
            wake_.wait_until(lock, paused_until_);
            continue;
        }
        const std::uint64_t now_us = shared_.clock.now_us();
        if (tokens_.take(now_us)) return take(fetcher);
        wake_.wait_for(lock, std::chrono::microseconds(tokens_.next_in_us(now_us)));
    }
}

void Prefetcher::run(std::size_t number) {
    Fetcher fetcher(shared_, {options_.conninfo_for, options_.first_ledger_worker + number}, stopping_);
    while (const auto request = next(fetcher)) {
        Fetched fetched;
        if (std::chrono::steady_clock::now() < request->deadline)
            fetched = fetcher.fetch(*request->replay, request->anew);
        else
            fetched.reason = "its deadline was over";
        note(*request, fetched);
        done_(*request, fetched);
    }
}

void Prefetcher::note(const PrefetchRequest& request, const Fetched& fetched) {
    const std::lock_guard lock(mutex_);
    ++totals_.outcomes[place(fetched.outcome)];
    totals_.asked_us += fetched.took_us;
    if (fetched.outcome == FetchOutcome::Stored) ++totals_.reasons[place(request.reason)];
    if (!fetched.reason.empty())
        totals_.last_reason = std::string(name_of(fetched.outcome)) + ": " + fetched.reason;
    if (fetched.outcome == FetchOutcome::Unreachable)
        paused_until_ = std::chrono::steady_clock::now() + kPause;
}

}  // namespace warmfront::control
