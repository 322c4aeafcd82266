// forecast/spike.h: a model that remembers rare peaks.
//
// Kernel regression over the whole history: what came after moments like this one, each weighted by how alike
// it was (Ma et al., "Query-based workload forecasting for self-driving database management systems", 2018,
// whose QueryBot 5000 forecasts a yearly peak with it that regressions smooth away). Alike: the course of the
// last season, the weekday, the time of the year where there is more than a year, and the holiday or event
// that the target lies in. Nothing is averaged into a mean, so what happened once in a year of history comes
// again. How much each likeness counts, and how sharply, is chosen on the latest part of the history.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "forecast/day_effects.h"
#include "forecast/load_scale.h"
#include "forecast/model.h"

namespace warmfront::forecast {

class Spike : public Model {
public:
    [[nodiscard]] std::string_view name() const override { return "spike"; }
    // Needs 60 known values and four seasons. Remembers the latest kBucketsRemembered buckets, 12 bytes each.
    // FitOptions::calendar must outlive the model.
    [[nodiscard]] Result<void> fit(const Series& series, const FitOptions& options) override;
    [[nodiscard]] std::vector<double> forecast(std::size_t horizon) const override;
    [[nodiscard]] bool extend(const std::vector<double>& values) override;

    static constexpr std::size_t kBucketsRemembered = 200'000;
    static constexpr std::size_t kAnaloguesMax = 1'500;  // moments compared with the present

private:
    static constexpr std::size_t kBlocks = 8, kContext = kBlocks + 2;
    using Context = std::array<float, kContext>;
    struct Kernel {
        double sharpness = 1;                        // of all distances
        double calendar = 1, year = 0, context = 1;  // weights of the likenesses
    };
    struct Analogue {
        std::size_t origin;
        double distance;  // of the courses
        double level;     // there
        double weight = 0;
    };

    void append(double scaled);
    [[nodiscard]] double level(std::size_t origin) const;
    [[nodiscard]] Context context_of(std::size_t origin) const;
    void measure_contexts();
    [[nodiscard]] double distance(const Context& a, const Context& b) const;
    [[nodiscard]] std::vector<Analogue> analogues_of(std::size_t origin, std::size_t most) const;
    // Moments before days of the target's name, which come at any place in the season.
    [[nodiscard]] std::vector<Analogue> namesakes_of(std::size_t origin, std::size_t target) const;
    [[nodiscard]] double calendar_distance(std::size_t target, std::size_t analogue,
                                           const Kernel& kernel) const;
    void weigh(std::size_t origin, std::size_t target, const Kernel& kernel,
               std::vector<Analogue>& analogues) const;
    // By what came after weighed analogues.
    [[nodiscard]] double expected(std::size_t origin, std::size_t target,
                                  const std::vector<Analogue>& analogues) const;
    [[nodiscard]] double expected(std::size_t origin, std::size_t target, const Kernel& kernel,
                                  std::vector<Analogue>& analogues) const;
    [[nodiscard]] bool same_for_all_targets() const;
    // The absolute errors of one kernel at one origin, over up to kJudgedTargets targets.
    [[nodiscard]] double error_of(std::size_t origin, std::size_t reach, const Kernel& kernel,
                                  std::vector<Analogue>& analogues) const;
    void choose_kernel(std::size_t horizon_max);
    [[nodiscard]] std::int64_t time_of(std::size_t bucket) const {
        return start_s_ + static_cast<std::int64_t>(bucket) * step_s_;
    }

    LoadScale scale_;
    std::int64_t start_s_ = 0, step_s_ = 60;
    std::size_t season_ = 1;
    std::vector<float> value_;
    std::vector<double> sum_;  // of all values up to the bucket, it included
    Context spread_{};         // standard deviation of each part of the context
    std::vector<Span> spans_;  // holidays and events, ascending by begin
    std::int64_t longest_s_ = 0;
    Kernel kernel_;

    [[nodiscard]] const Span* span_at(std::size_t bucket) const;
};

}  // namespace warmfront::forecast
