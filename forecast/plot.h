// forecast/plot.h: a forecast as a picture (SVG 1.1, no scripts, no outside references).
//
// Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "forecast/automatic.h"
#include "forecast/series.h"

namespace warmfront::forecast {

// Draws the last `history_max` buckets before the forecast, the forecast that follows `history`, its 95 %
// interval and what really came (`actual`; empty: not known yet). NaN leaves a gap in a line.
[[nodiscard]] std::string plot_svg(const Series& history, const Forecast& forecast,
                                   const std::vector<double>& actual, const std::string& title,
                                   std::size_t history_max = 400);

}  // namespace warmfront::forecast
