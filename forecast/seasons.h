// forecast/seasons.h: the seasons of a load whose owner did not name them.
//
// Pure. The calendar's own (a day, a week) are believed where the load shows them; otherwise the lag at which
// the load is most like itself.
#pragma once

#include <cstddef>
#include <vector>

#include "forecast/series.h"

namespace warmfront::forecast {

// Ascending, at most two; empty: none was found. Only seasons of which the series holds two whole ones.
// series.seasons is not looked at.
[[nodiscard]] std::vector<std::size_t> guess_seasons(const Series& series);

}  // namespace warmfront::forecast
