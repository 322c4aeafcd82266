// forecast/prewarm_plan.h: which answers to fetch before anybody asks for them: a pure decision with its
// numbers.
//
// Fetching an answer ahead saves one miss, if it is asked for while it is good, which has a chance
// (forecast/analogs.h). It is worth that chance times PostgreSQL's time for it, and costs the bytes that it
// takes meanwhile: what is worth most a byte comes first. What would go to waste with more than risk_max is
// not fetched at all.
//
// (Counting every predicted hit instead would rank keys the same way as long as few are asked for often, and
// then prefer keys whose second request finds the answer of the first anyway.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace warmfront::forecast {

enum class PrewarmWhy : std::uint8_t { Write, Expiry, Rise };

struct PrewarmCandidate {
    std::uint64_t key = 0;
    double rate_now = 0, rate_most = 0;  // requests a second predicted, now and at most in the time ahead
    double requests = 0;        // predicted for the time that an answer fetched now would be good for
    double chance = 0;          // that it is asked for in that time
    double risk_max = 0.25;     // that it may be unused: see PrewarmSwitch
    double saves_us = 0;        // PostgreSQL's time for it
    double bytes = 0;           // that it takes in memory
    bool switched_off = false;  // its template did not pay: see PrewarmSwitch
    bool later = false;         // most of its requests come when fetching it can wait
    bool there = false;         // an answer is in memory
    double expires_in_s = 0;    // where it is
    bool voided = false;        // it was there until a write came
    bool under_way = false;     // it is being fetched, or was tried a moment ago
};

struct PrewarmLimits {
    std::size_t fetches_max = 0;  // that can be begun now
    double bytes_max = 0;         // that fetched answers may take in addition
    double refresh_s = 1;         // an answer that expires within it is fetched anew
    bool explains = true;         // fill PrewarmDecision::reasons, which takes longer than the decision
};

struct PrewarmFetch {
    std::uint64_t key = 0;
    PrewarmWhy why = PrewarmWhy::Rise;
    double chance = 0;  // that it is used
    double worth = 0;   // microseconds saved a byte, expected
};

// What to fetch now, in this order: what writes voided, what is about to expire, what is about to rise; each
// by worth.
struct PrewarmDecision {
    std::vector<PrewarmFetch> fetches;
    std::vector<std::string> reasons;  // of each candidate, chosen or not, for people
};
[[nodiscard]] PrewarmDecision prewarm_plan(const std::vector<PrewarmCandidate>& candidates,
                                           const PrewarmLimits& limits);

// Whether prewarming pays for one template, by what became of what was fetched. Off where clearly more than
// `waste` of the last answers went unused (two standard deviations; judged from kJudged on, at kForgotten
// they count half: one hot set that did not come must not undo what many brought); on again, on probation,
// after kRestBuckets of the forecast's buckets, and after twice as long each time that the probation fails,
// kRestBucketsMax at most; a probation of kPassed answers forgets that.
class PrewarmSwitch {
public:
    static constexpr std::uint64_t kJudged = 20, kPassed = 200, kForgotten = 2'000;
    static constexpr std::int64_t kRestBuckets = 10, kRestBucketsMax = 20;
    explicit PrewarmSwitch(std::int64_t bucket_s = 60) : bucket_s_(bucket_s) {}
    // used, unused: totals, which only grow. Gives whether it is on.
    bool judge(std::uint64_t used, std::uint64_t unused, double waste, std::int64_t now_s);
    [[nodiscard]] bool on() const { return on_; }
    // The risk that a single fetch may take: `waste`, and as much more, at most twice as much, as less than
    // `waste` went unused lately; where more did, as much less, at least half of it.
    [[nodiscard]] double risk(double waste) const;
    [[nodiscard]] const std::string& reason() const { return reason_; }

private:
    bool on_ = true;
    double used_ = 0, unused_ = 0;  // lately
    std::uint64_t seen_used_ = 0, seen_unused_ = 0;
    std::int64_t bucket_s_;
    std::int64_t until_s_ = 0, rest_s_ = kRestBuckets * bucket_s_;
    std::string reason_;
};

}  // namespace warmfront::forecast
