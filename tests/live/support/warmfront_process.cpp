#include "tests/live/support/warmfront_process.h"

#include <charconv>
#include <stdexcept>
#include <thread>

#include "tests/live/support/socket.h"

namespace warmfront::test {

using namespace std::chrono_literals;

bool direct_mode() {
    return environment("WARMFRONT_LIVE_DIRECT").has_value();
}

Metrics::Metrics(std::string_view exposition) {
    while (!exposition.empty()) {
        const auto line = exposition.substr(0, exposition.find('\n'));
        exposition.remove_prefix(std::min(exposition.size(), line.size() + 1));
        const auto space = line.rfind(' ');
        if (line.starts_with('#') || space == std::string_view::npos) continue;
        double value = 0;
        std::from_chars(line.data() + space + 1, line.data() + line.size(), value);
        series_.emplace(line.substr(0, space), value);
    }
}

double Metrics::sum(std::string_view name, std::string_view label) const {
    double total = 0;
    for (auto series = series_.lower_bound(name); series != series_.end() && series->first.starts_with(name);
         ++series) {
        const std::string_view rest = std::string_view(series->first).substr(name.size());
        const bool same_name = rest.empty() || rest.front() == '{';
        if (same_name && rest.find(label) != std::string_view::npos) total += series->second;
    }
    return total;
}

WarmfrontProcess::WarmfrontProcess(const PostgresServer& upstream, Options options)
    : options_(std::move(options)),
      upstream_conninfo_(options_.upstream.empty() ? upstream.conninfo() : options_.upstream),
      port_(free_port()),
      http_port_(free_port()) {
    if (direct_mode()) {
        port_ = upstream.port();
        return;
    }
    if (const auto other = environment("WARMFRONT_BINARY")) options_.binary = *other;
    if (options_.tls) make_certificate(directory_.path());
    start();
}

// The settings file, as the options have it now; its name.
std::string WarmfrontProcess::write_settings() const {
    std::string settings = "listen: 127.0.0.1:" + std::to_string(port_) + "\nupstream: \"" +
                           upstream_conninfo_ + "\"\nhttp: 127.0.0.1:" + std::to_string(http_port_) +
                           "\nstate_dir: " + directory_.path() + "/state\n";
    if (options_.tls)
        settings += "tls:\n  cert: " + directory_.path() + "/server.crt\n  key: " + directory_.path() +
                    "/server.key\n";
    settings += options_.settings;
    const std::string file = directory_.path() + "/warmfront.yaml";
    write_file(file, settings);
    return file;
}

void WarmfrontProcess::start() {
    if (direct_mode()) return;
    const std::string file = write_settings();
    process_ = std::make_unique<ChildProcess>(ChildProcess::Options{
        .command = {options_.binary, "--config", file}, .log_file = directory_.path() + "/log"});
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (http_get(http_port_, "/readyz").status != 200) {
        if (!process_->running()) throw std::runtime_error("warmfront ended at its start:\n" + log_tail());
        if (std::chrono::steady_clock::now() > until)
            throw std::runtime_error("warmfront is not ready after a minute:\n" + log_tail());
        std::this_thread::sleep_for(20ms);
    }
}

std::string WarmfrontProcess::conninfo(std::string_view database) const {
    return "host=127.0.0.1 port=" + std::to_string(port_) + " user=postgres dbname=" + std::string(database);
}

int WarmfrontProcess::stop() {
    process_->send_signal(SIGTERM);
    const auto status = process_->wait(60s);
    if (!status) throw std::runtime_error("warmfront does not stop:\n" + log_tail());
    return *status;
}

void WarmfrontProcess::reload(std::string settings) {
    options_.settings = std::move(settings);
    (void)write_settings();
    process_->send_signal(SIGHUP);
}

void WarmfrontProcess::kill9() const {
    process_->send_signal(SIGKILL);
    (void)process_->wait(10s);
}

Metrics WarmfrontProcess::metrics() const {
    const auto answer = http_get(http_port_, "/metrics");
    if (answer.status != 200) throw std::runtime_error("/metrics answers " + std::to_string(answer.status));
    return Metrics(answer.body);
}

std::string WarmfrontProcess::log_tail() const {
    const std::string log = read_file(directory_.path() + "/log");
    return log.size() <= 4000 ? log : log.substr(log.size() - 4000);
}

void WarmfrontProcess::reset_peak_rss() const {
    write_file("/proc/" + std::to_string(process_->pid()) + "/clear_refs", "5");  // man 5 proc
}

std::size_t WarmfrontProcess::peak_rss_bytes() const {
    const std::string status = read_file("/proc/" + std::to_string(process_->pid()) + "/status");
    const auto line = status.find("VmHWM:");
    if (line == std::string::npos)
        throw std::runtime_error("no VmHWM in /proc: has warmfront ended?\n" + log_tail());
    return std::strtoull(status.c_str() + line + 6, nullptr, 10) * 1024;
}

HttpAnswer http_get(std::uint16_t port, std::string_view path) {
    const auto socket = Socket::connect("127.0.0.1", port, 10s);
    if (!socket) return {};
    if (!socket->send("GET " + std::string(path) +
                      " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
        return {};
    std::string answer;
    char part[16384];
    for (;;) {
        const auto got = socket->receive_some(part, sizeof part);
        if (!got || *got == 0) break;
        answer.append(part, *got);
    }
    const auto body = answer.find("\r\n\r\n");
    if (!answer.starts_with("HTTP/1.") || body == std::string::npos) return {};
    return {std::atoi(answer.c_str() + 9), answer.substr(body + 4)};
}

}  // namespace warmfront::test
