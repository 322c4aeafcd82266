// proxy/session/copied_rows.h: reads the rows of a COPY FROM STDIN on their way to PostgreSQL, for what they
// void.
//
// A line longer than kLineBytesMax, or the rows beyond EffectSet::kImagesMax, count as any row; nothing is
// kept of the data but the line at hand. Plain state of one exchange.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/effect_set.h"
#include "proxy/session/plan.h"

namespace warmfront::session {

class CopiedRows {
public:
    static constexpr std::size_t kLineBytesMax = 64 * 1024;

    // The plan is of a COPY whose rows can be read. utf8: the client's encoding is UTF-8.
    CopiedRows(PlanRef plan, bool utf8);
    void feed(std::string_view data);  // of CopyData messages, cut anywhere
    [[nodiscard]] EffectSet finish();

private:
    void line(std::string_view text);

    PlanRef plan_;
    const bool utf8_;
    std::string partial_;
    std::vector<std::vector<sql::RowImage>> images_;  // by relation, as in the plan
    bool any_row_ = false;
};

}  // namespace warmfront::session
