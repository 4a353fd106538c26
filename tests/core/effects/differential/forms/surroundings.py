"""Forms in small databases unlike the large ones: published tables, partitions by moments and hashes, odd objects."""

from __future__ import annotations

from tests.core.effects.differential.form import group

_PUBLISHED = """
CREATE TABLE no_key (a integer, b text);
CREATE TABLE keyed (a integer PRIMARY KEY, b text);
CREATE TABLE whole (a integer, b text, c integer GENERATED ALWAYS AS (a + 1) STORED);
ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE nothing (a integer PRIMARY KEY, b text);
ALTER TABLE nothing REPLICA IDENTITY NOTHING;
CREATE TABLE free (a integer, b text);
INSERT INTO no_key SELECT i, 'x' FROM generate_series(1, 50) i;
INSERT INTO keyed SELECT i, 'x' FROM generate_series(1, 50) i;
INSERT INTO whole SELECT i, 'x' FROM generate_series(1, 50) i;
CREATE PUBLICATION everything FOR TABLE no_key, keyed, whole, nothing;
CREATE PUBLICATION new_rows FOR TABLE free WITH (publish = 'insert');
ANALYZE;
"""

_MEASURED = """
CREATE FUNCTION named() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  NEW.note := coalesce(NEW.note, TG_TABLE_NAME || TG_OP); RETURN NEW; END $$;
CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO seen SELECT count(*), min(changed::text) FROM changed; RETURN NULL; END $$;
CREATE TABLE seen (n bigint, note text);
CREATE TABLE m (id bigint NOT NULL, at timestamptz NOT NULL, note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE m_23 PARTITION OF m FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE m_24 PARTITION OF m FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY HASH (id);
CREATE TABLE m_24_0 PARTITION OF m_24 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE m_24_1 PARTITION OF m_24 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE m_rest PARTITION OF m DEFAULT;
INSERT INTO m SELECT i, timestamptz '2023-01-01 12:00' + i * interval '1 day' FROM generate_series(1, 900) i;
CREATE INDEX m_23_lower ON m_23 (lower(note));
CREATE TRIGGER named BEFORE INSERT OR UPDATE ON m FOR EACH ROW EXECUTE FUNCTION named();
CREATE TRIGGER counted AFTER UPDATE ON m_23 REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION counted();
CREATE TABLE h (id integer, v text) PARTITION BY HASH (id);
CREATE TABLE h_0 PARTITION OF h FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE h_1 PARTITION OF h FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE h_2 PARTITION OF h FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE h_3 PARTITION OF h FOR VALUES WITH (MODULUS 4, REMAINDER 3);
CREATE TRIGGER counted AFTER UPDATE ON h REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION counted();
INSERT INTO h SELECT i, 'v' FROM generate_series(-200, 200) i;
ANALYZE;
"""

_ODD = """
CREATE DOMAIN present AS text NOT NULL;
CREATE FUNCTION plus(i integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT i + 1';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TABLE items (id integer PRIMARY KEY, n integer, name text, upper text GENERATED ALWAYS AS (upper(name)) STORED,
  during int4range, label present DEFAULT 'x', EXCLUDE USING gist (during WITH &&) DEFERRABLE);
CREATE TABLE rows (id integer, who text);
CREATE POLICY mine ON rows FOR SELECT USING (who = current_user);
INSERT INTO items (id, n) SELECT i, i FROM generate_series(1, 20) i;
ANALYZE;
"""

FORMS = (
    *group(
        "published",
        _PUBLISHED,
        {
            "update": "UPDATE no_key SET b = 'y' WHERE a = 1",
            "delete": "DELETE FROM no_key",
            "update with a key": "UPDATE keyed SET b = 'y'",
            "update with a generated column": "UPDATE whole SET b = 'y'",
            "update of nothing": "UPDATE nothing SET b = 'y'",
            "update of what is not published": "UPDATE free SET b = 'y'",
            "insert": "INSERT INTO no_key VALUES (1, 'x')",
            "unlogged": "ALTER TABLE no_key SET UNLOGGED",
            "again": "ALTER PUBLICATION everything ADD TABLE keyed",
            "drop another": "ALTER PUBLICATION everything DROP TABLE free",
        },
    ),
    *group(
        "measured",
        _MEASURED,
        {
            "a trigger's variables": "INSERT INTO m VALUES (1000, '2023-05-05')",
            "no trigger of the partition": "UPDATE m SET note = 'x' WHERE at = '2023-05-01 12:00'",
            "between moments": "DELETE FROM m WHERE at BETWEEN '2023-03-01' AND '2023-03-05'",
            "moment with an offset": "SELECT * FROM m WHERE at < '2023-01-01 01:00+02'",
            "moment and date": "SELECT * FROM m WHERE at > '2023-06-01'::date",
            "moment and key": "SELECT * FROM m WHERE at = '2024-05-01' AND id = 5",
            "overlap": "CREATE TABLE n PARTITION OF m FOR VALUES FROM ('2024-06-01') TO ('2026-01-01')",
            "beside": "CREATE TABLE n PARTITION OF m FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
            "an index that is there": "CREATE INDEX ON m (lower(note))",
            "unique without a key below": "CREATE UNIQUE INDEX ON m (at, note)",
            "hash, and a transition table": "UPDATE h SET v = 'x' WHERE id = 5",
            "hash of a negative number": "UPDATE h SET v = 'x' WHERE id = -7",
            "hashes": "DELETE FROM h WHERE id IN (1, 2)",
            "hash of a new row": "INSERT INTO h VALUES (77, 'x')",
            "trigger of a partition": "ALTER TABLE m_23 DISABLE TRIGGER named",
        },
    ),
    *group(
        "odd",
        _ODD,
        {
            "generated from generated": "ALTER TABLE items ADD z text GENERATED ALWAYS AS (upper || 'x') STORED",
            "generated from generated, new": "CREATE TABLE n (a integer, b integer GENERATED ALWAYS AS (a) STORED,"
            " c integer GENERATED ALWAYS AS (b) STORED)",
            "excluded by number in gist": "ALTER TABLE items ADD EXCLUDE USING gist (n WITH =)",
            "excluded by inequality": "ALTER TABLE items ADD EXCLUDE (n WITH <>)",
            "no boolean": "ALTER TABLE items SET (autovacuum_enabled = maybe)",
            "out of bounds": "ALTER TABLE items SET (parallel_workers = -1)",
            "no such order": "ALTER TABLE items ALTER name SET (n_distinct = -2)",
            "index out of bounds": "CREATE INDEX ON items USING brin (n) WITH (pages_per_range = 0)",
            "policy's column": "ALTER POLICY mine ON rows USING (nonesuch = 1)",
            "policy's check": "ALTER POLICY mine ON rows WITH CHECK (true)",
            "policy of a number": "CREATE POLICY other ON rows FOR INSERT WITH CHECK (id)",
            "trigger's column": "CREATE TRIGGER t BEFORE UPDATE OF nonesuch ON items FOR EACH ROW"
            " EXECUTE FUNCTION touch()",
            "trigger's old row": "CREATE TRIGGER t BEFORE INSERT ON items FOR EACH ROW WHEN (OLD.id IS NULL)"
            " EXECUTE FUNCTION touch()",
            "trigger's condition": "CREATE TRIGGER t BEFORE UPDATE ON items FOR EACH ROW WHEN (OLD.nonesuch IS NULL)"
            " EXECUTE FUNCTION touch()",
            "two events with a table": "CREATE TRIGGER t AFTER UPDATE OR INSERT ON items REFERENCING NEW TABLE AS n"
            " FOR EACH STATEMENT EXECUTE FUNCTION touch()",
            "function's column": "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT nonesuch FROM items'",
            "function's argument": "CREATE FUNCTION f(a integer) RETURNS bigint LANGUAGE sql"
            " AS 'SELECT count(*) FROM items WHERE n = a AND f.a > 0'",
            "atomic function's column": "CREATE FUNCTION f() RETURNS integer LANGUAGE sql"
            " BEGIN ATOMIC SELECT nonesuch FROM items; END",
            "statistics kind": "CREATE STATISTICS s (nonesuch) ON n, name FROM items",
            "analyze twice": "ANALYZE items (n, n)",
            "label twice": "CREATE TYPE t AS ENUM ('a', 'a')",
            "domain's default": "CREATE DOMAIN d AS integer DEFAULT 'x'",
            "null for a domain": "INSERT INTO items (id, label) VALUES (100, NULL)",
            "deferrable arbiter": "INSERT INTO items (id) VALUES (1)"
            " ON CONFLICT ON CONSTRAINT items_during_excl DO NOTHING",
            "range becomes text": "ALTER TABLE items ALTER during TYPE text USING NULL",
            "owner as before": "ALTER TABLE items OWNER TO CURRENT_USER",
            "temporary beside its model": "CREATE TEMP TABLE items (LIKE items)",
        },
    ),
    *group(
        "odd",
        _ODD,
        {
            "virtual by a function": "ALTER TABLE items ADD z integer GENERATED ALWAYS AS (plus(n)) VIRTUAL",
            "virtual of a domain": "ALTER TABLE items ADD z present GENERATED ALWAYS AS (name) VIRTUAL",
            "virtual and unique": "ALTER TABLE items ADD z integer GENERATED ALWAYS AS (n) VIRTUAL UNIQUE",
        },
        since=18,
    ),
    *group(
        "files",
        _ODD,
        {
            "key dropped and made": "CREATE TABLE w (id serial, CONSTRAINT w_key PRIMARY KEY (id));"
            " ALTER TABLE w DROP CONSTRAINT w_key, ALTER id DROP DEFAULT, ALTER id TYPE text,"
            " ADD CONSTRAINT w_key PRIMARY KEY (id); DROP SEQUENCE w_id_seq",
            "a serial column that moves": "CREATE TABLE w (id serial, v integer); CREATE SCHEMA s;"
            " ALTER TABLE w SET SCHEMA s; INSERT INTO s.w (v) VALUES (1); ALTER SCHEMA s RENAME TO r;"
            " INSERT INTO r.w (v) VALUES (2)",
            "what an extension brings": "CREATE EXTENSION ltree; ALTER TABLE items ADD path ltree;"
            " UPDATE items SET path = text2ltree('a' || id); CREATE INDEX ON items USING gist (path)",
            "a view's own columns": "ALTER TABLE items ADD w text;"
            " CREATE VIEW v AS SELECT i.n, r.who FROM items i JOIN rows r ON r.id = i.id;"
            " ALTER TABLE items ALTER w TYPE varchar(5); UPDATE rows SET who = 'x'",
        },
        wrapped=False,
    ),
)
