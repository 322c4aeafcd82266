#include "proxy/control/upstream_target.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <string_view>

#include <fmt/format.h>
#include <libpq-fe.h>

namespace warmfront::control {

static constexpr std::string_view kConfigError = "F0000";
static constexpr std::string_view kSocketDirectory = "/var/run/postgresql";  // of Debian's libpq
static constexpr std::string_view kPort = "5432";

namespace {

struct FreeOptions {
    void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;
using Pairs = std::vector<std::pair<std::string, std::string>>;
using Values = std::map<std::string, std::string, std::less<>>;

tl::unexpected<Error> bad(std::string text) {
    return fail(kConfigError, "upstream: " + std::move(text));
}

Pairs pairs_of(const PQconninfoOption* option) {
    Pairs pairs;
    for (; option != nullptr && option->keyword != nullptr; ++option)
        if (option->val != nullptr) pairs.emplace_back(option->keyword, option->val);
    return pairs;
}

Result<Pairs> parse_given(const std::string& conninfo) {
    char* message = nullptr;
    const Options options(PQconninfoParse(conninfo.c_str(), &message));
    if (options) return pairs_of(options.get());
    std::string text = message != nullptr ? message : "out of memory";
    PQfreemem(message);
    while (text.ends_with('\n')) text.pop_back();
    return bad(text);
}

// Empty stands for absent, as in libpq.
std::string take(const Values& values, std::string_view keyword) {
    const auto found = values.find(keyword);
    return found == values.end() ? std::string() : found->second;
}

Result<void> refuse_unsupported(const Pairs& given, const Values& values) {
    for (const auto& [keyword, value] : given)
        if (keyword == "service" && !value.empty())
            return bad("\"service\" is not supported in the string; use the environment variable PGSERVICE");
    struct Row {
        std::string_view keyword, accepted, remedy;
    };
    static constexpr Row kRows[] = {
        {"requirepeer", "", "leave it out"},
        {"sslsni", "1", "leave it out"},
        {"target_session_attrs", "any", "name only the server that is wanted"},
    };
    for (const auto& [keyword, accepted, remedy] : kRows) {
        const std::string value = take(values, keyword);
        if (!value.empty() && value != accepted)
            return bad(fmt::format("{}={} is not supported; {}", keyword, value, remedy));
    }
    if (take(values, "gssencmode") == "require")
        return bad("gssencmode=require is not supported; use TLS (sslmode)");
    return {};
}

// "a,,b" is three items; the empty text is none.
std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> items;
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        items.emplace_back(list.substr(0, comma));
        if (comma == std::string_view::npos) break;
        list.remove_prefix(comma + 1);
        if (list.empty()) items.emplace_back();
    }
    return items;
}

Result<std::uint16_t> port_of(std::string_view text) {
    if (text.empty()) text = kPort;
    unsigned port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535)
        return bad(fmt::format("port \"{}\" is no number from 1 to 65535", text));
    return static_cast<std::uint16_t>(port);
}

io::Server server_of(const std::string& host, const std::string& hostaddr, std::uint16_t port) {
    if (!hostaddr.empty()) return {{hostaddr, port, {}}, host};
    const std::string where = host.empty() ? std::string(kSocketDirectory) : host;
    if (where.starts_with('/') || where.starts_with('@'))
        return {{{}, 0, fmt::format("{}/.s.PGSQL.{}", where, port)}, {}};
    return {{where, port, {}}, where};
}

Result<std::vector<io::Server>> servers_of(const Values& values) {
    const auto hosts = split(take(values, "host"));
    const auto addresses = split(take(values, "hostaddr"));
    const auto ports = split(take(values, "port"));
    const std::size_t count = std::max<std::size_t>({1, hosts.size(), addresses.size()});
    if (!addresses.empty() && !hosts.empty() && addresses.size() != hosts.size())
        return bad(fmt::format("{} values for host, but {} for hostaddr", hosts.size(), addresses.size()));
    if (ports.size() > 1 && ports.size() != count)
        return bad(fmt::format("{} values for port, but {} hosts", ports.size(), count));
    std::vector<io::Server> servers;
    for (std::size_t i = 0; i < count; ++i) {
        const auto port = port_of(ports.empty() ? "" : ports.size() == 1 ? ports.front() : ports[i]);
        if (!port) return tl::unexpected(port.error());
        servers.push_back(
            server_of(hosts.empty() ? "" : hosts[i], addresses.empty() ? "" : addresses[i], *port));
    }
    return servers;
}

Result<io::TlsClientOptions> tls_of(const Values& values) {
    io::TlsClientOptions tls;
    if (const std::string mode = take(values, "sslmode"); !mode.empty()) {
        const auto known = io::sslmode_of(mode);
        if (!known)
            return bad(
                fmt::format("sslmode \"{}\" is none of disable, allow, prefer, require, verify-ca, "
                            "verify-full",
                            mode));
        tls.sslmode = *known;
    }
    tls.sslrootcert = take(values, "sslrootcert");
    tls.sslcert = take(values, "sslcert");
    tls.sslkey = take(values, "sslkey");
    tls.sslpassword = take(values, "sslpassword");
    tls.sslcrl = take(values, "sslcrl");
    tls.sslcrldir = take(values, "sslcrldir");
    tls.ssl_min_protocol_version = take(values, "ssl_min_protocol_version");
    tls.ssl_max_protocol_version = take(values, "ssl_max_protocol_version");
    return tls;
}

Result<std::optional<std::chrono::milliseconds>> timeout_of(const std::string& text) {
    if (text.empty()) return std::nullopt;
    int seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || end != text.data() + text.size())
        return bad(fmt::format("connect_timeout \"{}\" is no whole number of seconds", text));
    if (seconds <= 0) return std::nullopt;
    return std::chrono::seconds(std::max(seconds, 2));  // as libpq, which rounds by whole seconds
}

std::string quoted(std::string_view value) {
    std::string text = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') text += '\\';
        text += c;
    }
    return text + "'";
}

}  // namespace

Result<UpstreamTarget> UpstreamTarget::parse(const std::string& conninfo) {
    auto given = parse_given(conninfo);
    if (!given) return tl::unexpected(given.error());
    Values values;
    for (auto& [keyword, value] : pairs_of(Options(PQconndefaults()).get())) values[keyword] = value;
    for (const auto& [keyword, value] : *given) values[keyword] = value;

    if (auto checked = refuse_unsupported(*given, values); !checked) return tl::unexpected(checked.error());
    auto servers = servers_of(values);
    if (!servers) return tl::unexpected(servers.error());
    auto tls = tls_of(values);
    if (!tls) return tl::unexpected(tls.error());
    const auto timeout = timeout_of(take(values, "connect_timeout"));
    if (!timeout) return tl::unexpected(timeout.error());

    UpstreamTarget target;
    target.servers = std::move(*servers);
    target.user = take(values, "user");
    if (target.user.empty())
        return bad("no user is given and the system does not know who we are; add user=...");
    target.password = take(values, "password");
    target.dbname = take(values, "dbname");
    if (target.dbname.empty()) target.dbname = target.user;
    target.tls = std::move(*tls);
    target.connect_timeout = *timeout;
    target.options = take(values, "options");
    target.application_name = take(values, "application_name");
    target.given = std::move(*given);
    return target;
}

std::string UpstreamTarget::conninfo_for(const std::string& database) const {
    std::string text;
    for (const auto& [keyword, value] : given)
        if (keyword != "dbname" && keyword != "fallback_application_name")
            text += fmt::format("{}={} ", keyword, quoted(value));
    return text + fmt::format("fallback_application_name=warmfront dbname={}", quoted(database));
}

io::DialOptions UpstreamTarget::dial_options(io::TlsContext tls_context,
                                             std::chrono::milliseconds timeout) const {
    io::DialOptions dial;
    dial.servers = servers;
    dial.sslmode = tls.sslmode;
    dial.tls = std::move(tls_context);
    dial.timeout = connect_timeout.value_or(timeout);
    return dial;
}

}  // namespace warmfront::control
