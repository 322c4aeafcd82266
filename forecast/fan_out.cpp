#include "forecast/fan_out.h"

#include <algorithm>

#include "forecast/next_query.h"

namespace warmfront::forecast {

void FanOut::add(std::size_t there, std::size_t asked) {
    for (std::size_t rank = 0; rank < std::min(there, kRows); ++rank) {
        if (there_[rank] >= kListsMax) there_[rank] /= 2, asked_[rank] /= 2;
        there_[rank] += 1;
        if (rank < asked) asked_[rank] += 1;
    }
}

double FanOut::chance(std::size_t rank) const {
    return rank < kRows ? wilson_lower_bound(asked_[rank], there_[rank]) : 0;
}

}  // namespace warmfront::forecast
