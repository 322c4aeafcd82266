// What a retraining of thousands of series costs, and what it brings.
//
//   ninja -C build retrain_bench && build/retrain_bench model|training [series] [days] [seed]      (5000 28
//   1)
//
// "training" runs forecast/training.h as the proxy does, over three hours of buckets, and tells what each
// costs and how often it cries wolf. "model": Makes loads of many shapes and sizes as Poisson counts a
// minute, trains forecast/retrain.h on them, goes on minute by minute, and compares the forecasts of the day
// after with what came, with the seasonal naive forecasts, and with an oracle that knows each load's pattern,
// size and growth, but neither the moods of some hours that come over it nor the chance in each count. Making
// the loads is not counted.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include <sys/resource.h>

#include "bench/made_loads.h"
#include "config/clock.h"
#include "forecast/automatic_forecaster.h"
#include "forecast/long_season.h"
#include "forecast/retrain.h"
#include "forecast/training.h"

using namespace warmfront;
using namespace warmfront::forecast;
using namespace warmfront::forecast::made_loads;

namespace {

double peak_mib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1'024;
}

struct Errors {
    double model = 0, day = 0, week = 0, oracle = 0;
};

// Mean absolute errors of the minutes [from, from + count) after the end.
Errors errors_of(const Series& actual, const std::vector<double>& rates, const std::vector<double>& forecast,
                 std::size_t end, std::size_t count) {
    Errors errors;
    for (std::size_t h = 0; h < count; ++h) {
        const double value = actual.values[end + h], share = 1 / static_cast<double>(count);
        errors.model += share * std::abs(value - forecast[h]);
        errors.day += share * std::abs(value - actual.values[end + h - kDay]);
        errors.week += share * std::abs(value - actual.values[end + h - kWeek]);
        errors.oracle += share * std::abs(value - rates[end + h]);
    }
    return errors;
}

void print_accuracy(const Loads& loads, const MassModel& model, std::size_t end, std::size_t count,
                    const char* what) {
    std::array<double, 3> logs{};
    std::size_t judged = 0, beaten = 0;
    Series series;
    std::vector<double> rates;
    for (std::size_t i = 0; i < model.size(); i += std::max<std::size_t>(model.size() / 500, 1)) {
        loads.make(i, end + count, series, &rates);
        const Errors errors = errors_of(series, rates, model.forecast(i, count), end, count);
        if (!(errors.day > 0) || !(errors.week > 0) || !(errors.oracle > 0) || !(errors.model > 0)) continue;
        logs[0] += std::log(errors.model / errors.day);
        logs[1] += std::log(errors.model / errors.week);
        logs[2] += std::log(errors.model / errors.oracle);
        beaten += errors.model < std::min(errors.day, errors.week) ? 1 : 0;
        ++judged;
    }
    const auto n = static_cast<double>(std::max<std::size_t>(judged, 1));
    std::printf(
        "%s: error over that of the day before %.3f, of the week before %.3f, of the oracle %.3f "
        "(geometric means of %zu series); better than both naive ones on %.1f %%\n",
        what, std::exp(logs[0] / n), std::exp(logs[1] / n), std::exp(logs[2] / n), judged,
        100 * static_cast<double>(beaten) / n);
}

// How often the minutes of the next hour fell into their intervals.
void print_coverage(const Loads& loads, const MassModel& model, std::size_t end, std::size_t count,
                    const char* what) {
    std::array<std::size_t, 3> within95{}, within99{}, asked{};  // by size of the load forecast
    Series series;
    for (std::size_t i = 0; i < model.size(); i += std::max<std::size_t>(model.size() / 500, 1)) {
        loads.make(i, end + count, series, nullptr);
        const Prediction made = model.predict(i, count);
        for (std::size_t h = 0; h < made.point.size(); ++h) {
            const double value = series.values[end + h];
            const std::size_t size = made.point[h] < 1 ? 0 : made.point[h] < 10 ? 1 : 2;
            ++asked[size];
            within95[size] += value >= made.lo95[h] && value <= made.hi95[h] ? 1 : 0;
            within99[size] += value >= made.lo99[h] && value <= made.hi99[h] ? 1 : 0;
        }
    }
    constexpr std::array kSizes{"below 1", "1 to 10", "above 10"};
    for (std::size_t size = 0; size < 3; ++size) {
        const double of = 100 / static_cast<double>(std::max<std::size_t>(asked[size], 1));
        std::printf(
            "%s, loads %s a minute: %.1f %% in the 95 %% interval, %.2f %% in that of 99 %% (of %zu)\n", what,
            kSizes[size], of * static_cast<double>(within95[size]), of * static_cast<double>(within99[size]),
            asked[size]);
    }
}

int bench_model(std::size_t count, std::size_t days, std::uint64_t seed) {
    const std::size_t end = days * kDay;
    Loads loads(count, days, seed);
    const double before = cpu_s();
    auto model = MassModel::train(loads, {});
    const double retrain_s = cpu_s() - before - loads.making_s();
    if (!model) {
        std::printf("failed: %s\n", model.error().text.c_str());
        return 1;
    }
    std::printf(
        "%zu series of %zu minutes: retraining %.2f s of CPU (making them: %.2f s more), peak RSS %.0f MiB\n",
        count, end, retrain_s, loads.making_s(), peak_mib());
    const MassModel::Report& report = model->report();
    std::printf(
        "%zu clusters, %zu trees; on the last day, over the naive error: own %.3f, cluster's %.3f, both "
        "%.3f\n",
        report.clusters, report.trees, report.own, report.shared, report.combined);
    print_accuracy(loads, *model, end, 60, "next hour of minutes");
    print_accuracy(loads, *model, end, kDay, "next day of minutes");
    print_coverage(loads, *model, end, 60, "next hour of minutes");
    print_coverage(loads, *model, end, kDay, "next day of minutes");

    // Two hours of minutes, one value of each series a step; making them is not counted.
    std::vector<std::vector<double>> columns(121, std::vector<double>(count));
    Series series;
    for (std::size_t i = 0; i < count; ++i) {
        loads.make(i, end + columns.size(), series, nullptr);
        for (std::size_t t = 0; t < columns.size(); ++t) columns[t][i] = series.values[end + t];
    }
    std::vector<double> took;
    for (const auto& values : columns) {
        const double started = cpu_s();
        if (auto done = model->step(values); !done) {
            std::printf("failed: %s\n", done.error().text.c_str());
            return 1;
        }
        took.push_back(cpu_s() - started);
    }
    std::ranges::sort(took);
    std::printf("incremental step: %.2f ms of CPU (median of %zu), at most %.0f ms (at the end of an hour)\n",
                1e3 * took[took.size() / 2], took.size(), 1e3 * took.back());
    print_accuracy(loads, *model, end + columns.size(), 60, "next hour of minutes, two hours later");
    std::printf("peak RSS %.0f MiB\n", peak_mib());
    return 0;
}

// The loads as the training reads them. Making them is not counted: neither in made_s() nor by the clock.
class MadeSource final : public LoadSource {
public:
    MadeSource(const Loads& loads, std::size_t count, std::size_t minutes, std::size_t ahead)
        : loads_(loads), minutes_(minutes) {
        for (std::size_t i = 0; i < count; ++i)
            names_.push_back(
                {SeriesName::Kind::Template, "shop", std::to_string(100'000 + i), Measure::Requests});
        columns_.assign(ahead, std::vector<float>(count));
        Series series;
        for (std::size_t i = 0; i < count; ++i) {
            loads_.make(i, minutes + ahead, series, nullptr);
            for (std::size_t t = 0; t < ahead; ++t)
                columns_[t][i] = static_cast<float>(series.values[minutes + t]);
        }
    }
    Result<std::vector<SeriesName>> names(std::size_t series_max) override {
        return std::vector<SeriesName>(names_.begin(), names_.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                            series_max, names_.size())));
    }
    Result<Series> load(const SeriesName& name, std::int64_t from_s, std::int64_t to_s,
                        std::int64_t step_s) override {
        const double before = cpu_s();
        const auto i = static_cast<std::size_t>(std::stoul(name.name)) - 100'000;
        Series series{std::max(from_s, kMonday_s), step_s, {}, {}};
        Series made;
        if (series.start_s < kMonday_s + minutes_s()) loads_.make(i, minutes_, made, nullptr);
        for (std::int64_t time_s = series.start_s; time_s < to_s; time_s += step_s) {
            const auto t = static_cast<std::size_t>((time_s - kMonday_s) / step_s);
            series.values.push_back(t < minutes_ ? made.values[t]
                                                 : static_cast<double>(columns_[t - minutes_][i]));
        }
        made_s_ += cpu_s() - before;
        return series;
    }
    [[nodiscard]] std::int64_t minutes_s() const { return 60 * static_cast<std::int64_t>(minutes_); }
    [[nodiscard]] double made_s() const { return made_s_; }

private:
    const Loads& loads_;
    const std::size_t minutes_;
    std::vector<SeriesName> names_;
    std::vector<std::vector<float>> columns_;
    double made_s_ = 0;
};

// The whole training, as the proxy runs it: a hundred series with models of their own, all others with one.
int bench_training(std::size_t count, std::size_t days, std::uint64_t seed) {
    constexpr std::size_t kTicks = 180;
    const Loads loads(count, days, seed);
    MadeSource source(loads, count, days * kDay, kTicks + 1);
    TrainingOptions options;
    options.shared_max = count;
    options.fit_budget = std::chrono::hours(1);
    SteadyClock clock;
    Training training(
        options, source,
        [] { return std::make_unique<LongSeasonForecaster>(std::make_unique<AutomaticForecaster>()); },
        clock);
    std::vector<double> ticks;  // those without a retraining
    std::size_t own_alarms = 0, shared_alarms = 0, series = 0;
    std::shared_ptr<const Outlook> outlook;
    for (std::size_t i = 0; i <= kTicks; ++i) {
        const std::int64_t now_s = kMonday_s + source.minutes_s() + 60 * static_cast<std::int64_t>(i) + 2;
        const double begun = cpu_s(), made = source.made_s();
        const std::uint64_t fits = outlook ? outlook->effort.fits : 0;
        auto result = training.on_tick(now_s, {});
        const double ticked = cpu_s(), made_in_tick = source.made_s() - made;
        training.study();
        const double tick_s = ticked - begun - made_in_tick;
        const double study_s = cpu_s() - ticked - (source.made_s() - made - made_in_tick);
        outlook = std::move(result.outlook);
        for (const AlarmChange& change : result.alarms) {
            const bool shared = outlook->forecasts->series.at(change.name).model == SharedTraining::kModel;
            if (change.event == AlarmEvent::Began) ++(shared ? shared_alarms : own_alarms);
        }
        series = std::max(series, outlook->forecasts->series.size());
        if (outlook->effort.fits == fits && study_s < 0.1)
            ticks.push_back(tick_s);
        else
            std::printf("bucket %zu: %llu models of their own in %.2f s of CPU, the shared one in %.2f s\n",
                        i, static_cast<unsigned long long>(outlook->effort.fits - fits), tick_s, study_s);
    }
    std::ranges::sort(ticks);
    std::printf("%zu series forecast; a bucket: %.0f ms of CPU (median of %zu), at most %.0f ms\n", series,
                1e3 * ticks[ticks.size() / 2], ticks.size(), 1e3 * ticks.back());
    const double days_seen = static_cast<double>(kTicks) / kDay;
    const auto own = static_cast<double>(std::min(options.series_max, count));
    std::printf(
        "alarms with nothing to alarm of: %.3f a day and series with a model of its own, %.4f else\n",
        static_cast<double>(own_alarms) / days_seen / own,
        static_cast<double>(shared_alarms) / days_seen / std::max(static_cast<double>(count) - own, 1.0));
    for (const auto& [model, drivers] : outlook->drivers)
        for (const Driver& driver : drivers)
            std::printf("%s: %s %.0f %%\n", model.c_str(), driver.term.c_str(), 100 * driver.share);
    std::printf("peak RSS %.0f MiB\n", peak_mib());
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const auto argument = [&](int i, std::size_t otherwise) {
        return argc > i ? std::strtoul(argv[i], nullptr, 10) : otherwise;
    };
    const bool whole = argc > 1 && std::string_view(argv[1]) == "training";
    return (whole ? bench_training : bench_model)(argument(2, 5'000), argument(3, 28), argument(4, 1));
}
