#include "sql/routine.h"

#include <set>

#include <doctest/doctest.h>

using namespace warmfront;
using namespace warmfront::sql;

namespace {

// "reads a b, writes c, calls f g", each once and sorted, operators apart; "opaque: <why>".
std::string facts(const Routine& routine) {
    if (!routine.opaque.empty()) return "opaque: " + routine.opaque;
    std::set<std::string> reads, writes, calls;
    for (const auto& statement : routine.statements) {
        for (const auto& name : statement.reads) reads.insert(name.name);
        for (const auto& target : statement.writes) writes.insert(target.relation.name);
        for (const auto& use : statement.functions) {
            if (use.form == FunctionUse::Form::Call) calls.insert(use.name);
        }
    }
    std::string text;
    const auto add = [&](std::string_view title, const std::set<std::string>& names) {
        if (names.empty()) return;
        text.append(text.empty() ? "" : ", ").append(title);
        for (const auto& name : names) text.append(" ").append(name);
    };
    add("reads", reads);
    add("writes", writes);
    add("calls", calls);
    return text;
}

Function plpgsql(std::string_view body) {
    Function function;
    function.language = "plpgsql";
    function.body = body;
    function.arguments = {"a", ""};
    return function;
}

Function trigger(std::string_view body) {
    auto function = plpgsql(body);
    function.is_trigger = true;
    function.arguments.clear();
    return function;
}

}  // namespace

TEST_CASE("routine: every statement of PL/pgSQL shows what it reads, writes and calls") {
    struct Row {
        std::string_view body, facts;
    };
    for (const auto& [body, expected] : std::vector<Row>{
             {"BEGIN END", ""},
             {"DECLARE x int := g(); c CURSOR (k int) FOR SELECT * FROM t WHERE id = k; BEGIN END",
              "reads t, calls g"},
             {"DECLARE x int; BEGIN x := g() + (SELECT max(id) FROM t); END", "reads t, calls g max"},
             {"DECLARE x int; BEGIN x := count(*) FROM t; END", "reads t, calls count"},
             {"DECLARE x int; BEGIN x = g(); END", "calls g"},
             {"DECLARE x int[]; BEGIN x[g()] := h(); END", "calls g h"},
             {"DECLARE r record; BEGIN r.f := g(); END", "calls g"},  // rewritten
             {"DECLARE r record; BEGIN r.f.g := (SELECT id FROM t); PERFORM h(); END", "reads t, calls h"},
             {"DECLARE r t%ROWTYPE; BEGIN SELECT * INTO r FROM t; IF r.id = g() THEN NULL; END IF; END",
              "reads t, calls g"},
             {"BEGIN a := 1; $2 := g(); END", "calls g"},
             {"BEGIN PERFORM g(), 1 FROM t; END", "reads t, calls g"},
             {"BEGIN IF a > g() THEN DELETE FROM t; ELSIF h() THEN UPDATE u SET id = 1; ELSE INSERT INTO v "
              "VALUES (i()); END IF; END",
              "reads t, writes t u v, calls g h i"},
             {"BEGIN CASE a WHEN g(), 2 THEN DELETE FROM u; ELSE PERFORM h(); END CASE; CASE WHEN i() THEN "
              "NULL; END CASE; END",
              "reads u, writes u, calls g h i"},
             {"BEGIN LOOP EXIT WHEN g(); CONTINUE WHEN h(); END LOOP; WHILE i() LOOP NULL; END LOOP; END",
              "calls g h i"},
             {"BEGIN FOR i IN g()..h() BY i() LOOP TRUNCATE t; END LOOP; END", "writes t, calls g h i"},
             {"DECLARE r record; BEGIN FOR r IN SELECT * FROM t LOOP UPDATE u SET x = r.y; END LOOP; END",
              "reads t, writes u"},
             {"DECLARE x int; BEGIN FOREACH x IN ARRAY g() LOOP NULL; END LOOP; END", "calls g"},
             {"BEGIN RETURN (SELECT id FROM t); END", "reads t"},
             {"BEGIN RETURN a; END", ""},
             {"BEGIN RAISE NOTICE 'x %', g() USING HINT = h(); ASSERT i(), j(); END", "calls g h i j"},
             {"DECLARE x int; BEGIN GET DIAGNOSTICS x = ROW_COUNT; END", ""},
             {"BEGIN BEGIN NULL; EXCEPTION WHEN unique_violation OR others THEN INSERT INTO t VALUES (g()); "
              "END; END",
              "writes t, calls g"},
             {"BEGIN DECLARE z int := g(); BEGIN z := h(); END; END", "calls g h"},
             {"DECLARE x int; BEGIN WITH w AS (DELETE FROM t RETURNING *) SELECT count(*) INTO x FROM w; END",
              "writes t, calls count"},
             {"DECLARE x int; BEGIN INSERT INTO t SELECT * FROM u RETURNING id INTO x; END",
              "reads u, writes t"},
             {"BEGIN MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE; END", "reads u, writes t"},
             {"BEGIN CALL p(g()); END", "calls g p"},
             {"BEGIN IF vacuum(a) THEN NULL; END IF; END", "calls vacuum"},  // also parses as VACUUM
             {"BEGIN EXECUTE 'x'; END", "opaque: puts SQL text together at run time (EXECUTE)"},
             {"DECLARE r record; BEGIN FOR r IN EXECUTE 'x' LOOP NULL; END LOOP; END",
              "opaque: puts SQL text together at run time (EXECUTE)"},
             {"BEGIN IF true THEN LOOP EXECUTE 'x'; END LOOP; END IF; END",
              "opaque: puts SQL text together at run time (EXECUTE)"},
             // simplified
             {"DECLARE r record; BEGIN r.f = g(); IF r.f = h() THEN NULL; END IF; r.f = 1; END", "calls g h"},
             {"DECLARE c CURSOR FOR SELECT * FROM t; x int; BEGIN OPEN c; FETCH c INTO x; MOVE NEXT FROM c; "
              "CLOSE "
              "c; DELETE FROM u; END",
              "reads t u, writes u"},
             {"DECLARE c CURSOR (k int) FOR SELECT * FROM t; r record; BEGIN OPEN c (g()); FOR r IN c (h()) "
              "LOOP "
              "PERFORM i(); END LOOP; FOR r IN c LOOP DELETE FROM u; END LOOP; END",
              "reads t u, writes u, calls g h i"},
             {"DECLARE c refcursor; BEGIN OPEN c NO SCROLL FOR SELECT * FROM t WHERE g(id); FETCH 2 FROM c "
              "INTO a; "
              "RETURN c; END",
              "reads t, calls g"},
             {"DECLARE c refcursor; BEGIN OPEN c FOR EXECUTE 'x' USING g(); END",
              "opaque: puts SQL text together at run time (EXECUTE)"},
             {"DECLARE c refcursor; BEGIN OPEN c FOR SELECT 1; FETCH RELATIVE g() FROM c INTO a; END",
              "opaque: has a body that is not understood: variable \"c\" must be of type cursor or "
              "refcursor"},
             {"DECLARE r record; BEGIN r.f := 1; FOR i IN g() .. h() LOOP PERFORM i(); END LOOP; END",
              "calls g h i"},
             {"DECLARE r record; BEGIN r.f := CASE WHEN a THEN r.f = -g() ELSE r.f = h() END; END",
              "calls g h"},
             {"DECLARE r record; BEGIN IF a THEN r.f = 1; END IF; END",
              "opaque: has a body that is not understood: \"r.f\" is not a known variable"},
             {"DECLARE r record; BEGIN r.f := 1; FOR r IN EXECUTE (a) LOOP NULL; END LOOP; END",
              "opaque: puts SQL text together at run time (EXECUTE)"},
             {"DECLARE r record; BEGIN r.f := 1; FOR r IN SELECT (g()) LOOP NULL; END LOOP; END", "calls g"},
             {"DECLARE c refcursor; BEGIN OPEN c FOR SELECT 1; FETCH ABSOLUTE a <+> 1 FROM c INTO a; END",
              "opaque: has a body that is not understood: variable \"c\" must be of type cursor or "
              "refcursor"},
             {"BEGIN this is no code END",
              "opaque: has a body that is not understood: unexpected end of "
              "function definition at end of input"},
             {"BEGIN PERFORM $warmfront_body$x$warmfront_body$; END",
              "opaque: has a body that is not understood"},
         }) {
        CAPTURE(body);
        CHECK(facts(routine_of(plpgsql(body))) == expected);
    }
}

TEST_CASE("routine: a function that returns a set, nothing or a procedure is read as such") {
    auto set = plpgsql("BEGIN a := 1; RETURN NEXT; RETURN QUERY SELECT * FROM t; RETURN NEXT g(); END");
    set.returns_set = true;
    CHECK(facts(routine_of(set)) == "reads t, calls g");
    set.body = "BEGIN RETURN QUERY EXECUTE 'x'; END";
    CHECK(facts(routine_of(set)) == "opaque: puts SQL text together at run time (EXECUTE)");
    auto nothing = plpgsql("BEGIN PERFORM g(); RETURN; END");
    nothing.result = Oid{2278};
    CHECK(facts(routine_of(nothing)) == "calls g");
    auto procedure = plpgsql("BEGIN INSERT INTO t VALUES (1); COMMIT; a := 1; END");
    procedure.kind = 'p';
    CHECK(facts(routine_of(procedure)) == "writes t");
    CHECK(routine_of(procedure).ends_transactions);
    CHECK_FALSE(routine_of(nothing).ends_transactions);
    auto quoted = plpgsql("BEGIN \"A \"\"b\" := g(); END");
    quoted.arguments = {"A \"b"};
    CHECK(facts(routine_of(quoted)) == "calls g");
    CHECK(routine_of(quoted).assigns_parameters);
    CHECK_FALSE(routine_of(plpgsql("DECLARE x int; BEGIN x := 1; END")).assigns_parameters);
    CHECK(routine_of(plpgsql("BEGIN SELECT 1 INTO a; END")).assigns_parameters);
    CHECK(routine_of(plpgsql("BEGIN RAISE NOTICE 'x'; END")).tells_client);
    CHECK_FALSE(routine_of(plpgsql("BEGIN RAISE EXCEPTION 'x'; END")).tells_client);
}

TEST_CASE("routine: SQL bodies, as text and as the standard has them") {
    Function function;
    function.language = "sql";
    struct Row {
        std::string_view body;
        bool atomic;
        std::string_view facts;
    };
    for (const auto& [body, atomic, expected] : std::vector<Row>{
             {"SELECT * FROM t; DELETE FROM u WHERE g(id)", false, "reads t, writes u, calls g"},
             {"  ", false, ""},
             {"SELECT FROM FROM", false,
              "opaque: has a body that is not understood: syntax error at or near \"FROM\""},
             {"BEGIN ATOMIC\n INSERT INTO public.t (id)\n   VALUES (public.g(1));\n SELECT u.id FROM "
              "public.u;\nEND",
              true, "reads u, writes t, calls g"},
             {"RETURN (SELECT max(t.id) AS max FROM public.t)", true, "reads t, calls max"},
         }) {
        CAPTURE(body);
        function.body = body;
        function.atomic = atomic;
        CHECK(facts(routine_of(function)) == expected);
    }
    function.body = "SELECT 1";
    function.defaults = "'a'::text, (public.g() + 1)";
    function.atomic = false;
    CHECK(facts(routine_of(function)) == "calls g");
    function.language = "plpython3u";
    CHECK(facts(routine_of(function)) == "opaque: is written in plpython3u");
    function.language = "sql";
    function.body.clear();
    CHECK(facts(routine_of(function)) == "opaque: has a body that is too long to be kept");
    CHECK(facts(routine_of_block("plpgsql", "BEGIN DELETE FROM t; END")) == "reads t, writes t");
    CHECK(facts(routine_of_block("plpython3u", "x")) == "opaque: is written in plpython3u");
}

TEST_CASE("routine: whether a trigger gives back the row that it got") {
    struct Row {
        std::string_view body;
        bool keeps;
    };
    for (const auto& [body, keeps] : std::vector<Row>{
             {"BEGIN RETURN NEW; END", true},
             {"BEGIN IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; INSERT INTO a VALUES (NEW.x); RETURN NULL; "
              "END",
              true},
             {"DECLARE x int; BEGIN x := NEW.x; SELECT NEW.y INTO x; RETURN coalesce ( NEW, OLD ); END",
              true},
             {"BEGIN NEW.x := 1; RETURN NEW; END", false},
             {"BEGIN \"new\".x = 1; RETURN NEW; END", false},
             {"BEGIN new.x[1] := 1; RETURN NEW; END", false},
             {"BEGIN NEW := OLD; RETURN NEW; END", false},
             {"BEGIN SELECT 1 INTO NEW.x; RETURN NEW; END", false},
             {"BEGIN SELECT * INTO NEW FROM t; RETURN NEW; END", false},
             {"BEGIN UPDATE t SET x = 1 RETURNING x INTO NEW.x; RETURN NEW; END", false},
             {"BEGIN GET DIAGNOSTICS NEW.x = ROW_COUNT; RETURN NEW; END", false},
             {"BEGIN FOR NEW.x IN SELECT 1 LOOP NULL; END LOOP; RETURN NEW; END", false},
             {"BEGIN FOREACH NEW.x IN ARRAY ARRAY[1] LOOP NULL; END LOOP; RETURN NEW; END", false},
             {"BEGIN CALL p(NEW.x); RETURN NEW; END", false},
             {"DECLARE r record; BEGIN r := NEW; r.x := 1; RETURN r; END", false},
             {"DECLARE r record; BEGIN r := NEW; RETURN r; END", false},
             {"BEGIN f.NEW.x := 1; RETURN NEW; END", false},
             {"BEGIN EXECUTE 'x' INTO NEW.x; RETURN NEW; END", false},
             {"no code", false},
         }) {
        CAPTURE(body);
        CHECK(routine_of(trigger(body)).keeps_new_row == keeps);
    }
    CHECK_FALSE(routine_of(plpgsql("BEGIN RETURN 1; END")).keeps_new_row);
}

TEST_CASE("routine: what is simplified is told") {
    CHECK(routine_of(plpgsql("DECLARE r record; BEGIN r.f := 1; END")).assigns_fields);
    CHECK_FALSE(routine_of(plpgsql("DECLARE r record; BEGIN r := NULL; END")).assigns_fields);
    CHECK(routine_of(plpgsql("DECLARE c refcursor; BEGIN OPEN c FOR SELECT 1; END")).uses_cursors);
    CHECK(routine_of(plpgsql("DECLARE c CURSOR FOR SELECT 1; BEGIN FOR r IN c LOOP NULL; END LOOP; END"))
              .uses_cursors);
    CHECK_FALSE(routine_of(plpgsql("DECLARE r record; BEGIN FOR r IN SELECT 1 LOOP NULL; END LOOP; END"))
                    .uses_cursors);
}

TEST_CASE("routine: SET clauses of a function") {
    auto function = plpgsql("BEGIN END");
    CHECK_FALSE(routine_of(function).sets_search_path);
    function.settings = {"search_path=app, \"$user\", pg_temp"};
    CHECK(routine_of(function).search_path == std::vector<std::string>{"app", "$user", "pg_temp"});
    CHECK_FALSE(routine_of(function).sets_other);
    function.settings = {"work_mem=64MB", "role=admin"};
    CHECK(routine_of(function).sets_other);
    CHECK(routine_of(function).sets_role);
}

TEST_CASE("routine: one is parsed once, and all are forgotten beyond the bound") {
    Routines routines;
    auto function = plpgsql("BEGIN PERFORM g(); END");
    function.oid = Oid{20'000};
    const auto first = routines.of(function);
    CHECK(routines.of(function) == first);
    std::string body = "BEGIN ";
    for (int i = 0; i < 1500; ++i) body += "PERFORM g(); ";
    for (std::uint32_t i = 1; i < 40; ++i) {
        auto other = plpgsql(body + "END");
        other.oid = Oid{20'000 + i};
        CHECK(routines.of(other)->statements.size() == 1500);
    }
    CHECK(routines.of(function) != first);
    CHECK(facts(routine_of(plpgsql(body + body.substr(6) + "END"))) == "opaque: is too long");
}
