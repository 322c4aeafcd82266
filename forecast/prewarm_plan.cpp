#include "forecast/prewarm_plan.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace warmfront::forecast {
namespace {

constexpr double kDeviations = 2;  // of a binomial count: by chance alone one in forty is beyond

struct Weighed {
    PrewarmFetch fetch;
    std::size_t candidate;
};

enum class Verdict : std::uint8_t { Wanted, SwitchedOff, UnderWay, There, TooCold, Later };

PrewarmFetch fetch_of(const PrewarmCandidate& each) {
    PrewarmFetch fetch;
    fetch.key = each.key;
    fetch.chance = each.chance;
    fetch.worth = fetch.chance * each.saves_us / std::max(1.0, each.bytes);
    fetch.why = each.there ? PrewarmWhy::Expiry : each.voided ? PrewarmWhy::Write : PrewarmWhy::Rise;
    return fetch;
}

Verdict judged(const PrewarmCandidate& each, const PrewarmLimits& limits, const PrewarmFetch& fetch) {
    if (each.switched_off) return Verdict::SwitchedOff;
    if (each.under_way) return Verdict::UnderWay;
    if (each.there && each.expires_in_s > limits.refresh_s) return Verdict::There;
    if (fetch.chance < 1 - each.risk_max) return Verdict::TooCold;
    if (each.later) return Verdict::Later;
    return Verdict::Wanted;
}

std::string refusal_of(Verdict verdict, const PrewarmCandidate& each, const PrewarmFetch& fetch) {
    switch (verdict) {
        case Verdict::Wanted: return {};
        case Verdict::SwitchedOff: return "its statement is left out: it did not pay";
        case Verdict::UnderWay: return "was asked for a moment ago";
        case Verdict::There: return fmt::format("is there for another {:.1f} s", each.expires_in_s);
        case Verdict::TooCold:
            return fmt::format(
                "{:.2f} requests predicted while it would be good: used with a chance of {:.0f} %",
                each.requests, fetch.chance * 100);
        case Verdict::Later: return "its load rises later than prewarm.lead";
    }
    return {};
}

std::string reason_of(const PrewarmCandidate& each, const PrewarmFetch& fetch) {
    const auto what = [&]() -> std::string {
        switch (fetch.why) {
            case PrewarmWhy::Write: return "a write voided it";
            case PrewarmWhy::Expiry: return fmt::format("expires in {:.1f} s", each.expires_in_s);
            case PrewarmWhy::Rise:
                return fmt::format("from {:.3g}/s to {:.3g}/s", each.rate_now, each.rate_most);
        }
        return {};
    }();
    return fmt::format("{}; {:.2f} requests predicted, saves {:.1f} ms with a chance of {:.0f} %", what,
                       each.requests, each.saves_us / 1000, fetch.chance * 100);
}

}  // namespace

PrewarmDecision prewarm_plan(const std::vector<PrewarmCandidate>& candidates, const PrewarmLimits& limits) {
    PrewarmDecision decision;
    if (limits.explains) decision.reasons.resize(candidates.size());
    const auto explain = [&](std::size_t i, auto&& reason) {
        if (limits.explains) decision.reasons[i] = reason();
    };
    std::vector<Weighed> weighed;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const PrewarmFetch fetch = fetch_of(candidates[i]);
        const Verdict verdict = judged(candidates[i], limits, fetch);
        if (verdict == Verdict::Wanted)
            weighed.push_back({fetch, i});
        else
            explain(i, [&] { return refusal_of(verdict, candidates[i], fetch); });
    }
    std::ranges::stable_sort(weighed, [](const Weighed& a, const Weighed& b) {
        return a.fetch.why != b.fetch.why ? a.fetch.why < b.fetch.why : a.fetch.worth > b.fetch.worth;
    });
    double bytes = 0;
    for (const auto& [fetch, i] : weighed) {
        // What replaces an answer that is there takes no more room.
        const double more = candidates[i].there ? 0 : candidates[i].bytes;
        if (decision.fetches.size() >= limits.fetches_max) {
            explain(i, [] { return "others are worth more, and the rate is used up"; });
        } else if (more > 0 && bytes + more > limits.bytes_max) {
            explain(i, [] { return "others are worth more, and the share of the memory is used up"; });
        } else {
            bytes += more;
            decision.fetches.push_back(fetch);
            explain(i, [&, &fetched = fetch, at = i] { return reason_of(candidates[at], fetched); });
        }
    }
    return decision;
}

double PrewarmSwitch::risk(double waste) const {
    const double judged = used_ + unused_;
    if (judged < static_cast<double>(kJudged)) return waste;
    return std::clamp(2 * waste - unused_ / judged, waste / 2, 2 * waste);
}

bool PrewarmSwitch::judge(std::uint64_t used, std::uint64_t unused, double waste, std::int64_t now_s) {
    used_ += static_cast<double>(used - std::min(used, seen_used_));
    unused_ += static_cast<double>(unused - std::min(unused, seen_unused_));
    seen_used_ = used;
    seen_unused_ = unused;
    if (!on_) {
        if (now_s < until_s_) return false;
        on_ = true;
        used_ = unused_ = 0;
        reason_.clear();
        return true;
    }
    const double judged = used_ + unused_;
    if (judged < static_cast<double>(kJudged)) return true;
    if (unused_ > waste * judged + kDeviations * std::sqrt(judged * waste * (1 - waste))) {
        on_ = false;
        until_s_ = now_s + rest_s_;
        reason_ = fmt::format("{:.0f} of the last {:.0f} answers fetched went unused; tried again in {} s",
                              unused_, judged, rest_s_);
        rest_s_ = std::min(2 * rest_s_, kRestBucketsMax * bucket_s_);
        return false;
    }
    if (judged >= static_cast<double>(kPassed)) rest_s_ = kRestBuckets * bucket_s_;
    if (judged >= static_cast<double>(kForgotten)) {  // what is older counts half
        used_ /= 2;
        unused_ /= 2;
    }
    return true;
}

}  // namespace warmfront::forecast
