// Least absolute errors by iterative reweighting: a spike that nobody foresaw must not teach that every large
// error is followed by another. A range is corrected only where that would have paid.
#include "forecast/error_correction.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "forecast/combination.h"
#include "forecast/prepare.h"

namespace warmfront::forecast {
namespace {

constexpr double kLateRate = 0.3;       // of the decayed mean
constexpr double kDeviationsMax = 4;    // robust, that an error counts at most
constexpr double kPenalty = 0.1;        // of the mean square of the late errors
constexpr double kPenaltyOverlap = 50;  // times as much where a single forecast does not overlap others
constexpr double kGainMin = 0.01;       // share of the error that a correction must have taken away
constexpr double kErrorCut = 15;        // typical errors that one error counts at most for that
constexpr double kWeightMax = 1 / 0.3;  // of an example, by that of a typical one
constexpr int kReweightings = 3;
constexpr std::size_t kExamplesMin = 30, kExamplesMax = 500;  // of a range

// By bucket, from the first origin on: actual less what was forecast last before it.
std::vector<double> latest_errors(const Series& series, const Rolled& rolled) {
    const std::size_t first = rolled.origins.front().bucket;
    std::vector<double> errors(series.size() - std::min(series.size(), first),
                               std::numeric_limits<double>::quiet_NaN());
    for (std::size_t o = 0; o < rolled.origins.size(); ++o) {
        const Origin& origin = rolled.origins[o];
        const std::size_t next = o + 1 < rolled.origins.size() ? rolled.origins[o + 1].bucket : series.size();
        for (std::size_t step = 0; step < origin.horizon && origin.bucket + step < next; ++step)
            errors[origin.bucket + step - first] =
                series.values[origin.bucket + step] - rolled.forecasts[o][step];
    }
    return errors;
}

double typical(std::vector<double> errors) {
    for (double& error : errors) error = std::abs(error);
    return median(std::move(errors));
}

}  // namespace

ErrorCorrection::Errors ErrorCorrection::after(const Errors& errors, double error) const {
    const double seen = std::isnan(error) ? 0.0 : std::clamp(error, -error_max_, error_max_);
    return {seen, errors.late + kLateRate * (seen - errors.late)};
}

std::vector<ErrorCorrection::Errors> ErrorCorrection::known_at(const Series& series,
                                                               const Rolled& rolled) const {
    const std::vector<double> errors = latest_errors(series, rolled);
    const std::size_t first = rolled.origins.front().bucket;
    std::vector<Errors> known;
    Errors now;
    std::size_t seen = 0;
    for (const Origin& origin : rolled.origins) {
        for (; first + seen < origin.bucket; ++seen) now = after(now, errors[seen]);
        known.push_back(now);
    }
    for (; seen < errors.size(); ++seen) now = after(now, errors[seen]);
    known.push_back(now);
    return known;
}

ErrorCorrection::ErrorCorrection(const Series& series, const Rolled& rolled, std::size_t horizon_max) {
    if (rolled.origins.empty()) return;
    std::vector<double> errors = latest_errors(series, rolled);
    std::erase_if(errors, [](double error) { return std::isnan(error); });
    if (errors.size() < kErrorsMin) return;
    error_max_ = kDeviationsMax * robust_deviation(std::move(errors));
    const std::vector<Errors> known = known_at(series, rolled);
    now_ = known.back();
    const auto span = static_cast<double>(rolled.origins.back().bucket - rolled.origins.front().bucket + 1);
    std::size_t from = 0;
    for (const std::size_t to : step_ranges(horizon_max)) {
        std::vector<std::pair<std::size_t, std::size_t>> places;  // origin, step
        for (std::size_t o = 0; o < rolled.origins.size(); ++o)
            for (std::size_t step = from; step < std::min(to, rolled.origins[o].horizon); ++step)
                if (!std::isnan(actual_of(series, rolled.origins[o], step))) places.emplace_back(o, step);
        std::vector<Example> examples;
        for (std::size_t k = 0; k < places.size(); k += places.size() / kExamplesMax + 1) {
            const auto [o, step] = places[k];
            const double off = actual_of(series, rolled.origins[o], step) - rolled.forecasts[o][step];
            examples.push_back({known[o], off});
        }
        const double apart = std::max(1.0, span / (1 + static_cast<double>(from + to) / 2));
        ranges_.push_back(learnt(examples, kPenalty * (1 + kPenaltyOverlap / apart)));
        ranges_.back().to = to;
        from = to;
    }
}

ErrorCorrection::Range ErrorCorrection::learnt(const std::vector<Example>& examples, double penalty) {
    if (examples.size() < kExamplesMin) return {};
    std::vector<double> offs;
    for (const Example& example : examples) offs.push_back(example.off);
    const double usual = typical(std::move(offs));
    if (!(usual > 0)) return {};
    Range range{};
    const auto left = [&](const Example& example) {
        return example.off - range.last * example.known.last - range.late * example.known.late;
    };
    for (int pass = 0; pass < kReweightings; ++pass) {
        double ll = 0, lm = 0, mm = 0, yl = 0, ym = 0;
        for (const Example& example : examples) {
            const double weight =
                pass == 0 ? 1.0 : std::min(kWeightMax, usual / std::max(1e-300, std::abs(left(example))));
            const auto& [last, late] = example.known;
            ll += weight * last * last;
            lm += weight * last * late;
            mm += weight * late * late;
            yl += weight * last * example.off;
            ym += weight * late * example.off;
        }
        const double ridge = penalty * (ll + mm) / 2;
        ll += ridge;
        mm += ridge;
        const double determinant = ll * mm - lm * lm;
        if (!(determinant > 0)) return {};
        range.last = (yl * mm - ym * lm) / determinant;
        range.late = (ym * ll - yl * lm) / determinant;
    }
    double before = 0, now = 0;
    for (const Example& example : examples) {
        before += std::min(kErrorCut * usual, std::abs(example.off));
        now += std::min(kErrorCut * usual, std::abs(left(example)));
    }
    return now < (1 - kGainMin) * before ? range : Range{};
}

void ErrorCorrection::correct(std::vector<double>& forecast, const Errors& known) const {
    std::size_t from = 0;
    for (const Range& range : ranges_) {
        const double off = range.last * known.last + range.late * known.late;
        if (off != 0)
            for (std::size_t step = from; step < std::min(range.to, forecast.size()); ++step)
                forecast[step] = std::max(0.0, forecast[step] + off);
        from = range.to;
    }
}

void ErrorCorrection::correct(std::vector<double>& forecast) const {
    correct(forecast, now_);
}

Rolled ErrorCorrection::corrected(const Series& series, const Rolled& rolled) const {
    Rolled corrected = rolled;
    if (ranges_.empty()) return corrected;
    const std::vector<Errors> known = known_at(series, rolled);
    for (std::size_t o = 0; o < rolled.origins.size(); ++o) correct(corrected.forecasts[o], known[o]);
    return corrected;
}

void ErrorCorrection::see(double error) {
    now_ = after(now_, error);
}

}  // namespace warmfront::forecast
