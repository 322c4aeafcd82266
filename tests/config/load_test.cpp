#include "config/load.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

using namespace warmfront;

static Settings loaded(std::string_view text, const std::vector<Override>& overrides = {}) {
    const auto settings = load_settings(text, "f", overrides);
    if (!settings)
        for (const SettingsError& error : settings.error()) FAIL_CHECK(to_line(error));
    return settings.value_or(Settings{});
}

// All error lines, joined by a line end.
static std::string errors(std::string_view text, const std::vector<Override>& overrides = {}) {
    const auto settings = load_settings(text, "f", overrides);
    if (settings) return "loaded";
    std::string lines;
    for (const SettingsError& error : settings.error()) lines += (lines.empty() ? "" : "\n") + to_line(error);
    return lines;
}

TEST_CASE("load: an empty file gives the defaults") {
    for (const std::string_view text :
         {"", "\n", "# nothing\n", "---\n", "{}", "~", "cache:\n", "cache: {}\n"}) {
        CAPTURE(text);
        CHECK(loaded(text).cache.memory == Settings{}.cache.memory);
        CHECK(loaded(text).listen == Settings{}.listen);
    }
}

TEST_CASE("load: a whole file is read, in sections or under dotted names") {
    const Settings settings = loaded(R"(
listen: [127.0.0.1:6432, "[::1]:6432", /run/warmfront/.s.PGSQL.6432]
upstream: "host=db.example port=5433 user=warmfront"
http: "*:9432"
state_dir: /var/lib/warmfront
threads: 2
admin_users:
  - alice
  - bob
shutdown_timeout: 5s
log:
  level: debug
tls: {mode: require, cert: a.pem, key: b.pem}
cache:
  enabled: no
  memory: 1GiB
  ttl: 500ms
  exclude: sessions
catalog.refresh: 1m
)");
    CHECK(settings.listen == std::vector<Address>{{"127.0.0.1", 6432, ""},
                                                  {"::1", 6432, ""},
                                                  {"", 0, "/run/warmfront/.s.PGSQL.6432"}});
    CHECK(settings.upstream == "host=db.example port=5433 user=warmfront");
    CHECK(settings.http == Address{"*", 9432, ""});
    CHECK(settings.state_dir == "/var/lib/warmfront");
    CHECK(settings.threads == 2);
    CHECK(settings.admin_users == std::vector<std::string>{"alice", "bob"});
    CHECK(settings.shutdown_timeout == std::chrono::seconds{5});
    CHECK(settings.log.level == LogLevel::Debug);
    CHECK(settings.tls.mode == ClientTls::Require);
    CHECK(settings.tls.cert == "a.pem");
    CHECK(settings.tls.key == "b.pem");
    CHECK_FALSE(settings.cache.enabled);
    CHECK(settings.cache.memory == std::size_t{1} << 30);
    CHECK(settings.cache.ttl == std::chrono::milliseconds{500});
    CHECK(settings.cache.exclude == std::vector<std::string>{"sessions"});
    CHECK(settings.catalog.refresh == std::chrono::minutes{1});
    CHECK(settings.cache.max_result == Settings{}.cache.max_result);
}

TEST_CASE("load: each kind of error says where, what, what was expected and what may have been meant") {
    struct Row {
        std::string_view text, lines;
    };
    const std::string_view expects_duration =
        "expected a duration from 1ms to 30d with its unit (ms, s, m, h, d), such as 10s";
    for (const auto& [text, lines] : std::vector<Row>{
             {"lisen: a:1", "f:1:1: lisen: expected the name of a setting (did you mean \"listen\"?)"},
             {"banana: 1", "f:1:1: banana: expected the name of a setting"},
             {"cache:\n  memroy: 1GiB",
              "f:2:3: cache.memroy: expected the name of a setting (did you mean \"cache.memory\"?)"},
             {"memory: 1GiB",
              "f:1:1: memory: expected the name of a setting (did you mean \"cache.memory\"?)"},
             {"threads: many", "f:1:10: threads: expected a whole number from 0 to 1024, found \"many\""},
             {"threads: 1025", "f:1:10: threads: expected a whole number from 0 to 1024, found \"1025\""},
             {"threads: [1]", "f:1:10: threads: expected a whole number from 0 to 1024, found a list of 1"},
             {"threads: {a: 1}", "f:1:10: threads: expected a whole number from 0 to 1024, found a section"},
             {"threads:", "f:1:1: threads: expected a whole number from 0 to 1024, found nothing"},
             {"admin_users: [a, [b]]",
              "f:1:14: admin_users: expected a list of roles, found a list with something composed in it"},
             {"cache: 5", "f:1:8: cache: expected a section with settings such as cache.enabled"},
             {"cache: [5]", "f:1:8: cache: expected a section with settings such as cache.enabled"},
             {"threads: 1\nthreads: 2", "f:2:1: threads: expected only once, found before at f:1:1"},
             {"log: {level: info}\nlog: {level: info}",
              "f:2:1: log: expected only once, found before at f:1:1"},
             {"cache: {ttl: 1s}\ncache.ttl: 1s",
              "f:2:1: cache.ttl: expected only once, found before at f:1:9"},
             {"log: {level: warn}",
              "f:1:14: log.level: expected one of debug, info, warning, error, found \"warn\""},
             {"log: {level: eror}",
              "f:1:14: log.level: expected one of debug, info, warning, error, found \"eror\" (did you mean "
              "\"error\"?)"},
             {"- listen", "f:1:1: expected settings, as in \"listen: 127.0.0.1:6432\""},
             {"listen", "f:1:1: expected settings, as in \"listen: 127.0.0.1:6432\""},
             {"? [a]\n: 1", "f:1:3: expected the name of a setting, found something composed"},
             {"threads: 1\n---\nthreads: 2", "f:3:1: expected one YAML document, found a second one"},
             {"threads: 1\nlisten: \"a:1",
              "f:2:13: expected YAML: illegal EOF in scalar (a value that starts with * or [, as addresses "
              "may, needs quotes)"},
             {"tls: {cert: a.pem}",
              "f: tls.key: expected a path of a PEM file, because tls.cert is set and the two belong "
              "together"},
             {"tls: {key: a.pem}",
              "f: tls.cert: expected a path of a PEM file, because tls.key is set and the two belong "
              "together"},
             {"tls:\n  mode: require",
              "f:2:3: tls.mode: expected tls.cert and tls.key too: they are what TLS needs"},
             {"cache:\n  memory: 1MiB\n  max_result: 2MiB",
              "f:3:3: cache.max_result: expected at most cache.memory, which is 1MiB"},
             {"listen: [a:1, a:1]", "f:1:1: listen: expected each address once, found a:1 twice"},
             {"http: 127.0.0.1:6432",
              "f:1:1: http: expected another address than listen's 127.0.0.1:6432"}}) {
        CAPTURE(text);
        CHECK(errors(text) == lines);
    }
    CHECK(errors("cache: {ttl: 10}") == fmt::format("f:1:14: cache.ttl: {}, found \"10\"", expects_duration));
    CHECK(errors("listen:\n - a:1\n - b\n")
              .starts_with("f:3:4: listen: expected 1 to 64 addresses: host:port,"));
}

TEST_CASE("load: all errors are reported in one go") {
    CHECK(errors("lisen: a:1\nthreads: x\ncache:\n  ttl: 0\n  banana: 1\nlog: {level: loud}\n",
                 {{"--http", "http", {"nowhere"}}, {"--set", "cache.memroy", {"1GiB"}}}) ==
          "f:1:1: lisen: expected the name of a setting (did you mean \"listen\"?)\n"
          "f:2:10: threads: expected a whole number from 0 to 1024, found \"x\"\n"
          "f:4:8: cache.ttl: expected a duration from 1ms to 30d with its unit (ms, s, m, h, d), such as "
          "10s, found "
          "\"0\"\n"
          "f:5:3: cache.banana: expected the name of a setting\n"
          "f:6:14: log.level: expected one of debug, info, warning, error, found \"loud\"\n"
          "--http: http: expected host:port, *:port, [::1]:port with brackets for IPv6, or nothing, found "
          "\"nowhere\"\n"
          "--set: cache.memroy: expected the name of a setting (did you mean \"cache.memory\"?)");
}

TEST_CASE("load: what is not YAML ends with one error, flags are still judged") {
    CHECK(errors("listen: *:6432", {{"--http", "http", {"127.0.0.1:6432"}}, {"--set", "threads", {"x"}}}) ==
          "f:1:9: expected YAML: the referenced anchor is not defined (a value that starts with * or [, as "
          "addresses "
          "may, needs quotes)\n"
          "--set: threads: expected a whole number from 0 to 1024, found \"x\"");
}

TEST_CASE("load: lists of choices, in the file and in flags, with the place of what does not fit") {
    const std::vector<Choice> wanted{{"orders", true, std::nullopt},
                                     {"audit.log", std::nullopt, std::chrono::seconds{5}}};
    CHECK(loaded("tables:\n  - {name: orders, cache: on}\n  - name: audit.log\n    ttl: 5s\n").tables ==
          wanted);
    CHECK(loaded("tables: [{name: orders, cache: yes}, {name: audit.log, ttl: 5s}]").tables == wanted);
    CHECK(loaded("tables: {name: orders, cache: on}").tables == std::vector<Choice>{wanted[0]});
    CHECK(loaded("tables: []").tables.empty());
    CHECK(loaded("tables:").tables.empty());
    CHECK(loaded("", {{"--set", "tables", {"{name: orders, cache: on}", "{name: audit.log, ttl: 5s}"}}})
              .tables == wanted);
    CHECK(loaded("", {{"--set", "tables", {"[{name: orders, cache: on}, {name: audit.log, ttl: 5s}]"}}})
              .tables == wanted);
    CHECK(loaded("tables: {name: t, cache: on}", {{"--set", "tables", {""}}}).tables.empty());

    CHECK(errors("tables:\n  - {name: orders, cache: on}\n  - {name: t, tll: 5s}") ==
          "f:3:15: tables: expected one of name, cache, ttl, stale_if_error, found \"tll\" (did you mean "
          "\"ttl\"?)");
    CHECK(errors("tables: [{name: t}]") ==
          "f:1:10: tables: expected cache, ttl or stale_if_error too, found \"none of them\"");
    CHECK(errors("templates: [{match: 'SELECT 1', ttl: 5}]")
              .starts_with("f:1:33: templates: expected a duration from 1ms to 30d"));
    CHECK(
        errors("tables: [t]").starts_with("f:1:9: tables: expected a list of {name: ..., cache: on or off"));
    CHECK(errors("tables: [{name: t, cache: [on]}]").ends_with("found a list with something composed in it"));
    CHECK(errors("", {{"--set", "tables", {"{name: t}"}}}) ==
          "--set: tables: expected cache, ttl or stale_if_error too, found \"none of them\"");
    CHECK(errors("", {{"--set", "tables", {"{"}}}).ends_with("found \"{\""));
}

TEST_CASE("load: a value that did not load makes no conflict besides its own error") {
    CHECK(errors("cache: {memory: lots, max_result: 1GiB}") ==
          "f:1:17: cache.memory: expected a size from 1MiB to 16TiB, such as 256MiB, found \"lots\"");
    CHECK(errors("cache: {disk: {size: 1MiB}}") ==
          "f:1:16: cache.disk.size: expected 0 or at least 8MiB, found 1MiB");
    CHECK(loaded("cache: {disk: {size: 8MiB, read: always}}").cache.disk.size == 8 << 20);
    CHECK(errors("tls: {cert: a.pem, key: [b]}") ==
          "f:1:25: tls.key: expected a path of a PEM file or nothing, found a list of 1");
}

TEST_CASE("load: flags win over the file, and conflicts name the flag") {
    CHECK(loaded("threads: 1\nlisten: a:1", {{"--listen", "listen", {"b:2", "c:3"}}}).listen ==
          std::vector<Address>{{"b", 2, ""}, {"c", 3, ""}});
    CHECK(loaded("http: a:1", {{"--http", "http", {""}}}).http == std::nullopt);
    CHECK(loaded("threads: 7", {{"--listen", "listen", {"b:2"}}}).threads == 7);
    CHECK(errors("", {{"--http", "http", {"127.0.0.1:6432"}}}) ==
          "--http: http: expected another address than listen's 127.0.0.1:6432");
    CHECK(errors("", {{"--set", "threads", {"1", "2"}}}) ==
          "--set: threads: expected a whole number from 0 to 1024, found a list of 2");
}

TEST_CASE("load: errors show no password, no control characters and no endless texts") {
    CHECK(errors("listen: 'postgres://u:s3cret@h'").ends_with("found \"postgres://u:***@h\""));
    CHECK(errors("threads: \"1\\n\\e[31m\"").ends_with("found \"1  [31m\""));
    CHECK(
        errors("threads: " + std::string(1000, '9')).ends_with("found \"" + std::string(60, '9') + "...\""));
    CHECK(errors("upstream: \"password=s3cret\\0\"").find("s3cret") == std::string::npos);
}

TEST_CASE("load: a flood of errors is cut at 100, with the number of the others") {
    std::string text;
    for (int i = 0; i < 250; ++i) text += fmt::format("banana{}: 1\n", i);
    const auto settings = load_settings(text, "f");
    REQUIRE_FALSE(settings);
    CHECK(settings.error().size() == 101);
    CHECK(settings.error().back().text == "150 more errors");
}

TEST_CASE("load: whatever the bytes, an answer comes back") {
    const std::string whole =
        "listen: [a:1, \"[::1]:2\"]\ncache: {memory: 1GiB, exclude: &x [a, b]}\n? *x\n: 1\n";
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (const char c : {'\0', '\n', '\t', '[', ']', '{', '}', '&', '*', '"', ':', '-', '\xff'}) {
            std::string text = whole;
            text[at] = c;
            (void)load_settings(text, "f");
            (void)load_settings(std::string_view(whole).substr(0, at), "f");
        }
    }
    CHECK(errors(std::string(100'000, '[')).find("expected YAML") != std::string::npos);
    CHECK(errors("a: &a [*a]\ncache: &c {cache: *c}\n")
              .starts_with("f:1:1: a: expected the name of a setting"));
}

namespace {
class TemporaryFile {
public:
    explicit TemporaryFile(std::string_view text) {
        path_ = (std::filesystem::temp_directory_path() / "warmfront-load-XXXXXX").string();
        close(mkstemp(path_.data()));
        std::ofstream(path_) << text;
    }
    ~TemporaryFile() { std::remove(path_.c_str()); }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};
}  // namespace

TEST_CASE("load: a file is read, a missing or outsized one is an error with its name") {
    const TemporaryFile good("threads: 3\n");
    CHECK(load_settings_file(good.path())->threads == 3);
    CHECK(load_settings_file("", {{"--set", "threads", {"4"}}})->threads == 4);

    const TemporaryFile outsized(std::string((std::size_t{1} << 20) + 1, '#'));
    CHECK(load_settings_file(outsized.path()).error() ==
          std::vector<SettingsError>{{outsized.path(), "", "expected at most 1 MiB"}});
    const TemporaryFile full(std::string(std::size_t{1} << 20, '#'));
    CHECK(load_settings_file(full.path()));

    CHECK(load_settings_file("/nowhere/f").error() ==
          std::vector<SettingsError>{
              {"/nowhere/f", "", "expected a readable file: No such file or directory"}});
    CHECK(load_settings_file("/").error().front().text == "expected a readable file: Is a directory");
    const auto both = load_settings_file("/nowhere/f", {{"--set", "threads", {"x"}}});
    REQUIRE_FALSE(both);
    CHECK(both.error().size() == 2);
}
