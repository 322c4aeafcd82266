// The examples of deploy/ speak of metrics that there are.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "proxy/admin/metrics.h"

using namespace warmfront::admin;

static std::string content_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    REQUIRE(file);
    return {std::istreambuf_iterator<char>(file), {}};
}

static const std::filesystem::path kDeploy = WARMFRONT_SOURCE_DIR "/deploy";

TEST_CASE("deploy: every metric that the examples name exists") {
    std::set<std::string> known{"warmfront_fleet_sidecars"};  // the adapter makes it of another
    for (const Metric& metric : metrics_table()) {
        known.insert(std::string(metric.name));
        if (metric.type == prometheus::MetricType::Histogram)
            known.insert(std::string(metric.name) + "_bucket");
    }
    const std::regex name("(warmfront|process)_[a-z_]+");
    std::size_t named = 0;
    for (const std::string file : {"README.md", "prometheus/alerts.yml", "grafana/warmfront.json",
                                   "kubernetes/prometheus-adapter.yaml", "kubernetes/autoscaler.yaml"}) {
        const std::string text = content_of(kDeploy / file);
        for (auto found = std::sregex_iterator(text.begin(), text.end(), name);
             found != std::sregex_iterator(); ++found) {
            CAPTURE(file);
            CAPTURE(found->str());
            CHECK(known.contains(found->str()));
            ++named;
        }
    }
    CHECK(named > 40);
}

TEST_CASE("deploy: the dashboard is JSON whose panels have a query each and do not overlap") {
    const auto dashboard = nlohmann::json::parse(content_of(kDeploy / "grafana/warmfront.json"));
    std::set<std::pair<int, int>> taken;
    for (const auto& panel : dashboard["panels"]) {
        CAPTURE(panel["title"].get<std::string>());
        CHECK_FALSE(panel["targets"].empty());
        const auto& place = panel["gridPos"];
        for (int x = place["x"]; x < place["x"].get<int>() + place["w"].get<int>(); ++x) {
            for (int y = place["y"]; y < place["y"].get<int>() + place["h"].get<int>(); ++y)
                CHECK(taken.emplace(x, y).second);
            CHECK(x < 24);
        }
    }
}
