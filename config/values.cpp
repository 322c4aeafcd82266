#include "config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>

#include <fmt/format.h>

namespace warmfront {
namespace {

constexpr std::size_t kUnixPathBytesMax = 107;
constexpr std::size_t kHostBytesMax = 253;  // the longest DNS name

struct Unit {
    std::string_view name;
    std::uint64_t worth;
};

// The largest first, and the ones that print uses before the ones that only parse knows.
constexpr std::array kSizeUnits{Unit{"TiB", std::uint64_t{1} << 40},
                                Unit{"GiB", std::uint64_t{1} << 30},
                                Unit{"MiB", std::uint64_t{1} << 20},
                                Unit{"KiB", std::uint64_t{1} << 10},
                                Unit{"B", 1},
                                Unit{"TB", 1'000'000'000'000},
                                Unit{"GB", 1'000'000'000},
                                Unit{"MB", 1'000'000},
                                Unit{"KB", 1'000},
                                Unit{"", 1}};
constexpr std::array kDurationUnits{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                                    Unit{"s", 1'000}, Unit{"ms", 1}};

// A number of `units`, expressed in the smallest of them; nullopt if malformed or above `max`.
std::optional<std::uint64_t> parse_quantity(std::string_view text, std::span<const Unit> units,
                                            std::uint64_t max) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse_count(text.substr(0, digits));
    if (!number) return std::nullopt;
    text.remove_prefix(digits);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const auto unit = std::ranges::find(units, text, &Unit::name);
    if (unit == units.end() || *number > max / unit->worth) return std::nullopt;
    return *number * unit->worth;
}

std::string print_quantity(std::uint64_t amount, std::span<const Unit> units) {
    if (amount == 0) return "0";
    const auto unit = std::ranges::find_if(units, [&](const Unit& u) { return amount % u.worth == 0; });
    return fmt::format("{}{}", amount / unit->worth, unit->name);
}

bool is_host(std::string_view host) {
    constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    return host == "*" || (!host.empty() && host.size() <= kHostBytesMax &&
                           host.find_first_not_of(kAllowed) == std::string_view::npos);
}

// Only told apart from a name here; the resolver has the last word. %: a zone, as in fe80::1%eth0.
bool is_ipv6(std::string_view host) {
    const std::string_view numeric = host.substr(0, host.find('%'));
    return host.size() <= kHostBytesMax && numeric.find(':') != std::string_view::npos &&
           numeric.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    const auto number = parse_count(text);
    if (!number || *number > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
    return static_cast<std::uint16_t>(*number);
}

std::optional<Address> parse_unix_address(std::string_view path) {
    if (path.size() < 2 || path.size() > kUnixPathBytesMax || path.find('\0') != std::string_view::npos ||
        path.back() == '/')
        return std::nullopt;
    return Address{"", 0, std::string(path)};
}

}  // namespace

std::optional<std::size_t> parse_size(std::string_view text) {
    return parse_quantity(text, kSizeUnits, std::numeric_limits<std::size_t>::max());
}

std::string print_size(std::size_t bytes) {
    return print_quantity(bytes, kSizeUnits);
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    if (text == "0") return std::chrono::milliseconds{0};
    const auto amount = parse_quantity(text, kDurationUnits, std::numeric_limits<std::int64_t>::max());
    if (!amount) return std::nullopt;
    return std::chrono::milliseconds{static_cast<std::int64_t>(*amount)};
}

std::string print_duration(std::chrono::milliseconds duration) {
    return print_quantity(static_cast<std::uint64_t>(duration.count()), kDurationUnits);
}

std::optional<Address> parse_address(std::string_view text) {
    if (text.starts_with('/')) return parse_unix_address(text);
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto port = parse_port(text.substr(colon + 1));
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (!port || !(bracketed ? is_ipv6(host) : is_host(host))) return std::nullopt;
    return Address{std::string(host), *port, ""};
}

std::string print_address(const Address& address) {
    if (!address.unix_path.empty()) return address.unix_path;
    const bool ipv6 = address.host.find(':') != std::string::npos;
    return ipv6 ? fmt::format("[{}]:{}", address.host, address.port)
                : fmt::format("{}:{}", address.host, address.port);
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stopped != end) return std::nullopt;
    return number;
}

std::optional<bool> parse_boolean(std::string_view text) {
    if (text == "true" || text == "yes" || text == "on") return true;
    if (text == "false" || text == "no" || text == "off") return false;
    return std::nullopt;
}

}  // namespace warmfront
