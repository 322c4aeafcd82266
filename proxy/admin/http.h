// proxy/admin/http.h: the HTTP side: metrics, health, and a page for people. The one door to civetweb.
//
//   GET /metrics     Prometheus text
//   GET /healthz     200 while the process lives
//   GET /readyz      200 "ready", or 503 and why not
//   GET /api/stats   JSON (proxy/admin/stats_json.h)
//   GET /api/templates   JSON: the statements that are kept, those first that save most
//   GET /api/forecast, /api/capacity   JSON (proxy/admin/forecast_json.h)
//   GET /            the live page, its parts at /page/... (proxy/admin/page_files.h); loads nothing from
//                    elsewhere
//
// HEAD too; other methods 405, other paths 404. Threads of its own: two that serve and one that accepts; at
// most 20 connections wait, requests must be complete within 5 s.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/result.h"
#include "config/settings.h"
#include "forecast/outlook.h"
#include "proxy/admin/observation.h"
#include "proxy/admin/stats_json.h"

namespace warmfront::admin {

// What is shown. Called on the server's threads, also at the same time; must not throw and returns within
// some milliseconds.
struct HttpSources {
    std::function<Observation()> observe;
    std::function<std::vector<session::TemplateRow>()> templates;
    TablesOf tables_of;
    std::function<std::shared_ptr<const forecast::Outlook>()> outlook;  // never nullptr
    std::function<std::shared_ptr<const PrewarmView>()> prewarm;        // alike
};

class HttpServer {
public:
    // Listens when it returns. Fails with 55000 and the reason if the address cannot be had.
    [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(const Address& address,
                                                                   HttpSources sources);
    // Waits for requests that are being answered.
    virtual ~HttpServer() = default;
    [[nodiscard]] virtual std::uint16_t port() const = 0;  // the real one where the address said 0
};

}  // namespace warmfront::admin
