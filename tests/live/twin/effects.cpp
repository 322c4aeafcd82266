// Writes that reach what their text does not name: foreign keys of every action, triggers of every time,
// rules, views that can be written, functions and procedures, deferred constraints.
#include "tests/live/twin/patterns.h"

namespace warmfront::test {

static constexpr std::string_view kSchema = R"sql(
CREATE TABLE shelf (what text PRIMARY KEY, n int NOT NULL);
INSERT INTO shelf SELECT unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'late', 'home', 'sold', 'taken', 'body', 'read']), 0;

CREATE TABLE authors (id int PRIMARY KEY, name text, home int);
CREATE TABLE books (
    id int PRIMARY KEY, author int REFERENCES authors ON DELETE SET NULL ON UPDATE CASCADE,
    editor int DEFAULT 0 REFERENCES authors ON DELETE SET DEFAULT ON UPDATE SET NULL, title text, sold int DEFAULT 0);
CREATE TABLE chapters (book int REFERENCES books ON DELETE CASCADE ON UPDATE CASCADE, n int, body text,
                       PRIMARY KEY (book, n)) PARTITION BY LIST (n);
CREATE TABLE chapters_first PARTITION OF chapters FOR VALUES IN (0, 1, 2);
CREATE TABLE chapters_rest (body text, n int NOT NULL, book int NOT NULL);
ALTER TABLE chapters ATTACH PARTITION chapters_rest DEFAULT;
CREATE TABLE remarks (id int PRIMARY KEY, book int, n int, body text,
                      FOREIGN KEY (book, n) REFERENCES chapters ON DELETE SET NULL (n) ON UPDATE CASCADE);
CREATE TABLE loans (id int PRIMARY KEY, book int REFERENCES books DEFERRABLE INITIALLY DEFERRED, who text);
CREATE TABLE nodes (id int PRIMARY KEY, up int REFERENCES nodes ON DELETE CASCADE, v int DEFAULT 0);
INSERT INTO authors SELECT g, 'author ' || g, g % 3 FROM generate_series(0, 6) g;
INSERT INTO books SELECT g, g % 5, g % 4, 'TITLE ' || g, g FROM generate_series(0, 6) g;
INSERT INTO chapters SELECT b, n, 'body' FROM generate_series(0, 5) b, generate_series(0, 4) n;
INSERT INTO remarks SELECT g, g % 4, g % 5, 'remark' FROM generate_series(0, 7) g;
INSERT INTO loans SELECT g, g, 'reader ' || g FROM generate_series(5, 6) g;
INSERT INTO nodes SELECT g, nullif(g / 2, 0), g FROM generate_series(1, 7) g;

CREATE FUNCTION book_before() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sold < 0 THEN RETURN NULL; END IF;
    NEW.title := upper(NEW.title);
    IF NEW.sold > 1000 THEN NEW.sold := 0; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER book_before BEFORE INSERT OR UPDATE ON books FOR EACH ROW EXECUTE FUNCTION book_before();
CREATE FUNCTION count_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE shelf SET n = n + (SELECT count(*) FROM old_rows) WHERE what = TG_OP;
    ELSE
        UPDATE shelf SET n = n + (SELECT count(*) FROM new_rows) WHERE what = TG_OP;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER inserted AFTER INSERT ON books REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_rows();
CREATE TRIGGER updated AFTER UPDATE ON books REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_rows();
CREATE TRIGGER deleted AFTER DELETE ON books REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_rows();
CREATE FUNCTION moved_home() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE shelf SET n = n + NEW.home - OLD.home WHERE what = 'home';
    RETURN NULL;
END $$;
CREATE TRIGGER moved AFTER UPDATE OF home ON authors FOR EACH ROW WHEN (OLD.home IS DISTINCT FROM NEW.home)
    EXECUTE FUNCTION moved_home();
CREATE FUNCTION lent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('UPDATE %I SET n = n + $1 WHERE what = %L', 'shelf', 'taken') USING OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER lent AFTER UPDATE OF who ON loans FOR EACH ROW EXECUTE FUNCTION lent();
CREATE FUNCTION new_body() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE shelf SET n = n + 1 WHERE what = 'body';
    RETURN NEW;
END $$;
CREATE TRIGGER of_a_partition BEFORE INSERT OR UPDATE ON chapters_rest FOR EACH ROW EXECUTE FUNCTION new_body();
CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'loans' AND NEW.who = 'ada' THEN RAISE EXCEPTION 'ada may not'; END IF;
    UPDATE shelf SET n = n + 1 WHERE what = 'late';
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE OR DELETE ON nodes DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION at_commit();
CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE ON loans DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION at_commit();

CREATE VIEW library AS SELECT b.id, b.title, b.sold, a.name AS author FROM books b LEFT JOIN authors a ON a.id = b.author;
CREATE FUNCTION into_library() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM chapters WHERE book = OLD.id;
        UPDATE books SET title = 'gone' WHERE id = OLD.id;
        RETURN OLD;
    ELSIF TG_OP = 'UPDATE' THEN
        UPDATE books SET title = NEW.title, sold = NEW.sold WHERE id = OLD.id;
        UPDATE authors SET name = NEW.author WHERE id = (SELECT author FROM books WHERE id = OLD.id);
    ELSE
        INSERT INTO books (id, title, sold) VALUES (NEW.id, NEW.title, coalesce(NEW.sold, 0)) ON CONFLICT DO NOTHING;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER into_library INSTEAD OF INSERT OR UPDATE OR DELETE ON library FOR EACH ROW EXECUTE FUNCTION into_library();
CREATE VIEW slow_sellers AS SELECT id, title, sold FROM books WHERE sold < 50 WITH CASCADED CHECK OPTION;
CREATE VIEW few_slow AS SELECT id AS no, sold AS copies FROM slow_sellers WHERE id < 5 WITH LOCAL CHECK OPTION;
CREATE VIEW pens AS SELECT id AS no, name AS pen, home FROM authors;

CREATE TABLE stock (id int PRIMARY KEY, n int);
CREATE TABLE stock_log (id int, n int);
INSERT INTO stock SELECT g, g * 3 FROM generate_series(0, 6) g;
CREATE RULE low AS ON UPDATE TO stock WHERE NEW.n < 3 DO ALSO INSERT INTO stock_log VALUES (OLD.id, NEW.n);
CREATE RULE keep AS ON DELETE TO stock WHERE OLD.id = 1 DO INSTEAD UPDATE shelf SET n = n + 1 WHERE what = 'taken';
CREATE VIEW cheap AS SELECT id, n FROM stock WHERE n < 20;
CREATE RULE cheap_update AS ON UPDATE TO cheap DO INSTEAD UPDATE stock SET n = NEW.n + 1 WHERE id = OLD.id;
CREATE RULE cheap_delete AS ON DELETE TO cheap DO INSTEAD NOTHING;
CREATE UNIQUE INDEX one_hot ON nodes ((1)) WHERE v = 100;

CREATE FUNCTION sell(which int, many int) RETURNS int BEGIN ATOMIC
    UPDATE books SET sold = sold + many WHERE id = which;
    UPDATE shelf SET n = n + many WHERE what = 'sold';
    SELECT sold FROM books WHERE id = which;
END;
CREATE FUNCTION sell_all(upto int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE total int := 0; r record;
BEGIN
    FOR r IN SELECT id FROM books WHERE id <= upto ORDER BY id LOOP
        total := total + coalesce(sell(r.id, 1), 0);
    END LOOP;
    RETURN total;
END $$;
CREATE FUNCTION take(which int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stock_log VALUES (which, -1);
    INSERT INTO shelf VALUES ('taken', which);
    RETURN 'new';
EXCEPTION WHEN unique_violation THEN
    UPDATE shelf SET n = n + 1 WHERE what = 'taken';
    RETURN 'again';
END $$;
CREATE FUNCTION look(which int) RETURNS int STABLE LANGUAGE sql AS 'SELECT sold FROM books WHERE id = which';
CREATE FUNCTION look(which text) RETURNS int LANGUAGE sql AS
    'UPDATE shelf SET n = n + 1 WHERE what = ''read''; SELECT sold FROM books WHERE title = which ORDER BY id LIMIT 1';
CREATE FUNCTION sold_of(which int) RETURNS int STABLE RETURN (SELECT sold FROM slow_sellers WHERE id = which);
CREATE FUNCTION titles(which int) RETURNS TABLE (no int, name text) STABLE LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT id, title FROM books WHERE author = which ORDER BY id;
END $$;
CREATE FUNCTION count_of(which text) RETURNS bigint STABLE LANGUAGE plpgsql AS $$
DECLARE found bigint;
BEGIN
    EXECUTE 'SELECT count(*) FROM ' || quote_ident(which) INTO found;
    RETURN found;
END $$;
CREATE FUNCTION next_no(step int DEFAULT 1) RETURNS int LANGUAGE sql AS
    'UPDATE shelf SET n = n + step WHERE what = ''read'' RETURNING n';
CREATE TABLE numbered (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, no int DEFAULT next_no(), a int,
                       doubled int GENERATED ALWAYS AS (a * 2) STORED, CHECK (look(a) IS NULL OR a < 100));
CREATE OPERATOR ## (LEFTARG = int, RIGHTARG = int, FUNCTION = sell);
CREATE VIEW sneaky AS SELECT sell(1, 1) AS sold;
CREATE PROCEDURE give(book int, INOUT many int) BEGIN ATOMIC
    UPDATE books SET sold = sold - many WHERE id = give.book;
    SELECT count(*)::int FROM books WHERE sold > give.many;
END;
CREATE PROCEDURE in_parts(upto int) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 0..least(upto, 4) LOOP
        UPDATE stock SET n = n + 1 WHERE id = i;
        IF i % 2 = 0 THEN COMMIT; ELSE ROLLBACK; END IF;
    END LOOP;
END $$;

CREATE MATERIALIZED VIEW best AS SELECT coalesce(author, -1) AS author, max(sold) AS most FROM books GROUP BY 1;
CREATE UNIQUE INDEX ON best (author);
CREATE MATERIALIZED VIEW best_few AS SELECT author FROM best WHERE most > 3;
GRANT SELECT ON authors, books, chapters, library, slow_sellers, pens, stock, shelf, best TO alice, bob;
GRANT INSERT, UPDATE, DELETE ON authors, books, chapters, library, slow_sellers, few_slow, pens, stock, cheap TO bob;
)sql";

static constexpr std::string_view kContents[] = {
    "SELECT * FROM shelf ORDER BY what",
    "SELECT * FROM authors ORDER BY id",
    "SELECT * FROM books ORDER BY id",
    "SELECT tableoid::regclass, book, n, body FROM chapters ORDER BY book, n",
    "SELECT * FROM remarks ORDER BY id",
    "SELECT * FROM loans ORDER BY id",
    "SELECT * FROM nodes ORDER BY id",
    "SELECT * FROM stock ORDER BY id",
    "SELECT id, n, count(*) FROM stock_log GROUP BY id, n ORDER BY id, n",
    "SELECT * FROM numbered ORDER BY id",
    "SELECT * FROM best ORDER BY author",
};

static constexpr Pattern kReads[] = {
    {6, Kind::Read, "SELECT n FROM shelf WHERE what = 'UPDATE'"},
    {4, Kind::Read, "SELECT * FROM shelf ORDER BY what"},
    {4, Kind::Read, "SELECT n FROM shelf WHERE what IN ('late', 'sold') ORDER BY what"},
    {4, Kind::Read, "SELECT name FROM authors WHERE id = {key}"},
    {2, Kind::Read, "SELECT home FROM authors WHERE id = {key}"},
    {6, Kind::Read, "SELECT title, sold FROM books WHERE id = {key}"},
    {3, Kind::Read, "SELECT author, editor FROM books WHERE id = {key}"},
    {4, Kind::Read, "SELECT id FROM books WHERE author = {key} ORDER BY id"},
    {3, Kind::Read, "SELECT id FROM books WHERE editor = {key} ORDER BY id"},
    {3, Kind::Read, "SELECT count(*) FROM books WHERE author IS NULL"},
    {2, Kind::Read, "SELECT id, title FROM books WHERE title LIKE 'TITLE%' ORDER BY id"},
    {4, Kind::Read, "SELECT n, body FROM chapters WHERE book = {key} ORDER BY n"},
    {3, Kind::Read, "SELECT body FROM chapters WHERE book = {key} AND n = {key}"},
    {3, Kind::Read, "SELECT count(*) FROM chapters_rest WHERE book = {key}"},
    {3, Kind::Read, "SELECT book, n FROM remarks WHERE id = {key}"},
    {2, Kind::Read, "SELECT id FROM remarks WHERE n IS NULL ORDER BY id"},
    {3, Kind::Read, "SELECT id, who FROM loans WHERE book = {key} ORDER BY id"},
    {4, Kind::Read, "SELECT up, v FROM nodes WHERE id = {key}"},
    {3, Kind::Read,
     "WITH RECURSIVE t(id) AS (SELECT id FROM nodes WHERE id = {key} UNION SELECT n.id FROM nodes n JOIN t "
     "ON n.up = "
     "t.id) SELECT id FROM t ORDER BY id"},
    {4, Kind::Read, "SELECT * FROM library WHERE id = {key}"},
    {2, Kind::Read, "SELECT author, count(*) FROM library GROUP BY author ORDER BY author"},
    {4, Kind::Read, "SELECT sold FROM slow_sellers WHERE id = {key}"},
    {3, Kind::Read, "SELECT * FROM few_slow ORDER BY no"},
    {3, Kind::Read, "SELECT pen FROM pens WHERE no = {key}"},
    {4, Kind::Read, "SELECT n FROM stock WHERE id = {key}"},
    {2, Kind::Read, "SELECT id, n FROM cheap ORDER BY id"},
    {2, Kind::Read, "SELECT id, n, count(*) FROM stock_log WHERE id = {key} GROUP BY id, n ORDER BY n"},
    {3, Kind::Read, "SELECT look({key})"},
    {3, Kind::Read, "SELECT sold_of({key})"},
    {3, Kind::Read, "SELECT * FROM titles({key})"},
    {2, Kind::Read, "SELECT count_of('books'), count_of('nodes')"},
    {2, Kind::Read, "SELECT id, look(id) FROM authors WHERE id < {key} ORDER BY id"},
    {2, Kind::Read, "SELECT no, a, doubled FROM numbered WHERE a = {key} ORDER BY id LIMIT 3"},
    {3, Kind::Read, "SELECT most FROM best WHERE author = {key}"},
    {2, Kind::Read, "SELECT author FROM best_few ORDER BY author"},
    {3, Kind::Read,
     "SELECT b.id, c.n FROM books b LEFT JOIN chapters c ON c.book = b.id AND c.n = {key} WHERE b.author = "
     "{key} "
     "ORDER BY b.id"},
    {2, Kind::Read,
     "SELECT a.id FROM authors a WHERE NOT EXISTS (SELECT FROM books b WHERE b.author = a.id) ORDER BY a.id"},
    {2, Kind::Read,
     "SELECT a.id, t.title FROM authors a, LATERAL (SELECT title FROM books b WHERE b.author = a.id ORDER BY "
     "b.id "
     "LIMIT 1) t WHERE a.home = {key} ORDER BY a.id"},
    {2, Kind::Read,
     "SELECT id, n FROM stock NATURAL JOIN (SELECT id FROM nodes) x WHERE n > {key} ORDER BY id"},
    {1, Kind::Read, "SELECT title, b.n FROM books JOIN stock b USING (id) WHERE id = {key}"},
    {1, Kind::Read, "SELECT x.id, y.id FROM stock x CROSS JOIN authors y WHERE x.id = {key} ORDER BY y.id"},
    // ---- that depend on more than rows
    {1, Kind::Read, "SELECT count(DISTINCT xmin::text) FROM stock"},
    {1, Kind::Read, "SELECT xmax::text <> '0' FROM nodes WHERE id = {key}"},
    {1, Kind::Read, "SELECT tableoid::regclass::text, n FROM chapters WHERE book = {key} ORDER BY n"},
    {1, Kind::Read, "SELECT pg_current_xact_id_if_assigned() IS NULL"},
    {1, Kind::Read, "SELECT lo_get({object})"},
    {1, Kind::Read, "SELECT pageno, data FROM pg_largeobject WHERE loid = {object} ORDER BY pageno"},
    {1, Kind::Read, "SELECT pg_try_advisory_xact_lock({key})"},
    {1, Kind::Write, "SELECT pg_advisory_xact_lock({key})"},
    {1, Kind::Write,
     "SELECT pg_advisory_lock(5); SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 5; "
     "SELECT pg_advisory_unlock(5)"},
    {1, Kind::Read, "SELECT currval(pg_get_serial_sequence('numbered', 'id'))"},
    {1, Kind::Read, "SELECT query_to_xml('SELECT n FROM stock WHERE id = 2', false, true, '')"},
};

static constexpr Pattern kWrites[] = {
    // ---- foreign keys
    {5, Kind::Write, "DELETE FROM authors WHERE id = {key}"},
    {5, Kind::Write, "UPDATE authors SET id = {key} WHERE id = {key}"},
    {6, Kind::Write, "INSERT INTO authors VALUES ({key}, {name}, {key}) ON CONFLICT DO NOTHING"},
    {5, Kind::Write, "DELETE FROM books WHERE id = {key}"},
    {4, Kind::Write, "UPDATE books SET id = {key} WHERE id = {key}"},
    {6, Kind::Write,
     "INSERT INTO books VALUES ({key}, {key}, {key}, {name}, {small}) ON CONFLICT (id) DO UPDATE SET author "
     "= EXCLUDED.author"},
    {3, Kind::Write,
     "INSERT INTO books (id, title) VALUES ({key}, {name}) ON CONFLICT ON CONSTRAINT books_pkey DO UPDATE "
     "SET title = EXCLUDED.title WHERE books.sold < 9 RETURNING *"},
    {4, Kind::Write, "UPDATE books SET author = {key} WHERE id = {key}"},
    {2, Kind::Write, "UPDATE books SET editor = {key} WHERE id = {key}"},
    {4, Kind::Write, "UPDATE books SET sold = {small} WHERE id = {key} RETURNING sold, title"},
    {3, Kind::Write, "UPDATE books SET title = {name} WHERE author = {key}"},
    {4, Kind::Write,
     "INSERT INTO chapters VALUES ({key}, {key}, {name}) ON CONFLICT (book, n) DO UPDATE SET body = "
     "EXCLUDED.body"},
    {3, Kind::Write, "UPDATE chapters SET n = {key} WHERE book = {key} AND n = {key}"},
    {3, Kind::Write, "UPDATE chapters SET body = {name} WHERE book = {key}"},
    {2, Kind::Write, "UPDATE chapters_rest SET body = {name} WHERE n = {key}"},
    {3, Kind::Write, "DELETE FROM chapters WHERE book = {key} AND n = {key}"},
    {3, Kind::Write,
     "INSERT INTO remarks VALUES ({key}, {key}, {key}, {name}) ON CONFLICT (id) DO UPDATE SET book = "
     "EXCLUDED.book, n = EXCLUDED.n"},
    {3, Kind::Write, "INSERT INTO nodes VALUES ({key}, {key}, {key}) ON CONFLICT DO NOTHING"},
    {3, Kind::Write, "DELETE FROM nodes WHERE id = {key}"},
    {3, Kind::Write, "UPDATE nodes SET up = {key} WHERE id = {key}"},
    {3, Kind::Write, "UPDATE nodes SET v = {key} WHERE id = {key}"},
    {2, Kind::Write,
     "INSERT INTO nodes (id, v) VALUES ({key}, 100) ON CONFLICT ((1)) WHERE v = 100 DO UPDATE SET up = NULL"},
    {2, Kind::Write,
     "INSERT INTO nodes SELECT g, NULL, g FROM generate_series(0, 7) g ON CONFLICT DO NOTHING"},
    // ---- put off to the COMMIT
    {3, Kind::Write,
     "INSERT INTO loans VALUES ({key}, {key}, {name}) ON CONFLICT (id) DO UPDATE SET book = EXCLUDED.book, "
     "who = EXCLUDED.who"},
    {2, Kind::Write, "DELETE FROM loans WHERE id = {key}"},
    {2, Kind::Write, "SET CONSTRAINTS ALL IMMEDIATE"},
    {2, Kind::Write, "SET CONSTRAINTS ALL DEFERRED"},
    {1, Kind::Write, "SET CONSTRAINTS late IMMEDIATE"},
    {2, Kind::Write,
     "BEGIN; UPDATE nodes SET v = v WHERE id = {key}; SELECT n FROM shelf WHERE what = 'late'; COMMIT; "
     "SELECT n FROM shelf WHERE what = 'late'"},
    {2, Kind::Write, "UPDATE nodes SET v = v WHERE id = {key}; INSERT INTO loans VALUES ({key}, 99, 'bert')"},
    {1, Kind::Write,
     "BEGIN; UPDATE stock SET n = 5 WHERE id = {key}; INSERT INTO loans VALUES (100, 99, 'cleo'); COMMIT"},
    // ---- views and rules
    {3, Kind::Write, "UPDATE library SET author = {name}, sold = {small} WHERE id = {key}"},
    {2, Kind::Write, "UPDATE library SET title = {name} WHERE id = {key} RETURNING id, title"},
    {2, Kind::Write, "INSERT INTO library (id, title) VALUES ({key}, {name})"},
    {1, Kind::Write, "DELETE FROM library WHERE id = {key}"},
    {3, Kind::Write, "UPDATE slow_sellers SET sold = {key} WHERE id = {key}"},
    {1, Kind::Write, "UPDATE slow_sellers SET sold = 60 WHERE id = {key}"},
    {2, Kind::Write, "UPDATE few_slow SET copies = copies + 1 WHERE no = {key}"},
    {1, Kind::Write, "INSERT INTO few_slow VALUES ({key}, {key}) ON CONFLICT DO NOTHING"},
    {2, Kind::Write, "DELETE FROM slow_sellers WHERE id = {key} AND sold = {key}"},
    {3, Kind::Write, "UPDATE pens SET pen = {name} WHERE no = {key}"},
    {2, Kind::Write,
     "INSERT INTO pens (no, pen) VALUES ({key}, {name}) ON CONFLICT (no) DO UPDATE SET pen = EXCLUDED.pen"},
    {4, Kind::Write, "UPDATE stock SET n = {key} WHERE id = {key}"},
    {2, Kind::Write, "UPDATE stock SET n = n - 1"},
    {2, Kind::Write, "DELETE FROM stock WHERE id = {key}"},
    {2, Kind::Write,
     "INSERT INTO stock SELECT g, 20 FROM generate_series(0, 6) g WHERE NOT EXISTS (SELECT FROM stock s "
     "WHERE s.id = g)"},
    {2, Kind::Write, "UPDATE cheap SET n = {key} WHERE id = {key}"},
    {1, Kind::Write, "DELETE FROM cheap WHERE id = {key}"},
    {1, Kind::Write, "DELETE FROM stock_log"},
    {1, Kind::Write, "UPDATE authors SET home = {key} WHERE id = {key}"},
    {1, Kind::Write, "UPDATE authors SET home = home + 1, name = name WHERE home < {key}"},
    // ---- functions
    {3, Kind::Write, "SELECT sell({key}, {key})"},
    {1, Kind::Write, "SELECT {key} ## {key} AS sold"},
    {2, Kind::Write, "SELECT sell_all({key})"},
    {2, Kind::Write, "SELECT take({key})"},
    {2, Kind::Write, "SELECT look('TITLE 2'::text)"},
    {2, Kind::Write, "SELECT sold FROM sneaky"},
    {2, Kind::Write, "SELECT id FROM stock WHERE id = {key} AND sell(3, 1) > 0"},
    {1, Kind::Write, "SELECT x.s FROM authors a, LATERAL (SELECT sell(a.id, 1) AS s) x WHERE a.id = {key}"},
    {2, Kind::Write, "UPDATE stock SET n = next_no() WHERE id = {key} RETURNING n"},
    {2, Kind::Write, "INSERT INTO numbered (a) VALUES ({key}) RETURNING *"},
    {1, Kind::Write,
     "INSERT INTO numbered (id, no, a) VALUES ({key}, {key}, {key}) ON CONFLICT (id) DO UPDATE SET a = "
     "EXCLUDED.a, no = DEFAULT"},
    {1, Kind::Write, "DELETE FROM numbered WHERE a = {key} OR id > 30"},
    {2, Kind::Write, "CALL give({key}, {key})"},
    {1, Kind::Write, "CALL in_parts({key})"},
    {1, Kind::Write,
     "DO $$DECLARE r record; BEGIN FOR r IN SELECT id FROM stock WHERE n > 2 LOOP UPDATE stock SET n = n + 1 "
     "WHERE id = r.id; END LOOP; END$$"},
    {1, Kind::Write,
     "DO $$BEGIN EXECUTE 'UPDATE books SET sold = sold + 1 WHERE id = 2'; BEGIN DELETE FROM nodes WHERE id = "
     "1; RAISE 'back'; EXCEPTION WHEN raise_exception THEN NULL; END; END$$"},
    // ---- MERGE, and several writes in one statement
    {3, Kind::Write,
     "MERGE INTO books b USING (VALUES ({key}::int, {key}::int), (3, 4)) AS s(id, sold) ON b.id = s.id AND "
     "b.id <> 3 WHEN MATCHED AND s.sold = 0 "
     "THEN DELETE WHEN MATCHED THEN UPDATE SET sold = s.sold WHEN NOT MATCHED AND s.id = 3 THEN DO NOTHING "
     "WHEN NOT MATCHED THEN INSERT (id, title) VALUES "
     "(s.id, 'merged')"},
    {2, Kind::Write,
     "MERGE INTO chapters c USING books b ON c.book = b.id AND c.n = {key} WHEN MATCHED THEN UPDATE SET body "
     "= "
     "b.title WHEN NOT MATCHED AND b.id = {key} THEN INSERT VALUES (b.id, {key}, 'merged')"},
    {2, Kind::Write,
     "WITH gone AS (DELETE FROM chapters WHERE book = {key} AND n = {key} RETURNING book, body) INSERT INTO "
     "authors SELECT book, body, 0 FROM "
     "gone ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name RETURNING id"},
    {2, Kind::Write,
     "WITH u AS (UPDATE stock SET n = n + 1 WHERE id = {key} RETURNING id, n), v AS (UPDATE nodes SET v = "
     "u.n FROM u WHERE nodes.id = u.id "
     "RETURNING nodes.id) SELECT n, (SELECT count(*) FROM v) FROM u"},
    {1, Kind::Write, "WITH x AS (SELECT sell({key}, 1) AS s) SELECT s FROM x"},
    {1, Kind::Write,
     "WITH u AS (UPDATE shelf SET n = 0 WHERE what = 'body' RETURNING 1) SELECT id FROM authors WHERE id = "
     "{key}"},
    {2, Kind::Write, "UPDATE stock s SET n = b.sold FROM books b WHERE b.id = s.id AND b.author = {key}"},
    {1, Kind::Write,
     "DELETE FROM remarks r USING chapters c WHERE c.book = r.book AND c.n = r.n AND c.book = {key}"},
    // ---- columns that others do not read
    {2, Kind::Write, "UPDATE remarks SET body = {name} WHERE id = {key}"},
    {2, Kind::Write, "UPDATE authors SET home = 1 WHERE id = {key}"},
    // ---- copies, large objects, the rest
    {2, Kind::Write, "COPY books (id, author, title) FROM STDIN<<<{key}\t1\tcopied\n"},
    {2, Kind::Write, "COPY chapters FROM STDIN WITH (DELIMITER ',')<<<{key},{key},copied\n"},
    {1, Kind::Write, "COPY nodes FROM STDIN<<<{key}\t{key}\t7\n"},
    {1, Kind::Write, "COPY library (id, title) FROM STDIN<<<{key}\tinto a view\n"},
    {1, Kind::Write, "COPY stock FROM STDIN<<<{key}\t8\n"},
    {1, Kind::Write, "SELECT lo_create({object})"},
    {1, Kind::Write, "SELECT lo_from_bytea({object}, {bytes})"},
    {2, Kind::Write, "SELECT lo_put({object}, {key_big}, {bytes})"},
    {1, Kind::Write, "SELECT lo_unlink({object})"},
    {1, Kind::Write, "SELECT lowrite(lo_open({object}, 131072), {bytes})"},
};

static constexpr Pattern kDefinitions[] = {
    {2, Kind::Definition, "ALTER TABLE books DISABLE TRIGGER book_before"},
    {2, Kind::Definition, "ALTER TABLE books ENABLE TRIGGER book_before"},
    {1, Kind::Definition, "ALTER TABLE books ENABLE ALWAYS TRIGGER updated"},
    {1, Kind::Definition, "ALTER TABLE nodes DISABLE TRIGGER late"},
    {1, Kind::Definition, "ALTER TABLE nodes ENABLE TRIGGER late"},
    {1, Kind::Definition, "DROP TRIGGER IF EXISTS moved ON authors"},
    {1, Kind::Definition,
     "CREATE OR REPLACE TRIGGER moved AFTER UPDATE OF home ON authors FOR EACH ROW EXECUTE FUNCTION "
     "moved_home()"},
    {2, Kind::Definition,
     "CREATE OR REPLACE FUNCTION new_body() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN UPDATE shelf SET n = "
     "n + 5 WHERE what = 'taken'; RETURN NEW; END$$"},
    {2, Kind::Definition,
     "CREATE OR REPLACE FUNCTION new_body() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN UPDATE shelf SET n = "
     "n + 1 WHERE what = 'body'; NEW.body := 'by trigger'; RETURN NEW; END$$"},
    {1, Kind::Definition,
     "CREATE OR REPLACE FUNCTION look(which int) RETURNS int STABLE LANGUAGE sql AS 'SELECT sold + 1000 FROM "
     "books WHERE id = which'"},
    {1, Kind::Definition,
     "CREATE OR REPLACE FUNCTION look(which int) RETURNS int STABLE LANGUAGE sql AS 'SELECT home FROM "
     "authors WHERE id = which'"},
    {1, Kind::Definition,
     "CREATE OR REPLACE FUNCTION look(which int) RETURNS int LANGUAGE sql AS 'UPDATE stock SET n = n + 1 "
     "WHERE id = which RETURNING n'"},
    {1, Kind::Definition,
     "CREATE FUNCTION look(which smallint) RETURNS int STABLE LANGUAGE sql AS 'SELECT -1'; SELECT "
     "look(2::smallint)"},
    {1, Kind::Definition, "DROP FUNCTION IF EXISTS look(smallint)"},
    {1, Kind::Definition, "ALTER FUNCTION sold_of(int) VOLATILE"},
    {1, Kind::Definition, "ALTER FUNCTION sold_of(int) STABLE"},
    {1, Kind::Definition,
     "CREATE OR REPLACE RULE low AS ON UPDATE TO stock DO ALSO UPDATE shelf SET n = n + 1 WHERE what = "
     "'taken'"},
    {1, Kind::Definition,
     "CREATE OR REPLACE RULE low AS ON UPDATE TO stock WHERE NEW.n < 3 DO ALSO INSERT INTO stock_log VALUES "
     "(OLD.id, NEW.n)"},
    {1, Kind::Definition, "ALTER TABLE stock DISABLE RULE keep"},
    {1, Kind::Definition, "ALTER TABLE stock ENABLE RULE keep"},
    {1, Kind::Definition,
     "CREATE OR REPLACE VIEW slow_sellers AS SELECT id, title, sold FROM books WHERE sold < 7 WITH CASCADED "
     "CHECK OPTION"},
    {1, Kind::Definition,
     "CREATE OR REPLACE VIEW slow_sellers AS SELECT id, title, sold FROM books WHERE sold < 50"},
    {1, Kind::Definition, "ALTER TABLE books DROP CONSTRAINT IF EXISTS books_author_fkey"},
    {2, Kind::Definition,
     "UPDATE books SET author = NULL WHERE author NOT IN (SELECT id FROM authors); ALTER TABLE books ADD "
     "CONSTRAINT books_author_fkey FOREIGN KEY (author) REFERENCES authors ON DELETE CASCADE ON UPDATE "
     "CASCADE"},
    {1, Kind::Definition, "ALTER TABLE loans ALTER CONSTRAINT loans_book_fkey NOT DEFERRABLE"},
    {1, Kind::Definition, "ALTER TABLE loans ALTER CONSTRAINT loans_book_fkey DEFERRABLE INITIALLY DEFERRED"},
    {1, Kind::Definition, "ALTER TABLE numbered ALTER COLUMN no SET DEFAULT next_no(2)"},
    {1, Kind::Definition, "ALTER TABLE numbered ALTER COLUMN no SET DEFAULT 5"},
    {1, Kind::Definition,
     "TRUNCATE authors CASCADE; INSERT INTO authors SELECT g, 'again ' || g, 0 FROM generate_series(0, 6) g"},
    {1, Kind::Definition, "TRUNCATE nodes, stock_log"},
    {1, Kind::Definition,
     "INSERT INTO books SELECT g, NULL, NULL, 'filled ' || g, 1 FROM generate_series(0, 6) g ON CONFLICT DO "
     "NOTHING; INSERT INTO chapters SELECT b, n, 'filled' FROM generate_series(0, 4) b, generate_series(0, "
     "4) n ON CONFLICT DO NOTHING"},
    {2, Kind::Definition, "REFRESH MATERIALIZED VIEW best"},
    {2, Kind::Definition, "REFRESH MATERIALIZED VIEW CONCURRENTLY best"},
    {1, Kind::Definition, "REFRESH MATERIALIZED VIEW best_few"},
    {1, Kind::Definition, "REFRESH MATERIALIZED VIEW best_few WITH NO DATA"},
    {1, Kind::Definition, "TRUNCATE numbered RESTART IDENTITY"},
    {1, Kind::Definition, "ALTER VIEW pens RENAME COLUMN home TO house"},
    {1, Kind::Definition, "ALTER VIEW pens RENAME COLUMN house TO home"},
    {1, Kind::Definition,
     "BEGIN; ALTER TABLE stock RENAME COLUMN n TO m; SELECT m FROM stock WHERE id = {key}; ROLLBACK"},
    {1, Kind::Definition,
     "BEGIN; ALTER TABLE stock RENAME TO stock_old; ALTER TABLE stock_log RENAME TO stock; SELECT count(*) "
     "FROM stock; ROLLBACK"},
    {1, Kind::Definition,
     "DO $$BEGIN EXECUTE 'ALTER TABLE remarks ALTER COLUMN body SET DEFAULT ''x'''; END$$"},
};

static constexpr Pattern kSessions[] = {
    {2, Kind::Session, "DECLARE by_hand CURSOR FOR SELECT id, v FROM nodes WHERE id = {key} FOR UPDATE"},
    {2, Kind::Session, "FETCH NEXT FROM by_hand"},
    {2, Kind::Write, "UPDATE nodes SET v = v + 1 WHERE CURRENT OF by_hand"},
    {1, Kind::Write, "DELETE FROM nodes WHERE CURRENT OF by_hand"},
    {2, Kind::Session, "DECLARE kept CURSOR WITH HOLD FOR SELECT id, sold FROM books ORDER BY id"},
    {2, Kind::Session, "FETCH 2 FROM kept"},
    {1, Kind::Session, "CLOSE kept"},
    {2, Kind::Session, "PREPARE of_stock (int) AS SELECT n FROM stock WHERE id = $1"},
    {3, Kind::Session, "EXECUTE of_stock({key})"},
    {2, Kind::Session, "PREPARE sells (int) AS SELECT sell($1, 1)"},
    {2, Kind::Session, "EXECUTE sells({key})"},
    {1, Kind::Session, "PREPARE all_of_books AS SELECT * FROM books ORDER BY id"},
    {1, Kind::Session, "EXECUTE all_of_books"},
    {2, Kind::Session, "NOTIFY channel_@, {text}"},
    {1, Kind::Session, "SELECT pg_notify('channel_@', 'by function')"},
    {1, Kind::Session, "LISTEN channel_@"},
    {1, Kind::Session, "SET session_replication_role = replica"},
    {3, Kind::Session, "SET session_replication_role = origin"},
    {1, Kind::Session, "SET check_function_bodies = off"},
    {1, Kind::Definition,
     "CREATE TEMP TABLE stock (id int PRIMARY KEY, n int); INSERT INTO pg_temp.stock VALUES (1, -1), (2, "
     "-2)"},
    {1, Kind::Definition, "CREATE TEMP TABLE books AS SELECT * FROM public.books WHERE id < 3"},
    {1, Kind::Write, "UPDATE pg_temp.stock SET n = {key} WHERE id = {key}"},
    {3, Kind::Definition, "DROP TABLE IF EXISTS pg_temp.stock, pg_temp.books CASCADE"},
};

const Subject& effects() {
    static constexpr Subject kSubject{.schema = kSchema,
                                      .contents = kContents,
                                      .reads = kReads,
                                      .writes = kWrites,
                                      .definitions = kDefinitions,
                                      .sessions = kSessions};
    return kSubject;
}

}  // namespace warmfront::test
