// forecast/damping.h: how much of what is unusual now still counts some buckets ahead.
//
// A linear regression of how far the target is off its base on Features::terms(), one for each range of
// horizons, shrunk towards nothing; a term that is not known counts as 0. Trees learn what it leaves: they
// cannot go on with a straight line beyond what they have seen, it can. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "forecast/features.h"

namespace warmfront::forecast {

class Damping {
public:
    explicit Damping(std::size_t horizon_max);

    // An example: the terms of an origin and a target, and how far a target `ahead` >= 1 buckets later was
    // off its base.
    void add(const Features::Terms& terms, std::size_t ahead, double off, double weight = 1);
    void learn();
    // How far the target is expected to be off its base; 0 before learn(), or where nothing was learnt.
    [[nodiscard]] double expected(const Features::Terms& terms, std::size_t ahead) const;

private:
    static constexpr std::size_t kTerms = Features::kTerms;
    struct Range {
        std::size_t to;  // the last horizon
        std::array<std::array<double, kTerms>, kTerms> moments{};
        std::array<double, kTerms> products{}, slopes{};
        double weight = 0;
    };
    [[nodiscard]] std::size_t range_of(std::size_t ahead) const;
    std::vector<Range> ranges_;  // ascending, never empty
};

}  // namespace warmfront::forecast
