#include "proxy/admin/http.h"

#include <algorithm>
#include <functional>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/admin/page_files.h"
#include "proxy/admin/stats_json.h"
#include "tests/proxy/admin/sample.h"

using namespace warmfront;
using namespace warmfront::admin;

static const Address kAnyPort{"127.0.0.1", 0, {}};

static std::string talk(std::uint16_t port, const std::string& request) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()));
    std::string response;
    char buffer[4096];
    for (ssize_t got; (got = recv(fd, buffer, sizeof buffer, 0)) > 0;)
        response.append(buffer, static_cast<std::size_t>(got));
    close(fd);
    return response;
}

static std::string get(std::uint16_t port, const std::string& path, const std::string& method = "GET") {
    return talk(port, method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

static std::vector<session::TemplateRow> no_templates() {
    return {};
}

static std::shared_ptr<const PrewarmView> hot_of_shop() {
    auto view = std::make_shared<PrewarmView>();
    HotRow hot;
    hot.database = "shop";
    hot.statement = "SELECT v FROM t WHERE secret = 'abc'";
    hot.requests = 12;
    view->hot.push_back(hot);
    return view;
}

static std::vector<std::string> tables_of(const session::TemplateRow&) {
    return {"public.orders", "public.\"odd\""};
}

static HttpSources sources_of(std::function<Observation()> observe) {
    return {std::move(observe), no_templates, tables_of, [] { return sample_observation().outlook; },
            hot_of_shop};
}

TEST_CASE("http: every path answers as it should") {
    auto server = HttpServer::start(kAnyPort, sources_of(sample_observation));
    REQUIRE(server);
    const std::uint16_t port = (*server)->port();
    REQUIRE(port != 0);
    struct Row {
        std::string method, path, status, type, body_has;
    };
    for (const auto& [method, path, status, type, body_has] : std::vector<Row>{
             {"GET", "/metrics", "200 OK", "text/plain; version=0.0.4", "warmfront_cache_entries 7"},
             {"GET", "/healthz", "200 OK", "text/plain", "alive"},
             {"GET", "/readyz", "200 OK", "text/plain", "ready"},
             {"GET", "/api/stats", "200 OK", "application/json", R"("name":"shop")"},
             {"GET", "/api/templates", "200 OK", "application/json", "[]"},
             {"GET", "/", "200 OK", "text/html", "<!doctype html>"},
             {"GET", "/page/page.css", "200 OK", "text/css", ":root"},
             {"GET", "/page/page.js", "200 OK", "text/javascript", "/api/forecast"},
             {"GET", "/page/uPlot.js", "200 OK", "text/javascript", "uPlot"},
             {"GET", "/page/uPlot.LICENSE", "200 OK", "text/plain", "MIT"},
             {"GET", "/page/", "404 Not Found", "text/plain", ""},
             {"GET", "/api/forecast", "200 OK", "application/json", R"("id":"database:requests:shop:")"},
             {"GET", "/api/forecast?series=database%3Arequests%3Ashop%3A", "200 OK", "application/json",
              R"("recent":{)"},
             {"GET", "/api/forecast?series=nothing", "200 OK", "application/json", R"("series":[])"},
             {"GET", "/api/hot", "200 OK", "application/json",
              R"("statement":"SELECT v FROM t WHERE secret = ?")"},
             {"GET", "/api/capacity", "200 OK", "application/json", R"("recommended_sidecars":3)"},
             {"GET", "/healthz?verbose=1", "200 OK", "text/plain", "alive"},
             {"HEAD", "/metrics", "200 OK", "text/plain; version=0.0.4", ""},
             {"GET", "/nothing", "404 Not Found", "text/plain", "/metrics"},
             {"GET", "/metrics/more", "404 Not Found", "text/plain", ""},
             {"GET", "/../../etc/passwd", "404 Not Found", "text/plain", "/metrics"},
             {"POST", "/metrics", "405 Method Not Allowed", "text/plain", "GET"},
             {"DELETE", "/", "405 Method Not Allowed", "text/plain", "GET"}}) {
        CAPTURE(method);
        CAPTURE(path);
        const std::string response = get(port, path, method);
        CAPTURE(response);
        CHECK(response.starts_with("HTTP/1.1 " + status + "\r\n"));
        CHECK(response.find("Content-Type: " + type) != std::string::npos);
        const std::size_t body_at = response.find("\r\n\r\n");
        REQUIRE(body_at != std::string::npos);
        const std::string body = response.substr(body_at + 4);
        CHECK(body.find(body_has) != std::string::npos);
        if (method == "HEAD") CHECK(body.empty());
    }
}

TEST_CASE("http: not ready is said with its reason, and does not mean dead") {
    auto server =
        HttpServer::start(kAnyPort, sources_of([] { return Observation{.not_ready = "no catalog yet"}; }));
    REQUIRE(server);
    const std::string response = get((*server)->port(), "/readyz");
    CHECK(response.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
    CHECK(response.ends_with("no catalog yet\n"));
    CHECK(get((*server)->port(), "/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(get((*server)->port(), "/metrics").find("warmfront_ready 0") != std::string::npos);
}

TEST_CASE("http: an address that is taken or not there is an error that says so") {
    auto first = HttpServer::start(kAnyPort, sources_of(sample_observation));
    REQUIRE(first);
    const Address taken{"127.0.0.1", (*first)->port(), {}};
    const auto second = HttpServer::start(taken, sources_of(sample_observation));
    REQUIRE_FALSE(second);
    CHECK(second.error().sqlstate == "55000");
    CHECK(second.error().text.find("127.0.0.1:" + std::to_string(taken.port)) != std::string::npos);
    CAPTURE(second.error().text);
    CHECK(second.error().text.find("in use") != std::string::npos);

    const auto elsewhere = HttpServer::start({"192.0.2.1", 1, {}}, sources_of(sample_observation));
    REQUIRE_FALSE(elsewhere);
    first = HttpServer::start(kAnyPort, sources_of(sample_observation));
    CHECK(first);
}

TEST_CASE("http: every interface can be listened on") {
    auto server = HttpServer::start({"*", 0, {}}, sources_of(sample_observation));
    REQUIRE(server);
    CHECK(get((*server)->port(), "/healthz").starts_with("HTTP/1.1 200"));
}

TEST_CASE("http: what is not HTTP does no harm") {
    auto server = HttpServer::start(kAnyPort, sources_of(sample_observation));
    REQUIRE(server);
    for (const std::string bytes : {"\r\n\r\n", "\x16\x03\x01\r\n\r\n", "GET\r\n\r\n"}) {
        const std::string response = talk((*server)->port(), bytes);
        CHECK_FALSE(response.starts_with("HTTP/1.1 200"));
    }
    CHECK(talk((*server)->port(), "GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\n\r\n")
              .starts_with("HTTP/1.1 200") == false);
    CHECK(get((*server)->port(), "/healthz").starts_with("HTTP/1.1 200"));
}

TEST_CASE("stats json: names are escaped and nothing is missing") {
    const std::string json = stats_json(sample_observation());
    CHECK(json.find(R"("name":"a \"strange\\\u000aname")") != std::string::npos);
    CHECK(json.find(R"("uptime_seconds":61,"ready":true)") != std::string::npos);
    CHECK(json.find(R"("max_bytes":1048576)") != std::string::npos);
    CHECK(json.find(R"("hits":22)") != std::string::npos);  // of all databases
    CHECK(stats_json(Observation{}).find(R"("databases":[])") != std::string::npos);
}

TEST_CASE("templates json: only what may be kept is told") {
    session::TemplateRow kept;
    kept.digest = 0xab;
    kept.text = "SELECT \"a\"";
    kept.cacheable = true;
    kept.off = session::Off::BreakEven;
    kept.off_reason = "why";
    kept.saved_us = 1'500'000;
    session::TemplateRow refused;
    refused.text = "EXPLAIN SELECT 'secret'";
    const std::string json = templates_json({refused, kept}, tables_of);
    CHECK(json.starts_with(R"([{"digest":"00000000000000ab","database":"","template":"SELECT \"a\"",)"));
    CHECK(json.find(R"("state":"off: break_even","reason":"why")") != std::string::npos);
    CHECK(json.find(R"("saved_seconds":1.500000)") != std::string::npos);
    CHECK(json.ends_with(R"("tables":["public.orders","public.\"odd\""]}])"));
    CHECK(json.find("secret") == std::string::npos);
}

TEST_CASE("page: loads nothing from elsewhere and holds no script or style of its own text") {
    CHECK(page_policy().starts_with("default-src 'none'"));
    CHECK(page_policy().find("unsafe") == std::string_view::npos);
    for (const PageFile& file : page_files()) {
        CAPTURE(file.path);
        CHECK_FALSE(file.content.empty());
        if (file.path.starts_with("/page/uPlot")) continue;  // as their authors ship them
        CHECK(file.content.find("http://") == std::string_view::npos);
        CHECK(file.content.find("https://") == std::string_view::npos);
        for (const std::string_view markup :
             {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write"})
            CHECK(file.content.find(markup) == std::string_view::npos);
    }
}

TEST_CASE("page: what the markup refers to is there, and nothing is inline") {
    const std::string_view markup = page_files()[0].content;
    std::size_t references = 0;
    for (const std::string_view attribute : {"src=\"/page/", "href=\"/page/"}) {
        for (std::size_t found = markup.find(attribute); found != std::string_view::npos;
             found = markup.find(attribute, found + 1)) {
            const std::size_t begin = markup.find('"', found) + 1;
            const auto path = markup.substr(begin, markup.find('"', begin) - begin);
            CAPTURE(path);
            CHECK(std::ranges::count(page_files(), path, &PageFile::path) == 1);
            ++references;
        }
    }
    CHECK(references == 7);
    CHECK(markup.find("<style") == std::string_view::npos);
    CHECK(markup.find("style=") == std::string_view::npos);
    for (std::size_t script = markup.find("<script"); script != std::string_view::npos;
         script = markup.find("<script", script + 1))
        CHECK(markup.substr(script).find("></script>") == markup.substr(script).find('>'));
    for (const std::string_view handler : {" onclick=", " onload=", " onerror=", " onchange="})
        CHECK(markup.find(handler) == std::string_view::npos);
}

TEST_CASE("page: the policy is sent with every part") {
    auto server = HttpServer::start(kAnyPort, sources_of(sample_observation));
    REQUIRE(server);
    for (const PageFile& file : page_files()) {
        const std::string response = get((*server)->port(), std::string(file.path));
        CHECK(response.find("Content-Security-Policy: default-src 'none'") != std::string::npos);
        CHECK(response.ends_with(file.content));
    }
}
