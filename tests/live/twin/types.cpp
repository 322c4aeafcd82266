// One table with a column of nearly every type. Its predicates and the values it is given are spelled in many
// ways (domains.cpp), joined and nested: which rows a write touches is a question of types.
#include "tests/live/twin/patterns.h"

namespace warmfront::test {

static constexpr std::string_view kSchema = R"sql(
CREATE EXTENSION citext;
CREATE COLLATION nocase (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
CREATE TABLE typed (
    id int PRIMARY KEY, s smallint DEFAULT 3, b bigint DEFAULT 2, n numeric DEFAULT 1.50, n2 numeric(8,2) DEFAULT 2,
    f float8 DEFAULT 0.1, f4 float4 DEFAULT 0.1, c char(4) DEFAULT 'c1', vc varchar(6) DEFAULT 'c1', t text DEFAULT 'c2',
    ci citext DEFAULT 'Red', ic text COLLATE nocase DEFAULT 'red', d date DEFAULT '2024-03-31',
    at timestamptz DEFAULT '2024-03-31 00:30+00', ts timestamp DEFAULT '2024-03-31 00:30', dur interval DEFAULT '1 day',
    u uuid DEFAULT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', m mood DEFAULT 'ok', flag bool DEFAULT true,
    bytes bytea DEFAULT '\x00', ip inet DEFAULT '10.0.0.1', arr int[] DEFAULT '{1,2}', words text[] DEFAULT '{a,b}',
    j jsonb DEFAULT '{"a": 1}', dom positive DEFAULT 1, r int4range DEFAULT '[1,4)', bits varbit DEFAULT '101',
    twos int GENERATED ALWAYS AS (s * 2) STORED);
INSERT INTO typed (id, s, b, flag) SELECT g, g % 4, (7 - g) % 5, g % 2 = 0 FROM generate_series(0, 7) g;
CREATE INDEX ON typed (s);
CREATE VIEW typed_view AS SELECT id, s, b, c, flag FROM typed WHERE flag;
GRANT SELECT ON typed, typed_view TO alice;
GRANT SELECT, INSERT, UPDATE, DELETE ON typed, typed_view TO bob;
)sql";

static constexpr std::string_view kContents[] = {"SELECT * FROM typed ORDER BY id"};

static constexpr Pattern kReads[] = {
    {60, Kind::Read, "SELECT id FROM typed WHERE [typed_where] ORDER BY id"},
    {20, Kind::Read, "SELECT count(*) FROM typed WHERE [typed_where]"},
    {14, Kind::Read, "SELECT [typed_columns] FROM typed WHERE id = {key}"},
    {6, Kind::Read, "SELECT * FROM typed WHERE id = {key_spelled}"},
    {14, Kind::Read, "SELECT s FROM typed WHERE [typed_where] AND [typed_where] ORDER BY id"},
    {6, Kind::Read, "SELECT id FROM typed WHERE ([typed_where]) OR ([typed_where]) ORDER BY id"},
    {3, Kind::Read, "SELECT id FROM typed WHERE NOT ([typed_where]) ORDER BY id"},
    {12, Kind::Read,
     "SELECT x.id, y.id, y.s FROM typed x [join] typed y ON [join_on] WHERE [join_where] ORDER BY x.id, "
     "y.id"},
    {4, Kind::Read, "SELECT count(*), sum(y.b) FROM typed x [join] typed y ON [join_on] AND [join_where]"},
    {4, Kind::Read,
     "SELECT id FROM authors a WHERE a.id IN (SELECT s FROM typed WHERE [typed_where]) ORDER BY id"},
    {3, Kind::Read,
     "SELECT id FROM authors WHERE NOT EXISTS (SELECT FROM typed WHERE typed.s = authors.id AND "
     "([typed_where])) ORDER BY id"},
    {4, Kind::Read,
     "SELECT count(*) FROM (SELECT id FROM typed WHERE [typed_where] UNION ALL SELECT s FROM typed WHERE "
     "[typed_where]) z"},
    {3, Kind::Read,
     "WITH z AS (SELECT * FROM typed WHERE [typed_where]) SELECT z.id FROM z WHERE z.s = {key} ORDER BY "
     "z.id"},
    {3, Kind::Read,
     "SELECT a.name, t.s FROM authors a LEFT JOIN typed t ON t.id = a.id AND t.s = {key} WHERE a.id = {key}"},
    {3, Kind::Read,
     "SELECT s, count(*) FROM typed WHERE [typed_where] GROUP BY s HAVING count(*) > 1 ORDER BY s"},
    {3, Kind::Read, "SELECT id, s, b FROM typed_view WHERE s = {key} ORDER BY id"},
    {2, Kind::Read, "SELECT DISTINCT ON (s) s, id FROM typed WHERE b = {key} ORDER BY s, id"},
    {2, Kind::Read, "SELECT id FROM typed WHERE s = {key} ORDER BY b DESC, id FETCH FIRST 2 ROWS WITH TIES"},
    {2, Kind::Read, "SELECT max(at), min(d), avg(n)::numeric(9,4) FROM typed WHERE s = {key}"},
    {2, Kind::Read,
     "SELECT id, sum(s) OVER (ORDER BY id ROWS 1 PRECEDING) FROM typed WHERE b > {key} ORDER BY id"},
    {2, Kind::Read,
     "SELECT flag, s, count(*) FROM typed GROUP BY GROUPING SETS ((flag), (s), ()) ORDER BY 1, 2, 3"},
    {2, Kind::Read,
     "SELECT v.k, t.id FROM (VALUES ({key}::int), ({key})) v(k) LEFT JOIN typed t ON t.s = v.k ORDER BY 1, "
     "2"},
    {2, Kind::Read, "SELECT e, count(*) FROM typed, unnest(arr) e WHERE s = {key} GROUP BY e ORDER BY e"},
};

static constexpr Pattern kWrites[] = {
    {24, Kind::Write, "UPDATE typed SET [typed_set] WHERE id = {key}"},
    {8, Kind::Write, "UPDATE typed SET [typed_set] WHERE id = {key} RETURNING id, s, b, c, twos"},
    {10, Kind::Write, "UPDATE typed SET [typed_set] WHERE s = {key} AND id <> 0"},
    {6, Kind::Write, "UPDATE typed SET b = {key} WHERE [typed_where]"},
    {4, Kind::Write, "UPDATE typed SET t = {code_text} WHERE [typed_where]"},
    {4, Kind::Write, "UPDATE typed SET s = {key} WHERE id = {key_spelled}"},
    {8, Kind::Write, "INSERT INTO typed (id, s, b) VALUES ({key}, {key}, {key}) ON CONFLICT DO NOTHING"},
    {5, Kind::Write,
     "INSERT INTO typed (id, s, c, at, ci) VALUES ({key}, {key}, {code}, {instant}, {tag}) ON CONFLICT (id) "
     "DO UPDATE "
     "SET s = EXCLUDED.s, c = EXCLUDED.c, at = EXCLUDED.at"},
    {3, Kind::Write,
     "INSERT INTO typed (id) VALUES ({key_spelled}) ON CONFLICT (id) DO UPDATE SET [typed_set]"},
    {5, Kind::Write, "DELETE FROM typed WHERE id = {key}"},
    {2, Kind::Write, "DELETE FROM typed WHERE [typed_where]"},
    {4, Kind::Write,
     "INSERT INTO typed (id, s, b, flag) SELECT g, g % 4, g % 5, g % 2 = 0 FROM generate_series(0, 7) g ON "
     "CONFLICT "
     "DO NOTHING"},
    {3, Kind::Write, "UPDATE typed x SET s = a.home FROM authors a WHERE a.id = x.id AND a.id = {key}"},
    {3, Kind::Write,
     "MERGE INTO typed USING (VALUES ({key}::int, {key}::int)) v(i, k) ON typed.id = v.i WHEN MATCHED THEN "
     "UPDATE SET s "
     "= v.k WHEN NOT MATCHED THEN INSERT (id, s) VALUES (v.i, v.k)"},
    {2, Kind::Write, "UPDATE typed_view SET s = {key} WHERE id = {key}"},
    {1, Kind::Write, "COPY typed (id, s, c) FROM STDIN<<<{key}\t{key}\tc3\n"},
    {1, Kind::Write,
     "DO $$BEGIN UPDATE typed SET s = 1 WHERE id = 2; EXECUTE 'UPDATE typed SET b = 1 WHERE s = 1'; END$$"},
};

static constexpr Pattern kDefinitions[] = {
    {1, Kind::Definition, "ALTER TABLE typed ALTER COLUMN vc TYPE text"},
    {1, Kind::Definition, "ALTER TABLE typed ALTER COLUMN vc TYPE varchar(6) USING left(vc, 6)"},
    {1, Kind::Definition, "ALTER TABLE typed ALTER COLUMN ic TYPE text COLLATE \"C\""},
    {1, Kind::Definition, "ALTER TABLE typed ALTER COLUMN ic TYPE text COLLATE nocase"},
    {1, Kind::Definition, "ALTER TABLE typed ALTER COLUMN t TYPE citext"},
    {1, Kind::Definition, "ALTER TABLE typed ALTER COLUMN t TYPE text"},
    {1, Kind::Definition, "ALTER TABLE typed ALTER COLUMN n2 TYPE numeric(8,3)"},
    {1, Kind::Definition, "ALTER TABLE typed ALTER COLUMN n2 TYPE numeric(8,2)"},
    {1, Kind::Definition, "ALTER TABLE typed ALTER COLUMN s SET DEFAULT {key}"},
    {1, Kind::Definition, "ALTER TABLE typed ALTER COLUMN s SET DEFAULT 4"},
    {1, Kind::Definition, "ALTER TABLE typed ADD COLUMN extra int DEFAULT 9"},
    {1, Kind::Definition, "ALTER TABLE typed DROP COLUMN IF EXISTS extra"},
    {1, Kind::Definition, "ALTER DOMAIN positive DROP CONSTRAINT IF EXISTS positive_check"},
    {1, Kind::Definition, "ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0) NOT VALID"},
    {1, Kind::Definition,
     "ALTER TABLE typed RENAME COLUMN s TO s_old; ALTER TABLE typed RENAME COLUMN b TO s; ALTER TABLE typed "
     "RENAME COLUMN s_old TO b"},
    {1, Kind::Definition,
     "CREATE OR REPLACE VIEW typed_view AS SELECT id, s, b, c, flag FROM typed WHERE NOT flag"},
    {1, Kind::Definition,
     "CREATE OR REPLACE VIEW typed_view AS SELECT id, s, b, c, flag FROM typed WHERE flag"},
};

static constexpr Pattern kSessions[] = {
    {1, Kind::Session, "SET DateStyle = 'ISO, YMD'"},
    {1, Kind::Session, "SET TimeZone = 'America/New_York'"},
    {1, Kind::Session, "SET IntervalStyle = 'sql_standard'"},
    {1, Kind::Session, "SET enable_seqscan = off"},
    {2, Kind::Session, "PREPARE of_typed (int) AS SELECT id, s FROM typed WHERE s = $1 ORDER BY id"},
    {3, Kind::Session, "EXECUTE of_typed({key})"},
    {1, Kind::Session, "EXECUTE of_typed({key_spelled})"},
};

const Subject& types() {
    static constexpr Subject kSubject{.schema = kSchema,
                                      .contents = kContents,
                                      .reads = kReads,
                                      .writes = kWrites,
                                      .definitions = kDefinitions,
                                      .sessions = kSessions};
    return kSubject;
}

}  // namespace warmfront::test
