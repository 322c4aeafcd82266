// The newcomer is linked before room is made for it, so decisions that ARC and S3-FIFO define on the state
// before the insertion take its charge out again (small_is_next).
#include "cache/policy_queues.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace warmfront::cache {

namespace {

enum Where : std::uint8_t { Nowhere, InSmall, InMain };

constexpr std::uint8_t kUsesMax = 3;
// Second chances given in one search for a victim: the bound of one call. Then the next one goes, used or
// not.
constexpr unsigned kSparedMax = 64;
// An entry this many powers of two above the usual charge must have been asked for more than once.
constexpr unsigned kLargeBits = 4;

}  // namespace

// Chosen as a small set that covers the best of a grid of 145 (share, order, promotion, main's order, ghosts)
// on traces of databases, web sites and file systems, their parts, reversals and mixtures, and on synthetic
// loops and scans.
const std::array<Rule, kRules> kRule{{
    {Rule::Kind::Arc},
    {Rule::Kind::Recency},
    {Rule::Kind::Clock, 0.10, false, 2},  // S3-FIFO
    {Rule::Kind::Clock, 0.30, true, 2},   // 2Q with a clock: reuse that comes in bursts
    {Rule::Kind::Clock, 0.01, false, 1},  // keeps what it has: stable popularity, scans, loops
}};

Queues::Queues(const Rule& rule, std::size_t capacity) : rule_(rule), capacity_(capacity) {}

void Queues::touched(PolicyNode& node) {
    if (node.uses < kUsesMax) ++node.uses;
    const bool in_small = node.where == InSmall;
    switch (rule_.kind) {
        case Rule::Kind::Recency: move(QueueName::Small, node); break;
        case Rule::Kind::Arc:
            if (in_small) node.uses = 0;
            move(QueueName::Main, node);
            break;
        case Rule::Kind::Clock:
            if (in_small && rule_.small_by_recency) move(QueueName::Small, node);
            break;
    }
}

void Queues::inserted(PolicyNode& node) {
    node.uses = 0;
    node.where = Nowhere;
    const auto ghost = ghosts_.take(node.hash);
    const unsigned seen = ghost ? ghost->seen + 1U : 1U;
    if (!admits(node, seen)) {
        refused_ = &node;
        remember(node.hash, {QueueName::Small, true,
                             static_cast<std::uint8_t>(std::min<unsigned>(seen, Ghost::kSeenMax))});
        return;
    }
    newest_ = &node;
    newest_was_in_main_ = ghost && ghost->from == QueueName::Main && ghost->evicted;
    link(ghost ? place_for(*ghost) : QueueName::Small, node);
}

void Queues::removed(PolicyNode& node) {
    if (&node == refused_) {
        refused_ = nullptr;
        return;
    }
    const bool proved = node.where == InMain;
    unlink(node);
    // What replaces it has proved itself as well.
    if (proved) remember(node.hash, {QueueName::Main, false, 1});
}

PolicyNode* Queues::victim() {
    if (refused_ != nullptr) return std::exchange(refused_, nullptr);
    if (charge() <= capacity_) {
        newest_ = nullptr;
        return nullptr;
    }
    for (unsigned spared_count = 0;; ++spared_count) {
        PolicyNode& oldest = *(small_is_next() ? small_ : main_).ring.previous;
        if (spared_count >= kSparedMax || !spared(oldest)) return evict(oldest);
    }
}

void Queues::readmit(PolicyNode& node) {
    (void)ghosts_.take(node.hash);  // it is no ghost
    node.uses = 0;
    link(QueueName::Main, node);
}

void Queues::set_capacity(std::size_t capacity) {
    arc_target_ = arc_share() * static_cast<double>(capacity);
    capacity_ = capacity;
}

void Queues::set_rule(const Rule& rule, double arc_share) {
    rule_ = rule;
    arc_target_ = arc_share * static_cast<double>(capacity_);
}

double Queues::arc_share() const {
    return capacity_ == 0 ? 0 : arc_target_ / static_cast<double>(capacity_);
}

Queues::Queue& Queues::queue_of(const PolicyNode& node) {
    return node.where == InSmall ? small_ : main_;
}

void Queues::link(QueueName name, PolicyNode& node) {
    Queue& queue = name == QueueName::Small ? small_ : main_;
    node.where = name == QueueName::Small ? InSmall : InMain;
    node.previous = &queue.ring;
    node.next = queue.ring.next;
    node.next->previous = &node;
    queue.ring.next = &node;
    ++queue.count;
    queue.charge += node.charge;
    charge_bits_ += std::bit_width(node.charge);
}

void Queues::unlink(PolicyNode& node) {
    Queue& queue = queue_of(node);
    node.previous->next = node.next;
    node.next->previous = node.previous;
    node.previous = node.next = nullptr;
    --queue.count;
    queue.charge -= node.charge;
    charge_bits_ -= std::bit_width(node.charge);
    node.where = Nowhere;
    if (&node == newest_) newest_ = nullptr;
}

void Queues::move(QueueName name, PolicyNode& node) {
    PolicyNode* const newest = newest_;
    unlink(node);
    link(name, node);
    newest_ = newest;
}

// ARC's adaptation: a ghost of small says that small is too small, one of main that main is.
QueueName Queues::place_for(const Ghost& ghost) {
    const double small = static_cast<double>(ghosts_.count(QueueName::Small));
    const double main = static_cast<double>(ghosts_.count(QueueName::Main));
    const bool of_small = ghost.from == QueueName::Small;
    switch (rule_.kind) {
        case Rule::Kind::Recency: return QueueName::Small;
        case Rule::Kind::Clock: return of_small || !ghost.evicted ? QueueName::Main : QueueName::Small;
        case Rule::Kind::Arc: break;
    }
    if (ghost.evicted) {
        const double step = mean_charge() * (of_small ? std::max(1.0, main / (small + 1))
                                                      : -std::max(1.0, small / (main + 1)));
        arc_target_ = std::clamp(arc_target_ + step, 0.0, static_cast<double>(capacity_));
    }
    return QueueName::Main;
}

// Sizes: an entry 32 times as large as the usual one (geometric mean) must have been seen twice within the
// memory of the ghosts before it may push others out, one 64 times as large three times, and so on.
bool Queues::admits(const PolicyNode& node, unsigned seen) const {
    if (node.charge > capacity_) return false;
    if (charge() + node.charge <= capacity_ || count() == 0) return true;
    const auto usual = static_cast<unsigned>(charge_bits_ / count());
    const auto bits = static_cast<unsigned>(std::bit_width(node.charge));
    return bits <= usual + kLargeBits || seen > bits - usual - kLargeBits;
}

bool Queues::small_is_next() const {
    const bool newest_in_small = newest_ != nullptr && newest_->where == InSmall;
    const bool newest_in_main = newest_ != nullptr && newest_->where == InMain;
    if (small_.count == (newest_in_small ? 1 : 0)) return main_.count == 0;
    if (main_.count == (newest_in_main ? 1 : 0)) return true;
    const double mean = mean_charge();
    const double small = static_cast<double>(small_.charge);
    switch (rule_.kind) {
        case Rule::Kind::Recency: return false;
        case Rule::Kind::Arc: {
            const double before = newest_in_small ? small - std::min<double>(newest_->charge, mean) : small;
            return before > arc_target_ || (newest_was_in_main_ && newest_in_main && before >= arc_target_);
        }
        case Rule::Kind::Clock: break;
    }
    const double target = std::max(mean, rule_.small_share * static_cast<double>(capacity_));
    return (newest_in_main ? small + mean : small) > target;
}

// Moves the oldest of its queue out of the way if it earned that.
bool Queues::spared(PolicyNode& node) {
    if (rule_.kind != Rule::Kind::Clock) return false;
    if (node.where == InSmall) {
        if (node.uses < rule_.uses_to_promote) return false;
        node.uses = 0;
        move(QueueName::Main, node);
        return true;
    }
    if (node.uses == 0 && &node != newest_) return false;
    if (node.uses > 0) --node.uses;
    move(QueueName::Main, node);
    return true;
}

PolicyNode* Queues::evict(PolicyNode& node) {
    const auto from = node.where == InSmall ? QueueName::Small : QueueName::Main;
    unlink(node);
    remember(node.hash, {from, true, 1});
    return &node;
}

// As many ghosts as entries. Under the Arc rule small and its ghosts together are at most as many as the
// entries; else only small's ghosts matter, so main's go first.
void Queues::remember(std::uint64_t hash, Ghost ghost) {
    ghosts_.add(hash, ghost);
    const std::size_t entries = std::max<std::size_t>(count(), 1);
    const bool arc = rule_.kind == Rule::Kind::Arc;
    const std::size_t small_max = arc ? entries - std::min(entries, small_.count) : entries;
    while (ghosts_.count(QueueName::Small) > small_max) ghosts_.forget_oldest(QueueName::Small);
    while (ghosts_.count() > entries) {
        ghosts_.forget_oldest(ghosts_.count(QueueName::Main) > 0 ? QueueName::Main : QueueName::Small);
    }
}

double Queues::mean_charge() const {
    return count() == 0 ? 1 : static_cast<double>(charge()) / static_cast<double>(count());
}

}  // namespace warmfront::cache
