// tests/live/twin/delivery.h: the ways in which one statement can be said over the wire.
//
// A Step is what one session does next: bytes to send and what to wait for, alike for both sides. Delivery
// remembers the statements that its session has prepared.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tests/live/support/raw_client.h"
#include "tests/live/twin/statement.h"

namespace warmfront::test {

struct Exchange {
    enum class Until {
        Ready,        // the `ready`th ReadyForQuery
        CopyOrReady,  // the first of CopyInResponse and ReadyForQuery; the next exchange is for
                      // CopyInResponse only
        Replies,      // the answer to each of the messages in `replies`, or an ErrorResponse
    };
    std::string bytes;
    Until until = Until::Ready;
    unsigned ready = 1;
    std::string replies = {};  // types of frontend messages: "PBDE"
};

struct Step {
    Kind kind = Kind::Session;
    std::string text;  // for a person
    std::vector<Exchange> exchanges;
};

// How a statement is said. Drawn apart from the statement, so that both can be repeated together.
struct Style {
    enum class Mode { Simple, Unnamed, Named, RowLimit, Flush, SqlPrepare };
    Mode mode = Mode::Simple;
    bool declare_types = false;
    bool describe_statement = false;
    bool describe_portal = true;
    bool binary_parameters = false;
    int result_formats = 0;      // -1: none given; 0: text; 1: binary
    bool wait_for_copy = false;  // COPY: send the data only when asked for it
};
Style draw_style(Random& random);

class Delivery {
public:
    Step deliver(const Statement& statement, const Style& style);
    // Several statements in one batch; `syncs`: a Sync after each, else one at the end. The texts must be
    // single commands.
    Step pipeline(std::span<const Statement> statements, Random& random, bool syncs);
    // Messages out of place: unknown names, wrong counts, a lone Sync, a function call.
    static Step oddity(Random& random);
    // Looks at the answer: a statement that is unknown to the server is prepared anew next time.
    void observe(const Messages& answer);

private:
    Step simple(const Statement& statement, const Style& style) const;
    Step extended(const Statement& statement, const Style& style);
    Step sql_prepared(const Statement& statement);
    std::string prepare(const Statement& statement, const Style& style, std::string& bytes,
                        std::string& replies);

    std::map<std::string, std::string> prepared_;  // name to SQL
};

}  // namespace warmfront::test
