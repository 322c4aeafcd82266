// forecast/long_season.h: the season of a load that is too long, at its buckets, for a model to see.
//
// A model learns from kBucketsMax buckets (forecast/prepare.h): of minutes that is less than three days, and
// no week is in it. So the long season is learnt from hours over the whole history, and taken out of what the
// model sees: each bucket is divided by what its slot of the long season has over the same slot of the season
// that the model does see ("Saturdays at nine have 0.3 of what nine o'clock has"), and what is forecast is
// multiplied by it again, intervals too. Slots are medians over the seasons known, without holidays and
// events. It is used only where it would have served in the last long season.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "forecast/forecaster.h"
#include "forecast/rollup.h"

namespace warmfront::forecast {

class LongSeason {
public:
    static constexpr double kFactorMax = 10;  // and its inverse is the least
    // nullopt: every season of the series can be seen, fewer than two of the long one are known, or its last
    // one would have been forecast no better with it. calendar: nullptr where nothing is known.
    [[nodiscard]] static std::optional<LongSeason> learn(const Series& series, const Calendar* calendar);

    [[nodiscard]] double factor(std::int64_t time_s) const {
        return factors_[static_cast<std::size_t>(grain_.coarse_of(time_s) %
                                                 static_cast<std::int64_t>(factors_.size()))];
    }

private:
    LongSeason(const Grain& grain, std::vector<double> factors)
        : grain_(grain), factors_(std::move(factors)) {}
    Grain grain_;
    std::vector<double> factors_;  // by slot, counted from the epoch
};

// The seasons that a model can see two of.
[[nodiscard]] std::vector<std::size_t> seen_seasons(const Series& series);

// Another forecaster, with the long season taken out of what it sees.
class LongSeasonForecaster final : public Forecaster {
public:
    explicit LongSeasonForecaster(std::unique_ptr<Forecaster> inner) : inner_(std::move(inner)) {}
    [[nodiscard]] Result<void> fit(const Series& series, const FitOptions& options) override;
    [[nodiscard]] bool extend(const std::vector<double>& values) override;
    [[nodiscard]] Prediction forecast(std::size_t horizon) const override;
    // "NAME, long season apart" where it was used.
    [[nodiscard]] std::string model() const override;
    [[nodiscard]] double mase() const override { return inner_->mase(); }  // without the long season

private:
    [[nodiscard]] double without_season(std::int64_t time_s, double value);

    const std::unique_ptr<Forecaster> inner_;
    std::optional<LongSeason> season_;
    std::deque<double> divided_;  // the last kFactorMax ones, oldest first
    std::int64_t next_s_ = 0, step_s_ = 60;
};

}  // namespace warmfront::forecast
