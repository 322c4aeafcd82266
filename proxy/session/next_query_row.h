// proxy/session/next_query_row.h: what is shown of next-query prediction (proxy/session/foresight.h). Plain
// data.
#pragma once

#include <cstdint>
#include <string>

#include "forecast/next_query.h"

namespace warmfront::session {

struct NextQueryName {
    std::uint64_t digest = 0;
    std::string database, text;
};

struct NextQueryView {  // of one pair, of one worker or of all of them
    NextQueryName from, to;
    forecast::NextQueryRow row;
};

}  // namespace warmfront::session
