"""DO, CALL and functions: what their bodies do."""

from __future__ import annotations

from tests.core.effects.differential.form import group

CODE = """
CREATE TABLE t (id integer PRIMARY KEY, a integer, b text);
INSERT INTO t SELECT i, i, 'b' FROM generate_series(1, 2000) i;
CREATE TABLE log (at timestamptz DEFAULT now(), what text);
INSERT INTO log (what) SELECT 'x' FROM generate_series(1, 100);
CREATE TABLE watched (id integer PRIMARY KEY, a integer);
INSERT INTO watched SELECT i, i FROM generate_series(1, 2000) i;
CREATE TABLE quiet (a integer);
INSERT INTO quiet SELECT i FROM generate_series(1, 100) i;
CREATE SEQUENCE numbers;
CREATE FUNCTION wipe() RETURNS void LANGUAGE sql AS 'TRUNCATE t';
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT sum(a) FROM t';
CREATE FUNCTION one_of(i integer) RETURNS text LANGUAGE sql AS 'SELECT b FROM t WHERE id = i';
CREATE FUNCTION touch(i integer) RETURNS void LANGUAGE plpgsql AS
  $$ BEGIN UPDATE t SET a = a + 1 WHERE id = i; END $$;
CREATE FUNCTION touch_all() RETURNS void LANGUAGE plpgsql AS
  $$ BEGIN PERFORM wipe(); INSERT INTO log (what) VALUES ('w'); END $$;
CREATE FUNCTION fails() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
CREATE FUNCTION dynamic(x text) RETURNS void LANGUAGE plpgsql AS
  $$ BEGIN EXECUTE 'DELETE FROM ' || quote_ident(x); END $$;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO log (what) VALUES (NEW.id::text); RETURN NEW; END $$;
CREATE TRIGGER noted AFTER INSERT OR UPDATE OF a ON watched FOR EACH ROW EXECUTE FUNCTION noted();
CREATE PROCEDURE batch() LANGUAGE plpgsql AS
  $$ BEGIN UPDATE t SET b = 'c' WHERE id < 1000; COMMIT; UPDATE t SET b = 'c' WHERE id >= 1000; END $$;
CREATE PROCEDURE plainly() LANGUAGE plpgsql AS $$ BEGIN DELETE FROM quiet; END $$;
CREATE PROCEDURE in_sql(i integer) LANGUAGE sql AS 'DELETE FROM t WHERE id = i; INSERT INTO log (what) VALUES (1)';
CREATE FUNCTION atomic_ish() RETURNS integer LANGUAGE sql AS 'INSERT INTO log (what) VALUES (''x''); SELECT 1';
CREATE FUNCTION elsewhere() RETURNS bigint LANGUAGE sql SET search_path = pg_catalog AS 'SELECT count(*) FROM public.t';
CREATE VIEW through AS SELECT total() AS total;
ANALYZE;
"""

FORMS = (
    *group(
        "code",
        CODE,
        {
            "function that truncates": "SELECT wipe()",
            "function that reads": "SELECT total()",
            "function that looks up": "SELECT one_of(3)",
            "function that updates": "SELECT touch(3)",
            "function that calls": "SELECT touch_all()",
            "function that fails": "SELECT fails()",
            "function with a path": "SELECT elsewhere()",
            "function of two statements": "SELECT atomic_ish()",
            "function in FROM": "SELECT * FROM one_of(3)",
            "function in a view": "SELECT * FROM through",
            "function in VALUES": "INSERT INTO quiet VALUES (total())",
            "dynamic function": "SELECT dynamic('quiet')",
            "trigger on insert": "INSERT INTO watched VALUES (5000, 1)",
            "trigger on update": "UPDATE watched SET a = 2 WHERE id = 5",
            "trigger on another column": "UPDATE watched SET id = 6000 WHERE id = 5",
            "trigger not on delete": "DELETE FROM watched WHERE id = 5",
            "procedure": "CALL plainly()",
            "procedure in SQL": "CALL in_sql(3)",
            "procedure that commits": "CALL batch()",
            "procedure unknown": "CALL nonesuch()",
            "do update": "DO $$ BEGIN UPDATE t SET b = 'x'; END $$",
            "do by key": "DO $$ BEGIN DELETE FROM t WHERE id = 5; END $$",
            "do with a variable": "DO $$ DECLARE i integer := 5; BEGIN DELETE FROM t WHERE id = i; END $$",
            "do perform": "DO $$ BEGIN PERFORM total(); END $$",
            "do into": "DO $$ DECLARE n bigint; BEGIN SELECT count(*) INTO n FROM t; RAISE NOTICE '%', n; END $$",
            "do assignment": "DO $$ DECLARE n bigint; BEGIN n := (SELECT max(a) FROM t); END $$",
            "do execute": "DO $$ BEGIN EXECUTE 'UPDATE quiet SET a = 1'; END $$",
            "do execute format": "DO $$ BEGIN EXECUTE format('ALTER TABLE %I ADD COLUMN %I integer', 'quiet', "
            "'New'); END $$",
            "do alter": "DO $$ BEGIN ALTER TABLE quiet ADD COLUMN c integer; END $$",
            "do create and fill": "DO $$ BEGIN CREATE TABLE made (a integer); INSERT INTO made SELECT a FROM "
            "quiet; END $$",
            "do raise": "DO $$ BEGIN RAISE EXCEPTION 'stop'; END $$",
            "do raise by code": "DO $$ BEGIN RAISE EXCEPTION 'stop' USING ERRCODE = '22023'; END $$",
            "do for": "DO $$ BEGIN FOR i IN 1..3 LOOP INSERT INTO log (what) VALUES (i::text); END LOOP; END $$",
            "do for query": "DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM t WHERE id < 3 LOOP "
            "UPDATE quiet SET a = r.a WHERE a = r.id; END LOOP; END $$",
            "do if true": "DO $$ BEGIN IF EXISTS (SELECT 1 FROM t WHERE id = 1) THEN UPDATE quiet SET a = 1; END "
            "IF; END $$",
            "do exception": "DO $$ BEGIN CREATE TABLE t (a integer); EXCEPTION WHEN duplicate_table THEN NULL; END $$",
            "do return first": "DO $$ BEGIN RETURN; DELETE FROM quiet; END $$",
            "do unknown table": "DO $$ BEGIN DELETE FROM nonesuch; END $$",
            "do unknown column": "DO $$ BEGIN UPDATE quiet SET nonesuch = 1; END $$",
            "do nothing": "DO $$ BEGIN NULL; END $$",
            "do commit": "DO $$ BEGIN COMMIT; END $$",
            "do cursor": "DO $$ DECLARE c CURSOR FOR SELECT * FROM t; r record; BEGIN OPEN c; FETCH c INTO r; "
            "CLOSE c; END $$",
            "do nextval": "DO $$ DECLARE n bigint := nextval('numbers'); BEGIN NULL; END $$",
            "explain analyze a function": "EXPLAIN ANALYZE SELECT touch(3)",
            "prepare and execute": "PREPARE q (integer) AS DELETE FROM t WHERE id = $1; EXECUTE q (3)",
            "execute unknown": "EXECUTE nonesuch",
        },
    ),
    *group(
        "code outside",
        CODE,
        {
            "procedure that commits": "CALL batch()",
            "do commit": "DO $$ BEGIN UPDATE quiet SET a = 1; COMMIT; END $$",
        },
        wrapped=False,
    ),
)
