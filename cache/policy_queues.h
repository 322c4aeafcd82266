// cache/policy_queues.h: two queues and their ghosts, run by one of a few fixed rules; the rule may change at
// any time.
//
// Every entry is in one of two queues: `small`, where newcomers start, and `main`, for what proved itself. A
// rule says how much of the capacity `small` has, what moves an entry from one to the other, and in which
// order they lose entries. All rules share the same state, so that changing the rule moves no entry: the
// queues drift to the new shares as entries come and go. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cache/policy.h"
#include "cache/policy_ghosts.h"

namespace warmfront::cache {

struct Rule {
    enum class Kind : std::uint8_t {
        Recency,  // small has it all: least recently used
        Arc,      // both by recency; a hit promotes; ghosts move the border between them
        Clock,    // small as below; main is a clock whose uses give second chances
    };
    Kind kind = Kind::Recency;
    double small_share = 1;         // of the capacity; Clock only
    bool small_by_recency = false;  // else first in, first out; Clock only
    std::uint8_t uses_to_promote =
        0;  // hits in small that move an entry to main when it is its turn; Clock only
};

inline constexpr std::size_t kRules = 5;
extern const std::array<Rule, kRules> kRule;  // the first is where a cold cache begins

class Queues {
public:
    Queues(const Rule& rule, std::size_t capacity);

    // As in Policy.
    void touched(PolicyNode& node);
    void inserted(PolicyNode& node);
    void removed(PolicyNode& node);
    [[nodiscard]] PolicyNode* victim();
    void readmit(PolicyNode& node);  // the last victim
    void set_capacity(std::size_t capacity);
    [[nodiscard]] std::size_t charge() const { return small_.charge + main_.charge; }

    // The Arc rule begins with arc_share (0 to 1) of the capacity for small.
    void set_rule(const Rule& rule, double arc_share);
    [[nodiscard]] double arc_share() const;
    [[nodiscard]] std::size_t count() const { return small_.count + main_.count; }
    [[nodiscard]] std::size_t ghost_bytes() const { return ghosts_.memory_bytes(); }

private:
    struct Queue {
        PolicyNode ring;  // ring.next is the newest, ring.previous the oldest
        std::size_t count = 0;
        std::size_t charge = 0;
        Queue() { ring.previous = ring.next = &ring; }
        Queue(const Queue&) = delete;
        Queue& operator=(const Queue&) = delete;
    };

    [[nodiscard]] Queue& queue_of(const PolicyNode& node);
    void link(QueueName name, PolicyNode& node);
    void unlink(PolicyNode& node);
    void move(QueueName name, PolicyNode& node);

    [[nodiscard]] QueueName place_for(const Ghost& ghost);
    [[nodiscard]] bool admits(const PolicyNode& node, unsigned seen) const;
    [[nodiscard]] bool small_is_next() const;
    [[nodiscard]] bool spared(PolicyNode& node);
    PolicyNode* evict(PolicyNode& node);
    void remember(std::uint64_t hash, Ghost ghost);
    [[nodiscard]] double mean_charge() const;

    Rule rule_;
    std::size_t capacity_;
    double arc_target_ = 0;  // charge of small under the Arc rule
    Queue small_, main_;
    Ghosts ghosts_;
    std::uint64_t charge_bits_ = 0;    // sum over entries of the bit width of their charge
    PolicyNode* newest_ = nullptr;     // inserted since victim() last gave nullptr
    PolicyNode* refused_ = nullptr;    // inserted but not admitted: the next victim
    bool newest_was_in_main_ = false;  // its ghost was of main
};

}  // namespace warmfront::cache
