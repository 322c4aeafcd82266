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
    return conflicts;
}

}  // namespace warmfront
