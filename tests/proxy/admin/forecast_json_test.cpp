#include "proxy/admin/forecast_json.h"

#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

#include "tests/proxy/admin/sample.h"

using namespace warmfront;
using namespace warmfront::admin;
using nlohmann::json;

TEST_CASE("forecast json: the list holds every series in a few numbers") {
    const json told = json::parse(forecasts_json(*sample_outlook()));
    CHECK(told["made"] == 1'772'366'400);
    CHECK(told["problem"] == "");
    REQUIRE(told["series"].size() == 3);
    const json& shop = told["series"][0];
    CHECK(shop["id"] == "database:requests:shop:");
    CHECK(shop["model"] == "holt-winters");
    CHECK(shop["mase"] == 0.75);
    CHECK(shop["fitted"].is_null());
    CHECK(shop["summary"]["last"] == 12);
    CHECK(shop["summary"]["next"] == json({{"point", 20}, {"lo95", 15}, {"hi95", 25}}));
    CHECK(shop["summary"]["total"] == 50);
    CHECK(shop["summary"]["seconds"] == 120);
    CHECK(shop["summary"]["peak"]["hi95"] == 35);
    CHECK(shop["summary"]["peak_at"] == 1'772'366'460);
    CHECK(shop["alarm"]["side"] == "within");
    CHECK(shop["alarm"]["since"].is_null());
    CHECK_FALSE(shop.contains("recent"));
    const json& orders = told["series"][1];
    CHECK(orders["name"] == "public.\"o\"");
    CHECK(orders["alarm"]["side"] == "above");
    CHECK(orders["alarm"]["since"] == 1'772'366'220);
    CHECK(orders["alarm"]["hi99"] == 30);
    CHECK(told["series"][2]["problem"] == "too short");
    CHECK(told["series"][2]["mase"].is_null());
}

TEST_CASE("forecast json: a series that is asked for comes whole, one that is not there is left out") {
    const json told = json::parse(forecasts_json(
        *sample_outlook(), {"nothing", "table:reads:shop:public.\"o\"", "database:requests:shop:"}));
    REQUIRE(told["series"].size() == 2);
    CHECK(told["series"][0]["kind"] == "table");
    const json& shop = told["series"][1];
    CHECK(shop["step"] == 60);
    CHECK(shop["recent"]["from"] == 1'772'366'220);
    CHECK(shop["recent"]["values"] == json({10, nullptr, 12}));
    CHECK(shop["forecast"]["from"] == 1'772'366'400);
    CHECK(shop["forecast"]["point"] == json({20, 30}));
    CHECK(shop["forecast"]["lo99"] == json({10, 20}));
    CHECK(shop["forecast"]["hi99"] == json({30, 40}));
    CHECK(
        shop["past"] ==
        json({{"time", {1'772'366'340}}, {"actual", {12}}, {"point", {11}}, {"lo95", {9}}, {"hi95", {13}}}));
}

TEST_CASE("forecast json: nothing forecast is said as such, and one request gets so much at most") {
    const json none = json::parse(forecasts_json(forecast::Outlook{}));
    CHECK(none["made"].is_null());
    CHECK(none["series"].empty());
    const std::vector<std::string> ids(kSeriesAskedMax + 5, "database:requests:shop:");
    CHECK(json::parse(forecasts_json(*sample_outlook(), ids))["series"].size() == kSeriesAskedMax);
}

TEST_CASE("forecast json: capacity tells the number and why, or that it is not known") {
    const json told = json::parse(capacity_json(sample_outlook()->capacity));
    CHECK(told["recommended_sidecars"] == 3);
    CHECK(told["needed_sidecars"] == 2.75);
    CHECK(told["needed_sidecars_now"] == 2.5);
    CHECK(told["peak_queries_per_second"] == 5500);
    CHECK(told["sidecar_queries_per_second"] == 2000);
    CHECK(told["reason"] == "because");
    const json early = json::parse(capacity_json(forecast::CapacityPlan({}).current()));
    CHECK(early["recommended_sidecars"].is_null());
    CHECK(early["needed_sidecars"].is_null());
    CHECK(early["reason"] == "nothing is forecast yet");
}
