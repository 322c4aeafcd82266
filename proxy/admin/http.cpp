// civetweb owns the sockets and threads; everything that is answered is made here as one Response.
#include "proxy/admin/http.h"

#include <array>
#include <chrono>
#include <mutex>
#include <string_view>
#include <utility>

#include <civetweb.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/values.h"
#include "proxy/admin/forecast_json.h"
#include "proxy/admin/hot_json.h"
#include "proxy/admin/metrics.h"
#include "proxy/admin/nudged.h"
#include "proxy/admin/page_files.h"
#include "proxy/admin/stats_json.h"

namespace warmfront::admin {

namespace {

struct Response {
    int status = 200;
    std::string_view reason = "OK";
    std::string_view type = "text/plain; charset=utf-8";
    std::string body;
    std::string more_headers = {};
};

Response readiness(const Observation& observation) {
    if (observation.not_ready.empty()) return {.body = "ready\n"};
    return {.status = 503, .reason = "Service Unavailable", .body = observation.not_ready + "\n"};
}

Response json_response(std::string body) {
    return {.type = "application/json", .body = std::move(body)};
}

// The values of the parameter, in their order.
std::vector<std::string> values_of(std::string_view parameter, std::string_view query) {
    std::vector<std::string> values;
    std::string value(query.size() + 1, '\0');
    for (std::size_t occurrence = 0; values.size() < kSeriesAskedMax; ++occurrence) {
        const int length = mg_get_var2(query.data(), query.size(), std::string(parameter).c_str(),
                                       value.data(), value.size(), occurrence);
        if (length < 0) break;
        values.push_back(value.substr(0, static_cast<std::size_t>(length)));
    }
    return values;
}

Response forecast_response(const forecast::Outlook& outlook, std::string_view query) {
    const auto ids = values_of("series", query);
    return json_response(ids.empty() ? forecasts_json(outlook) : forecasts_json(outlook, ids));
}

const PageFile* page_file(std::string_view path) {
    for (const PageFile& file : page_files())
        if (file.path == path) return &file;
    return nullptr;
}

Response page_response(const PageFile& file) {
    return {.type = file.type,
            .body = std::string(file.content),
            .more_headers = fmt::format("Content-Security-Policy: {}\r\n", page_policy())};
}

Response answer_to(std::string_view method, std::string_view path, std::string_view query,
                   const HttpSources& sources) {
    if (method != "GET" && method != "HEAD") {
        return {.status = 405,
                .reason = "Method Not Allowed",
                .body = "only GET and HEAD are answered here\n",
                .more_headers = "Allow: GET, HEAD\r\n"};
    }
    if (path == "/metrics")
        return {.type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics_text(sources.observe())};
    if (path == "/healthz") return {.body = "alive\n"};
    if (path == "/readyz") return readiness(sources.observe());
    if (path == "/api/stats") return json_response(stats_json(sources.observe()));
    if (path == "/api/templates")
        return json_response(templates_json(sources.templates(), sources.tables_of));
    if (path == "/api/forecast") return forecast_response(*sources.outlook(), query);
    if (path == "/api/hot") return json_response(hot_json(*sources.prewarm()));
    if (path == "/api/capacity") return json_response(capacity_json(sources.outlook()->capacity));
    if (const PageFile* file = page_file(path)) return page_response(*file);
    return {.status = 404,
            .reason = "Not Found",
            .body =
                "there are /metrics, /healthz, /readyz, /api/stats, /api/templates, /api/forecast, "
                "/api/capacity, /api/hot and / here\n"};
}

// "127.0.0.1:9432", "[::1]:9432", "+9432" for every interface, as civetweb spells addresses.
std::string listening_port(const Address& address) {
    if (address.host == "*")
        return fmt::format("{}{}", mg_check_feature(MG_FEATURES_IPV6) ? "+" : "", address.port);
    return print_address(address);
}

// Has who listens there see a connection come, and go. Nothing where it cannot be reached.
void knock(const std::string& host, std::uint16_t port) {
    addrinfo hints{}, *found = nullptr;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;  // nothing is asked of a name server
    hints.ai_socktype = SOCK_STREAM;
    const char* const node = host == "*" ? nullptr : host.c_str();  // nullptr: the loopback
    if (getaddrinfo(node, std::to_string(port).c_str(), &hints, &found) != 0) return;
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
        const int knocking = socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (knocking < 0) continue;
        (void)connect(knocking, at->ai_addr, at->ai_addrlen);
        close(knocking);
    }
    freeaddrinfo(found);
}

class CivetServer final : public HttpServer {
public:
    explicit CivetServer(HttpSources sources) : sources_(std::move(sources)) {}
    ~CivetServer() override {
        if (context_ == nullptr) return;
        // Its accepting thread looks about when somebody comes, or every two seconds.
        nudged([this] { mg_stop(context_); }, [this, at = port()] { knock(host_, at); }, kKnockEvery);
    }

    Result<void> listen(const Address& address) {
        const std::string port = listening_port(address);
        host_ = address.host;
        const char* options[] = {"listening_ports",
                                 port.c_str(),
                                 "num_threads",
                                 "2",
                                 "connection_queue",
                                 "20",
                                 "request_timeout_ms",
                                 "5000",
                                 "enable_keep_alive",
                                 "no",
                                 "max_request_size",
                                 "8192",
                                 "enable_directory_listing",
                                 "no",
                                 nullptr};
        mg_callbacks callbacks{};
        callbacks.log_message = &CivetServer::on_message;
        mg_init_data init{&callbacks, this, options};
        std::array<char, 256> text{};
        unsigned code = 0;
        mg_error_data error{&code, text.data(), text.size()};
        context_ = mg_start2(&init, &error);
        if (context_ == nullptr) {
            const std::string why = first_message_.empty() ? std::string(text.data()) : first_message_;
            return fail("55000", fmt::format("HTTP cannot listen on {}: {}", print_address(address), why));
        }
        mg_set_request_handler(context_, "**", &CivetServer::on_request, this);
        return {};
    }

    [[nodiscard]] std::uint16_t port() const override {
        mg_server_port ports[1]{};
        return mg_get_server_ports(context_, 1, ports) < 1 ? 0 : static_cast<std::uint16_t>(ports[0].port);
    }

private:
    static int on_request(mg_connection* connection, void* self) noexcept {
        const mg_request_info* request = mg_get_request_info(connection);
        const auto* server = static_cast<CivetServer*>(self);
        const std::string_view query = request->query_string == nullptr ? "" : request->query_string;
        const Response response =
            answer_to(request->request_method, request->local_uri, query, server->sources_);
        const std::string head = fmt::format(
            "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
            "X-Content-Type-Options: nosniff\r\n{}Connection: close\r\n\r\n",
            response.status, response.reason, response.type, response.body.size(), response.more_headers);
        mg_write(connection, head.data(), head.size());
        if (std::string_view(request->request_method) != "HEAD")
            mg_write(connection, response.body.data(), response.body.size());
        return response.status;
    }

    // civetweb says here, and only here, why an address cannot be had. Afterwards it tells of broken
    // requests: nothing that an operator must know.
    static int on_message(const mg_connection* connection, const char* message) noexcept {
        auto* self = static_cast<CivetServer*>(mg_get_user_data(mg_get_context(connection)));
        if (self == nullptr) return 1;
        const std::lock_guard lock(self->message_mutex_);
        if (self->first_message_.empty()) self->first_message_ = message;
        return 1;
    }

    static constexpr std::chrono::milliseconds kKnockEvery{10};

    const HttpSources sources_;
    std::string host_;
    std::mutex message_mutex_;
    std::string first_message_;
    mg_context* context_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(const Address& address, HttpSources sources) {
    auto server = std::make_unique<CivetServer>(std::move(sources));
    if (const auto listening = server->listen(address); !listening) return tl::unexpected(listening.error());
    return server;
}

}  // namespace warmfront::admin
