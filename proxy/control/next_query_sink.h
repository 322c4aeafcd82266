// proxy/control/next_query_sink.h: hands what sessions are expected to ask next to the prefetcher.
//
// Thread-safe; outlived by nothing that calls it. Before attach() and after detach() nothing is taken.
#pragma once

#include <atomic>

#include "proxy/control/prefetcher.h"
#include "proxy/session/prefetch.h"

namespace warmfront::control {

class NextQuerySink final : public session::PrefetchSink {
public:
    // The prefetcher must live until detach().
    void attach(Prefetcher& prefetcher) { prefetcher_.store(&prefetcher); }
    void detach() { prefetcher_.store(nullptr); }
    bool prefetch(session::Prefetch wanted) override;

private:
    std::atomic<Prefetcher*> prefetcher_{nullptr};
};

}  // namespace warmfront::control
