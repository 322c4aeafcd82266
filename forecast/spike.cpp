#include "forecast/spike.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "forecast/boosted_trees.h"

namespace warmfront::forecast {
namespace {

constexpr std::int64_t kDay_s = 86'400;
constexpr std::size_t kKnownMin = 60;
constexpr double kUnlikeDay = 9;  // a holiday against a day that is none, or another one
constexpr double kOtherWeekday = 1, kWeekend = 4;
constexpr double kYearDays = 10;  // as far as the time of the year is alike
constexpr std::size_t kJudgedOrigins = 24, kJudgedTargets = 8, kJudgedAnalogues = 150;

std::int64_t weekday(std::int64_t time_s) {
    return (time_s / kDay_s + 4) % 7;  // 0 is Sunday
}

double year_distance(std::int64_t a_s, std::int64_t b_s) {
    const std::int64_t days = std::abs(a_s - b_s) / kDay_s;
    const double within = std::fmod(static_cast<double>(days), 365.25);
    const double apart = std::min(within, 365.25 - within) / kYearDays;
    return std::min(apart * apart, kUnlikeDay);
}

}  // namespace

Result<void> Spike::fit(const Series& series, const FitOptions& options) {
    if (auto sound = check_load(series, kKnownMin, name()); !sound) return sound;
    season_ = series.seasons.empty() || 4 * series.seasons[0] > series.size() ? 1 : series.seasons[0];
    if (season_ == 1 && !series.seasons.empty())
        return fail("22023", "spike: the history is too short: four seasons are needed");
    const std::size_t dropped = series.size() - std::min(series.size(), kBucketsRemembered);
    start_s_ = series.time_of(dropped);
    step_s_ = series.step_s;
    scale_ = LoadScale(std::span(series.values).subspan(dropped));
    spans_.clear();
    if (options.calendar != nullptr) {
        spans_ = options.calendar->holidays;
        for (const Event& event : options.calendar->events) spans_.push_back(event.span);
        std::ranges::stable_sort(spans_, {}, &Span::from_s);
        for (const Span& span : spans_) longest_s_ = std::max(longest_s_, span.to_s - span.from_s);
    }
    value_.clear();
    sum_.clear();
    for (std::size_t i = dropped; i < series.size(); ++i) {
        const double value = series.values[i];
        append(std::isnan(value) ? value : scale_.forward(value));
    }
    measure_contexts();
    choose_kernel(options.horizon_max);
    return {};
}

void Spike::append(double scaled) {
    const std::size_t i = value_.size();
    if (std::isnan(scaled)) scaled = i >= season_ && i > 0 ? static_cast<double>(value_[i - season_]) : 0.0;
    value_.push_back(static_cast<float>(scaled));
    sum_.push_back((i == 0 ? 0.0 : sum_.back()) + scaled);
}

bool Spike::extend(const std::vector<double>& values) {
    for (const double value : values) append(std::isnan(value) ? value : scale_.forward(value));
    return true;
}

// The mean of the last season up to the origin.
double Spike::level(std::size_t origin) const {
    const std::size_t window = std::min(std::max<std::size_t>(season_, 7), origin + 1);
    const double before = origin >= window ? sum_[origin - window] : 0.0;
    return (sum_[origin] - before) / static_cast<double>(window);
}

// The course of the last season in eight blocks over its level, the last value, and how the level moved.
Spike::Context Spike::context_of(std::size_t origin) const {
    Context context{};
    const double here = level(origin);
    const std::size_t window = std::max<std::size_t>(season_, kBlocks);
    for (std::size_t block = 0; block < kBlocks; ++block) {
        const std::size_t newest = block * window / kBlocks, oldest = (block + 1) * window / kBlocks;
        if (origin < oldest) break;
        const double sum = sum_[origin - newest] - sum_[origin - oldest];
        context[block] = static_cast<float>(sum / static_cast<double>(oldest - newest) - here);
    }
    context[kBlocks] = static_cast<float>(static_cast<double>(value_[origin]) - here);
    if (origin >= window) context[kBlocks + 1] = static_cast<float>(here - level(origin - window));
    return context;
}

void Spike::measure_contexts() {
    std::array<double, kContext> sum{}, squares{};
    const std::size_t stride = std::max<std::size_t>(value_.size() / 1'000, 1);
    double count = 0;
    for (std::size_t origin = 2 * season_; origin < value_.size(); origin += stride, ++count) {
        const Context context = context_of(origin);
        for (std::size_t i = 0; i < kContext; ++i) {
            sum[i] += static_cast<double>(context[i]);
            squares[i] += static_cast<double>(context[i]) * static_cast<double>(context[i]);
        }
    }
    for (std::size_t i = 0; i < kContext; ++i) {
        const double mean = sum[i] / std::max(count, 1.0);
        const double variance = squares[i] / std::max(count, 1.0) - mean * mean;
        spread_[i] = static_cast<float>(std::sqrt(std::max(variance, 1e-6)));
    }
}

double Spike::distance(const Context& a, const Context& b) const {
    double sum = 0;
    for (std::size_t i = 0; i < kContext; ++i) {
        const double apart = static_cast<double>((a[i] - b[i]) / spread_[i]);
        sum += apart * apart;
    }
    return sum / kContext;
}

// Moments at the origin's place in earlier seasons: all of them, or evenly spread ones.
std::vector<Spike::Analogue> Spike::analogues_of(std::size_t origin, std::size_t most) const {
    std::vector<Analogue> analogues;
    const Context now = context_of(origin);
    const std::size_t seasons = origin / season_;
    const std::size_t stride = std::max<std::size_t>((seasons + most - 1) / most, 1);
    for (std::size_t back = 1; back < seasons; back += stride) {
        const std::size_t past = origin - back * season_;
        analogues.push_back({past, distance(now, context_of(past)), level(past)});
    }
    return analogues;
}

std::vector<Spike::Analogue> Spike::namesakes_of(std::size_t origin, std::size_t target) const {
    std::vector<Analogue> found;
    const Span* own = span_at(target);
    if (own == nullptr) return found;
    const Context now = context_of(origin);
    for (const Span& past : spans_) {
        if (past.from_s >= own->from_s) break;
        const auto shift = static_cast<std::size_t>((own->from_s - past.from_s) / step_s_);
        const bool seen = shift % season_ == 0;  // is among the analogues
        if (past.name != own->name || shift == 0 || shift + 2 * season_ > origin || seen) continue;
        found.push_back({origin - shift, distance(now, context_of(origin - shift)), level(origin - shift)});
    }
    return found;
}

const Span* Spike::span_at(std::size_t bucket) const {
    const std::int64_t middle = time_of(bucket) + step_s_ / 2;
    auto after = std::ranges::upper_bound(spans_, middle, {}, &Span::from_s);
    while (after != spans_.begin() && (--after)->from_s >= middle - longest_s_)
        if (after->contains(middle)) return &*after;
    return nullptr;
}

double Spike::calendar_distance(std::size_t target, std::size_t analogue, const Kernel& kernel) const {
    const std::int64_t a = time_of(target), b = time_of(analogue);
    double apart = 0;
    if (season_ * static_cast<std::size_t>(step_s_) <= static_cast<std::size_t>(kDay_s)) {
        const auto is_weekend = [](std::int64_t day) { return day == 0 || day == 6; };
        const std::int64_t day_a = weekday(a), day_b = weekday(b);
        if (day_a != day_b) apart += is_weekend(day_a) == is_weekend(day_b) ? kOtherWeekday : kWeekend;
    }
    apart *= kernel.calendar;
    if (kernel.year > 0) apart += kernel.year * year_distance(a, b);
    const Span *own = span_at(target), *other = span_at(analogue);
    const bool alike = (own == nullptr) == (other == nullptr) && (own == nullptr || own->name == other->name);
    return apart + (alike ? 0.0 : kUnlikeDay);
}

void Spike::weigh(std::size_t origin, std::size_t target, const Kernel& kernel,
                  std::vector<Analogue>& analogues) const {
    const std::size_t ahead = target - origin;
    double nearest = std::numeric_limits<double>::infinity();
    for (Analogue& analogue : analogues) {
        analogue.weight = std::numeric_limits<double>::infinity();  // a distance, until below
        if (analogue.origin + ahead > origin) continue;             // what came then is not known yet
        analogue.weight =
            kernel.context * analogue.distance + calendar_distance(target, analogue.origin + ahead, kernel);
        nearest = std::min(nearest, analogue.weight);
    }
    for (Analogue& analogue : analogues)
        analogue.weight =
            std::isinf(analogue.weight) ? 0.0 : std::exp(-kernel.sharpness * (analogue.weight - nearest));
}

double Spike::expected(std::size_t origin, std::size_t target, const std::vector<Analogue>& analogues) const {
    double sum = 0, weights = 0;
    for (const Analogue& analogue : analogues) {
        if (analogue.weight == 0) continue;
        const auto came = static_cast<double>(value_[analogue.origin + (target - origin)]);
        sum += analogue.weight * (came - analogue.level);
        weights += analogue.weight;
    }
    return level(origin) + (weights > 0 ? sum / weights : 0.0);
}

double Spike::expected(std::size_t origin, std::size_t target, const Kernel& kernel,
                       std::vector<Analogue>& analogues) const {
    const std::size_t usual = analogues.size();
    for (const Analogue& namesake : namesakes_of(origin, target)) analogues.push_back(namesake);
    weigh(origin, target, kernel, analogues);
    const double answer = expected(origin, target, analogues);
    analogues.resize(usual);
    return answer;
}

double Spike::error_of(std::size_t origin, std::size_t reach, const Kernel& kernel,
                       std::vector<Analogue>& analogues) const {
    double error = 0;
    std::size_t weighed_at = 0;
    for (std::size_t j = 0; j < std::min(kJudgedTargets, reach); ++j) {
        const std::size_t ahead = 1 + j * (reach - 1) / std::max<std::size_t>(kJudgedTargets - 1, 1);
        const std::size_t target = origin + ahead;
        const auto came = static_cast<double>(value_[target]);
        if (!same_for_all_targets()) {
            error += std::abs(expected(origin, target, kernel, analogues) - came);
            continue;
        }
        if (j == 0 || (ahead - 1) / season_ != weighed_at) weigh(origin, target, kernel, analogues);
        weighed_at = (ahead - 1) / season_;
        error += std::abs(expected(origin, target, analogues) - came);
    }
    return error;
}

void Spike::choose_kernel(std::size_t horizon_max) {
    const std::size_t size = value_.size(), first = std::max(size * 3 / 4, 3 * season_);
    const std::size_t reach = std::min(horizon_max, size - first - 1);
    if (reach == 0) return;
    const bool years = static_cast<std::int64_t>(size) * step_s_ > 400 * kDay_s;
    std::vector<Kernel> kernels;
    for (const double sharpness : {0.25, 1.0, 4.0})
        for (const double calendar : same_for_all_targets() ? std::vector{0.0} : std::vector{0.0, 1.0})
            for (const double year : years ? std::vector{0.0, 1.0} : std::vector{0.0})
                for (const double context : {0.3, 2.0})
                    kernels.push_back({sharpness, calendar, year, context});
    std::vector<double> errors(kernels.size());
    for (std::size_t k = 0; k < kJudgedOrigins; ++k) {
        const std::size_t origin = first + k * (size - 1 - reach - first) / (kJudgedOrigins - 1);
        auto analogues = analogues_of(origin, kJudgedAnalogues);
        for (std::size_t i = 0; i < kernels.size(); ++i)
            errors[i] += error_of(origin, reach, kernels[i], analogues);
    }
    kernel_ = kernels[static_cast<std::size_t>(std::ranges::min_element(errors) - errors.begin())];
}

// A target and its analogues lie whole seasons apart: how alike their places in the calendar are does not
// depend on the target, unless weekdays or spans tell them apart.
bool Spike::same_for_all_targets() const {
    return spans_.empty() && static_cast<std::int64_t>(season_) * step_s_ > kDay_s;
}

// Weights change from day to day where the season is a day, and where an analogue's future ends; in between
// they are kept. With spans about, and with shorter seasons, they may change at any bucket.
std::vector<double> Spike::forecast(std::size_t horizon) const {
    std::vector<double> forecast(horizon);
    const std::size_t origin = value_.size() - 1;
    auto analogues = analogues_of(origin, kAnaloguesMax);
    const bool daily = static_cast<std::int64_t>(season_) * step_s_ == kDay_s && spans_.empty();
    const bool steady = same_for_all_targets();
    std::int64_t day = -1;
    for (std::size_t ahead = 1; ahead <= horizon; ++ahead) {
        const std::size_t target = origin + ahead;
        if (!daily && !steady) {
            forecast[ahead - 1] = scale_.back(expected(origin, target, kernel_, analogues));
            continue;
        }
        const std::int64_t target_day = time_of(target) / kDay_s;
        if ((daily && target_day != day) || (ahead - 1) % season_ == 0)
            weigh(origin, target, kernel_, analogues);
        day = target_day;
        forecast[ahead - 1] = scale_.back(expected(origin, target, analogues));
    }
    return forecast;
}

}  // namespace warmfront::forecast
