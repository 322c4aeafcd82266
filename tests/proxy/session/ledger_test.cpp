#include "proxy/session/ledger.h"

#include <doctest/doctest.h>

using namespace warmfront;
using namespace warmfront::session;

static sql::Analysis read_of(std::uint64_t digest) {
    sql::Analysis analysis;
    analysis.digest = digest;
    analysis.query_class = sql::QueryClass::Read;
    analysis.cacheable = true;
    return analysis;
}

TEST_CASE("ledger: counts of all workers are summed, statement by statement and database by database") {
    Ledger ledger({.workers = 2, .accounts_max = 100});
    const auto first = ledger.place(0, "app", "SELECT 1", read_of(1));
    const auto second = ledger.place(1, "app", "SELECT 2", read_of(1));
    const auto other = ledger.place(0, "shop", "SELECT 1", read_of(1));
    CHECK(first.account == second.account);
    CHECK(first.counts != second.counts);
    CHECK(first.account != other.account);
    CHECK(ledger.place(0, "app", "SELECT 1", read_of(1)).counts == first.counts);
    first.counts->requests.add(3);
    first.counts->hits.add(2);
    first.counts->misses.add(1);
    second.counts->requests.add(1);
    second.counts->hits.add(1);
    second.counts->saved_us.add(500);
    first.account->residence()->came(100);
    const auto rows = ledger.rows();
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].database == "app");
    CHECK(rows[0].text == "SELECT ?");
    CHECK(rows[0].requests == 4);
    CHECK(rows[0].hits == 3);
    CHECK(rows[0].hit_ratio() == 0.75);
    CHECK(rows[0].saved_us == 500);
    CHECK(rows[0].bytes == 100);
    CHECK(ledger.totals().saved_us == 500);
}

TEST_CASE("ledger: at its bound, what nobody uses makes room, and its numbers stay") {
    Ledger ledger({.workers = 1, .accounts_max = 2});
    auto first = ledger.place(0, "app", "SELECT a FROM t", read_of(1));
    const auto second = ledger.place(0, "app", "SELECT b FROM t", read_of(2));
    first.counts->requests.add(5);
    first.counts->saved_us.add(9);
    second.counts->requests.add(1);
    cache::Residence* const residence = first.account->residence();
    residence->came(100);
    first = {};
    // An entry still points at the first one.
    CHECK(ledger.place(0, "app", "SELECT c FROM t", read_of(3)).account ==
          ledger.place(0, "app", "SELECT d FROM t", read_of(4)).account);
    residence->left(100);
    for (std::uint64_t other = 100; other < 500; ++other)
        (void)ledger.place(0, "app", "SELECT e FROM t", read_of(other));
    const auto third = ledger.place(0, "app", "SELECT c FROM t", read_of(1000));
    third.counts->requests.add(1);
    std::uint64_t requests = 0;
    for (const auto& row : ledger.rows()) requests += row.requests;
    CHECK(requests == 7);
    CHECK(ledger.totals().saved_us == 9);
    CHECK(ledger.rows().front().text == "(others)");
    CHECK(ledger.rows(1).size() == 1);
}

TEST_CASE("ledger: while there is no room, statements share one account that is never switched off") {
    Ledger ledger({.workers = 1, .accounts_max = 1});
    const auto first = ledger.place(0, "app", "SELECT 1", read_of(1));
    const auto place = ledger.place(0, "app", "SELECT 2 FROM t", read_of(2));
    CHECK(place.account == ledger.place(0, "app", "SELECT 3 FROM u", read_of(3)).account);
    CHECK(place.account != first.account);
    place.counts->requests.add(7);
    ledger.mismatch(*place.account, 1, 2);
    CHECK(place.account->on());
    CHECK(ledger.rows().front().text == "(others)");
    CHECK(ledger.totals().mismatches == 1);
}

TEST_CASE("ledger: a mismatch switches off until it is resumed, break-even while it costs") {
    std::string told;
    Ledger ledger({.workers = 1, .accounts_max = 10, .on_mismatch = [&](const MismatchFound& found) {
                       told = std::string(found.text) + " " + std::to_string(found.kept) + " " +
                              std::to_string(found.now);
                   }});
    const auto a = ledger.place(0, "app", "SELECT a FROM t", read_of(1));
    const auto b = ledger.place(0, "app", "SELECT b FROM t", read_of(2));
    ledger.mismatch(*a.account, 5, 6);
    CHECK(told == "SELECT a FROM t 5 6");
    CHECK_FALSE(a.account->on());
    CHECK(ledger.off_text("app", 1).starts_with("off: mismatch: "));
    CHECK(ledger.off_text("app", 2).empty());
    CHECK(ledger.off_text("nowhere", 1).empty());

    b.counts->origins.add(1000);
    b.counts->origin_us.add(100'000);
    ledger.review(true, 0, 10'000);
    CHECK(b.account->origin_mean_us() == 100);
    b.counts->misses.add(1000);
    ledger.review(true, 10'000, 10'000);
    b.counts->misses.add(1000);
    ledger.review(true, 20'000, 10'000);
    CHECK_FALSE(b.account->on());
    CHECK(ledger.totals().off_by_break_even == 1);
    CHECK(ledger.totals().off_by_mismatch == 1);
    CHECK(ledger.off_text("app", 2).starts_with("off: break_even: 0 hits and 1000 misses"));
    ledger.review(true, 80'000, 10'000);
    CHECK(b.account->on());
    CHECK_FALSE(a.account->on());

    b.counts->misses.add(1000);
    ledger.review(true, 90'000, 10'000);
    b.counts->misses.add(1000);
    ledger.review(true, 100'000, 10'000);
    CHECK_FALSE(b.account->on());
    ledger.review(false, 100'000, 10'000);
    CHECK(b.account->on());
    CHECK_FALSE(a.account->on());
    CHECK(ledger.resume(7) == 0);
    CHECK(ledger.resume(1) == 1);
    CHECK(a.account->on());
    CHECK(ledger.resume(std::nullopt) == 2);
}
