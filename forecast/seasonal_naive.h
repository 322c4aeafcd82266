// forecast/seasonal_naive.h: tomorrow is like today: the value of one season before.
//
// What every other model is measured against (Hyndman, Athanasopoulos, "Forecasting: principles and
// practice", 3rd ed., section 5.2). Without a season, or with less history than one: the last value.
#pragma once

#include <string>

#include "forecast/model.h"

namespace warmfront::forecast {

class SeasonalNaive : public Model {
public:
    // Which of the series' seasons is repeated; the shortest is what "seasonal naive" means without more.
    enum class Of { ShortestSeason, LongestSeason };
    explicit SeasonalNaive(Of of = Of::ShortestSeason) : of_(of) {}

    [[nodiscard]] std::string_view name() const override {
        return of_ == Of::ShortestSeason ? "seasonal-naive" : "seasonal-naive-long";
    }
    // Needs one known value; the longest season must be a second one, and be there once. Gaps within the last
    // season are filled from the seasons before.
    [[nodiscard]] Result<void> fit(const Series& series, const FitOptions& options) override;
    [[nodiscard]] std::vector<double> forecast(std::size_t horizon) const override;
    [[nodiscard]] bool extend(const std::vector<double>& values) override;

private:
    Of of_;
    std::vector<double> last_;  // one season, oldest first; never empty after fit()
    std::size_t next_ = 0;      // the slot of the next bucket in last_
};

}  // namespace warmfront::forecast
