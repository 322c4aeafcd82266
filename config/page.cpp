#include "config/page.h"

#include <fmt/format.h>

#include "config/settings_table.h"

namespace warmfront {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration

<!-- Made from the settings table (config/settings_table.cpp). To write it anew:
     build/warmfront --print-configuration-page > docs/configuration.md -->

warmfront reads one YAML file, named with `--config FILE`. The smallest one that is useful:

```yaml
listen: 127.0.0.1:6432
upstream: "host=127.0.0.1 port=5432 user=postgres dbname=postgres"
http: 127.0.0.1:9432
state_dir: ./state
```

A setting with a dot in its name is written in a section, or under its whole name:

```yaml
cache:
  memory: 1GiB
  exclude: [sessions, audit.log]
log.level: warning
tables:
  - {name: prices, ttl: 1s}
  - {name: shop.sessions, cache: off}
```

| written | means |
|---|---|
| size | digits and `B`, `KiB`, `MiB`, `GiB`, `TiB` (powers of 1024) or `KB`, `MB`, `GB`, `TB` (powers of 1000); without a unit: bytes |
| duration | digits and `ms`, `s`, `m`, `h` or `d` |
| address | `host:port`, `[::1]:port`, `*:port`, or the path of a unix socket; port 0 is any free port; what starts with `*` or `[` needs quotes in YAML |
| list | `[a, b]`, or one line with a dash for each; a single value needs neither |
| list of choices | the same of maps: `{name: orders, cache: on, ttl: 1m}` |
| true, false | also `yes`, `no`, `on`, `off` |

Flags win over the file, and warmfront starts without a file as well: `--listen` (again for each further address),
`--upstream`, `--http`, `--state-dir`, and `--set NAME=VALUE` for every setting on this page (again for each further item of a list).

`warmfront --config FILE --check` says whether the file is right and ends. What is wrong is reported all at once, with file, line,
column, and what was expected:

```
warmfront.yaml:3:11: cache.memory: expected a size from 1MiB to 16TiB, such as 256MiB, found "lots"
warmfront.yaml:4:3: cache.tll: expected the name of a setting (did you mean "cache.ttl"?)
```

SIGHUP reads the file again. If there is an error in it, nothing changes and the log says what is wrong; else the settings that
apply at a reload are applied, and the log names those that wait for a restart. `SHOW CONFIG` in the admin console shows what is in force.
)";

std::string code(const std::string& text) {
    return text.empty() ? "nothing" : fmt::format("`{}`", text);
}

std::string entry(const Setting& setting) {
    return fmt::format("\n### {}\n\n{}\n\n- Expected: {}\n- Default: {}\n- Changes: {}\n", setting.name,
                       setting.text, setting.expected, code(setting.print(Settings{})),
                       setting.reload == Reload::Live ? "at a reload" : "at a restart");
}

}  // namespace

std::string configuration_markdown() {
    std::string page(kIntroduction);
    std::string_view section;
    page += "\n## Without a section\n";
    for (const Setting& setting : settings_table()) {
        if (section_of(setting.name) != section) {
            section = section_of(setting.name);
            page += fmt::format("\n## {}\n", section);
        }
        page += entry(setting);
    }
    return page;
}

}  // namespace warmfront
