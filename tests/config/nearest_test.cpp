#include "config/nearest.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace warmfront;

TEST_CASE("nearest: a slip finds its name, anything else finds none") {
    const std::vector<std::string_view> known{"listen",       "http",      "state_dir",
                                              "cache.memory", "cache.ttl", "log.level"};
    struct Row {
        std::string word;
        std::optional<std::string_view> name;
    };
    for (const auto& [word, name] : std::vector<Row>{{"listen", "listen"},
                                                     {"lisen", "listen"},
                                                     {"listten", "listen"},
                                                     {"lisetn", "listen"},
                                                     {"Listen", "listen"},
                                                     {"state-dir", "state_dir"},
                                                     {"cache.memroy", "cache.memory"},
                                                     {"cache.ttll", "cache.ttl"},
                                                     {"memory", "cache.memory"},
                                                     {"log.ttl", "cache.ttl"},
                                                     {"htp", "http"},
                                                     {"ht", std::nullopt},
                                                     {"banana", std::nullopt},
                                                     {"", std::nullopt},
                                                     {std::string(65, 'l'), std::nullopt}}) {
        CAPTURE(word);
        CHECK(nearest(word, known) == name);
    }
}
