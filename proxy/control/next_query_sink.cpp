#include "proxy/control/next_query_sink.h"

#include <chrono>
#include <memory>
#include <utility>

namespace warmfront::control {

bool NextQuerySink::prefetch(session::Prefetch wanted) {
    Prefetcher* const prefetcher = prefetcher_.load();
    if (prefetcher == nullptr) return false;
    auto replay =
        replay_of(*wanted.settings, wanted.statement->text, wanted.kind, wanted.row_limit, wanted.details);
    if (!replay) return false;
    PrefetchRequest request;
    request.replay = std::make_shared<const Replay>(std::move(*replay));
    request.reason = PrefetchReason::NextQuery;
    request.deadline = std::chrono::steady_clock::now() + wanted.within;
    return prefetcher->submit(std::move(request));
}

}  // namespace warmfront::control
