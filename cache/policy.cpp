// The competition of the rules. Scores are kept against a growing weight, so that fading costs one
// multiplication per sampled request; now and then (review) they are brought back to weight 1.
#include "cache/policy.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "cache/policy_queues.h"
#include "cache/policy_shadow.h"

namespace warmfront::cache {

namespace {

constexpr std::size_t kShadowEntriesMax = 256;  // about; the sample is halved above
constexpr std::size_t kShadowEntriesMin = 32;   // the sample grows below, when the cache was made smaller
constexpr double kHalfLifeEntries = 6;          // in entries of a shadow
constexpr double kHalfLifeMin = 1000;           // sampled requests
constexpr double kLeadMin = 0.25;               // in standard deviations of the leader's count of hits
constexpr std::size_t kReviewMin = 32;          // sampled requests

}  // namespace

struct Policy::State {
    explicit State(std::size_t capacity)
        : capacity(capacity),
          queues(kRule[0], capacity),
          shadows{Shadow{kRule[0], capacity}, Shadow{kRule[1], capacity}, Shadow{kRule[2], capacity},
                  Shadow{kRule[3], capacity}, Shadow{kRule[4], capacity}} {
        review();
    }

    [[nodiscard]] bool sampled(std::uint64_t hash) const {
        return ((hash * kMix >> 20) & sample_mask()) == 0;
    }
    [[nodiscard]] std::uint64_t sample_mask() const { return (std::uint64_t{1} << sample_shift) - 1; }
    [[nodiscard]] std::size_t shadow_capacity() const;
    void request(const PolicyNode& node);
    void review();
    void fit_sample();
    void choose();

    static constexpr std::uint64_t kMix = 0xD6E8FEB86659FD93U;
    std::size_t capacity;
    Queues queues;
    std::array<Shadow, kRules> shadows;
    unsigned sample_shift = 0;  // one key in 2^sample_shift is in the shadows
    std::array<double, kRules> scores{};
    double weight = 1;
    double growth = 1;  // of the weight, per sampled request
    std::size_t until_review = 0;
    std::size_t chosen = 0;
};

std::size_t Policy::State::shadow_capacity() const {
    return std::max<std::size_t>(capacity >> sample_shift, 1);
}

void Policy::State::request(const PolicyNode& node) {
    if (!sampled(node.hash)) return;
    weight *= growth;
    for (std::size_t i = 0; i < kRules; ++i) {
        if (shadows[i].access(node.hash, node.charge)) scores[i] += weight;
    }
    if (--until_review == 0) review();
}

void Policy::State::review() {
    fit_sample();
    for (double& score : scores) score /= weight;
    weight = 1;
    choose();
    const auto entries = queues.count() >> sample_shift;
    growth = std::exp2(1 / std::max(kHalfLifeMin, kHalfLifeEntries * static_cast<double>(entries)));
    until_review = std::max(kReviewMin, entries / 4);
}

void Policy::State::fit_sample() {
    const auto entries = [this] { return queues.count() >> sample_shift; };
    const unsigned before = sample_shift;
    // Fewer entries than the capacity has room for may come back (voided by a write): then the sample is
    // kept.
    const bool full = queues.charge() > capacity / 2;
    if (full && entries() < kShadowEntriesMin) {
        while (sample_shift > 0 && entries() < kShadowEntriesMax / 2) --sample_shift;
    }
    while (entries() > kShadowEntriesMax) ++sample_shift;
    if (sample_shift == before) return;
    for (Shadow& shadow : shadows) {
        if (sample_shift > before) shadow.keep([this](std::uint64_t hash) { return sampled(hash); });
        shadow.set_capacity(shadow_capacity());
    }
}

void Policy::State::choose() {
    const auto best =
        static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
    if (scores[best] <= scores[chosen] + kLeadMin * std::sqrt(scores[best])) return;
    chosen = best;
    queues.set_rule(kRule[best], shadows[best].arc_share());
}

Policy::Policy(std::size_t capacity) : state_(new State(capacity)) {}
Policy::~Policy() {
    delete state_;
}

void Policy::touched(PolicyNode& node) {
    state_->queues.touched(node);
    state_->request(node);
}

void Policy::inserted(PolicyNode& node) {
    state_->queues.inserted(node);
    state_->request(node);
}

void Policy::removed(PolicyNode& node) {
    state_->queues.removed(node);
    if (!state_->sampled(node.hash)) return;
    for (Shadow& shadow : state_->shadows) shadow.removed(node.hash);
}

PolicyNode* Policy::victim() {
    return state_->queues.victim();
}

void Policy::spared(PolicyNode& node) {
    state_->queues.readmit(node);
}

void Policy::set_capacity(std::size_t capacity) {
    state_->capacity = capacity;
    state_->queues.set_capacity(capacity);
    for (Shadow& shadow : state_->shadows) shadow.set_capacity(state_->shadow_capacity());
}

std::size_t Policy::charge() const {
    return state_->queues.charge();
}

std::size_t Policy::memory_bytes() const {
    std::size_t bytes = sizeof(State) + state_->queues.ghost_bytes();
    for (const Shadow& shadow : state_->shadows) bytes += shadow.memory_bytes();
    return bytes;
}

}  // namespace warmfront::cache
