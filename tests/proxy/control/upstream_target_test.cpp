#include "proxy/control/upstream_target.h"

#include <cstdlib>
#include <map>

#include <doctest/doctest.h>

using warmfront::control::UpstreamTarget;
using namespace std::chrono_literals;

namespace {

// The environment would decide what is not given.
void clear_environment() {
    for (const char* name : {"PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD",
                             "PGSSLMODE", "PGSERVICE", "PGCONNECT_TIMEOUT", "PGTARGETSESSIONATTRS",
                             "PGGSSENCMODE", "PGREQUIREPEER", "PGSSLSNI", "PGAPPNAME", "PGOPTIONS"})
        unsetenv(name);
}

std::string servers_text(const UpstreamTarget& target) {
    std::string text;
    for (const auto& server : target.servers) {
        const auto& [host, port, path] = server.address;
        text += path.empty() ? host + ":" + std::to_string(port) : path;
        if (!server.tls_name.empty() && server.tls_name != host) text += "(" + server.tls_name + ")";
        text += " ";
    }
    return text;
}

}  // namespace

TEST_CASE("upstream target: servers are where libpq would look for them") {
    clear_environment();
    struct Row {
        std::string conninfo, servers;
    };
    for (const auto& [conninfo, servers] : std::vector<Row>{
             {"host=db user=u", "db:5432 "},
             {"postgresql://u@db:6000/d", "db:6000 "},
             {"postgresql://u@[::1]:6000/d", "::1:6000 "},
             {"host=a,b port=1,2 user=u", "a:1 b:2 "},
             {"host=a,b port=7 user=u", "a:7 b:7 "},
             {"host=a,b port=,2 user=u", "a:5432 b:2 "},
             {"postgresql://u@a:1,b/d", "a:1 b:5432 "},
             {"host=db hostaddr=10.0.0.1 user=u", "10.0.0.1:5432(db) "},
             {"hostaddr=10.0.0.1 user=u", "10.0.0.1:5432 "},
             {"host=/tmp port=7 user=u", "/tmp/.s.PGSQL.7 "},
             {"postgresql://u@%2Ftmp/d", "/tmp/.s.PGSQL.5432 "},
             {"user=u", "/var/run/postgresql/.s.PGSQL.5432 "},
             {"host=a, user=u", "a:5432 /var/run/postgresql/.s.PGSQL.5432 "},
         }) {
        CAPTURE(conninfo);
        const auto target = UpstreamTarget::parse(conninfo);
        REQUIRE(target);
        CHECK(servers_text(*target) == servers);
    }
}

TEST_CASE("upstream target: what cannot be used is refused with its name") {
    clear_environment();
    struct Row {
        std::string conninfo, names;
    };
    for (const auto& [conninfo, names] : std::vector<Row>{
             {"host", "missing \"=\""},
             {"colour=blue", "colour"},
             {"postgresql://[::1", "]"},
             {"host=a,b,c port=1,2", "2 values for port, but 3 hosts"},
             {"host=a,b hostaddr=1.1.1.1", "2 values for host, but 1 for hostaddr"},
             {"port=0", "port \"0\""},
             {"port=70000", "port \"70000\""},
             {"port=12x", "port \"12x\""},
             {"sslmode=maybe", "sslmode \"maybe\""},
             {"connect_timeout=soon", "connect_timeout \"soon\""},
             {"target_session_attrs=read-write", "target_session_attrs=read-write"},
             {"gssencmode=require", "gssencmode=require"},
             {"requirepeer=root", "requirepeer=root"},
             {"sslsni=0", "sslsni=0"},
             {"service=x", "PGSERVICE"},
         }) {
        CAPTURE(conninfo);
        const auto target = UpstreamTarget::parse(conninfo);
        REQUIRE_FALSE(target);
        CAPTURE(target.error().text);
        CHECK(target.error().sqlstate == "F0000");
        CHECK(target.error().text.starts_with("upstream: "));
        CHECK(target.error().text.find(names) != std::string::npos);
        CHECK(target.error().text.find('\n') == std::string::npos);
    }
}

TEST_CASE("upstream target: parameters are taken over, defaults are libpq's") {
    clear_environment();
    const auto full = UpstreamTarget::parse(
        "host=db user=u password='p w' dbname=d sslmode=verify-full sslrootcert=r sslcert=c sslkey=k "
        "sslcrl=l "
        "sslpassword=s connect_timeout=5 options='-c x=1' application_name=app");
    REQUIRE(full);
    CHECK(full->user == "u");
    CHECK(full->password == "p w");
    CHECK(full->dbname == "d");
    CHECK(full->tls.sslmode == warmfront::io::SslMode::VerifyFull);
    CHECK(full->tls.sslrootcert == "r");
    CHECK(full->tls.sslcert == "c");
    CHECK(full->tls.sslkey == "k");
    CHECK(full->tls.sslcrl == "l");
    CHECK(full->tls.sslpassword == "s");
    CHECK(full->connect_timeout == 5s);
    CHECK(full->options == "-c x=1");
    CHECK(full->application_name == "app");
    CHECK(full->dial_options(nullptr, 1s).timeout == 5s);

    const auto bare = UpstreamTarget::parse("user=u");
    REQUIRE(bare);
    CHECK(bare->dbname == "u");
    CHECK(bare->password.empty());
    CHECK(bare->tls.sslmode == warmfront::io::SslMode::Prefer);
    CHECK_FALSE(bare->connect_timeout);
    CHECK(bare->dial_options(nullptr, 1s).timeout == 1s);
    CHECK(UpstreamTarget::parse("user=u connect_timeout=1")->connect_timeout == 2s);
    CHECK_FALSE(UpstreamTarget::parse("user=u connect_timeout=0")->connect_timeout);
}

TEST_CASE("upstream target: the environment fills in what the string leaves out") {
    clear_environment();
    setenv("PGHOST", "from-env", 1);
    setenv("PGPORT", "7000", 1);
    setenv("PGSSLMODE", "require", 1);
    const auto from_environment = UpstreamTarget::parse("user=u");
    const auto from_string = UpstreamTarget::parse("user=u host=h port=1 sslmode=disable");
    clear_environment();
    REQUIRE(from_environment);
    CHECK(servers_text(*from_environment) == "from-env:7000 ");
    CHECK(from_environment->tls.sslmode == warmfront::io::SslMode::Require);
    REQUIRE(from_string);
    CHECK(servers_text(*from_string) == "h:1 ");
    CHECK(from_string->tls.sslmode == warmfront::io::SslMode::Disable);
}

TEST_CASE("upstream target: conninfo_for keeps everything but the database, whatever the characters") {
    clear_environment();
    const auto target =
        UpstreamTarget::parse("postgresql://u:p%27%5C%20w@a:1,b:2/old?application_name=app&sslmode=require");
    REQUIRE(target);
    const std::string conninfo = target->conninfo_for("it's \\ new");
    CAPTURE(conninfo);
    const auto again = UpstreamTarget::parse(conninfo);
    REQUIRE(again);
    const std::map<std::string, std::string> values(again->given.begin(), again->given.end());
    CHECK(values == std::map<std::string, std::string>{{"host", "a,b"},
                                                       {"port", "1,2"},
                                                       {"user", "u"},
                                                       {"password", "p'\\ w"},
                                                       {"application_name", "app"},
                                                       {"sslmode", "require"},
                                                       {"fallback_application_name", "warmfront"},
                                                       {"dbname", "it's \\ new"}});
}
