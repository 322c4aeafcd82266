#include "proxy/admin/console.h"

#include <doctest/doctest.h>

#include "proxy/admin/console_reply.h"
#include "proxy/admin/explain.h"
#include "proxy/wire/framer.h"
#include "proxy/wire/messages.h"
#include "tests/proxy/admin/sample.h"

using namespace warmfront;
using namespace warmfront::admin;

namespace {

// "T:a,b|D:1,2|C:SHOW|Z:I", "E:42601 text [hint]|Z:I"
std::string told(const std::string& bytes) {
    wire::Framer framer{wire::Framer::First::Typed, {}};
    framer.feed(bytes);
    std::string all;
    for (;;) {
        const auto piece = framer.next();
        REQUIRE(piece);
        if (!*piece) break;
        REQUIRE((*piece)->whole());
        all += (all.empty() ? "" : "|") + std::string(1, (*piece)->type) + ":";
        const std::string_view body = (*piece)->body;
        std::string list;
        switch ((*piece)->type) {
            case 'T': {
                const auto fields = wire::decode_row_description(body);
                for (const auto& field : *fields) list += (list.empty() ? "" : ",") + std::string(field.name);
                break;
            }
            case 'D': {
                const auto values = *wire::decode_data_row(body);
                for (std::size_t i = 0; i < values.size(); ++i)
                    list += (i == 0 ? "" : ",") + std::string(values[i].value_or("NULL"));
                break;
            }
            case 'C': list = wire::decode_command_complete(body)->tag; break;
            case 'Z': list = std::string(1, wire::decode_ready_for_query(body)->status); break;
            case 'E': {
                const auto fields = *wire::decode_error_fields(body);
                list = std::string(fields.field('C')) + " " + std::string(fields.field('M')) + " [" +
                       std::string(fields.field('H')) + "]";
                break;
            }
            default: break;
        }
        all += list;
    }
    return all;
}

struct Desk {
    std::vector<std::string> called;
    Result<void> outcome{};
    Console console{{
        .observe = sample_observation,
        .connections =
            [] {
                session::ConnectionRow row;
                row.number = 12;
                row.client = "127.0.0.1:5000";
                row.user = "ann";
                row.database = "shop";
                row.state = "idle";
                row.backend_pid = 99;
                return std::vector{row};
            },
        .settings =
            [] {
                auto settings = std::make_shared<Settings>();
                settings->upstream = "host=db password=secret";
                return settings;
            },
        .explain = [this](const std::string& database, std::string_view query) -> Result<Properties> {
            called.push_back("explain in=" + database + " " + std::string(query));
            if (database == "nowhere") return fail("3D000", "no such database");
            return Properties{{"cached", "yes"}};
        },
        .flush =
            [this](const std::optional<std::string>& database) {
                called.push_back("flush " + database.value_or("(all)"));
                return outcome;
            },
        .templates =
            [] {
                session::TemplateRow row;
                row.digest = 0xab;
                row.database = "shop";
                row.text = "SELECT * FROM t WHERE id = ?";
                row.query_class = sql::QueryClass::Read;
                row.cacheable = true;
                row.hits = 3;
                row.misses = 1;
                row.requests = 4;
                row.origin_mean_us = 1500;
                row.saved_us = 4400;
                row.bytes = 300;
                row.entries = 1;
                row.fetched = 20;
                row.fetched_used = 5;
                row.fetched_unused = 15;
                row.fetch_spent_us = 30'000;
                row.fetch_saved_us = 7'500;
                session::TemplateRow off = row;
                off.off = session::Off::BreakEven;
                off.off_reason = "too few hits";
                session::TemplateRow refused;
                refused.refusal = "is no plain SELECT";
                return std::vector{row, off, refused};
            },
        .resume = [this](std::optional<std::uint64_t> digest) -> std::size_t {
            called.push_back("resume " + (digest ? std::to_string(*digest) : "(all)"));
            return digest == 1 ? 0 : 1;
        },
        .prewarm =
            [] {
                auto view = std::make_shared<PrewarmView>();
                view->enabled = true;
                HotRow& hot = view->hot.emplace_back();
                hot.database = "shop";
                hot.template_digest = "00000000000000ab";
                hot.statement = "SELECT * FROM t WHERE id = 5";
                hot.role = "ann";
                hot.rate_now = 0.5;
                hot.rate_most = 2;
                hot.requests = 12;
                hot.saves_us = 1500;
                hot.bytes = 300;
                hot.state = "absent";
                hot.plan = "from 0.5/s to 2/s";
                view->off[{"shop", 0xab}] = "15 of the last 20 answers fetched went unused";
                return view;
            },
        .next_query =
            [] {
                session::NextQueryView view;
                view.from = {0xab, "shop", "SELECT * FROM t WHERE id = ?"};
                view.to = {0xcd, "shop", "SELECT * FROM u WHERE t = ?"};
                view.row.seen = 30;
                view.row.probability = 0.95;
                view.row.mapping = view.row.confidence = 0.9;
                view.row.in_force = true;
                view.row.sources = "parameter 1";
                view.row.counts = {.predicted = 9,
                                   .there = 2,
                                   .prefetched = 7,
                                   .used = 4,
                                   .late = 2,
                                   .wasted = 1,
                                   .saved_us = 8'000,
                                   .wasted_us = 2'000};
                return std::vector{view};
            },
        .prewarm_one = [this](std::string_view replay) -> Result<void> {
            called.push_back("prewarm " + std::string(replay));
            if (replay != "{}") return fail("22023", "this is no replay");
            return {};
        },
        .reload =
            [this] {
                called.push_back("reload");
                return outcome;
            },
        .shut_down = [this] { called.push_back("shutdown"); },
    }};
    std::string ask(std::string_view command) { return told(console.answer(command)); }
};

}  // namespace

TEST_CASE("console: each command gives its table") {
    struct Row {
        std::string_view command, has;
    };
    for (const auto& [command, has] : std::vector<Row>{
             {"SHOW HELP", "T:command,what it does|D:SHOW HELP,this list|"},
             {"SHOW HELP", "D:EXPLAIN CACHE [IN database] query,"},
             {"SHOW STATS",
              "T:database,connections,queries,read,write,session,transaction,opaque,hits,misses,"},
             {"SHOW STATS", "D:shop,2,27,23,4,0,0,0,21,2,0.9130,"},
             {"SHOW CACHE", "T:name,value|D:entries,7|D:bytes,4096|D:max_bytes,1048576|D:fills,9|"},
             {"SHOW TEMPLATES",
              "T:digest,database,class,cached,state,reason,requests,hits,would_be_hits,misses,"},
             {"SHOW TEMPLATES",
              "|D:00000000000000ab,shop,read,yes,on,,4,3,0,1,0.7500,1.5,4.4,1,300,0,0,SELECT * FROM t "
              "WHERE id = ?|"},
             {"SHOW TEMPLATES", ",yes,off: break_even,too few hits,4,"},
             {"SHOW TEMPLATES", ",,opaque,no,,is no plain SELECT,0,"},
             {"SHOW CACHE", "|D:mode,serve|"},
             {"SHOW HOT",
              "|D:shop,00000000000000ab,ann,0.500,2.000,12.00,1.5,300,absent,from 0.5/s to 2/s,SELECT "
              "* FROM t WHERE id = ?|"},
             {"SHOW PREWARM",
              "|D:00000000000000ab,shop,off,15 of the last 20 answers fetched went "
              "unused,20,5,15,75.0,30.0,7.5,"
              "SELECT * FROM t WHERE id = ?|"},
             {"SHOW NEXT_QUERY",
              "|D:shop,00000000000000ab,00000000000000cd,on,0.950,0.900,0.900,parameter "
              "1,1,30,9,2,7,4,2,1,8.0,2.0,"
              "SELECT * FROM t WHERE id = ?,SELECT * FROM u WHERE t = ?|"},
             {"SHOW REFUSALS", "T:database,reason,count|D:shop,volatile_function,1|C:SHOW|Z:I"},
             {"SHOW INVALIDATIONS", "T:database,cause,count|D:shop,write,5|C:SHOW|Z:I"},
             {"SHOW FORECAST",
              "|D:database,shop,,requests,holt-winters,0.750,12.00,20.00,15.00,25.00,50.00,120,30.00,25.00,"
              "35.00,2026-03-01 12:01:00,,|"},
             {"SHOW FORECAST", ",2026-03-01 12:01:00,above,|"},
             {"SHOW FORECAST", "|D:statement,shop,00000000000000ab,requests,holt-winters,,12.00,"},
             {"SHOW FORECAST", ",below,too short|C:SHOW"},
             {"SHOW ALARMS",
              "T:kind,database,name,measure,side,since,actual,lo99,hi99|"
              "D:table,shop,public.\"o\",reads,above,2026-03-01 11:57:00,99.00,10.00,30.00|D:statement,"},
             {"SHOW CAPACITY", "T:name,value|D:recommended_sidecars,3|D:needed_sidecars,2.75|"},
             {"SHOW CAPACITY", "|D:reason,because|"},
             {"SHOW CONNECTIONS", "|D:0,12,127.0.0.1:5000,ann,shop,,idle,,99,0|C:SHOW|Z:I"},
             {"SHOW CONFIG", "T:name,value,default,reloadable|D:"},
             {"SHOW CONFIG", "D:cache.memory,256MiB,256MiB,yes|"},
             {"SHOW VERSION", "T:version|D:warmfront "}}) {
        Desk desk;
        const std::string answer = desk.ask(command);
        CAPTURE(command);
        CAPTURE(answer);
        CHECK(answer.find(has) != std::string::npos);
        CHECK(answer.ends_with("|C:SHOW|Z:I"));
        CHECK(answer.find("secret") == std::string::npos);
    }
}

TEST_CASE("console: case, blanks and semicolons do not matter") {
    Desk desk;
    const std::string expected = desk.ask("SHOW VERSION");
    for (const std::string_view command :
         {"show version", "Show\n  Version ;", " \tSHOW VERSION;; ", "SHOW VERSION ; ;"}) {
        CAPTURE(command);
        CHECK(desk.ask(command) == expected);
    }
}

TEST_CASE("console: actions call what they are for, once") {
    struct Row {
        std::string_view command, calls, answer;
    };
    for (const auto& [command, calls, answer] :
         std::vector<Row>{{"FLUSH", "flush (all)", "C:FLUSH|Z:I"},
                          {"flush Shop;", "flush shop", "C:FLUSH|Z:I"},
                          {"FLUSH \"My \"\"Shop\"", "flush My \"Shop", "C:FLUSH|Z:I"},
                          {"RESUME TEMPLATE 00000000000000ab", "resume 171", "C:RESUME|Z:I"},
                          {"resume template;", "resume (all)", "C:RESUME|Z:I"},
                          {"RESUME TEMPLATE 0000000000000001", "resume 1",
                           "E:42704 there is no template 0000000000000001 []|Z:I"},
                          {"PREWARM {};", "prewarm {}", "C:PREWARM|Z:I"},
                          {"prewarm {]", "prewarm {]", "E:22023 this is no replay []|Z:I"},
                          {"RELOAD", "reload", "C:RELOAD|Z:I"},
                          {"SHUTDOWN;", "shutdown", "C:SHUTDOWN|Z:I"},
                          {"EXPLAIN CACHE select 1 ;", "explain in= select 1",
                           "T:property,value|D:cached,yes|C:EXPLAIN|Z:I"},
                          {"explain cache in Shop select * from in_x", "explain in=shop select * from in_x",
                           "T:property,value|D:cached,yes|C:EXPLAIN|Z:I"},
                          {"EXPLAIN CACHE in nowhere select 1", "explain in=nowhere select 1",
                           "E:3D000 no such database []|Z:I"}}) {
        CAPTURE(command);
        Desk desk;
        CHECK(desk.ask(command) == answer);
        REQUIRE(desk.called.size() == 1);
        CHECK(desk.called[0] == calls);
    }
}

TEST_CASE("console: what an action cannot do is told") {
    Desk desk;
    desk.outcome = fail("F0000", "warmfront.yaml:3:7: cache.memory: expected a size");
    CHECK(desk.ask("RELOAD") == "E:F0000 warmfront.yaml:3:7: cache.memory: expected a size []|Z:I");
}

TEST_CASE("console: what is no command is an error that lists the commands, and does nothing") {
    for (const std::string_view command :
         {"SELECT * FROM t", "SHOW", "SHOW STATSX", "SHOWSTATS", "SHOW STATS now", "FLUSH a b", "FLUSH \"a",
          "FLUSH \"\"", "RELOAD x", "SHUTDOWN now", "EXPLAIN CACHE", "EXPLAIN CACHE IN",
          "EXPLAIN CACHE IN shop", "EXPLAIN select 1", "SHOW STATS; SHUTDOWN", "SHOW work_mem", "SETTLE",
          "PREWARM"}) {
        CAPTURE(command);
        Desk desk;
        const std::string answer = desk.ask(command);
        CAPTURE(answer);
        CHECK(answer.starts_with("E:42601 "));
        CHECK(answer.ends_with("|Z:I"));
        CHECK(desk.called.empty());
    }
    Desk desk;
    const std::string answer = desk.ask("HELP");
    for (const std::string_view each : {"SHOW STATS", "EXPLAIN CACHE", "FLUSH", "SHUTDOWN"})
        CHECK(answer.find(each) != std::string::npos);
}

TEST_CASE("console: what drivers send by themselves is answered kindly") {
    struct Row {
        std::string_view command, answer;
    };
    for (const auto& [command, answer] : std::vector<Row>{
             {"SET client_encoding TO 'UTF8'", "C:SET|Z:I"},
             {"set application_name = 'psql';", "C:SET|Z:I"},
             {"BEGIN", "C:BEGIN|Z:I"},
             {"ROLLBACK", "C:ROLLBACK|Z:I"},
             {"DISCARD ALL", "C:DISCARD ALL|Z:I"},
             {"SHOW server_version", "T:server_version|D:15.0 (warmfront console)|C:SHOW|Z:I"},
             {"show TRANSACTION isolation LEVEL", "T:transaction_isolation|D:read committed|C:SHOW|Z:I"},
             {"SELECT 1;", "T:?column?|D:1|C:SELECT 1|Z:I"},
             {"", "I:|Z:I"},
             {" ; ", "I:|Z:I"}}) {
        CAPTURE(command);
        Desk desk;
        CHECK(desk.ask(command) == answer);
        CHECK(desk.called.empty());
    }
}

TEST_CASE("explain: tells what an analysis found, by name") {
    sql::Catalog catalog;
    catalog.relations.resize(2);
    catalog.relations[0].oid = sql::Oid{20'000};
    catalog.relations[0].schema = "public";
    catalog.relations[0].name = "orders";
    catalog.relations[1].oid = sql::Oid{20'001};
    catalog.relations[1].schema = "public";
    catalog.relations[1].name = "items";
    catalog.index();
    const auto line = [](const Properties& properties) {
        std::string all;
        for (const auto& [name, value] : properties) all += name + "=" + value + "|";
        return all;
    };

    sql::Analysis read;
    read.query_class = sql::QueryClass::Read;
    read.cacheable = true;
    read.reads = {sql::Oid{20'000}, sql::Oid{20'001}, sql::Oid{7}};
    read.digest = 0xab;
    read.lifetime = {5000, true};
    CHECK(
        line(explain(read, &catalog)).ends_with("|kept for=5s, at most cache.ttl|digest=00000000000000ab|"));
    read.lifetime = {0, true, 60'000};
    CHECK(line(explain(read, &catalog)).ends_with("|stale if error=1m|digest=00000000000000ab|"));
    read.digest = 0;
    read.lifetime = {};
    CHECK(line(explain(read, &catalog)) ==
          "class=read|cached=yes|depends on=public.orders, public.items, oid 7|");

    read.cacheable = false;
    read.reads.clear();
    read.refusal = {"volatile_function", "calls random(), which is volatile"};
    CHECK(line(explain(read, nullptr)) ==
          "class=read|cached=no|reason=volatile_function|because=calls random(), which is volatile|depends "
          "on=nothing|"
          "catalog=not known yet: reads are not kept, writes drop everything|");

    sql::Analysis write;
    write.query_class = sql::QueryClass::Write;
    write.effects.relations = {sql::Oid{20'001}};
    CHECK(line(explain(write, &catalog)) == "class=write|cached=no|drops=what was read from public.items|");
    write.effect_steps = {"UPDATE public.items", "  trigger audit"};
    write.read_steps = {"view public.orders"};
    CHECK(line(explain(write, &catalog)) ==
          "class=write|cached=no|drops=what was read from public.items|reads=view public.orders|"
          "effect=UPDATE public.items|effect=  trigger audit|");
    write.effect_steps.clear();
    write.read_steps.clear();
    write.effects.everything = true;
    write.effects_reason = "calls a function that is not known";
    CHECK(line(explain(write, &catalog)) ==
          "class=write|cached=no|drops=everything kept of the database|drops because=calls a function that "
          "is not known|");

    read.reads.assign(kNamesMax + 5, sql::Oid{7});
    CHECK(line(explain(read, &catalog)).find(" and 5 more|") != std::string::npos);
}
