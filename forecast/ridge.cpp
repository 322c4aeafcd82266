// The normal equations are solved by Cholesky (Eigen); rows are sampled where ranges are wide, because
// neighbouring rows of far horizons say nearly the same, and fitting must stay within a few milliseconds.
#include "forecast/ridge.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>

namespace warmfront::forecast {
namespace {

constexpr std::size_t kKnownMin = 30;
constexpr std::size_t kRowsMax = 1'000;  // of one range
// Of the rows' weight, on standardized terms. The second grows with the square of the horizon's share of the
// history, because rows less than a horizon apart share most of their errors: there are fewer than it seems.
constexpr double kPenalty = 0.002, kPenaltyGrowth = 100;
constexpr double kDeviationsMax = 6;  // robust; inputs further off are cut
constexpr double kAgeWeight = 0.35;   // of the oldest row
constexpr int kReweightings = 2;
constexpr Eigen::Index kColumnsMany = 800;
constexpr std::int64_t kWeek_s = 7 * 86'400;

std::vector<std::pair<std::size_t, std::size_t>> horizon_ranges(std::size_t horizon_max) {
    std::vector<std::pair<std::size_t, std::size_t>> ranges;
    for (std::size_t from = 1; from <= horizon_max;) {
        const std::size_t to =
            std::min(horizon_max, from < 3 ? from : from + std::max<std::size_t>(1, from * 3 / 4));
        ranges.emplace_back(from, to);
        from = to + 1;
    }
    return ranges;
}

// Evenly spread over [0, count), without a period that a season could share (Weyl's sequence).
std::size_t spread(std::size_t i, std::size_t count) {
    const double golden = 0.6180339887498949;
    const double at = static_cast<double>(i) * golden;
    return static_cast<std::size_t>((at - std::floor(at)) * static_cast<double>(count));
}

// The coefficients of standardized terms, one a row of x. Sums of products are taken in single precision:
// they are what fitting costs, and the penalty is larger than what is lost. Where there
// are many columns, all but the last pass, which only find the weights, look at the first half of them.
Eigen::VectorXd least_absolute(const Eigen::MatrixXf& x, const Eigen::VectorXf& y,
                               const Eigen::VectorXf& weight, double penalty) {
    const Eigen::Index p = x.rows();
    Eigen::VectorXf robust = weight;
    Eigen::VectorXd beta = Eigen::VectorXd::Zero(p);
    for (int pass = 0;; ++pass) {
        const bool half = pass < kReweightings && x.cols() >= kColumnsMany;
        const Eigen::Index n = half ? x.cols() / 2 : x.cols();
        const auto xn = x.leftCols(n);
        const Eigen::MatrixXf xw = xn * robust.head(n).cwiseSqrt().asDiagonal();
        Eigen::MatrixXf products = Eigen::MatrixXf::Zero(p, p);
        products.selfadjointView<Eigen::Lower>().rankUpdate(xw);
        Eigen::MatrixXd gram = products.cast<double>();
        const double sum = static_cast<double>(robust.head(n).sum());
        const double g00 = gram(0, 0);
        gram.diagonal().array() += penalty * sum;
        gram(0, 0) = g00 + 0.001 * sum;
        const Eigen::VectorXf moments = xn * robust.head(n).cwiseProduct(y.head(n));
        beta = gram.selfadjointView<Eigen::Lower>().llt().solve(moments.cast<double>());
        if (pass == kReweightings) return beta;
        const Eigen::VectorXf off = (y - x.transpose() * beta.cast<float>()).cwiseAbs();
        const float typical = off.dot(weight) / weight.sum();
        robust = weight.array() / (off.array() / (typical + 1e-12f)).max(0.3f);
    }
}

double deviation_max(const std::vector<double>& scaled, std::size_t season) {
    std::vector<double> changes;
    for (std::size_t i = season; i < scaled.size(); ++i) changes.push_back(scaled[i] - scaled[i - season]);
    const double deviation = robust_deviation(std::move(changes));
    return deviation > 0 ? kDeviationsMax * deviation : 1e300;
}

}  // namespace

Result<void> Ridge::fit(const Series& series, const FitOptions& options) {
    if (auto sound = require_load(series, kKnownMin, name()); !sound) return sound;
    const Series recent = latest(series, kBucketsMax);
    LagTerms::Shape shape{recent.start_s, recent.step_s, 1, 1, false, nullptr};
    if (!recent.seasons.empty() && 3 * recent.seasons[0] <= recent.size()) shape.season = recent.seasons[0];
    if (shape.season > 1 && recent.seasons.size() > 1 && 5 * recent.seasons[1] <= 2 * recent.size())
        shape.long_season = recent.seasons[1];
    const auto length_s = static_cast<std::int64_t>(recent.size()) * recent.step_s;
    shape.weekends = recent.step_s < 86'400 && length_s >= 2 * kWeek_s;
    if (options.calendar != nullptr && !options.calendar->holidays.empty()) shape.calendar = options.calendar;

    scale_ = wanted_ == Scale::Log ? std::optional(LogScale(recent.values)) : std::nullopt;
    std::vector<double> scaled = recent.values;
    for (double& value : scaled)
        if (!std::isnan(value)) value = forward(value);
    profiles_ = {{0.0}, {0.0}};
    if (of_ == Of::Remainder) {
        const bool longer = recent.seasons.size() > 1 && 2 * recent.seasons[1] <= recent.size();
        profiles_ = decompose(scaled, shape.season, longer ? recent.seasons[1] : 1);
        for (std::size_t i = 0; i < scaled.size(); ++i) scaled[i] -= profile(i);
    }
    const auto known = std::ranges::find_if(scaled, [](double value) { return !std::isnan(value); });
    terms_.emplace(shape, *known, deviation_max(scaled, shape.season));
    for (std::size_t i = 1; i < scaled.size(); ++i) terms_->append(scaled[i]);
    ranges_.clear();
    for (const auto& [from, to] : horizon_ranges(options.horizon_max)) {
        ranges_.push_back({from, to, {}});
        learn(ranges_.back(), scaled);
    }
    return {};
}

void Ridge::learn(Range& range, const std::vector<double>& scaled) {
    using Eigen::Index;
    const std::size_t begin = terms_->warm_up(), size = scaled.size(), terms = terms_->count();
    if (size < begin + range.to + 2 * terms) return;
    const std::size_t origins = size - begin - range.to;
    const std::size_t width = range.to - range.from + 1;
    const std::size_t rows_wanted = width == 1 ? kRowsMax * 2 : kRowsMax;
    const std::size_t rows = std::min(origins, rows_wanted);

    Eigen::MatrixXd x(static_cast<Index>(terms), static_cast<Index>(rows));  // a row of data is a column
    Eigen::VectorXd y(static_cast<Index>(rows)), weight(static_cast<Index>(rows));
    std::size_t used = 0;
    for (std::size_t i = 0; i < rows; ++i) {
        // Every other row first: either half of the columns is spread over the whole history.
        const std::size_t evens = (rows + 1) / 2, k = i < evens ? 2 * i : 2 * (i - evens) + 1;
        const std::size_t origin = begin + (rows == origins ? k : k * origins / rows);
        const std::size_t target = origin + range.from + spread(k, width);
        if (std::isnan(scaled[target])) continue;
        const auto column = static_cast<Index>(used++);
        terms_->write(origin, target, x.col(column).data());
        const double base = terms_->base(origin, target);
        y[column] = scaled[target] - base;
        const double age = static_cast<double>(size - target) / static_cast<double>(size);
        weight[column] = std::pow(kAgeWeight, age) * (scale_ ? scale_->slope(base + profile(target)) : 1.0);
    }
    if (used < 2 * terms) return;
    const auto n = static_cast<Index>(used), p = static_cast<Index>(terms);
    x.conservativeResize(p, n);
    y.conservativeResize(n);
    weight.conservativeResize(n);
    weight /= weight.mean();
    // Standardize; the constant (term 0) is neither scaled nor penalized.
    Eigen::VectorXd size_of = (x.array().square().rowwise().mean()).sqrt();
    for (Index j = 0; j < p; ++j)
        if (!(size_of[j] > 1e-9)) size_of[j] = 1;
    x.array().colwise() /= size_of.array();
    double size_of_y = y.cwiseAbs().mean();
    if (!(size_of_y > 0)) size_of_y = 1;
    const double share = static_cast<double>(range.from) / static_cast<double>(size);
    const Eigen::VectorXd beta =
        least_absolute(x.cast<float>(), (y / size_of_y).cast<float>(), weight.cast<float>(),
                       kPenalty + kPenaltyGrowth * share * share);
    const Eigen::VectorXd plain = size_of_y * beta.array() / size_of.array();
    range.coefficients.assign(plain.data(), plain.data() + plain.size());
}

std::vector<double> Ridge::forecast(std::size_t horizon) const {
    std::vector<double> forecast(horizon), terms(terms_->count());
    const std::size_t origin = terms_->size() - 1;
    const bool warm = origin >= terms_->warm_up();
    for (const Range& range : ranges_)
        for (std::size_t h = range.from; h <= std::min(range.to, horizon); ++h) {
            double scaled = terms_->base(origin, origin + h);
            if (warm && !range.coefficients.empty()) {
                terms_->write(origin, origin + h, terms.data());
                for (std::size_t j = 0; j < terms.size(); ++j) scaled += range.coefficients[j] * terms[j];
            }
            forecast[h - 1] = back(scaled + profile(origin + h));
        }
    return forecast;
}

bool Ridge::extend(const std::vector<double>& values) {
    for (const double value : values)
        terms_->append(std::isnan(value) ? value : forward(value) - profile(terms_->size()));
    return true;
}

}  // namespace warmfront::forecast
