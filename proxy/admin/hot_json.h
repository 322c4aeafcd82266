// proxy/admin/hot_json.h: what /api/hot answers: the reads that are predicted to be asked for, the hottest
// first, kHotToldMax at most; statements without their literals. Rates are requests a second. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "proxy/admin/prewarm_view.h"

namespace warmfront::admin {

inline constexpr std::size_t kHotToldMax = 100;

[[nodiscard]] std::string hot_json(const PrewarmView& view);

}  // namespace warmfront::admin
