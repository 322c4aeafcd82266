// forecast/pooling.h: what to expect of something with little history of its own: its share of what it is
// part of.
//
// A key's rate is the rate of its template times P(key | template, time of day). The shares are posterior
// means under a Dirichlet prior that is the key's share over the whole day, which in turn is smoothed towards
// "a key not seen yet" (a hierarchical prior as in MacKay, Peto, "A hierarchical Dirichlet language model",
// 1995): a slot with few requests says what the day says, a slot with many what it saw itself. Old requests
// count less (forward decay: Cormode et al., 2009). Keys and templates are opaque numbers. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace warmfront::forecast {

using TemplateId = std::uint64_t;
using KeyId = std::uint64_t;

struct KeyShare {
    KeyId key = 0;
    double share = 0;  // 0 to 1
};

class KeyShares {
public:
    struct Options {
        std::int64_t cycle_s = 86'400;      // what repeats: a day; a week to tell weekdays apart
        std::size_t slots = 24;             // of the cycle; 1 to 1,024
        double half_life_s = 7 * 86'400.0;  // after which a request counts half
        double slot_prior = 20;        // requests that a slot needs to be believed as much as the whole cycle
        double unseen_prior = 1;       // requests' worth of belief in a key that was never seen
        std::size_t keys_max = 1'024;  // a template; beyond it the quarter asked for least is forgotten
        std::size_t templates_max = 1'024;  // beyond it new templates are not counted
    };
    explicit KeyShares(const Options& options);

    // `requests` of the key around the time. Times may come in any order; those more than 60 half-lives
    // before the latest one count nothing.
    void observe(TemplateId of, KeyId key, std::int64_t time_s, double requests = 1);
    // Requests of the template whose key is not known one by one: they count for the whole alone.
    void observe_others(TemplateId of, std::int64_t time_s, double requests);

    // P(key | template, the time's slot). A key that is not in the table has the share of unseen ones, a
    // template that is not in the table 0.
    [[nodiscard]] double share(TemplateId of, KeyId key, std::int64_t time_s) const;
    // What was seen of the key, and of the template as a whole, in the time's slot; in requests of the latest
    // time observed. For whoever knows a better prior than the whole cycle.
    struct Evidence {
        double key = 0, all = 0;
    };
    [[nodiscard]] Evidence evidence(TemplateId of, KeyId key, std::int64_t time_s) const;
    // The `count` keys with the largest share at that time, largest first; equal ones by key.
    [[nodiscard]] std::vector<KeyShare> top(TemplateId of, std::int64_t time_s, std::size_t count) const;
    // Requests of the key to expect when the template has `template_rate`, in that unit.
    [[nodiscard]] double rate(TemplateId of, KeyId key, std::int64_t time_s, double template_rate) const {
        return template_rate * share(of, key, time_s);
    }

    [[nodiscard]] std::size_t templates() const { return tables_.size(); }
    [[nodiscard]] std::size_t keys(TemplateId of) const;  // known now

private:
    struct Counts {
        std::vector<float> slots;  // one a slot, in weight of the epoch
        double all = 0;
    };
    struct Table {
        std::unordered_map<KeyId, Counts> keys;
        Counts whole;  // of all keys, known or not
    };
    [[nodiscard]] std::size_t slot_of(std::int64_t time_s) const;
    [[nodiscard]] double weight(std::int64_t time_s);
    [[nodiscard]] Table* table_for(TemplateId of);
    [[nodiscard]] double posterior(const Table& table, const Counts* key, std::size_t slot) const;
    void add(Counts& counts, std::size_t slot, double weighted) const;
    void forget_least(Table& table) const;
    void move_epoch(std::int64_t to_s);

    Options options_;
    std::unordered_map<TemplateId, Table> tables_;
    bool started_ = false;
    std::int64_t epoch_s_ = 0;   // a request at this time has weight 1
    std::int64_t latest_s_ = 0;  // of all observed: shares are as of then
};

// Cold start of a series: its share of its parent over the buckets that both have, smoothed as a Beta
// posterior: `prior_weight` parent's requests with `prior_share` of them are added. NaN buckets do not count.
struct PooledShare {
    double prior_share = 0, prior_weight = 20;
};
[[nodiscard]] double pooled_share(std::span<const double> child, std::span<const double> parent,
                                  const PooledShare& prior);
// The parent's forecast times the share.
[[nodiscard]] std::vector<double> pooled_forecast(std::span<const double> parent_forecast, double share);

}  // namespace warmfront::forecast
