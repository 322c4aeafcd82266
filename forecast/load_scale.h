// forecast/load_scale.h: the scale on which the loads of different series are alike.
//
// log1p(load / unit), the unit a tenth of the series' typical load: a load that doubles moves by the same
// whatever the series' size, and the few requests of a quiet hour do not weigh like those of a busy one.
// Pure.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace warmfront::forecast {

class LoadScale {
public:
    LoadScale() = default;
    // Of values as they were counted, NaN: not known.
    template <typename Number>
    explicit LoadScale(std::span<const Number> values) {
        std::vector<Number> positive;
        for (const Number value : values)
            if (value > 0) positive.push_back(value);
        if (positive.empty()) return;
        const auto middle = positive.begin() + static_cast<std::ptrdiff_t>(positive.size() / 2);
        std::nth_element(positive.begin(), middle, positive.end());
        typical_ = static_cast<double>(*middle);
        const auto largest = static_cast<double>(*std::max_element(positive.begin(), positive.end()));
        scaled_max_ = forward(kGrowthMax * largest);
    }

    [[nodiscard]] double forward(double load) const { return std::log1p(load / unit()); }
    // Never negative, at most kGrowthMax times the largest load.
    [[nodiscard]] double back(double scaled) const {
        return scaled > 0 ? unit() * std::expm1(std::min(scaled, scaled_max_)) : 0.0;
    }
    [[nodiscard]] double typical() const { return typical_; }  // the median of the loads above 0

    static constexpr double kGrowthMax = 20;

private:
    [[nodiscard]] double unit() const { return typical_ / 10; }
    double typical_ = 1;
    double scaled_max_ = 0;  // nothing but zeros was seen: forecasts are 0
};

}  // namespace warmfront::forecast
