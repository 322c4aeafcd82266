#include "forecast/damping.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>

namespace warmfront::forecast {
namespace {

constexpr double kPenalty = 0.01;    // of the examples' weight, in the deviations' own variance
constexpr double kExamplesMin = 30;  // in weight

Features::Terms without_gaps(Features::Terms terms) {
    for (double& term : terms)
        if (std::isnan(term)) term = 0;
    return terms;
}

}  // namespace

Damping::Damping(std::size_t horizon_max) {
    for (std::size_t from = 1; from <= std::max<std::size_t>(horizon_max, 1);) {
        const std::size_t to = from < 3 ? from : from + from * 3 / 4;
        ranges_.push_back({to});
        from = to + 1;
    }
}

std::size_t Damping::range_of(std::size_t ahead) const {
    const auto range = std::ranges::lower_bound(ranges_, ahead, {}, &Range::to);
    return std::min(static_cast<std::size_t>(range - ranges_.begin()), ranges_.size() - 1);
}

void Damping::add(const Features::Terms& terms, std::size_t ahead, double off, double weight) {
    Range& range = ranges_[range_of(ahead)];
    const Features::Terms known = without_gaps(terms);
    for (std::size_t i = 0; i < kTerms; ++i) {
        for (std::size_t j = 0; j <= i; ++j) range.moments[i][j] += weight * known[i] * known[j];
        range.products[i] += weight * known[i] * off;
    }
    range.weight += weight;
}

void Damping::learn() {
    using Matrix = Eigen::Matrix<double, kTerms, kTerms>;
    for (Range& range : ranges_) {
        range.slopes.fill(0);
        if (range.weight < kExamplesMin) continue;
        Matrix moments = Matrix::Zero();
        Eigen::Matrix<double, kTerms, 1> products;
        for (Eigen::Index i = 0; i < static_cast<Eigen::Index>(kTerms); ++i) {
            const auto row = static_cast<std::size_t>(i);
            for (Eigen::Index j = 0; j <= i; ++j)
                moments(i, j) = moments(j, i) = range.moments[row][static_cast<std::size_t>(j)];
            products[i] = range.products[row];
        }
        moments.diagonal().array() += kPenalty * moments.trace() / kTerms + 1e-9;
        const Eigen::Matrix<double, kTerms, 1> slopes = moments.llt().solve(products);
        std::copy_n(slopes.data(), kTerms, range.slopes.begin());
    }
}

double Damping::expected(const Features::Terms& terms, std::size_t ahead) const {
    const Range& range = ranges_[range_of(ahead)];
    const Features::Terms known = without_gaps(terms);
    double expected = 0;
    for (std::size_t i = 0; i < kTerms; ++i) expected += range.slopes[i] * known[i];
    return expected;
}

}  // namespace warmfront::forecast
