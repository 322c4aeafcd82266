#include "cache/relation_log.h"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cache/write_log.h"

using namespace warmfront;
using namespace warmfront::cache;

namespace {

sql::ColumnSet columns(std::initializer_list<int> numbers) {
    auto set = sql::ColumnSet::of_rows();
    for (const int number : numbers) set.add(number);
    return set;
}

sql::ColumnSet set_columns(std::initializer_list<int> numbers) {
    sql::ColumnSet set;
    for (const int number : numbers) set.add(number);
    return set;
}

sql::KnownValue known(int column, std::int64_t value) {
    return {static_cast<std::int16_t>(column), false, true, static_cast<std::uint64_t>(value) * 7919, value};
}

sql::KnownValue null_in(int column) {
    return {static_cast<std::int16_t>(column), true, false, 0, 0};
}

sql::RowsChange rows(std::vector<sql::RowImage> images, sql::ColumnSet changed = sql::ColumnSet::all()) {
    return {changed, false, std::move(images)};
}

struct Fixture {
    WriteLog log;
    RelationLog& relation = log.relation("db", sql::Oid{1});

    FillTicket by_keys(const View& view, const sql::RowImage& image) {
        auto& interest = relation.interest(view);
        FillTicket ticket;
        ticket.start();
        REQUIRE(relation.settled(interest));
        ticket.observe(interest.line());
        if (!view.keys.empty()) ticket.observe(interest.line_of(image));
        return ticket;
    }
    FillTicket by_range(const View& view, sql::Interval range) {
        auto& interest = relation.interest(view);
        FillTicket ticket;
        ticket.start();
        ticket.observe(interest.line());
        ticket.observe(interest.ranges(), range);
        return ticket;
    }
    void write(const sql::RowsChange& change) {
        PendingWrite pending;
        pending.begin(relation, change);
        pending.end();
    }
};

}  // namespace

TEST_CASE("relation log: an answer is void exactly if a changed row may be one of its rows") {
    const View by_id{{1}, {}, columns({1, 2})};
    const View by_both{{1, 3}, {}, columns({1, 2, 3})};
    const View of_all{{}, {}, columns({2})};
    struct Row {
        std::string_view name;
        View view;
        sql::RowImage read;
        sql::RowsChange change;
        bool stays;
    };
    for (const auto& [name, view, read, change, stays] : std::vector<Row>{
             {"its row", by_id, {known(1, 5)}, rows({{known(1, 5)}}), false},
             {"another row", by_id, {known(1, 5)}, rows({{known(1, 6)}}), true},
             {"one of several rows", by_id, {known(1, 5)}, rows({{known(1, 6)}, {known(1, 5)}}), false},
             {"a row not known by the key", by_id, {known(1, 5)}, rows({{known(2, 6)}}), false},
             {"any row", by_id, {known(1, 5)}, {}, false},
             {"a row without the key", by_id, {known(1, 5)}, rows({{null_in(1)}}), true},
             {"a column not looked at", by_id, {known(1, 5)}, rows({{known(1, 5)}}, set_columns({4})), true},
             {"a column looked at", by_id, {known(1, 5)}, rows({{known(1, 5)}}, set_columns({2})), false},
             {"any row, another column", by_id, {known(1, 5)}, {set_columns({4}), true, {}}, true},
             {"both keys", by_both, {known(1, 5), known(3, 1)}, rows({{known(1, 5), known(3, 1)}}), false},
             {"one key differs",
              by_both,
              {known(1, 5), known(3, 1)},
              rows({{known(1, 5), known(3, 2)}}),
              true},
             {"one key unknown", by_both, {known(1, 5), known(3, 1)}, rows({{known(1, 5)}}), false},
             {"NULL in one key",
              by_both,
              {known(1, 5), known(3, 1)},
              rows({{known(1, 5), null_in(3)}}),
              true},
             {"no keys", of_all, {}, rows({{known(1, 6)}}), false},
             {"no keys, another column", of_all, {}, rows({{known(1, 6)}}, set_columns({3})), true},
         }) {
        CAPTURE(name);
        Fixture fixture;
        const auto ticket = fixture.by_keys(view, read);
        REQUIRE(ticket.fillable);
        fixture.write(change);
        CHECK(ticket.current() == stays);
        CHECK(fixture.by_keys(view, read).fillable);
    }
}

TEST_CASE("relation log: a range is void if a changed row may lie in it") {
    const View by_range{{}, std::int16_t{2}, columns({1, 2})};
    struct Row {
        std::string_view name;
        sql::RowsChange change;
        bool stays;
    };
    for (const auto& [name, change, stays] :
         std::vector<Row>{{"below", rows({{known(2, 9)}}), true},
                          {"at the low bound", rows({{known(2, 10)}}), false},
                          {"at the high bound", rows({{known(2, 20)}}), false},
                          {"above", rows({{known(2, 21)}}), true},
                          {"moves in", rows({{known(2, 30)}, {known(2, 15)}}), false},
                          {"NULL", rows({{null_in(2)}}), true},
                          {"unknown", rows({{known(1, 1)}}), false},
                          {"unknown, another column", rows({{known(1, 1)}}, set_columns({5})), true},
                          {"any row", {}, false}}) {
        CAPTURE(name);
        Fixture fixture;
        const auto ticket = fixture.by_range(by_range, {10, 20});
        REQUIRE(ticket.fillable);
        fixture.write(change);
        CHECK(ticket.current() == stays);
        CHECK(fixture.by_range(by_range, {10, 20}).fillable);
    }
}

TEST_CASE("relation log: what is asked for while its row is written is not kept, other rows are") {
    const View by_id{{1}, {}, columns({1})};
    const View by_range{{}, std::int16_t{2}, columns({2})};
    Fixture fixture;
    (void)fixture.by_keys(by_id, {known(1, 0)});
    (void)fixture.by_range(by_range, {0, 1});
    PendingWrite pending;
    pending.begin(fixture.relation, rows({{known(1, 5), known(2, 15)}}));
    CHECK_FALSE(fixture.by_keys(by_id, {known(1, 5)}).fillable);
    CHECK(fixture.by_keys(by_id, {known(1, 6)}).fillable);
    CHECK_FALSE(fixture.by_range(by_range, {10, 20}).fillable);  // a range that the writer did not find
    CHECK(fixture.by_range(by_range, {16, 20}).fillable);
    pending.end();
    CHECK(fixture.by_keys(by_id, {known(1, 5)}).fillable);
    CHECK(fixture.by_range(by_range, {10, 20}).fillable);
}

TEST_CASE("relation log: a new interest is not relied on before the writes that do not know it have ended") {
    Fixture fixture;
    PendingWrite before;
    before.begin(fixture.relation, rows({{known(1, 5)}}));
    Interest& interest = fixture.relation.interest({{1}, {}, columns({1})});
    CHECK_FALSE(fixture.relation.settled(interest));
    PendingWrite after;
    after.begin(fixture.relation, rows({{known(1, 6)}}));
    CHECK_FALSE(fixture.relation.settled(interest));
    before.end();
    CHECK(fixture.relation.settled(interest));
    FillTicket ticket;
    ticket.start();
    ticket.observe(interest.line_of({known(1, 6)}));
    CHECK_FALSE(ticket.fillable);
    after.end();
}

TEST_CASE("relation log: beyond the bound readers share an interest that sees more") {
    Fixture fixture;
    for (int column = 2; column < 100; ++column) {
        const View view{{1}, {}, columns({1, column})};
        const View& seen = fixture.relation.interest(view).view();
        CHECK(seen.columns.covers(view.columns));
        CHECK(seen.keys == std::vector<std::int16_t>{1});
    }
    for (std::int16_t key = 2; key < 100; ++key) {
        const View view{{1, key}, {}, columns({1, key})};
        const auto& seen = fixture.relation.interest(view);
        CHECK(seen.view().columns.covers(view.columns));
        CHECK(std::ranges::includes(view.keys, seen.view().keys));
    }
    const View elsewhere{{50}, {}, columns({50})};
    CHECK(&fixture.relation.interest(elsewhere).line() == &fixture.relation.line());
}

TEST_CASE("range index: a new range takes the place of the oldest, whose answers become void") {
    RangeIndex ranges;
    FillTicket first, second;
    first.start();
    first.observe(ranges, {0, 0});
    for (std::int64_t i = 1; i < static_cast<std::int64_t>(RangeIndex::kRangesMax); ++i)
        REQUIRE(ranges.observe({i, i}));
    second.start();
    second.observe(ranges, {1, 1});
    CHECK(first.current());
    REQUIRE(ranges.observe({-5, -5}));
    CHECK_FALSE(first.current());
    CHECK(second.current());
    // The place of {1, 1} is next, but a writer is at it.
    std::vector<Line*> begun;
    ranges.begin(1, begun);
    CHECK(begun.size() == 1);
    CHECK_FALSE(ranges.observe({-6, -6}));
    CHECK(ranges.observe({-6, -6}));
    cache::end(begun);
    ranges.end(1);
}
