#include "forecast/prepare.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace warmfront::forecast {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kUnitShare = 0.05;      // of the typical value
constexpr double kNormalByMad = 1.4826;  // standard deviation by median absolute deviation
constexpr double kHeadroom = 1e4;        // back() is at most this times the largest value

}  // namespace

Result<void> require_load(const Series& series, std::size_t known_min, std::string_view who) {
    std::size_t known = 0;
    for (std::size_t i = 0; i < series.size(); ++i) {
        const double value = series.values[i];
        if (std::isnan(value)) continue;
        if (std::isinf(value) || value < 0)
            return fail("22023", fmt::format("{}: bucket {} holds {}: a load is finite and not negative", who,
                                             i, value));
        ++known;
    }
    for (const std::size_t season : series.seasons)
        if (season < 2) return fail("22023", fmt::format("{}: a season has at least 2 steps", who));
    if (known < known_min)
        return fail("22023", fmt::format("{}: {} known values, needs at least {}: give it a longer history",
                                         who, known, known_min));
    return {};
}

Series latest(const Series& series, std::size_t buckets_max) {
    if (series.size() <= buckets_max) return series;
    const std::size_t dropped = series.size() - buckets_max;
    return {series.time_of(dropped), series.step_s,
            std::vector(series.values.begin() + static_cast<std::ptrdiff_t>(dropped), series.values.end()),
            series.seasons};
}

Series first(const Series& series, std::size_t count) {
    const auto end = series.values.begin() + static_cast<std::ptrdiff_t>(std::min(count, series.size()));
    return {series.start_s, series.step_s, std::vector(series.values.begin(), end), series.seasons};
}

LogScale::LogScale(std::span<const double> values) {
    std::vector<double> positive;
    positive.reserve(values.size());
    for (const double value : values)
        if (value > 0) positive.push_back(value);
    if (positive.empty()) return;
    const double largest = *std::ranges::max_element(positive);
    unit_ = kUnitShare * median(std::move(positive));
    scaled_max_ = std::log1p(kHeadroom * largest / unit_);
}

double LogScale::forward(double value) const {
    return std::log1p(value / unit_);
}

double LogScale::back(double scaled) const {
    return unit_ * std::expm1(std::clamp(scaled, 0.0, scaled_max_));
}

double LogScale::slope(double scaled) const {
    return unit_ * std::exp(std::min(scaled, scaled_max_));
}

std::vector<double> LogScale::forward(std::span<const double> values) const {
    std::vector<double> scaled(values.size());
    std::ranges::transform(values, scaled.begin(), [this](double value) { return forward(value); });
    return scaled;
}

namespace {

// The known bucket a whole number of seasons away from `bucket` that is nearest; NaN if there is none.
double same_slot(std::span<const double> values, std::size_t bucket, std::size_t season) {
    for (std::size_t away = season; away < values.size(); away += season) {
        if (bucket >= away && !std::isnan(values[bucket - away])) return values[bucket - away];
        if (bucket + away < values.size() && !std::isnan(values[bucket + away])) return values[bucket + away];
    }
    return kNan;
}

// Fills [from, to), whose neighbours are known where they exist.
void fill_line(std::vector<double>& filled, std::size_t from, std::size_t to) {
    const bool has_left = from > 0, has_right = to < filled.size();
    const double left = has_left ? filled[from - 1] : has_right ? filled[to] : 0;
    const double right = has_right ? filled[to] : left;
    const double width = static_cast<double>(to - from + 1);
    for (std::size_t i = from; i < to; ++i)
        filled[i] = left + (right - left) * static_cast<double>(i - from + 1) / width;
}

}  // namespace

std::vector<double> fill_gaps(std::span<const double> values, std::size_t season) {
    std::vector<double> filled(values.begin(), values.end());
    for (std::size_t i = 0; i < filled.size(); ++i) {
        if (!std::isnan(values[i])) continue;
        std::size_t end = i;
        while (end < values.size() && std::isnan(values[end])) ++end;
        if (season >= 2 && end - i > season / 4)
            for (std::size_t k = i; k < end; ++k) filled[k] = same_slot(values, k, season);
        // What no season could fill is left to straight lines between what is known by now.
        for (std::size_t k = i; k < end; ++k) {
            if (!std::isnan(filled[k])) continue;
            std::size_t stop = k;
            while (stop < end && std::isnan(filled[stop])) ++stop;
            fill_line(filled, k, stop);
            k = stop;
        }
        i = end;
    }
    return filled;
}

std::size_t remove_outliers(std::vector<double>& values, std::size_t half_window, double deviations) {
    const std::vector<double> seen = values;
    std::size_t removed = 0;
    std::vector<double> window;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        if (std::isnan(seen[i])) continue;
        const std::size_t from = i - std::min(i, half_window),
                          to = std::min(seen.size(), i + half_window + 1);
        window.assign(seen.begin() + static_cast<std::ptrdiff_t>(from),
                      seen.begin() + static_cast<std::ptrdiff_t>(to));
        const double middle = median(window);
        for (double& value : window) value -= middle;
        const double deviation = robust_deviation(std::move(window));
        window = {};
        if (std::abs(seen[i] - middle) <= deviations * deviation) continue;
        values[i] = middle;
        ++removed;
    }
    return removed;
}

double median(std::vector<double> values) {
    std::erase_if(values, [](double value) { return std::isnan(value); });
    if (values.empty()) return kNan;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

double robust_deviation(std::vector<double> residuals) {
    for (double& residual : residuals) residual = std::abs(residual);
    return kNormalByMad * median(std::move(residuals));
}

}  // namespace warmfront::forecast
