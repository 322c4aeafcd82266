#include "proxy/session/ledger.h"

#include <algorithm>

#include "sql/choices.h"

namespace warmfront::session {

Ledger::Ledger(Options options) : options_(std::move(options)), others_(new Account(options_.workers)) {
    others_->text_ = "(others)";
}

Ledger::Place Ledger::place(std::size_t worker, std::string_view database, std::string_view example,
                            const sql::Analysis& analysis) {
    std::string text = sql::shown_text(example);
    if (text.size() > kTextBytesMax) text.resize(kTextBytesMax);
    Key key{database, analysis.digest};
    const std::lock_guard lock(mutex_);
    const auto found = accounts_.find(key);
    std::shared_ptr<Account> account = found == accounts_.end() ? nullptr : found->second;
    if (!account && accounts_.size() >= options_.accounts_max) sweep();
    if (!account && accounts_.size() < options_.accounts_max) {
        account.reset(new Account(options_.workers));
        account->database_ = database;
        account->digest_ = analysis.digest;
        account->text_ = std::move(text);
        accounts_.emplace(std::move(key), account);
    }
    if (!account) {
        account = others_;
    } else {
        account->query_class_ = analysis.query_class;
        account->cacheable_ = analysis.cacheable;
        account->refusal_ = analysis.refusal.text;
        account->lifetime_ = analysis.lifetime;
    }
    auto& counts = account->counts_[worker];
    if (!counts) counts = std::make_unique<Counts>();
    Counts* const mine = counts.get();
    return {std::move(account), mine};
}

// Whoever counts or fills holds a plan, hence the account: with one owner left, only entries may point at it.
// What is switched off is remembered.
void Ledger::sweep() {
    if (until_sweep_ > 0) {
        --until_sweep_;
        return;
    }
    std::erase_if(accounts_, [this](const auto& item) {
        const auto& account = item.second;
        if (account.use_count() > 1 || !account->on() ||
            account->residence_.entries.load(std::memory_order_acquire) != 0)
            return false;
        gone_.add_numbers(numbers_of(*account));
        return true;
    });
    until_sweep_ = kPlacesPerSweep;
}

void Ledger::turn(Account& account, Off off, std::string reason) {
    account.off_reason_ = std::move(reason);
    account.off_.store(off, std::memory_order_relaxed);
}

void Ledger::mismatch(Account& account, std::uint64_t kept, std::uint64_t now) {
    const std::lock_guard lock(mutex_);
    ++account.mismatches_;
    options_.on_mismatch({account.database_, account.text_, account.digest_, kept, now});
    if (&account == others_.get()) return;
    turn(account, Off::Mismatch,
         "a kept answer was not what PostgreSQL answered; RESUME TEMPLATE turns it on");
}

void Ledger::review(bool active, std::uint64_t now_ms, std::uint64_t ttl_ms) {
    const std::lock_guard lock(mutex_);
    for (auto& [key, account] : accounts_) {
        const cache::Costs costs = costs_of(*account);
        if (costs.origins > 0)
            account->origin_mean_us_.store(costs.origin_us / costs.origins, std::memory_order_relaxed);
        const Off off = account->off_.load(std::memory_order_relaxed);
        if (off == Off::Mismatch || !account->cacheable_) continue;
        if (!active) {
            account->break_even_.reset();
            if (off != Off::No) turn(*account, Off::No, {});
            continue;
        }
        const bool on = account->break_even_.judge(costs, now_ms, account->lifetime_.within(ttl_ms));
        if (on == (off == Off::No)) continue;
        turn(*account, on ? Off::No : Off::BreakEven, account->break_even_.reason());
        options_.on_turned({account->database_, account->text_, account->digest_, on, account->off_reason_});
    }
}

std::size_t Ledger::resume(std::optional<std::uint64_t> digest) {
    std::size_t resumed = 0;
    const std::lock_guard lock(mutex_);
    for (auto& [key, account] : accounts_) {
        if (digest && key.second != *digest) continue;
        ++resumed;
        account->break_even_.reset();
        turn(*account, Off::No, {});
    }
    return resumed;
}

cache::Costs Ledger::costs_of(const Account& account) {
    cache::Costs costs;
    for (const auto& counts : account.counts_) {
        if (!counts) continue;
        costs.hits += counts->hits.get();
        costs.misses += counts->misses.get();
        costs.origins += counts->origins.get();
        costs.origin_us += counts->origin_us.get();
        costs.hit_us += counts->hit_us.get();
        costs.keep_us += counts->keep_us.get();
    }
    return costs;
}

void Ledger::add_text(TemplateRow& row, const Account& account) {
    row.digest = account.digest_;
    row.database = account.database_;
    row.text = account.text_;
    row.query_class = account.query_class_;
    row.cacheable = account.cacheable_;
    row.refusal = account.refusal_;
    row.off_reason = account.off_reason_;
}

TemplateRow Ledger::numbers_of(const Account& account) {
    TemplateRow row;
    row.off = account.off_.load(std::memory_order_relaxed);
    row.mismatches = account.mismatches_;
    row.entries = account.residence_.entries.load(std::memory_order_relaxed);
    row.bytes = account.residence_.bytes.load(std::memory_order_relaxed);
    row.fetched = account.worth_.fetched.load(std::memory_order_relaxed);
    row.fetched_used = account.worth_.used.load(std::memory_order_relaxed);
    row.fetched_unused = account.worth_.unused.load(std::memory_order_relaxed);
    row.fetch_spent_us = account.worth_.spent_us.load(std::memory_order_relaxed);
    row.fetch_saved_us = account.worth_.saved_us.load(std::memory_order_relaxed);
    for (const auto& counts : account.counts_) {
        if (!counts) continue;
        row.requests += counts->requests.get();
        row.would_hits += counts->would_hits.get();
        row.verified += counts->verified.get();
        row.saved_us += counts->saved_us.get() + counts->would_us.get();
    }
    const cache::Costs costs = costs_of(account);
    row.hits = costs.hits;
    row.misses = costs.misses;
    if (costs.origins > 0) row.origin_mean_us = costs.origin_us / costs.origins;
    return row;
}

std::vector<TemplateRow> Ledger::rows(std::size_t rows_max) const {
    std::vector<std::pair<TemplateRow, const Account*>> all;
    const std::lock_guard lock(mutex_);
    all.reserve(accounts_.size() + 1);
    for (const auto& [key, account] : accounts_) all.emplace_back(numbers_of(*account), account.get());
    all.emplace_back(numbers_of(*others_), others_.get());
    all.back().first.add_numbers(gone_);
    if (all.back().first.requests == 0) all.pop_back();
    std::ranges::stable_sort(all, [](const auto& a, const auto& b) {
        return a.first.saved_us != b.first.saved_us ? a.first.saved_us > b.first.saved_us
                                                    : a.first.requests > b.first.requests;
    });
    std::vector<TemplateRow> rows;
    for (auto& [row, account] : all) {
        if (rows.size() >= rows_max) break;
        add_text(row, *account);
        rows.push_back(std::move(row));
    }
    return rows;
}

LedgerTotals Ledger::totals() const {
    LedgerTotals totals;
    const auto add = [&totals](const TemplateRow& row) {
        totals.would_hits += row.would_hits;
        totals.saved_us += row.saved_us;
        totals.verified += row.verified;
        totals.mismatches += row.mismatches;
        totals.fetched += row.fetched;
        totals.fetched_used += row.fetched_used;
        totals.fetched_unused += row.fetched_unused;
        totals.fetch_spent_us += row.fetch_spent_us;
        totals.fetch_saved_us += row.fetch_saved_us;
        totals.off_by_break_even += row.off == Off::BreakEven ? 1 : 0;
        totals.off_by_mismatch += row.off == Off::Mismatch ? 1 : 0;
    };
    const std::lock_guard lock(mutex_);
    for (const auto& [key, account] : accounts_) add(numbers_of(*account));
    add(numbers_of(*others_));
    add(gone_);
    return totals;
}

std::string Ledger::off_text(std::string_view database, std::uint64_t digest) const {
    const std::lock_guard lock(mutex_);
    const auto found = accounts_.find(Key{database, digest});
    if (found == accounts_.end() || found->second->on()) return {};
    const Account& account = *found->second;
    return std::string(name_of(account.off_.load(std::memory_order_relaxed))) + ": " + account.off_reason_;
}

}  // namespace warmfront::session
