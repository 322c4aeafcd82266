// proxy/admin/worker_meter.h: puts what a session reports into its worker's counters. Lives on the worker's
// thread.
#pragma once

#include "config/clock.h"
#include "proxy/admin/counters.h"
#include "proxy/session/meter.h"

namespace warmfront::admin {

class WorkerMeter final : public session::Meter {
public:
    WorkerMeter(DatabaseCounters& counters, const Clock& clock) : counters_(counters), clock_(clock) {}

    std::uint64_t hit(std::uint64_t since_us) noexcept override {
        of_class(sql::QueryClass::Read).add(1);
        counters_.hits.add(1);
        const std::uint64_t took_us = elapsed_us(since_us);
        counters_.hit_latency.add(took_us);
        return took_us;
    }
    void stale() noexcept override { counters_.stales.add(1); }
    [[nodiscard]] std::uint64_t now_us() const noexcept override { return clock_.now_us(); }
    void forwarded(sql::QueryClass query_class, bool missed, std::uint64_t since_us) noexcept override {
        of_class(query_class).add(1);
        if (missed) counters_.misses.add(1);
        (missed ? counters_.miss_latency : counters_.forwarded_latency).add(elapsed_us(since_us));
    }
    void refused(std::string_view label) noexcept override { counters_.refusals.add(label); }
    void filled(bool stored) noexcept override {
        (stored ? counters_.fills : counters_.fills_refused).add(1);
    }
    void dropped(session::DropCause cause) noexcept override {
        counters_.invalidations[static_cast<std::size_t>(cause)].add(1);
    }
    void client_bytes(std::size_t received, std::size_t sent) noexcept override {
        counters_.received_bytes.add(received);
        counters_.sent_bytes.add(sent);
    }
    void connected() noexcept override { counters_.connections_opened.add(1); }
    void disconnected() noexcept override { counters_.connections_closed.add(1); }

private:
    [[nodiscard]] Counter& of_class(sql::QueryClass query_class) {
        return counters_.queries[static_cast<std::size_t>(query_class)];
    }
    [[nodiscard]] std::uint64_t elapsed_us(std::uint64_t since_us) const {
        const std::uint64_t now_us = clock_.now_us();
        return now_us > since_us ? now_us - since_us : 0;
    }

    DatabaseCounters& counters_;
    const Clock& clock_;
};

}  // namespace warmfront::admin
