// Random reads of single rows, joins and ranges beside random writes of rows, all through warmfront; each
// read is also asked of PostgreSQL directly at the same moment, and both must answer alike. No definitions
// change, values come from a small set: nearly every read meets a kept answer, and every wrong conclusion
// about which rows a write touches shows within thousands of steps. Again with WARMFRONT_SEED=n,
// WARMFRONT_STEPS=n.
#include <algorithm>
#include <array>
#include <deque>
#include <iostream>
#include <random>
#include <span>
#include <sstream>

#include <doctest/doctest.h>

#include "proxy/wire/encode.h"
#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"
#include "tests/live/twin/random.h"

using namespace warmfront;
using namespace warmfront::test;

namespace {

constexpr std::string_view kSchema = R"(
CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('low', 'high');
CREATE TABLE a (id int PRIMARY KEY, g smallint, name text, price numeric(8,2), day date, at timestamptz,
                flag bool, code char(4), tag citext, m mood, big bigint DEFAULT 3,
                doubled int GENERATED ALWAYS AS (g * 2) STORED);
CREATE TABLE b (id serial PRIMARY KEY, a_id bigint, k varchar(5), n int, UNIQUE (a_id, k));
CREATE TABLE c (id int PRIMARY KEY REFERENCES a ON UPDATE CASCADE ON DELETE CASCADE, n int,
                parent int REFERENCES c ON DELETE SET NULL);
CREATE TABLE d (id serial PRIMARY KEY, a_id bigint REFERENCES a ON UPDATE CASCADE ON DELETE CASCADE, n int);
CREATE TABLE e (id int PRIMARY KEY, a_id int DEFAULT 3 REFERENCES a ON UPDATE SET DEFAULT ON DELETE SET NULL, n int);
CREATE TABLE p (id int, g int, v text) PARTITION BY LIST (g);
CREATE TABLE p0 PARTITION OF p FOR VALUES IN (0, 1);
CREATE TABLE p1 (v text, id int, g int);
ALTER TABLE p ATTACH PARTITION p1 DEFAULT;
CREATE TABLE base (id int, g int);
CREATE TABLE child (extra int) INHERITS (base);
CREATE VIEW va AS SELECT id, g, name FROM a WHERE g > 0;
INSERT INTO a SELECT i, i % 3, 'n' || i % 4, i * 1.5, date '2024-01-01' + i, timestamptz '2024-01-01 00:00Z' + i * interval '1h',
    i % 2 = 0, 'c' || i % 3, 'T' || i % 2, 'low' FROM generate_series(0, 7) i;
INSERT INTO b (a_id, k, n) SELECT i % 8, 'k' || i, i % 5 FROM generate_series(0, 11) i;
INSERT INTO c SELECT i, i % 3, NULL FROM generate_series(0, 4) i;
INSERT INTO d (a_id, n) SELECT i % 8, i % 3 FROM generate_series(0, 15) i;
INSERT INTO e SELECT i, i % 4, i % 3 FROM generate_series(0, 6) i;
INSERT INTO p SELECT i, i % 4, 'v' || i % 3 FROM generate_series(0, 9) i;
INSERT INTO base SELECT i, i % 3 FROM generate_series(0, 4) i;
INSERT INTO child SELECT i, i % 3, i FROM generate_series(3, 7) i;
)";

struct Value {
    std::string text;
    bool number = false;
    bool null = false;
};

// A statement with ? for each of its values.
struct Said {
    std::string text;
    std::vector<Value> values;
    std::string data = {};  // of a COPY FROM STDIN
};

struct Column {
    std::string_view table, name, type;
};
constexpr std::array kColumns{
    Column{"a", "id", "int"},        Column{"a", "g", "int"},     Column{"a", "name", "name"},
    Column{"a", "price", "num"},     Column{"a", "day", "date"},  Column{"a", "at", "at"},
    Column{"a", "flag", "bool"},     Column{"a", "code", "code"}, Column{"a", "tag", "tag"},
    Column{"a", "m", "mood"},        Column{"a", "big", "int"},   Column{"a", "doubled", "int"},
    Column{"b", "a_id", "int"},      Column{"b", "k", "k"},       Column{"b", "n", "int"},
    Column{"c", "id", "int"},        Column{"c", "n", "int"},     Column{"c", "parent", "int"},
    Column{"d", "a_id", "int"},      Column{"d", "n", "int"},     Column{"e", "id", "int"},
    Column{"e", "a_id", "int"},      Column{"e", "n", "int"},     Column{"p", "id", "int"},
    Column{"p", "g", "int"},         Column{"p", "v", "v"},       Column{"p0", "id", "int"},
    Column{"p0", "g", "int"},        Column{"p1", "g", "int"},    Column{"p1", "v", "v"},
    Column{"base", "id", "int"},     Column{"base", "g", "int"},  Column{"child", "id", "int"},
    Column{"child", "extra", "int"}, Column{"va", "id", "int"},   Column{"va", "g", "int"},
    Column{"va", "name", "name"},
};

class Generator {
public:
    explicit Generator(std::uint64_t seed) : random_(seed) {}

    Said read() {
        switch (random_.below(10)) {
            case 0:
            case 1:
            case 2: return single();
            case 3: return join();
            case 4: return nested();
            case 5: {
                auto said = single();
                const auto more = single("count(*)");
                said.text = "SELECT count(*) FROM (" + said.text + ") x UNION ALL " + more.text;
                said.values.insert(said.values.end(), more.values.begin(), more.values.end());
                return said;
            }
            default: return by_key();
        }
    }

    Said write() {
        switch (random_.below(20)) {
            case 0: return insert("a");
            case 1: return insert(std::string(pick({"b", "d", "e"})));
            case 2: return insert("p");
            case 3: return upsert();
            case 4: return update_from();
            case 5: {
                Said said;
                said.text = "DELETE FROM " +
                            std::string(pick({"a", "b", "c", "d", "e", "p", "p0", "p1", "base", "child"}));
                return with_where(std::move(said));
            }
            case 6: {
                Said said{"INSERT INTO c (id, n) SELECT id, g FROM a WHERE id = ? ON CONFLICT DO NOTHING",
                          {}};
                said.values.push_back(value("int"));
                return said;
            }
            case 7: {
                Said said{"UPDATE a SET id = ? WHERE id = ?", {}};  // cascades
                said.values = {value("int"), value("int")};
                return said;
            }
            case 8: return insert("child");
            case 9: {
                Said said{
                    "MERGE INTO p USING (VALUES (?::int, ?::int)) s(i, g) ON p.id = s.i WHEN MATCHED THEN "
                    "UPDATE SET "
                    "g = s.g WHEN NOT MATCHED THEN INSERT VALUES (s.i, s.g, 'v1')",
                    {}};
                said.values = {value("int"), value("int")};
                return said;
            }
            case 14: return copy(pick({"a", "b", "p", "p0", "child"}));
            case 10:
            case 11:
            case 12:
            case 13: {
                const Column* column = &column_of("a");
                while (column->name == "doubled") column = &column_of("a");
                Said said{"UPDATE a SET " + std::string(column->name) + " = ? WHERE id = ?", {}};
                said.values = {value(column->type), value("int")};
                return said;
            }
            case 15: {
                Said said{"DELETE FROM a WHERE id = ?", {}};
                said.values = {value("int")};
                return said;
            }
            default: return update();
        }
    }

    Random& random() { return random_; }

private:
    std::string_view pick(std::initializer_list<std::string_view> among) {
        return among.begin()[random_.below(among.size())];
    }

    // One value of each type in one of its spellings.
    Value value(std::string_view type) {
        if (random_.chance(4)) return {"", false, true};
        const auto n = random_.below(7);
        const auto text = std::to_string(n);
        if (type == "int") {
            switch (random_.below(5)) {
                case 0: return {"0" + text};
                case 1: return {" " + text};
                case 2: return {"-" + text, true};
                default: return {text, true};
            }
        }
        if (type == "num") {
            const auto half = std::to_string(n / 2) + (n % 2 == 0 ? "." : ".5");
            return {random_.chance(50) ? half + "0" : half + (half.ends_with('.') ? "0" : ""), true};
        }
        if (type == "name") return {"n" + std::to_string(n % 4) + (random_.chance(10) ? " " : "")};
        if (type == "k") return {"k" + text};
        if (type == "v") return {"v" + std::to_string(n % 3)};
        if (type == "date") return {"2024-01-0" + std::to_string(1 + n)};
        if (type == "at") {
            switch (random_.below(3)) {
                case 0: return {"2024-01-01 0" + text + ":00:00+00"};
                case 1: return {"2024-01-01 0" + std::to_string(n + 2) + ":00:00+02"};
                default: return {"2024-01-01 0" + text + ":00"};  // the session's zone
            }
        }
        if (type == "bool") return {std::string(pick({"t", "f", "true", "false", "yes", "no"}))};
        if (type == "code") return {"c" + std::to_string(n % 3) + (random_.chance(50) ? "" : "  ")};
        if (type == "tag") return {(random_.chance(50) ? "T" : "t") + std::to_string(n % 2)};
        return {std::string(pick({"low", "high"}))};
    }

    std::vector<const Column*> columns_of(std::string_view table) {
        std::vector<const Column*> found;
        for (const auto& column : kColumns)
            if (column.table == table) found.push_back(&column);
        return found;
    }
    const Column& column_of(std::string_view table) {
        const auto columns = columns_of(table);
        return *columns[random_.below(columns.size())];
    }

    std::string condition(std::string_view table, std::string_view alias, std::vector<Value>& values) {
        const Column& column = column_of(table);
        const auto name =
            std::string(alias) + std::string(alias.empty() ? "" : ".") + std::string(column.name);
        const auto add = [&] {
            values.push_back(value(column.type));
            return std::string("?");
        };
        switch (random_.below(16)) {
            case 0: return name + " IN (" + add() + ", " + add() + ")";
            case 1: return name + " BETWEEN " + add() + " AND " + add();
            case 2: return name + " < " + add();
            case 3: return add() + " <= " + name;
            case 4: return name + " IS NULL";
            case 5: return "NOT " + name + " = " + add();
            case 6: return "(" + name + " = " + add() + " OR " + name + " = " + add() + ")";
            case 7: {
                const Column& other = column_of(table);
                values.push_back(value(column.type));
                values.push_back(value(other.type));
                return "(" + name + " = ? OR " + std::string(alias) + (alias.empty() ? "" : ".") +
                       std::string(other.name) + " = ?)";
            }
            case 8: return name + " IS NOT DISTINCT FROM " + add();
            case 9: return add() + " = " + name;
            default: return name + " = " + add();
        }
    }

    Said with_where(Said said, std::string_view table = {}, std::string_view alias = {}) {
        if (table.empty()) {
            const auto from = said.text.find(said.text.starts_with("UPDATE ") ? "UPDATE " : "FROM ");
            auto rest = std::string_view(said.text).substr(from + (said.text.starts_with("UPDATE ") ? 7 : 5));
            table = rest.substr(0, rest.find(' '));
        }
        const std::string of(table);
        said.text += " WHERE " + condition(of, alias, said.values);
        while (random_.chance(30)) said.text += " AND " + condition(of, alias, said.values);
        return said;
    }

    std::string selected(std::string_view table) {
        if (random_.chance(25)) return "*";
        if (random_.chance(20)) return "count(*)";
        std::string list(column_of(table).name);
        while (random_.chance(40)) list += ", " + std::string(column_of(table).name);
        return list;
    }

    Said single(std::string_view select = {}) {
        const auto table = pick({"a", "a", "b", "c", "p", "p0", "p1", "base", "child", "va"});
        Said said;
        said.text = "SELECT " + (select.empty() ? selected(table) : std::string(select)) + " FROM " +
                    std::string(table);
        return with_where(std::move(said), table);
    }

    Said by_key() {
        struct Shape {
            std::string_view text;
            std::vector<std::string_view> types;
        };
        static const std::vector<Shape> shapes{
            {"SELECT name, price FROM a WHERE id = ?", {"int"}},
            {"SELECT name FROM a WHERE id IN (?, ?)", {"int", "int"}},
            {"SELECT g, name FROM a WHERE id = ? AND g = ?", {"int", "int"}},
            {"SELECT id, name FROM a WHERE g = ?", {"int"}},
            {"SELECT count(*) FROM a WHERE g BETWEEN ? AND ?", {"int", "int"}},
            {"SELECT id FROM a WHERE name = ?", {"name"}},
            {"SELECT id FROM a WHERE code = ?", {"code"}},
            {"SELECT id FROM a WHERE tag = ?", {"tag"}},
            {"SELECT id FROM a WHERE price = ?", {"num"}},
            {"SELECT id FROM a WHERE price < ?", {"num"}},
            {"SELECT id FROM a WHERE day = ?", {"date"}},
            {"SELECT count(*) FROM a WHERE day >= ?", {"date"}},
            {"SELECT id FROM a WHERE at = ?", {"at"}},
            {"SELECT id FROM a WHERE at > ? AND at < ?", {"at", "at"}},
            {"SELECT id FROM a WHERE flag = ?", {"bool"}},
            {"SELECT id FROM a WHERE m = ?", {"mood"}},
            {"SELECT id FROM a WHERE big = ?", {"int"}},
            {"SELECT n FROM b WHERE a_id = ?", {"int"}},
            {"SELECT n FROM b WHERE a_id = ? AND k = ?", {"int", "k"}},
            {"SELECT a.name, b.n FROM a JOIN b ON a.id = b.a_id WHERE a.id = ?", {"int"}},
            {"SELECT a.name, b.n FROM a JOIN b ON a.id = b.a_id WHERE b.a_id = ?", {"int"}},
            {"SELECT a.name, b.n FROM a LEFT JOIN b ON a.id = b.a_id AND b.n = ? WHERE a.id = ?",
             {"int", "int"}},
            {"SELECT a.id, b.n FROM a LEFT JOIN b ON a.id = b.a_id AND a.g = ?", {"int"}},
            {"SELECT a.id, b.n FROM a RIGHT JOIN b ON a.id = b.a_id AND b.n = ?", {"int"}},
            {"SELECT a.id, b.n FROM a FULL JOIN b ON a.id = b.a_id WHERE b.n = ?", {"int"}},
            {"SELECT x.id, z.n FROM a x LEFT JOIN (b y JOIN c z ON y.n = z.n AND z.id = ?) ON y.a_id = x.id",
             {"int"}},
            {"SELECT v FROM p WHERE id = ?", {"int"}},
            {"SELECT * FROM p0 WHERE id = ?", {"int"}},
            {"SELECT id FROM p0 WHERE v = ?", {"v"}},
            {"SELECT count(*) FROM p1 WHERE id = ?", {"int"}},
            {"SELECT * FROM base WHERE id = ?", {"int"}},
            {"SELECT extra FROM child WHERE id = ?", {"int"}},
            {"SELECT id FROM va WHERE id = ?", {"int"}},
            {"SELECT n, parent FROM c WHERE id = ?", {"int"}},
            {"SELECT id FROM c WHERE parent = ?", {"int"}},
            {"SELECT id, doubled FROM a WHERE doubled = ?", {"int"}},
            {"SELECT n FROM d WHERE a_id = ?", {"int"}},
            {"SELECT count(*) FROM d WHERE n = ?", {"int"}},
            {"SELECT a.name, d.n FROM a JOIN d ON a.id = d.a_id WHERE a.id = ?", {"int"}},
            {"SELECT id, n FROM e WHERE a_id = ?", {"int"}},
            {"SELECT a_id FROM e WHERE id = ?", {"int"}},
        };
        const auto& shape = random_.pick(std::span<const Shape>(shapes));
        Said said{std::string(shape.text), {}};
        for (const auto type : shape.types) said.values.push_back(value(type));
        return said;
    }

    Said join() {
        const auto kind = pick({"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"});
        const auto pair = random_.below(3);
        const std::string left = pair == 2 ? "b" : "a", right = pair == 0 ? "b" : "c";
        const std::string on = pair == 0 ? "x.id = y.a_id" : pair == 1 ? "x.id = y.id" : "x.a_id = y.id";
        Said said;
        said.text = "SELECT " +
                    std::string(random_.chance(20)   ? "*"
                                : random_.chance(30) ? "count(*)"
                                                     : "x.id, y.n") +
                    " FROM " + left + " x " + std::string(kind) + " " + right + " y ON " + on;
        // PostgreSQL has FULL JOIN for conditions that can be merged or hashed only.
        if (kind != "FULL JOIN" && random_.chance(40)) {
            const bool of_left = random_.chance(50);
            said.text += " AND " + condition(of_left ? left : right, of_left ? "x" : "y", said.values);
        }
        const bool of_left = random_.chance(60);
        said = with_where(std::move(said), of_left ? left : right, of_left ? "x" : "y");
        if (random_.chance(25))
            said.text += " AND " + condition(of_left ? right : left, of_left ? "y" : "x", said.values);
        return said;
    }

    Said nested() {
        Said said;
        switch (random_.below(5)) {
            case 0:
                said.text = "SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.a_id = a.id AND " +
                            condition("b", "b", said.values) + ")";
                said.text += " AND " + condition("a", "a", said.values);
                return said;
            case 1:
                said.text = "SELECT id, g FROM a WHERE id IN (SELECT a_id FROM b WHERE " +
                            condition("b", "", said.values) + ")";
                return said;
            case 2:
                said.text = "SELECT id, (SELECT max(n) FROM b WHERE a_id = ?) FROM a";
                said.values.push_back(value("int"));
                return with_where(std::move(said), "a");
            case 3:
                said.text = "WITH w AS (SELECT * FROM b WHERE " + condition("b", "", said.values) +
                            ") SELECT count(*) FROM w JOIN a ON a.id = w.a_id";
                return said;
            default:
                said.text =
                    "SELECT x.id FROM a x WHERE NOT EXISTS (SELECT 1 FROM a y WHERE y.g = x.g AND y.id <> "
                    "x.id AND " +
                    condition("a", "y", said.values) + ")";
                said.text += " AND " + condition("a", "x", said.values);
                return said;
        }
    }

    Said insert(const std::string& table) {
        Said said;
        std::vector<const Column*> columns;
        for (const auto* column : columns_of(table))
            if (column->name != "doubled" && (column->name == "id" || random_.chance(60)))
                columns.push_back(column);
        std::string names;
        for (const auto* column : columns) names += (names.empty() ? "" : ", ") + std::string(column->name);
        said.text = "INSERT INTO " + table + " (" + names + ") VALUES ";
        for (auto rows = 1 + random_.below(2); rows > 0; --rows) {
            std::string row;
            for (const auto* column : columns) {
                row += row.empty() ? "" : ", ";
                if (random_.chance(5)) {
                    row += "DEFAULT";
                    continue;
                }
                row += "?";
                said.values.push_back(value(column->type));
            }
            said.text += "(" + row + ")" + (rows > 1 ? ", " : "");
        }
        if (random_.chance(70)) said.text += " ON CONFLICT DO NOTHING";
        return said;
    }

    Said copy(std::string_view table) {
        Said said;
        std::vector<const Column*> columns;
        std::string names;
        for (const auto* column : columns_of(table)) {
            if (column->name == "doubled" || (column->name != "id" && random_.chance(40))) continue;
            columns.push_back(column);
            names += (names.empty() ? "" : ", ") + std::string(column->name);
        }
        said.text = "COPY " + std::string(table) + " (" + names + ") FROM STDIN";
        for (auto rows = 1 + random_.below(3); rows > 0; --rows) {
            for (const auto* column : columns) {
                const auto given = value(column->type);
                said.data += (column == columns.front() ? "" : "\t") + (given.null ? "\\N" : given.text);
            }
            said.data += "\n";
        }
        if (random_.chance(20)) said.data += "\\.\n";
        return said;
    }

    Said upsert() {
        Said said;
        said.text = "INSERT INTO a (id, g, name) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET ";
        said.values = {value("int"), value("int"), value("name")};
        if (random_.chance(30)) {
            said.text += "g = excluded.g";
        } else {
            const Column* column = &column_of("a");
            while (column->name == "doubled") column = &column_of("a");
            said.text += std::string(column->name) + " = ?";
            said.values.push_back(value(column->type));
        }
        return said;
    }

    Said update() {
        const auto table =
            pick({"a", "a", "a", "b", "b", "c", "d", "e", "p", "p0", "p1", "base", "child", "va"});
        Said said;
        said.text = "UPDATE " + std::string(table) + " SET ";
        const auto count = 1 + random_.below(2);
        std::vector<const Column*> set;
        while (set.size() < count) {
            const Column* column = &column_of(table);
            if (column->name != "doubled") set.push_back(column);
            if (set.size() == 2 && set[0] == set[1]) set.pop_back();
        }
        for (std::size_t i = 0; i < set.size(); ++i) {
            said.text += (i > 0 ? ", " : "") + std::string(set[i]->name) + " = ";
            if (set[i]->type == "int" && random_.chance(20)) {
                said.text += std::string(set[i]->name) + " + 1";
                continue;
            }
            said.text += "?";
            said.values.push_back(value(set[i]->type));
        }
        return with_where(std::move(said), table);
    }

    Said update_from() {
        Said said{"UPDATE b SET n = a.g FROM a WHERE b.a_id = a.id AND ", {}};
        const bool of_a = random_.chance(50);
        said.text += condition(of_a ? "a" : "b", of_a ? "a" : "b", said.values);
        return said;
    }

    Random random_;
};

std::string literal(const Value& value) {
    if (value.null) return "NULL";
    if (value.number) return value.text;
    return "'" + value.text + "'";
}

std::string inline_text(const Said& said) {
    std::string text;
    std::size_t next = 0;
    for (const char c : said.text) {
        if (c == '?')
            text += literal(said.values[next++]);
        else
            text += c;
    }
    return text;
}

std::string numbered(const Said& said) {
    std::string text;
    int next = 0;
    for (const char c : said.text) text += c == '?' ? "$" + std::to_string(++next) : std::string(1, c);
    return text;
}

// Rows, sorted, or the SQLSTATE.
std::string answer_of(const Messages& messages) {
    const auto sqlstate = sqlstate_of(messages);
    if (!sqlstate.empty()) return "error " + sqlstate;
    std::istringstream lines(rows_of(messages));
    std::vector<std::string> rows;
    for (std::string line; std::getline(lines, line);) rows.push_back(line);
    std::ranges::sort(rows);
    std::string sorted = tag_of(messages) + "\n";
    for (const auto& row : rows) sorted += row + "\n";
    return sorted;
}

class Speaker {
public:
    explicit Speaker(std::uint16_t port) : client_(must(RawClient::connect({.port = port}))) {}

    std::string simple(const std::string& sql) { return answer_of(must(client_.query(sql))); }
    std::string extended(const Said& said, const std::string& name) {
        std::string bytes;
        const auto sql = numbered(said);
        const bool known = !name.empty() && std::ranges::find(prepared_, sql) != prepared_.end();
        if (!known) wire::append_parse(bytes, name, sql, {});
        std::vector<std::optional<std::string_view>> values;
        for (const auto& value : said.values)
            values.push_back(value.null ? std::nullopt : std::optional<std::string_view>(value.text));
        wire::append_bind(bytes, "", name, {}, values, {});
        wire::append_describe(bytes, 'P', "");
        wire::append_execute(bytes, "", 0);
        wire::append_sync(bytes);
        must(client_.send(bytes));
        auto answer = must(client_.receive_until_ready());
        const bool parsed = answer.front().type == '1';
        if (!name.empty() && !known && parsed) prepared_.push_back(sql);
        return answer_of(answer);
    }
    std::string said(const Said& said, std::uint64_t style) {
        if (!said.data.empty()) return copied(said, style);
        if (style % 3 == 0) return simple(inline_text(said));
        if (style % 3 == 1) return extended(said, "");
        const auto sql = numbered(said);
        const auto found = std::ranges::find(names_, sql);
        if (found == names_.end() && names_.size() < 500) names_.push_back(sql);
        const auto place = std::ranges::find(names_, sql) - names_.begin();
        return extended(said,
                        found == names_.end() && names_.size() == 500 ? "" : "s" + std::to_string(place));
    }

private:
    std::string copied(const Said& said, std::uint64_t style) {
        std::string bytes;
        wire::append_query(bytes, said.text);
        const auto half = style % 3 == 0 ? 0 : said.data.size() / 2;
        wire::append_copy_data(bytes, std::string_view(said.data).substr(0, half));
        wire::append_copy_data(bytes, std::string_view(said.data).substr(half));
        wire::append_copy_done(bytes);
        must(client_.send(bytes));
        return answer_of(must(client_.receive_until_ready()));
    }

    RawClient client_;
    std::vector<std::string> names_, prepared_;
};

}  // namespace

TEST_CASE("rows: whatever rows are written, reads answer as PostgreSQL does") {
    const PostgresServer server({.settings = {"autovacuum=off"}});
    server.sql(kSchema);
    const WarmfrontProcess warmfront(server, {.settings = "cache: {ttl: 1h}\n"});
    const auto seed = number_from("WARMFRONT_SEED", std::random_device{}());
    const auto steps = number_from("WARMFRONT_STEPS", long_form() ? 600'000 : 40'000);
    std::cout << "rows: WARMFRONT_SEED=" << seed << " WARMFRONT_STEPS=" << steps << std::endl;
    Generator generator(seed);
    Speaker direct(server.port()), reader(warmfront.port()), writer(warmfront.port());
    std::deque<Said> asked;  // to be asked again
    std::deque<std::string> story;
    const auto tell = [&](std::string line) {
        story.push_back(std::move(line));
        if (story.size() > 40) story.pop_front();
    };
    std::uint64_t reads = 0;
    for (std::uint64_t step = 0; step < steps; ++step) {
        Random& random = generator.random();
        if (random.chance(12)) {
            const auto write = generator.write();
            // In a block both speakers would see different things, so nothing is read until it ends.
            const bool block = random.chance(15);
            const auto style = random.below(3);
            if (block) (void)writer.simple("BEGIN");
            const auto outcome = writer.said(write, style);
            tell(std::to_string(step) + (block ? " in a block: " : ": ") + inline_text(write) + " -> " +
                 write.data + outcome.substr(0, 20));
            if (block) (void)writer.simple(random.chance(60) ? "COMMIT" : "ROLLBACK");
            continue;
        }
        if (asked.size() < 40 || random.chance(2)) {
            asked.push_back(generator.read());
            if (asked.size() > 40) asked.pop_front();
        }
        const auto& read = asked[random.below(asked.size())];
        const auto style = random.below(3);
        ++reads;
        const auto through = reader.said(read, style);
        const auto expected = direct.said(read, style);
        std::string told;
        if (through != expected)
            for (const auto& line : story) told += line + "\n";
        INFO("step ", step, " style ", style, ": ", inline_text(read), "\n", told);
        REQUIRE(through == expected);
    }
    if (direct_mode()) return;
    const auto hits = warmfront.metrics().sum(kHitsMetric);
    std::cout << "rows: " << reads << " reads, " << hits << " hits" << std::endl;
    CHECK(hits > 0.2 * static_cast<double>(reads));
}
