#include "forecast/holidays_file.h"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include "forecast/series_csv.h"

namespace warmfront::forecast {

Result<std::vector<Span>> read_holidays_file(const std::string& path) {
    std::ifstream file(path);
    if (!file) return fail("58030", fmt::format("--holidays {}: it cannot be read", path));
    std::vector<Span> holidays;
    std::string line;
    for (std::size_t number = 1; std::getline(file, line); ++number) {
        line.erase(std::min(line.find('#'), line.size()));
        line.erase(line.find_last_not_of(" \t\r") + 1);
        if (line.empty()) continue;
        const std::size_t blank = std::min(line.find(' '), line.size());
        const std::string days = line.substr(0, blank);
        const std::size_t dots = days.find("..");
        const auto from = parse_time(days.substr(0, std::min(dots, days.size())));
        const auto last = dots == std::string::npos ? from : parse_time(days.substr(dots + 2));
        if (days.size() < 10 || !from || !last || *last < *from)
            return fail("22007",
                        fmt::format("{}:{}: \"{}\": expected a day such as 2026-11-11 or a range such as "
                                    "2026-12-24..2026-12-26, then a name if it has one",
                                    path, number, line));
        holidays.push_back({line.substr(std::min(blank + 1, line.size())), *from, *last + 86'400});
    }
    std::ranges::stable_sort(holidays, {}, &Span::from_s);
    return holidays;
}

}  // namespace warmfront::forecast
