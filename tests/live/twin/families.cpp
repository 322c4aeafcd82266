// Tables of tables: partitions by list, range and hash in two levels, and inheritance in three; what is
// written to one shows in others, in both directions.
#include "tests/live/twin/patterns.h"

namespace warmfront::test {

static constexpr std::string_view kSchema = R"sql(
CREATE TABLE readings (region text, day int, v int, note text, PRIMARY KEY (region, day)) PARTITION BY LIST (region);
CREATE TABLE readings_north PARTITION OF readings FOR VALUES IN ('north');
CREATE TABLE readings_south PARTITION OF readings FOR VALUES IN ('south') PARTITION BY RANGE (day);
CREATE TABLE readings_south_a (v int, note text, day int NOT NULL, region text NOT NULL);
ALTER TABLE readings_south ATTACH PARTITION readings_south_a FOR VALUES FROM (MINVALUE) TO (4);
CREATE TABLE readings_south_b PARTITION OF readings_south DEFAULT;
CREATE TABLE readings_rest PARTITION OF readings DEFAULT PARTITION BY HASH (day);
CREATE TABLE readings_rest_0 PARTITION OF readings_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE readings_rest_1 PARTITION OF readings_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO readings SELECT r, d, d, 'first' FROM unnest(ARRAY['north', 'south', 'east', 'west']) r, generate_series(0, 6) d;
CREATE TABLE alarms (region text, day int, level int DEFAULT 1,
                     FOREIGN KEY (region, day) REFERENCES readings ON DELETE CASCADE ON UPDATE CASCADE);
INSERT INTO alarms SELECT region, day FROM readings WHERE day < 3;
CREATE VIEW warm AS SELECT region, day, v FROM readings WHERE v > 2;

CREATE TABLE animals (id int, name text, legs int DEFAULT 4);
CREATE TABLE dogs (breed text) INHERITS (animals);
CREATE TABLE puppies (weeks int DEFAULT 1) INHERITS (dogs);
INSERT INTO animals SELECT g, 'animal ' || g FROM generate_series(0, 3) g;
INSERT INTO dogs SELECT g, 'dog ' || g FROM generate_series(2, 5) g;
INSERT INTO puppies SELECT g, 'puppy ' || g FROM generate_series(4, 6) g;
CREATE TABLE census (n int);
INSERT INTO census VALUES (0);
CREATE FUNCTION recount() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE census SET n = n + 1; RETURN NULL; END';
CREATE TRIGGER of_the_child AFTER INSERT OR UPDATE OR DELETE ON dogs FOR EACH STATEMENT EXECUTE FUNCTION recount();
CREATE TRIGGER of_the_row AFTER UPDATE ON puppies FOR EACH ROW EXECUTE FUNCTION recount();
GRANT SELECT ON readings, readings_north, animals, warm TO alice, bob;
GRANT INSERT, UPDATE, DELETE ON readings, animals, dogs TO bob;
)sql";

static constexpr std::string_view kContents[] = {
    "SELECT tableoid::regclass, region, day, v, note FROM readings ORDER BY region, day",
    "SELECT region, day, level, count(*) FROM alarms GROUP BY region, day, level ORDER BY region, day, level",
    "SELECT tableoid::regclass, * FROM animals ORDER BY id, name, legs, 1",
    "SELECT n FROM census",
};

static constexpr Pattern kReads[] = {
    {6, Kind::Read, "SELECT v FROM readings WHERE region = {region} AND day = {key}"},
    {4, Kind::Read, "SELECT region, v FROM readings WHERE day = {key} ORDER BY region"},
    {4, Kind::Read, "SELECT count(*), sum(v) FROM [reading]"},
    {4, Kind::Read, "SELECT day, v FROM [reading] WHERE region = {region} ORDER BY day, v"},
    {3, Kind::Read, "SELECT v, note FROM readings_south_a WHERE day = {key}"},
    {2, Kind::Read, "SELECT v FROM readings_south WHERE day BETWEEN {key} AND {key} ORDER BY day"},
    {2, Kind::Read, "SELECT day FROM readings_rest_1 WHERE v = {key} ORDER BY region, day"},
    {3, Kind::Read, "SELECT day, v FROM warm WHERE region = {region} ORDER BY day"},
    {2, Kind::Read, "SELECT tableoid::regclass::text, count(*) FROM readings GROUP BY 1 ORDER BY 1"},
    {3, Kind::Read, "SELECT region, level FROM alarms WHERE day = {key} ORDER BY region, level"},
    {3, Kind::Read,
     "SELECT r.region, r.v, a.level FROM readings r LEFT JOIN alarms a USING (region, day) WHERE r.day = "
     "{key} ORDER BY "
     "1, 2, 3"},
    {6, Kind::Read, "SELECT name, legs FROM [animal] WHERE id = {key} ORDER BY name, legs"},
    {4, Kind::Read, "SELECT count(*), sum(legs) FROM [animal]"},
    {3, Kind::Read, "SELECT id FROM [animal] WHERE legs = {key} ORDER BY id"},
    {2, Kind::Read, "SELECT breed FROM dogs WHERE id = {key} ORDER BY breed"},
    {2, Kind::Read, "SELECT * FROM puppies WHERE weeks = {key} ORDER BY id, name, legs, breed"},
    {2, Kind::Read, "SELECT n FROM census"},
    {1, Kind::Read, "SELECT tableoid::regclass::text, id FROM animals WHERE legs > {key} ORDER BY id, 1"},
};

static constexpr Pattern kWrites[] = {
    {4, Kind::Write, "UPDATE readings SET v = {key} WHERE region = {region} AND day = {key}"},
    {2, Kind::Write,
     "UPDATE readings SET note = {name} WHERE region = {region} AND day = {key} RETURNING v, note"},
    {3, Kind::Write, "UPDATE readings SET v = v + 1 WHERE day = {key}"},
    {3, Kind::Write, "UPDATE readings SET region = {region} WHERE region = {region} AND day = {key}"},
    {2, Kind::Write, "UPDATE readings SET day = {key} WHERE region = {region} AND day = {key}"},
    {3, Kind::Write,
     "INSERT INTO readings VALUES ({region}, {key}, {key}, {name}) ON CONFLICT (region, day) DO UPDATE SET v "
     "= EXCLUDED.v"},
    {2, Kind::Write,
     "INSERT INTO [reading] (region, day, v) VALUES ({region}, {key}, {key}) ON CONFLICT DO NOTHING"},
    {2, Kind::Write, "UPDATE [reading] SET v = {key} WHERE day = {key}"},
    {2, Kind::Write, "DELETE FROM [reading] WHERE day = {key} AND v > {key}"},
    {2, Kind::Write,
     "INSERT INTO readings SELECT r, d, d, 'again' FROM unnest(ARRAY['north', 'south', 'east']) r, "
     "generate_series(0, 5) d ON CONFLICT DO NOTHING"},
    {1, Kind::Write,
     "MERGE INTO readings t USING (VALUES ({region}, {key}::int)) s(r, d) ON t.region = s.r AND t.day = s.d "
     "WHEN MATCHED AND t.v > 5 THEN DELETE WHEN MATCHED THEN UPDATE SET v = t.v + 1 WHEN NOT MATCHED THEN "
     "INSERT VALUES (s.r, s.d, 0, 'merged')"},
    {1, Kind::Write, "COPY readings (region, day, v) FROM STDIN<<<{region}\t{key}\t{key}\n"},
    {1, Kind::Write, "UPDATE warm SET v = {key} WHERE region = {region} AND day = {key}"},
    {2, Kind::Write, "INSERT INTO alarms VALUES ({region}, {key}, {key})"},
    {1, Kind::Write, "DELETE FROM alarms WHERE level = {key} OR level > 3"},
    {1, Kind::Write,
     "WITH moved AS (DELETE FROM readings WHERE region = {region} AND day = {key} RETURNING day, v, note) "
     "INSERT INTO readings SELECT 'west', day, v, note FROM moved ON CONFLICT DO NOTHING"},
    {3, Kind::Write, "UPDATE [animal] SET legs = {key} WHERE id = {key}"},
    {2, Kind::Write, "UPDATE [animal] SET name = {name} WHERE legs = {key}"},
    {2, Kind::Write, "DELETE FROM [animal] WHERE id = {key}"},
    {2, Kind::Write, "INSERT INTO animals VALUES ({key}, {name})"},
    {2, Kind::Write, "INSERT INTO dogs VALUES ({key}, {name}, {key}, 'collie')"},
    {2, Kind::Write, "INSERT INTO puppies VALUES ({key}, {name}, {key}, 'pug', {key})"},
    {1, Kind::Write, "DELETE FROM animals WHERE id > {key} AND legs <> 4"},
    {1, Kind::Write, "COPY dogs (id, name) FROM STDIN<<<{key}\tcopied\n"},
    {1, Kind::Write,
     "UPDATE dogs d SET legs = p.weeks FROM (SELECT max(weeks) AS weeks FROM puppies WHERE id = {key}) p "
     "WHERE d.id = {key}"},
};

static constexpr Pattern kDefinitions[] = {
    {1, Kind::Definition, "ALTER TABLE readings DETACH PARTITION readings_north"},
    {2, Kind::Definition,
     "DELETE FROM readings_north WHERE region <> 'north'; ALTER TABLE readings ATTACH PARTITION "
     "readings_north FOR VALUES IN ('north')"},
    {1, Kind::Definition, "CREATE TABLE readings_more PARTITION OF readings FOR VALUES IN ('centre')"},
    {1, Kind::Definition, "DROP TABLE IF EXISTS readings_more"},
    {1, Kind::Definition, "TRUNCATE readings_rest_0"},
    {1, Kind::Definition, "TRUNCATE readings CASCADE"},
    {1, Kind::Definition, "TRUNCATE ONLY animals"},
    {1, Kind::Definition, "TRUNCATE dogs"},
    {2, Kind::Definition,
     "INSERT INTO animals SELECT g, 'new ' || g FROM generate_series(0, 3) g; INSERT INTO puppies SELECT g, "
     "'new ' || g FROM generate_series(3, 6) g"},
    {1, Kind::Definition, "ALTER TABLE dogs NO INHERIT animals"},
    {2, Kind::Definition, "ALTER TABLE dogs INHERIT animals"},
    {1, Kind::Definition, "ALTER TABLE animals ADD COLUMN colour text DEFAULT 'brown'"},
    {1, Kind::Definition, "ALTER TABLE animals DROP COLUMN IF EXISTS colour"},
    {1, Kind::Definition,
     "CREATE TABLE cats (claws int) INHERITS (animals); INSERT INTO cats VALUES (1, 'cat', 4, 18)"},
    {1, Kind::Definition, "DROP TABLE IF EXISTS cats"},
    {1, Kind::Definition, "ALTER TABLE dogs DISABLE TRIGGER of_the_child"},
    {1, Kind::Definition, "ALTER TABLE dogs ENABLE TRIGGER of_the_child"},
    {1, Kind::Definition, "ALTER TABLE readings ADD COLUMN extra int"},
    {1, Kind::Definition, "ALTER TABLE readings DROP COLUMN IF EXISTS extra"},
};

const Subject& families() {
    static constexpr Subject kSubject{.schema = kSchema,
                                      .contents = kContents,
                                      .reads = kReads,
                                      .writes = kWrites,
                                      .definitions = kDefinitions,
                                      .sessions = {}};
    return kSubject;
}

}  // namespace warmfront::test
