#include "config/reload.h"

#include <doctest/doctest.h>

using namespace warmfront;

TEST_CASE("reload: equal settings have no difference") {
    CHECK(difference(Settings{}, Settings{}).empty());
}

TEST_CASE("reload: the difference names each changed setting and whether it needs a restart") {
    Settings loaded;
    loaded.threads = 4;
    loaded.cache.memory = std::size_t{1} << 30;
    loaded.upstream += " password=new";
    Settings running;
    running.upstream += " password=old";
    CHECK(difference(running, loaded) ==
          std::vector<SettingChange>{
              {"upstream", "host=127.0.0.1 port=5432 user=postgres dbname=postgres password=***",
               "host=127.0.0.1 port=5432 user=postgres dbname=postgres password=***", true},
              {"threads", "0", "4", true},
              {"cache.memory", "256MiB", "1GiB", false}});
}

TEST_CASE("reload: what needs a restart keeps its running value") {
    Settings loaded;
    loaded.threads = 4;
    loaded.cache.ttl = std::chrono::seconds{1};
    loaded.log.level = LogLevel::Error;
    const Settings next = after_reload(Settings{}, loaded);
    CHECK(next.threads == Settings{}.threads);
    CHECK(next.cache.ttl == std::chrono::seconds{1});
    CHECK(next.log.level == LogLevel::Error);
    for (const SettingChange& change : difference(next, loaded)) CHECK(change.needs_restart);
}
