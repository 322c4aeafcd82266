#include "sql/tokenizer.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

using namespace std::string_literals;
using warmfront::sql::may_mean_now;
using warmfront::sql::normalize;
using warmfront::sql::NormalizeOptions;

namespace {

std::vector<std::string> split(const std::string& literals) {
    std::vector<std::string> texts;
    for (std::size_t at = 0; at < literals.size();) {
        std::uint32_t length = 0;
        REQUIRE(at + sizeof length <= literals.size());
        std::memcpy(&length, literals.data() + at, sizeof length);
        REQUIRE(at + sizeof length + length <= literals.size());
        texts.push_back(literals.substr(at + sizeof length, length));
        at += sizeof length + length;
    }
    return texts;
}

// "template|literal|literal" with the placeholders shown as # and @, or "refused".
std::string cut(std::string_view sql, NormalizeOptions options = {}) {
    std::string text;
    std::string literals;
    if (!normalize(sql, options, text, literals)) return "refused";
    for (char& c : text) {
        if (c == warmfront::sql::kNumberPlaceholder) c = '#';
        if (c == warmfront::sql::kStringPlaceholder) c = '@';
    }
    for (const std::string& literal : split(literals)) text += "|" + literal;
    return text;
}

std::string put_back(const std::string& text, const std::string& literals) {
    const std::vector<std::string> texts = split(literals);
    std::size_t next = 0;
    std::string sql;
    for (const char c : text) {
        if (c == warmfront::sql::kNumberPlaceholder || c == warmfront::sql::kStringPlaceholder) {
            REQUIRE(next < texts.size());
            sql += texts[next++];
        } else {
            sql += c;
        }
    }
    CHECK(next == texts.size());
    return sql;
}

struct Row {
    std::string_view sql;
    std::string_view yields;
};

void check(const std::vector<Row>& rows, NormalizeOptions options = {}) {
    for (const auto& [sql, yields] : rows) {
        CAPTURE(sql);
        CHECK(cut(sql, options) == yields);
    }
}

// Statements whose tokens, gaps and quotes touch each other in every way that PostgreSQL's lexer knows.
constexpr std::array kCorpus = {
    R"(SELECT a, "B c" FROM t1 WHERE id = 42 AND s = 'it''s' LIMIT 10)",
    R"(select E'a\'b', U&'d\0061' UESCAPE '!', B'01', X'1f', N'n', $$x$$, $t$ $x$ $t$ from t)",
    "select 'a'\n'b', e'a'\n 'b\\'c' -- tail\n",
    "select 'a'-- one\n-- two\n'b' /* three /* four */ */ , 1..2, .5, 1.e5, 1e-3, a.1",
    "select -1, - 1, a--1\n- 1, a->>'b', a@-1, 5::int, $1, $2::text, a$1, t1",
    "/* warmfront: off */ select 1 -- warmfront: ttl=5s\n, 2",
    R"(select U&"d\0061" uescape '!', 'x' from "we""ird")",
    "explain (analyze 'on', costs 0) select 1",
    "insert into t values (1, 'a', null, e'\\\\'), (2, 'b', true, '')",
    "select * from \xc3\xa9t\xc3\xa9 where n = 'caf\xc3\xa9'",
};

}  // namespace

TEST_CASE("tokenizer: numbers and strings are cut out, all else stays as written") {
    check({
        {"SELECT a FROM t WHERE id = 42 AND s = 'x'", "SELECT a FROM t WHERE id = # AND s = @|42|'x'"},
        {"", ""},
        {";", ";"},
        {"SELECT 1;SELECT 2", "SELECT #;SELECT #|1|2"},
        {"select Abc, \"Abc\" FROM \"T 1\"", "select Abc, \"Abc\" FROM \"T 1\""},
        {"select * from \"we\"\"ird\" where \"it's\" = 'x'",
         "select * from \"we\"\"ird\" where \"it's\" = @|'x'"},
        {"SET application_name TO 'psql'", "SET application_name TO @|'psql'"},
        {"SET search_path = a, \"B\"", "SET search_path = a, \"B\""},
        {"COPY t FROM '/tmp/x'", "COPY t FROM @|'/tmp/x'"},
        {"DO 'begin end'", "DO 'begin end'"},  // the code of a block is part of its template
        {"select 1;\n do $$begin end$$", "select #; do $$begin end$$|1"},
        {"/* warmfront: off */ DO 'x'", "/* warmfront: off */ DO 'x'"},
        {"-- warmfront: off\nDO 'x'", "-- warmfront: off\nDO 'x'"},
        {"/* no hint */ -- nor this\nDO 'x'", "DO 'x'"},
        {"INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING RETURNING 1",
         "INSERT INTO t VALUES (#) ON CONFLICT DO NOTHING RETURNING #|1|1"},
        {"INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 1",
         "INSERT INTO t VALUES (#) ON CONFLICT (a) DO UPDATE SET a = #|1|1"},
        {"INSERT INTO t VALUES (1) ON CONFLICT ON CONSTRAINT \"c\" DO UPDATE SET a = 1",
         "INSERT INTO t VALUES (#) ON CONFLICT ON CONSTRAINT \"c\" DO UPDATE SET a = #|1|1"},
        {"INSERT INTO t VALUES (1) ON CONFLICT (a) WHERE b = 'x' DO UPDATE SET a = 1",
         "INSERT INTO t VALUES (#) ON CONFLICT (a) WHERE b = @ DO UPDATE SET a = #|1|'x'|1"},
        {"LISTEN ch", "LISTEN ch"},
        {"SELECT set_config('search_path', 'x', false)", "SELECT set_config(@, @, false)|'search_path'|'x'"},
        {"SELECT nextval('s'), 'x'::regclass", "SELECT nextval(@), @::regclass|'s'|'x'"},
        {"SELECT date '2020-01-01'", "SELECT date @|'2020-01-01'"},
        {"SELECT a[1:2]", "SELECT a[#:#]|1|2"},
        {"f(a:=1)", "f(a:=#)|1"},
    });
}

TEST_CASE("tokenizer: numbers end where PostgreSQL's end") {
    check({
        {"0", "#|0"},
        {"007", "#|007"},
        {"1.5", "#|1.5"},
        {".5", "#|.5"},
        {"1.", "#|1."},
        {"1.e5", "#|1.e5"},
        {"1e10", "#|1e10"},
        {"1E-10", "#|1E-10"},
        {"1e+1", "#|1e+1"},
        {".5e1", "#|.5e1"},
        {"1e", "#e|1"},
        {"1e+", "#e+|1"},
        {"1e-x", "#e-x|1"},
        {"1..2", "#..#|1|2"},
        {"1...2", "#..#|1|.2"},
        {"1.5.6", "##|1.5|.6"},
        {"a.1", "a#|.1"},
        {"a.b", "a.b"},
        {"0x1F", "#x1F|0"},  // an alias before PostgreSQL 15, a number since 16
        {"1_000", "#_000|1"},
        {"0b1", "#b1|0"},
        {"1a", "#a|1"},
        {"t1", "t1"},
        {"a$1", "a$1"},
        {"_1", "_1"},
        {"\xc3\xa9"
         "1",
         "\xc3\xa9"
         "1"},
        {"$1", "$1"},
        {"$12", "$12"},
        {"$1.5", "$1#|.5"},
        {"$1a", "$1a"},
        {"-1", "-#|1"},
        {"- 1", "- #|1"},
        {"1-1", "#-#|1|1"},
        {"5::int", "#::int|5"},
    });
}

TEST_CASE("tokenizer: every kind of string is one literal with its prefix and quotes") {
    check({
        {"''", "@|''"},
        {"'it''s'", "@|'it''s'"},
        {"''''", "@|''''"},
        {R"('a\')", R"(@|'a\')"},
        {R"(E'a\'b')", R"(@|E'a\'b')"},
        {R"(e'\\')", R"(@|e'\\')"},
        {R"(e'\\''x')", R"(@|e'\\''x')"},
        {"E'it''s'", "@|E'it''s'"},
        {"ae'x'", "ae@|'x'"},
        {"e 'x'", "e @|'x'"},
        {"1e'x\\'y'", "#@|1|e'x\\'y'"},
        {"B'01'", "@|B'01'"},
        {"b'01'", "@|b'01'"},
        {"X'1f'", "@|X'1f'"},
        {"N'x'", "@|N'x'"},
        {R"(U&'d\0061t')", R"(@|U&'d\0061t')"},
        {"u&'d!0061' uescape '!'", "@ uescape @|u&'d!0061'|'!'"},
        {"u & 'x'", "u & @|'x'"},
        {"u&1", "u&#|1"},
        {"su&'x'", "su&@|'x'"},
        {"$$it's$$", "@|$$it's$$"},
        {"$a$ $$ $b$ $a $a$", "@|$a$ $$ $b$ $a $a$"},
        {"$a$ $b$a$", "@|$a$ $b$a$"},
        {"$_x1$$_x1$", "@|$_x1$$_x1$"},
        {"$\xc3\xa9$x$\xc3\xa9$", "@|$\xc3\xa9$x$\xc3\xa9$"},
        {"a$b$c$b$", "a$b$c$b$"},
        {"1$a$x$a$", "#@|1|$a$x$a$"},
        {"$1$$x$$", "$1@|$$x$$"},
        {"$ $", "$ $"},
        {"$a b", "$a b"},
        {"'a'b", "@b|'a'"},
        {"'--'", "@|'--'"},
        {"'/*'", "@|'/*'"},
        {"'a\nb\t\1\2'", "@|'a\nb\t\1\2'"},
    });
}

TEST_CASE("tokenizer: a string continued on the next line stays one string, and only such a one") {
    check({
        {"'a' 'b'", "@ @|'a'|'b'"},
        {"'a'\n'b'", "@|'a'\n'b'"},
        {"'a'\r'b'", "@|'a'\n'b'"},
        {"'a' \t\n\n  'b'", "@|'a'\n'b'"},
        {"'a' -- c\n 'b' -- d\n -- e\n'c'", "@|'a'\n'b'\n'c'"},
        {"'a' -- c\n", "@|'a'"},
        {"'a' /* c */\n 'b'", "@ @|'a'|'b'"},
        {"'a'\n/* c */ 'b'", "@ @|'a'|'b'"},
        {"'a'\nb", "@ b|'a'"},
        {"'a'\nE'b'", "@ @|'a'|E'b'"},
        {"E'a'\n'b\\'c'", "@|E'a'\n'b\\'c'"},
        {"'a'\n'b\\'c", "@c|'a'\n'b\\'"},
        {"U&'a'\n'b'", "@|U&'a'\n'b'"},
        {"X'1'\n'2'", "@|X'1'\n'2'"},
        {"$$a$$\n$$b$$", "@ @|$$a$$|$$b$$"},
        {"$$a$$\n'b'", "@ @|$$a$$|'b'"},
        {"\"a\"\n\"b\"", "\"a\" \"b\""},
        {"'a'\n'b", "refused"},
    });
}

TEST_CASE("tokenizer: white space becomes one blank and joins nothing") {
    check({
        {"  a  b\t\n\r\f c  ", "a b c"},
        {"a\nb", "a b"},
        {"a - -1", "a - -#|1"},
        {"a+ +b", "a+ +b"},
        {"a < = b", "a < = b"},
        {": :int", ": :int"},
        {"'a' ", "@|'a'"},
        {" ", ""},
        {"\n", ""},
        {"1 2", "# #|1|2"},
        {"1 .5", "# #|1|.5"},
        {"1 . 5", "# . #|1|5"},
        {"\"a  b\"  c", "\"a  b\" c"},
    });
}

TEST_CASE("tokenizer: comments are dropped and leave a blank") {
    check({
        {"a--1", "a"},
        {"a--1\n-1", "a -#|1"},
        {"a--b\rc", "a c"},
        {"a/**/b", "a b"},
        {"a /* x */ b", "a b"},
        {"a/* /* */ */b", "a b"},
        {"a/* /*/ */ */ b", "a b"},
        {"a/***/b", "a b"},
        {"a/*/*/b*/*/c", "a c"},
        {"a/* ' \" $$ */b", "a b"},
        {"a -- ' \n b", "a b"},
        {"/* x */", ""},
        {"-- x", ""},
        {"--", ""},
        {"-- x\na", "a"},
        {"a/b", "a/b"},
        {"a*/b", "a*/b"},
        {"a@-b", "a@-b"},
        {"a@--b", "a@"},
        {"a*/*b*/c", "a* c"},
        {"a//*b*/c", "a/ c"},
        {"a-/*b*/-c", "a- -c"},
        {"a->'b'", "a->@|'b'"},
        {"a#>>'{a,1}'", "a#>>@|'{a,1}'"},
        {"a?b", "a?b"},
        {"/*/", "refused"},
        {"/* /* */", "refused"},
        {"/*", "refused"},
    });
}

TEST_CASE("tokenizer: hints stay") {
    check({
        {"/* warmfront: off */ SELECT 1", "/* warmfront: off */ SELECT #|1"},
        {"/*warmfront:ttl=5s*/SELECT 1", "/*warmfront:ttl=5s*/SELECT #|1"},
        {"  SELECT 1  /* warmfront: off */  ", "SELECT # /* warmfront: off */|1"},
        {"SELECT/* warmfront: off */1", "SELECT/* warmfront: off */#|1"},
        {"SELECT -- warmfront: off\n 1", "SELECT -- warmfront: off\n #|1"},
        {"SELECT 1 -- warmfront: off", "SELECT # -- warmfront: off|1"},
        {"/* about warmfront: x */ a", "a"},
        {"/* Warmfront: off */ a", "a"},
        {"/* x */ /* warmfront: off */ /* y */ a", "/* warmfront: off */ a"},
        {"/* warmfront: a /* b */ c */ a", "/* warmfront: a /* b */ c */ a"},
        {"'a' -- warmfront: off\n 'b'", "refused"},
        {"'a'\n -- warmfront: off\n 'b'", "refused"},
        {"'a' /* x */ -- warmfront: off\n 'b'", "refused"},
        {"'a' -- warmfront: off\n , 'b'", "@ -- warmfront: off\n , @|'a'|'b'"},
        {"'a' /* warmfront: off */\n 'b'", "@ /* warmfront: off */ @|'a'|'b'"},
        {"/* warmfront: \1 */ a", "refused"},
    });
}

TEST_CASE("tokenizer: where a literal makes a name or a kind, it stays in the template") {
    check({
        {"EXPLAIN (ANALYZE 1) DELETE FROM t WHERE a = 'x'",
         "EXPLAIN (ANALYZE 1) DELETE FROM t WHERE a = 'x'"},
        {"SELECT 1; explain (analyze 'off', buffers $$on$$) select 2",
         "SELECT #; explain (analyze 'off', buffers $$on$$) select 2|1"},
        {"explain select 'a'\n  'b'", "explain select 'a'\n'b'"},
        {"SELECT explained, 1", "SELECT explained, #|1"},
        {R"(SELECT 1, U&"d!0061" UESCAPE '!', 2)", R"(SELECT #, U&"d!0061" UESCAPE '!', 2|1)"},
        {"explain select '\1'", "refused"},
        {"explain select '\2'\n''", "refused"},
        {"explain select 'a'\n'b", "refused"},
    });
}

TEST_CASE("tokenizer: what cannot be cut soundly is refused") {
    check({
        {"'", "refused"},
        {"'a''", "refused"},
        {"E'\\'", "refused"},
        {"E'\\", "refused"},
        {"\"a", "refused"},
        {"\"", "refused"},
        {"\"a\"\"", "refused"},
        {"$$a", "refused"},
        {"$a$ $b$", "refused"},
        {"$a$ $A$", "refused"},
        {"\1", "refused"},
        {"a \2", "refused"},
        {"\"\1\"", "refused"},
        {"a\vb", "refused"},
        {"a \v b", "refused"},
        {std::string_view("a\0b", 3), "refused"},
        {std::string_view("'\0'", 3), "refused"},
    });
}

TEST_CASE("tokenizer: without standard_conforming_strings a backslash in a plain string is refused") {
    check(
        {
            {R"('a\'b')", "refused"},
            {R"('a\\')", "refused"},
            {R"(N'a\\')", "refused"},
            {R"('a' 'b\'')", "refused"},
            {"'a'\n'b\\\\'", "refused"},
            {R"(E'a\'b')", R"(@|E'a\'b')"},
            {R"($$a\$$)", R"(@|$$a\$$)"},
            {R"("a\")", R"("a\")"},
            {"'ab'", "@|'ab'"},
        },
        {.standard_conforming_strings = false});
}

TEST_CASE("tokenizer: in an encoding that is not safe only ASCII is cut") {
    const NormalizeOptions sjis{.ascii_safe_encoding = false};
    CHECK(cut("SELECT 'x'", sjis) == "SELECT @|'x'");
    CHECK(cut("SELECT E'\x83\x5c'", sjis) == "refused");  // one character whose second byte is a backslash
    CHECK(cut("SELECT \x83\x40", sjis) == "refused");
}

TEST_CASE("tokenizer: the former contents of the buffers do not matter") {
    std::string text = "old";
    std::string literals = "old";
    REQUIRE(normalize("a 1", {}, text, literals));
    CHECK(text == "a \1");
    CHECK(split(literals) == std::vector{"1"s});
}

// Every mutation of the corpus: it may be refused, but what is cut must come back as a statement that is cut
// alike, and no two different statements (as put back) may share template and literals.
TEST_CASE("tokenizer: putting the literals back gives the same statement again, under any mutation") {
    std::vector<std::string> statements;
    const std::string_view bytes("'\"$-/*\\\n\r\t 1e.Eu&a_@\0\1\2\x80", 25);
    for (const std::string statement : kCorpus) {
        statements.push_back(statement);
        for (std::size_t at = 0; at < statement.size(); ++at) {
            statements.push_back(statement.substr(0, at));
            statements.push_back(statement.substr(at));
            for (const char byte : bytes) {
                statements.push_back(statement);
                statements.back()[at] = byte;
                statements.push_back(statement);
                statements.back().insert(at, 1, byte);
            }
        }
    }
    std::size_t cuts = 0;
    std::map<std::pair<std::string, std::string>, std::string> seen;
    for (const std::string& statement : statements) {
        for (const bool conforming : {true, false}) {
            std::string text, literals, again_text, again_literals;
            const NormalizeOptions options{.standard_conforming_strings = conforming};
            if (!normalize(statement, options, text, literals)) continue;
            ++cuts;
            CAPTURE(statement);
            const std::string back = put_back(text, literals);
            REQUIRE(normalize(back, options, again_text, again_literals));
            REQUIRE(again_text == text);
            REQUIRE(again_literals == literals);
            REQUIRE(seen.try_emplace({text, literals}, back).first->second == back);
        }
    }
    CHECK(cuts > statements.size() / 2);
}

TEST_CASE("tokenizer: random bytes from the lexer's own alphabet neither crash nor break the round trip") {
    std::mt19937 random(20240229);
    const std::string_view alphabet = "'''\"\"$$$--//**\\\n\r\t  1290.eEuU&xXbBnN_aq@+<>=:;,()[]{}\xc3";
    for (int round = 0; round < 50'000; ++round) {
        std::string statement;
        for (std::size_t length = random() % 24; length > 0; --length)
            statement += alphabet[random() % alphabet.size()];
        std::string text, literals, again_text, again_literals;
        if (!normalize(statement, {}, text, literals)) continue;
        CAPTURE(statement);
        REQUIRE(normalize(put_back(text, literals), {}, again_text, again_literals));
        REQUIRE(again_text == text);
        REQUIRE(again_literals == literals);
    }
}

TEST_CASE("tokenizer: a constant that may name the present moment is recognised") {
    for (const std::string_view text : {"now",
                                        "NOW",
                                        "today",
                                        "Tomorrow",
                                        "yesterday",
                                        "'now'",
                                        "'now'::timestamp",
                                        "E'now'",
                                        "N'now'",
                                        "$$now$$",
                                        "$x$today$x$",
                                        " now ",
                                        "now()",
                                        "2020now1",
                                        "1now",
                                        "now_",
                                        "monday'now",
                                        "mon''now",
                                        "{now}",
                                        "{1,today}",
                                        R"({"now"})",
                                        R"({"n\ow"})",
                                        R"((n"o"w))",
                                        R"((n""ow))",
                                        R"([now,tomorrow))",
                                        R"(E'n\ow')",
                                        R"(e'\nnow')",
                                        R"(e'\ttoday')",
                                        "'no'\n'w'",
                                        "e'mon''n\\ow'",
                                        "e'to'\n'day'",
                                        R"({"a":"now"})",
                                        R"("\u006eow")",
                                        R"(E'\x6eow')",
                                        R"(e'\156ow')",
                                        R"(E'\u006eow')",
                                        R"(U&'\006eow')",
                                        "u&'!006eow' uescape '!'",
                                        "now\xc3\xa9"}) {
        CAPTURE(text);
        CHECK(may_mean_now(text));
    }
    std::string sequence;
    std::string text;
    REQUIRE(normalize("select 1, 'x', 'tomorrow'", {}, text, sequence));
    CHECK(may_mean_now(sequence));
}

TEST_CASE("tokenizer: other constants are not taken for the present moment") {
    for (const std::string_view text : {"",
                                        "1",
                                        "'x'",
                                        "known",
                                        "'snow'",
                                        "nowhere",
                                        "todays",
                                        "anow",
                                        "holds'",
                                        "no w",
                                        "no\nw",
                                        "no-w",
                                        "to day",
                                        R"('\xdeadbeef')",
                                        R"('\d+\s')",
                                        R"('C:\tmp\x')",
                                        "'epoch'",
                                        "'infinity'",
                                        "'2020-01-01'",
                                        "n",
                                        "no",
                                        "'no'",
                                        "yesterda",
                                        "tomorro",
                                        "e'",
                                        "E'x'",
                                        R"(E'\n\t\\')"}) {
        CAPTURE(text);
        CHECK_FALSE(may_mean_now(text));
    }
    std::string sequence;
    std::string text;
    REQUIRE(normalize("select 1, 'no', 'w', 'abce', '\\xab'", {}, text, sequence));
    CHECK_FALSE(may_mean_now(sequence));
}
