#include "proxy/admin/hot_json.h"

#include <algorithm>
#include <vector>

#include "proxy/admin/json.h"
#include "sql/choices.h"

namespace warmfront::admin {

using json::number;
using json::object;
using json::quoted;

std::string hot_json(const PrewarmView& view) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < std::min(view.hot.size(), kHotToldMax); ++i) {
        const HotRow& each = view.hot[i];
        keys.push_back(object({{"database", quoted(each.database)},
                               {"statement", quoted(sql::shown_text(each.statement))},
                               {"role", quoted(each.role)},
                               {"rate_now", number(each.rate_now)},
                               {"rate_most", number(each.rate_most)},
                               {"requests", number(each.requests)},
                               {"state", quoted(each.state)},
                               {"plan", quoted(each.plan)}}));
    }
    return object({{"keys", json::array(keys)}});
}

}  // namespace warmfront::admin
