// forecast/fan_out.h: how many rows of a list are asked for one by one ("N+1 queries").
//
// A chance for each rank of row, from the first on: of the lists that had such a row, the share whose rows up
// to it were asked for in turn, as the lower end of Wilson's interval. Counts are halved at a bound, so what
// was long ago fades. Plain value.
#pragma once

#include <array>
#include <cstddef>

namespace warmfront::forecast {

class FanOut {
public:
    // A screenful. Each row is a fetch of its own: more at once would fill the fetchers' queue for one page.
    static constexpr std::size_t kRows = 16;
    static constexpr float kListsMax = 64;     // before they fade
    static constexpr float kListsWanted = 24;  // until then it is young

    // Of a list of so many rows the first `asked` were asked for. Beyond kRows nothing is counted.
    void add(std::size_t there, std::size_t asked);
    // rank: from 0, the first row. 0 beyond kRows, or where no list was that long.
    [[nodiscard]] double chance(std::size_t rank) const;
    [[nodiscard]] bool is_young() const { return there_[1] < kListsWanted; }

private:
    std::array<float, kRows> there_{}, asked_{};
};

}  // namespace warmfront::forecast
