#include "forecast/next_query.h"

#include <deque>
#include <map>
#include <random>
#include <string>

#include <doctest/doctest.h>

namespace warmfront::forecast {
namespace {

constexpr std::uint64_t kProduct = 11, kReviews = 12, kAuthor = 13;

// One session: asks, learns, and tells what the model expects next.
class Asker {
public:
    explicit Asker(NextQuery& model) : model_(model) {}

    void ask(std::uint64_t statement, std::vector<std::string> parameters, std::vector<std::string> columns) {
        const std::uint64_t from = past_.empty() ? 0 : past_.front().statement;
        const auto noted = model_.asked(from, statement);
        const Kept now{statement, std::move(parameters), std::move(columns)};
        if (noted.wants_example) model_.learn({from, statement}, history(), values_of(now.parameters, 0));
        past_.push_front(now);
        if (past_.size() > NextQuery::kHistory) past_.pop_back();
    }
    // "12(7)", or "" if nothing is expected.
    [[nodiscard]] std::string expects() {
        NextQuery::Candidates found;
        std::string text;
        const std::size_t count = model_.candidates(past_.front().statement, now_us, found);
        for (std::size_t i = 0; i < count; ++i) {
            const auto parameters = model_.parameters({past_.front().statement, found[i].to}, history());
            if (!parameters) continue;
            text += std::to_string(found[i].to) + "(";
            for (const auto& each : *parameters) text += (text.back() == '(' ? "" : " ") + std::string(each);
            text += ")";
        }
        return text;
    }
    void leave() { past_.clear(); }
    std::uint64_t now_us = 1'000'000;

private:
    struct Kept {
        std::uint64_t statement;
        std::vector<std::string> parameters, columns;
    };
    std::span<const OpaqueValue> values_of(const std::vector<std::string>& texts, std::size_t place) {
        auto& values = values_[place];
        values.clear();
        for (const auto& text : texts) values.emplace_back(text);
        return values;
    }
    std::span<const AnsweredRequest> history() {
        history_.clear();
        for (std::size_t i = 0; i < past_.size(); ++i)
            history_.push_back(
                {values_of(past_[i].parameters, 2 * i + 1), values_of(past_[i].columns, 2 * i + 2)});
        return history_;
    }
    NextQuery& model_;
    std::deque<Kept> past_;
    std::map<std::size_t, std::vector<OpaqueValue>> values_;
    std::vector<AnsweredRequest> history_;
};

// Product by id, its reviews by that id, the author of the first of them by its second column.
void browse(Asker& asker, std::mt19937& random) {
    const std::string id = std::to_string(random() % 100'000), author = std::to_string(random() % 1'000);
    asker.ask(kProduct, {id}, {id, "name of " + id});
    asker.ask(kReviews, {id}, {std::to_string(random() % 100'000), author, "text"});
    asker.ask(kAuthor, {author}, {author, "somebody"});
}

}  // namespace

TEST_CASE("fan out: the chance of a row is by its rank, over the lists that had it") {
    FanOut lists;
    CHECK(lists.chance(0) == 0);
    for (int i = 0; i < 20; ++i) lists.add(i % 2 == 0 ? 5 : 2, i % 4 == 0 ? 3 : 2);
    CHECK(lists.chance(1) == doctest::Approx(wilson_lower_bound(20, 20)));
    CHECK(lists.chance(2) == doctest::Approx(wilson_lower_bound(5, 10)));  // only ten had a third row
    CHECK(lists.chance(3) == 0);
    CHECK(lists.chance(FanOut::kRows) == 0);
    for (int i = 0; i < 300; ++i) lists.add(5, 1);  // it fades
    CHECK(lists.chance(0) > 0.9);
    CHECK(lists.chance(1) < 0.05);
    lists.add(1'000'000, 1'000'000);
    CHECK(lists.chance(FanOut::kRows - 1) > 0);
}

TEST_CASE(
    "next query: rows of a list are followed where a column gives the parameter, and told by their chance") {
    NextQuery model({.confidence = 0.7});
    Asker asker(model);
    std::mt19937 random(1);
    const QueryPair pair{kReviews, kAuthor}, other{kProduct, kReviews};
    CHECK_FALSE(model.wants_fan_out(pair));
    for (int i = 0; i < 30; ++i) {
        browse(asker, random);
        asker.leave();
    }
    CHECK(model.wants_fan_out(pair));
    CHECK(model.row_confidence(pair, 1) == 0);
    model.fanned_out(pair, 10, 1);
    CHECK(model.row_confidence(pair, 1) == 0);  // one row is no list
    for (int i = 0; i < 24; ++i) model.fanned_out(pair, 10, 4);
    CHECK(model.row_confidence(pair, 3) > 0.7);
    CHECK(model.row_confidence(pair, 4) == 0);
    CHECK(model.row_confidence(other, 1) == 0);
    for (const auto& row : model.rows(0)) CHECK(row.rows == (row.pair == pair ? 4 : 1));
}

TEST_CASE("next query: Wilson's lower bound") {
    // Of 90 in 100: (p + z2/2n - z sqrt(p(1-p)/n + z2/4n2)) / (1 + z2/n) = 0.8396 with z = 1.6449.
    CHECK(wilson_lower_bound(0, 0) == 0);
    CHECK(wilson_lower_bound(10, 10) == doctest::Approx(10 / (10 + 1.6448536269514722 * 1.6448536269514722)));
    CHECK(wilson_lower_bound(0, 10) == doctest::Approx(0));
    CHECK(wilson_lower_bound(90, 100) > 0.839);
    CHECK(wilson_lower_bound(90, 100) < 0.840);
    CHECK(wilson_lower_bound(900, 1000) > wilson_lower_bound(90, 100));
}

TEST_CASE("next query: a chain is learnt, with where its parameters come from") {
    std::mt19937 random(1);
    NextQuery model;
    Asker asker(model);
    browse(asker, random);
    asker.ask(kProduct, {"1"}, {"1", "x"});
    CHECK(asker.expects().empty());  // once is no rule
    for (int i = 0; i < 40; ++i) browse(asker, random);
    asker.ask(kProduct, {"424242"}, {"424242", "x"});
    CHECK(asker.expects() == "12(424242)");
    asker.ask(kReviews, {"424242"}, {"9", "77", "text"});
    CHECK(asker.expects() == "13(77)");
}

TEST_CASE("next query: a parameter may come from the request before the last") {
    std::mt19937 random(2);
    NextQuery model;
    Asker asker(model);
    const auto visit = [&](const std::string& id, const std::string& shop) {
        asker.ask(1, {id}, {id, shop});
        asker.ask(2, {id}, {std::to_string(random())});
    };
    for (int i = 0; i < 40; ++i) {
        const std::string shop = std::to_string(random());
        visit(std::to_string(random()), shop);
        asker.ask(3, {shop}, {"x"});
    }
    visit("5", "the shop");
    CHECK(asker.expects() == "3(the shop)");
}

TEST_CASE("next query: what follows at random, or with values from nowhere, is not expected") {
    std::mt19937 random(3);
    NextQuery model;
    Asker asker(model);
    for (int i = 0; i < 2'000; ++i) {
        const std::uint64_t statement = 1 + random() % 5;
        asker.ask(statement, {std::to_string(random())}, {std::to_string(random())});
        CHECK(asker.expects().empty());
    }
    // Always the same one after the other, but with a value that nothing tells.
    Asker other(model);
    for (int i = 0; i < 200; ++i) {
        other.ask(21, {std::to_string(random())}, {std::to_string(random())});
        CHECK(other.expects().empty());
        other.ask(22, {std::to_string(random())}, {std::to_string(random())});
    }
}

TEST_CASE("next query: small numbers that agree by chance do not win") {
    std::mt19937 random(4);
    NextQuery model;
    Asker asker(model);
    const auto digit = [&] { return std::to_string(random() % 3); };
    for (int i = 0; i < 300; ++i) {
        std::vector<std::string> columns;
        for (int c = 0; c < 12; ++c) columns.push_back(digit());
        asker.ask(1, {digit(), digit()}, columns);
        asker.ask(2, {columns[10]}, {digit(), digit()});
    }
    asker.ask(1, {"0", "0"}, {"1", "1", "1", "1", "1", "1", "1", "1", "1", "1", "2", "1"});
    CHECK(asker.expects() == "2(2)");
}

TEST_CASE("next query: a constant is expected, and a statement without parameters") {
    NextQuery model;
    Asker asker(model);
    for (int i = 0; i < 40; ++i) {
        asker.ask(1, {std::to_string(i)}, {});
        asker.ask(2, {"ten", std::to_string(i)}, {});
        asker.ask(3, {}, {});
    }
    asker.ask(1, {"new"}, {});
    CHECK(asker.expects() == "2(ten new)");
    asker.ask(2, {"ten", "new"}, {});
    CHECK(asker.expects() == "3()");
}

TEST_CASE("next query: a mapping that changes is given up and learnt anew") {
    std::mt19937 random(5);
    NextQuery model;
    Asker asker(model);
    int old_way = 0;
    const auto visit = [&](int column) {
        const std::vector<std::string> columns{std::to_string(random()), std::to_string(random())};
        asker.ask(1, {std::to_string(random())}, columns);
        const std::string expected = asker.expects(), next = columns[static_cast<std::size_t>(column)];
        const bool right = expected == "2(" + next + ")";
        if (!expected.empty() && !right) {
            ++old_way;
            model.wasted({1, 2}, 1'000, asker.now_us);
        }
        if (right) model.used({1, 2}, 1'000, asker.now_us);
        asker.ask(2, {next}, {});
        return right;
    };
    for (int i = 0; i < 100; ++i) (void)visit(0);
    CHECK(visit(0));
    for (int i = 0; i < 100; ++i) (void)visit(1);
    CHECK(old_way < 20);
    asker.now_us += 3'600'000'000;  // whatever it was switched off for is over
    CHECK(visit(1));
}

TEST_CASE("next query: sessions that take turns do not disturb each other") {
    std::mt19937 random(6);
    NextQuery model;
    std::vector<Asker> askers(5, Asker(model));
    std::vector<int> step(askers.size());
    std::vector<std::string> id(askers.size());
    for (int i = 0; i < 1'000; ++i) {
        const std::size_t who = random() % askers.size();
        if (step[who]++ % 2 == 0) {
            id[who] = std::to_string(random());
            askers[who].ask(kProduct, {id[who]}, {id[who]});
        } else {
            askers[who].ask(kReviews, {id[who]}, {std::to_string(random())});
        }
    }
    askers[0].leave();
    askers[0].ask(kProduct, {"8"}, {"8"});
    CHECK(askers[0].expects() == "12(8)");
}

TEST_CASE("next query: confidence falls with the share of those who do not ask on") {
    for (const int leave_every : {2, 50}) {
        CAPTURE(leave_every);
        std::mt19937 random(7);
        NextQuery model;
        Asker asker(model);
        for (int i = 0; i < 400; ++i) {
            const std::string id = std::to_string(random());
            asker.ask(1, {id}, {});
            if (i % leave_every == 0)
                asker.leave();
            else
                asker.ask(2, {id}, {});
        }
        asker.leave();
        asker.ask(1, {"6"}, {});
        CHECK(asker.expects() == (leave_every == 2 ? "" : "2(6)"));
    }
}

TEST_CASE("next query: what does not pay is off for a while, each time for longer") {
    std::mt19937 random(8);
    NextQuery model({.off_us = 1'000'000});
    Asker asker(model);
    for (int i = 0; i < 40; ++i) browse(asker, random);
    const auto off_for = [&] {
        for (int i = 0; i < 8; ++i) model.wasted({kProduct, kReviews}, 5'000, asker.now_us);
        std::uint64_t seconds = 0;
        for (; asker.expects().empty() && seconds < 100; ++seconds) asker.now_us += 1'000'000;
        return seconds;
    };
    asker.ask(kProduct, {"1"}, {"1", "x"});
    REQUIRE(asker.expects() == "12(1)");
    CHECK(off_for() == 1);
    CHECK(off_for() == 2);
    for (int i = 0; i < 8; ++i) model.used({kProduct, kReviews}, 5'000, asker.now_us);
    CHECK(off_for() == 1);
    CHECK(model.totals().wasted == 24);
    CHECK(model.totals().saved_us == 40'000);
}

TEST_CASE("next query: what is always there already is looked for only now and then") {
    std::mt19937 random(10);
    NextQuery model;
    Asker asker(model);
    for (int i = 0; i < 40; ++i) browse(asker, random);
    const auto told = [&] {
        int count = 0;
        for (int i = 0; i < 80; ++i) {
            browse(asker, random);
            asker.ask(kProduct, {"1"}, {"1", "x"});
            if (asker.expects() == "12(1)") ++count;
            asker.ask(kReviews, {"1"}, {"9", "2", "x"});
            asker.leave();
        }
        return count;
    };
    CHECK(told() == 80);
    for (std::uint32_t i = 0; i < NextQuery::kThereRun; ++i) model.there({kProduct, kReviews});
    CHECK(told() > 0);
    CHECK(told() < 40);
    model.prefetched({kProduct, kReviews});
    CHECK(told() == 80);
}

TEST_CASE("next query: what always comes too late is off as well, but not so soon") {
    std::mt19937 random(11);
    NextQuery model;
    Asker asker(model);
    for (int i = 0; i < 40; ++i) browse(asker, random);
    asker.ask(kProduct, {"1"}, {"1", "x"});
    int late = 0;
    for (; late < 100 && !asker.expects().empty(); ++late) model.late({kProduct, kReviews}, asker.now_us);
    CHECK(late > 16);
    CHECK(late < 64);
    CHECK(model.totals().late == static_cast<std::uint64_t>(late));
}

TEST_CASE("next query: it pays where more is saved than wasted") {
    const NextQuery model({.overhead_us = 50});
    CHECK(model.pays(0.9, 1'000));
    CHECK_FALSE(model.pays(0.5, 1'000));
    CHECK_FALSE(model.pays(0.9, 60));  // fetching takes as long
    CHECK_FALSE(model.pays(0.9, 0));
}

TEST_CASE("next query: what comes often stays through a flood of what comes once") {
    std::mt19937 random(9);
    NextQuery model;
    Asker asker(model), flood(model);
    for (int i = 0; i < 60; ++i) browse(asker, random);
    for (std::uint64_t i = 0; i < 50'000; ++i) {
        flood.ask(1'000'000 + i * 7919, {std::to_string(i)}, {std::to_string(i)});
        if (i % 50 == 0) browse(asker, random);
    }
    CHECK(model.rows(0).size() <= NextQuery::kStatements * NextQuery::kSuccessors);
    asker.ask(kProduct, {"1"}, {"1", "x"});
    CHECK(asker.expects() == "12(1)");
}

TEST_CASE("next query: too many parameters, unknown ones and long values are not learnt") {
    NextQuery model;
    Asker asker(model);
    const std::vector<std::string> nine(9, "x");
    const std::string value(NextQuery::kValueBytes + 1, 'v');
    for (int i = 0; i < 100; ++i) {
        asker.ask(1, nine, {value});
        CHECK(asker.expects().empty());
        asker.ask(2, nine, {value});
        CHECK(asker.expects().empty());
        asker.ask(3, {value}, {});
    }
}

}  // namespace warmfront::forecast
