#include "proxy/admin/next_query_table.h"

#include <algorithm>

#include <doctest/doctest.h>

namespace warmfront::admin {

TEST_CASE("next query table: a row has a value for each column, and says what the pair is up to") {
    session::NextQueryView view;
    view.from = {0x1f, "shop", "SELECT * FROM products WHERE id = ?"};
    view.to = {0x2e, "shop", "SELECT * FROM reviews WHERE product = ?"};
    view.row.seen = 40;
    view.row.probability = 0.95;
    view.row.mapping = 0.9;
    view.row.confidence = 0.855;
    view.row.sources = "parameter 1";
    view.row.counts.wasted_us = 2'345;
    const auto state = [&view] {
        const auto rows = next_query_table({&view, 1});
        REQUIRE(rows.size() == 1);
        REQUIRE(rows[0].size() == next_query_columns().size());
        const auto at = [&](std::string_view column) {
            const auto found = std::ranges::find(next_query_columns(), column);
            return rows[0][static_cast<std::size_t>(found - next_query_columns().begin())];
        };
        CHECK(at("next_digest") == "000000000000002e");
        CHECK(at("confidence") == "0.855");
        CHECK(at("parameters") == "parameter 1");
        CHECK(at("wasted_ms") == "2.3");
        CHECK(at("query") == view.from.text);
        return at("state");
    };
    CHECK(state() == "learning");
    view.row.in_force = true;
    CHECK(state() == "on");
    view.row.off = true;
    CHECK(state() == "off: wasteful");
}

}  // namespace warmfront::admin
