// Statements damaged at random: what must hold of every analysis holds of theirs. From a fixed seed.
#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "fake_catalog.h"
#include "sql/cacheability.h"

using namespace warmfront;
using namespace warmfront::sql;

namespace {

using Words = std::vector<std::string>;

constexpr std::string_view kSeeds[] = {
    "WITH RECURSIVE a ( x ) AS ( SELECT id FROM t UNION ALL SELECT x + 1 FROM a WHERE x < 10 ) SELECT * FROM "
    "a , u",
    "SELECT t . id , count ( * ) FILTER ( WHERE name LIKE 'a%' ) OVER ( PARTITION BY id ) FROM t JOIN u "
    "USING ( id )",
    "SELECT CASE WHEN created :: date = $1 THEN COALESCE ( note , 'x' ) ELSE NULL END FROM t FOR UPDATE OF t",
    "INSERT INTO t ( id , name ) SELECT id , upper ( name ) FROM v ON CONFLICT ( id ) DO UPDATE SET name = "
    "'x' RETURNING *",
    "UPDATE t SET name = ( SELECT max ( name ) FROM u ) FROM base WHERE t . id = base . id AND t . id IN ( 1 "
    ", 2 )",
    "MERGE INTO t USING u ON t . id = u . id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES ( "
    "1 )",
    "WITH gone AS ( DELETE FROM p USING u RETURNING * ) SELECT * FROM gone ; TRUNCATE base CASCADE",
    "EXPLAIN ( ANALYZE off , FORMAT json ) SELECT * FROM vv WHERE id BETWEEN 1 AND 2 ORDER BY 1 LIMIT 5",
    "BEGIN ISOLATION LEVEL SERIALIZABLE ; SET LOCAL search_path = app ; COMMIT AND CHAIN",
    "CREATE TEMP TABLE x AS SELECT * FROM t WITH NO DATA ; DECLARE c CURSOR FOR SELECT log_it ( 1 ) ; FETCH "
    "c",
    "COPY ( SELECT * FROM t ) TO STDOUT ; COPY t ( id ) FROM STDIN WHERE id > 1 ; DEALLOCATE ALL ; EXECUTE x "
    "( 1 )",
    "GRANT SELECT ON t TO bob ; ALTER TABLE t RENAME TO x ; REFRESH MATERIALIZED VIEW mv ; DO 'x' ; CALL x ( "
    ")",
};

Words split(std::string_view text) {
    Words words;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        words.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

std::string damaged(std::mt19937& random) {
    const auto below = [&](std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
    };
    auto words = split(kSeeds[below(std::size(kSeeds))]);
    const auto donor = split(kSeeds[below(std::size(kSeeds))]);
    for (auto times = 1 + below(2); times > 0 && !words.empty(); --times) {
        const auto at = words.begin() + static_cast<std::ptrdiff_t>(below(words.size()));
        switch (below(4)) {
            case 0: words.erase(at); break;
            case 1: words.insert(at, *at); break;
            case 2: *at = donor[below(donor.size())]; break;
            default: std::swap(*at, words[below(words.size())]); break;
        }
    }
    std::string text;
    for (const auto& word : words) text += word + " ";
    return text;
}

}  // namespace

TEST_CASE("analysis: what holds of every analysis holds of damaged statements") {
    const auto catalog = test::fake_catalog();
    const auto context = test::fake_context(catalog);
    const auto labels = refusal_labels();
    for (const auto seed : kSeeds) {
        CAPTURE(seed);
        CHECK(parse(seed).has_value());
    }
    std::mt19937 random(20240607);
    int parsed = 0, cacheable = 0;
    for (int i = 0; i < 3'000; ++i) {
        const auto text = damaged(random);
        CAPTURE(text);
        const auto analysis = analyse(text, context);
        parsed += analysis.refusal.label != "unparsed" ? 1 : 0;
        cacheable += analysis.cacheable ? 1 : 0;
        CHECK(analysis.effects.everything == !analysis.effects_reason.empty());
        CHECK(std::ranges::is_sorted(analysis.effects.relations));
        CHECK(std::ranges::is_sorted(analysis.reads));
        if (analysis.cacheable) {
            CHECK(analysis.effects.none());
            CHECK(analysis.query_class == QueryClass::Read);
            CHECK(analysis.statements == 1);
            CHECK_FALSE(analysis.reads.empty());
            CHECK(analysis.transaction == TransactionEffect::None);
            CHECK_FALSE(analysis.changes_settings);
            CHECK(analysis.refusal.text.empty());
        } else {
            CHECK(std::ranges::find(labels, analysis.refusal.label) != labels.end());
        }
    }
    // The damage is such that there is something to see.
    CHECK(parsed > 200);
    CHECK(cacheable > 10);
}
