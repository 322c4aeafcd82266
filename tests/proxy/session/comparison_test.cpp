#include "proxy/session/comparison.h"

#include <doctest/doctest.h>

#include "tests/proxy/session/stage.h"

namespace warmfront::session::test {

TEST_CASE("comparison: rows in another order are the same answer, other rows are not") {
    const std::string a = data_row("a"), b = data_row("b"), two = command_complete("SELECT 2");
    const std::string kept = a + b + two;
    struct Row {
        std::string now;
        bool same;
    };
    for (const auto& [now, same] : std::vector<Row>{{a + b + two, true},
                                                    {b + a + two, true},
                                                    {a + a + two, false},
                                                    {a + two, false},
                                                    {a + data_row("c") + two, false},
                                                    {a + b + command_complete("SELECT 3"), false}}) {
        CAPTURE(now);
        CHECK(same_answer({"", kept}, {"", now}) == same);
        CHECK((digest_of({"", kept}) == digest_of({"", now})) == (kept == now));
    }
    CHECK(same_answer({row_description(), kept}, {"", kept}));
    CHECK(same_answer({row_description(), kept}, {row_description(), kept}));
    CHECK_FALSE(same_answer({row_description(), kept}, {"T\0\0\0\4", kept}));
}

}  // namespace warmfront::session::test
