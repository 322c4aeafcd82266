#include "sql/choices.h"

#include <doctest/doctest.h>

#include "fake_catalog.h"

using namespace warmfront;
using namespace warmfront::sql;
using namespace std::chrono_literals;

TEST_CASE("choices: a statement is shown without what varies, and an example of it has its digest") {
    struct Row {
        std::string_view sql, shown;
    };
    for (const auto& [sql, shown] :
         std::vector<Row>{{"SELECT * FROM t  WHERE id = 42 -- now", "SELECT * FROM t WHERE id = ?"},
                          {"SELECT * FROM t WHERE id = $12", "SELECT * FROM t WHERE id = ?"},
                          {"SELECT 'a', E'\\n', $$x$$ FROM t", "SELECT ?, ?, ? FROM t"},
                          {"/* warmfront: ttl=5s */ SELECT 1", "/* warmfront: ttl=5s */ SELECT ?"}}) {
        CAPTURE(sql);
        CHECK(shown_text(sql) == shown);
        CHECK(digest_of(shown_text(shown)) == digest_of(shown_text(sql)));
    }
    CHECK(shown_text("SELECT 'secret") != shown_text("SELECT 'secret2"));
    CHECK(shown_text("SELECT 'secret").find("secret") == std::string::npos);
    CHECK(digest_of("SELECT ? ; ") == digest_of("SELECT ?"));
    CHECK(digest_text(0xab) == "00000000000000ab");
    CHECK(parse_digest("00000000000000ab") == 0xab);
    CHECK_FALSE(parse_digest("ab"));
    CHECK_FALSE(parse_digest("00000000000000xb"));
}

TEST_CASE("choices: what may be kept for how long, by table, template and hint") {
    const auto catalog = test::fake_catalog();
    auto context = test::fake_context(catalog);
    struct Row {
        std::vector<Choice> tables, templates;
        std::string_view sql;
        std::string refusal;  // label; empty: kept
        Lifetime lifetime;
    };
    const auto none = std::nullopt;
    for (const auto& [tables, templates, sql, refusal, lifetime] : std::vector<Row>{
             {{}, {}, "SELECT * FROM t", "", {0, true}},
             {{{"t", none, 5s}}, {}, "SELECT * FROM t", "", {5000, false}},
             {{{"t", none, 5s}}, {}, "SELECT * FROM t, u", "", {5000, true}},
             {{{"t", none, 5s}, {"public.u", none, 3s}}, {}, "SELECT * FROM t, u", "", {3000, false}},
             {{{"app.t", none, 5s}}, {}, "SELECT * FROM t", "", {0, true}},
             {{{"p", none, 5s}}, {}, "SELECT * FROM p2", "", {5000, false}},
             {{}, {}, "SELECT * FROM t /* warmfront: ttl=9s */", "", {9000, false}},
             {{{"t", none, 5s}}, {}, "SELECT * FROM t /* warmfront: ttl=9s */", "", {5000, false}},
             {{}, {}, "SELECT * FROM t /* warmfront: ttl=soon */", "", {0, true}},
             {{},
              {{"SELECT * FROM t WHERE id = 1", none, 7s}},
              "SELECT * FROM t WHERE id = 2",
              "",
              {7000, false}},
             {{},
              {{"SELECT * FROM t WHERE id = ?", none, 7s}},
              "SELECT * FROM t WHERE id = $1",
              "",
              {7000, false}},
             {{}, {{"SELECT * FROM t", none, 7s}}, "SELECT * FROM u", "", {0, true}},
             {{{"t", false, none}}, {}, "SELECT * FROM t", "excluded", {}},
             {{{"p", false, none}}, {}, "SELECT * FROM p2", "excluded", {}},
             {{{"t", false, none}}, {{"SELECT * FROM t", true, none}}, "SELECT * FROM t", "", {0, true}},
             {{}, {{"SELECT * FROM t", false, none}}, "SELECT * FROM t", "excluded", {}},
             {{{"ft", true, 1min}}, {}, "SELECT * FROM ft", "", {60000, false}},
             {{{"secured", true, none}}, {}, "SELECT * FROM secured", "", {0, true}},
             {{{"pg_catalog.pg_class", true, none}}, {}, "SELECT relname FROM pg_class", "", {0, true}},
             {{{"pg_class", true, none}, {"tables", true, none}},
              {},
              "SELECT * FROM information_schema.tables",
              "system_catalog",
              {}},
             {{{"ft", none, 1min}}, {}, "SELECT * FROM ft", "foreign_table", {}},
             {{{"t", none, 5s, 60s}}, {}, "SELECT * FROM t", "", {5000, false, 60000}},
             {{{"t", none, none, 60s}}, {}, "SELECT * FROM t", "", {0, true, 60000}},
             {{{"t", none, none, 60s}}, {}, "SELECT * FROM t, u", "", {0, true, 0}},
             {{{"t", none, none, 60s}, {"u", none, none, 9s}}, {}, "SELECT * FROM t, u", "", {0, true, 9000}},
             {{{"p", none, none, 60s}}, {}, "SELECT * FROM p2", "", {0, true, 60000}},
             {{}, {{"SELECT * FROM t, u", none, none, 60s}}, "SELECT * FROM t, u", "", {0, true, 60000}},
             {{{"t", none, none, 0s}},
              {{"SELECT * FROM t, u", none, none, 60s}},
              "SELECT * FROM t, u",
              "",
              {0, true, 0}},
             {{}, {{"SELECT * FROM t", none, none, 60s}}, "SELECT * FROM u", "", {0, true, 0}}}) {
        CAPTURE(sql);
        Settings settings;
        settings.tables = tables;
        settings.templates = templates;
        const Choices choices = choices_of(settings);
        context.choices = &choices;
        const auto analysis = analyse(sql, context);
        CAPTURE(analysis.refusal.text);
        CHECK(analysis.refusal.label == refusal);
        CHECK(analysis.cacheable == refusal.empty());
        CHECK(analysis.lifetime == lifetime);
    }
    Settings by_digest;
    by_digest.templates = {{digest_text(digest_of("SELECT * FROM t")), false, none}};
    const Choices choices = choices_of(by_digest);
    context.choices = &choices;
    CHECK(analyse("SELECT  * FROM t;", context).refusal.label == "excluded");
}

TEST_CASE("choices: a refusal names the setting that lifts it, and the setting does") {
    const auto catalog = test::fake_catalog();
    auto context = test::fake_context(catalog);
    struct Row {
        std::string_view sql, label, setting;
        std::vector<std::string> FunctionSettings::*list;
        std::string name;
    };
    for (const auto& [sql, label, setting, list, name] : std::vector<Row>{
             {"SELECT now(), id FROM t", "clock", "functions.clock", &FunctionSettings::clock, "now"},
             {"SELECT CURRENT_DATE, id FROM t", "clock", "functions.clock", &FunctionSettings::clock,
              "current_timestamp"},
             {"SELECT random() FROM t", "volatile_function", "functions.volatile",
              &FunctionSettings::changing, "pg_catalog.random"},
             {"SELECT current_setting('x') FROM t", "stable_function", "functions.stable",
              &FunctionSettings::stable, "current_setting"},
             {"SELECT calc(id) FROM t", "user_function", "functions.user", &FunctionSettings::user,
              "public.calc"},
             {"SELECT log_it(id) FROM t", "user_function", "functions.user", &FunctionSettings::user,
              "log_it"},
             {"SELECT t.full_name FROM t", "user_function", "functions.user", &FunctionSettings::user,
              "full_name"},
             {"SELECT id @#@ 1 FROM t", "user_operator", "functions.user", &FunctionSettings::user, "@#@"}}) {
        CAPTURE(sql);
        const auto refused = analyse(sql, context);
        CHECK(refused.refusal.label == label);
        CHECK(refused.refusal.text.find(setting) != std::string::npos);
        Settings settings;
        settings.functions.*list = {name};
        const Choices choices = choices_of(settings);
        context.choices = &choices;
        const auto analysis = analyse(sql, context);
        CAPTURE(analysis.refusal.text);
        CHECK(analysis.cacheable);
        CHECK(analysis.effects.none());
        CHECK(analysis.approximate == (label == "clock" || label == "volatile_function"));
        CHECK_FALSE(analyse("SELECT * FROM t", context).approximate);
        context.choices = nullptr;
    }
}
