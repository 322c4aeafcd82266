#include "config/page.h"

#include <fstream>
#include <iterator>

#include <doctest/doctest.h>

#include "config/load.h"
#include "config/settings_table.h"

using namespace warmfront;

TEST_CASE("page: docs/configuration.md is what the settings table says") {
    std::ifstream file(WARMFRONT_SOURCE_DIR "/docs/configuration.md");
    const std::string written{std::istreambuf_iterator<char>(file), {}};
    INFO("to write it anew: build/warmfront --print-configuration-page > docs/configuration.md");
    const bool up_to_date = written == configuration_markdown();
    CHECK(up_to_date);
}

TEST_CASE("page: every setting has its heading") {
    for (const Setting& setting : settings_table()) {
        CAPTURE(setting.name);
        CHECK(configuration_markdown().find("\n### " + std::string(setting.name) + "\n") !=
              std::string::npos);
    }
}

TEST_CASE("page: its YAML examples load") {
    const std::string page = configuration_markdown();
    std::size_t examples = 0;
    for (std::size_t at = page.find("```yaml\n"); at != std::string::npos;
         at = page.find("```yaml\n", at + 1)) {
        const std::string example = page.substr(at + 8, page.find("```", at + 8) - at - 8);
        CAPTURE(example);
        CHECK(load_settings(example, "example"));
        ++examples;
    }
    CHECK(examples == 2);
}
