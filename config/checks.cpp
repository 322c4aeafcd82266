#include "config/checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/values.h"

namespace warmfront {
namespace {

void check_tls(const TlsSettings& tls, std::vector<Conflict>& conflicts) {
    const auto belongs = [](std::string_view given) {
        return fmt::format("expected a path of a PEM file, because {} is set and the two belong together",
                           given);
    };
    if (tls.key.empty() && !tls.cert.empty())
        conflicts.push_back({"tls.key", "tls.cert", belongs("tls.cert")});
    if (tls.cert.empty() && !tls.key.empty())
        conflicts.push_back({"tls.cert", "tls.key", belongs("tls.key")});
    if (tls.mode == ClientTls::Require && tls.cert.empty() && tls.key.empty())
        conflicts.push_back(
            {"tls.mode", "tls.cert", "expected tls.cert and tls.key too: they are what TLS needs"});
}

constexpr std::size_t kDiskBytesMin = std::size_t{8} << 20;

void check_cache(const CacheSettings& cache, std::vector<Conflict>& conflicts) {
    if (cache.disk.size != 0 && cache.disk.size < kDiskBytesMin)
        conflicts.push_back({"cache.disk.size", "cache.disk.size",
                             fmt::format("expected 0 or at least {}, found {}", print_size(kDiskBytesMin),
                                         print_size(cache.disk.size))});
    if (cache.max_result <= cache.memory) return;
    conflicts.push_back(
        {"cache.max_result", "cache.memory",
         fmt::format("expected at most cache.memory, which is {}", print_size(cache.memory))});
}

void check_forecast(const ForecastSettings& forecast, std::vector<Conflict>& conflicts) {
    using std::chrono_literals::operator""s;
    if (forecast.bucket % 1s != 0s)
        conflicts.push_back({"forecast.bucket", "forecast.bucket", "expected whole seconds"});
    if (forecast.horizon < forecast.bucket)
        conflicts.push_back(
            {"forecast.horizon", "forecast.bucket",
             fmt::format("expected at least forecast.bucket, which is {}", print_duration(forecast.bucket))});
}

void check_capacity(const CapacitySettings& capacity, std::vector<Conflict>& conflicts) {
    if (capacity.max >= capacity.min) return;
    conflicts.push_back({"capacity.max", "capacity.min",
                         fmt::format("expected at least capacity.min, which is {}", capacity.min)});
}

// Port 0 is a free port, another one each time.
bool same_place(const Address& a, const Address& b) {
    return a == b && (a.port != 0 || !a.unix_path.empty());
}

void check_addresses(const Settings& settings, std::vector<Conflict>& conflicts) {
    const auto& listen = settings.listen;
    for (auto address = listen.begin(); address != listen.end(); ++address) {
        const auto twin = [&](const Address& other) { return same_place(*address, other); };
        const std::string shown = print_address(*address);
        if (std::any_of(listen.begin(), address, twin))
            conflicts.push_back(
                {"listen", "listen", fmt::format("expected each address once, found {} twice", shown)});
        if (settings.http && twin(*settings.http))
            conflicts.push_back(
                {"http", "listen", fmt::format("expected another address than listen's {}", shown)});
    }
}

}  // namespace

std::vector<Conflict> find_conflicts(const Settings& settings) {
    std::vector<Conflict> conflicts;
    check_addresses(settings, conflicts);
    check_tls(settings.tls, conflicts);
    check_cache(settings.cache, conflicts);
    check_forecast(settings.forecast, conflicts);
    check_capacity(settings.capacity, conflicts);
    return conflicts;
}

}  // namespace warmfront
