"""Each kind of object: created, altered and dropped, it shows in the diff; rolled back, the fingerprint is back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from confiture_tui.core.catalog import Catalog, Change, SchemaChange

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

BASE = """
CREATE SCHEMA s;
CREATE TABLE s.t (a int NOT NULL, b text DEFAULT 'x', c int);
CREATE FUNCTION s.trigger_function() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION s.event_function() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
"""


class Life(NamedTuple):
    """How an object is made, changed and dropped, and how it must be called.

    ``along``: kinds of other objects that must show too, when it is made.
    """

    kind: str
    name: str
    create: str
    alter: str
    attribute: str
    drop: str
    along: tuple[str, ...] = ()


LIVES = [
    Life("schema", "n", "CREATE SCHEMA n", "COMMENT ON SCHEMA n IS 'x'", "comment", "DROP SCHEMA n"),
    Life("schema", "n", "CREATE SCHEMA n", "GRANT USAGE ON SCHEMA n TO PUBLIC", "grants", "DROP SCHEMA n"),
    Life("table", "s.n", "CREATE TABLE s.n ()", "ALTER TABLE s.n SET (fillfactor = 50)", "options", "DROP TABLE s.n"),
    Life("table", "s.n", "CREATE TABLE s.n ()", "ALTER TABLE s.n SET UNLOGGED", "persistence", "DROP TABLE s.n"),
    Life("table", "s.n", "CREATE TABLE s.n ()", "GRANT SELECT ON s.n TO PUBLIC", "grants", "DROP TABLE s.n"),
    Life("table", "s.n", "CREATE TABLE s.n ()", "ALTER TABLE s.n OWNER TO pg_monitor", "owner", "DROP TABLE s.n"),
    Life(
        "table",
        "s.n",
        "CREATE TABLE s.n ()",
        "ALTER TABLE s.n ENABLE ROW LEVEL SECURITY",
        "row security",
        "DROP TABLE s.n",
    ),
    Life(
        "table",
        "s.n",
        "CREATE TABLE s.n ()",
        "ALTER TABLE s.n REPLICA IDENTITY FULL",
        "replica identity",
        "DROP TABLE s.n",
    ),
    Life(
        "table",
        "s.n",
        "CREATE TABLE s.n ()",
        "CREATE TABLE s.p (); ALTER TABLE s.n INHERIT s.p",
        "parents",
        "DROP TABLE s.n",
    ),
    Life(
        "partitioned table",
        "s.n",
        "CREATE TABLE s.n (a int) PARTITION BY LIST (a)",
        "COMMENT ON TABLE s.n IS 'x'",
        "comment",
        "DROP TABLE s.n",
        ("column",),
    ),
    Life(
        "table",
        "s.n",
        "CREATE TABLE s.p (a int) PARTITION BY LIST (a); CREATE TABLE s.n PARTITION OF s.p FOR VALUES IN (1)",
        "ALTER TABLE s.p DETACH PARTITION s.n; ALTER TABLE s.p ATTACH PARTITION s.n FOR VALUES IN (1, 2)",
        "partition bound",
        "DROP TABLE s.n, s.p",
        ("partitioned table", "column"),
    ),
    Life(
        "column",
        "s.t.d",
        "ALTER TABLE s.t ADD d int",
        "ALTER TABLE s.t ALTER d TYPE bigint",
        "type",
        "ALTER TABLE s.t DROP d",
    ),
    Life(
        "column",
        "s.t.d",
        "ALTER TABLE s.t ADD d int",
        "ALTER TABLE s.t ALTER d SET DEFAULT 5",
        "default",
        "ALTER TABLE s.t DROP d",
    ),
    Life(
        "column",
        "s.t.d",
        "ALTER TABLE s.t ADD d int",
        "ALTER TABLE s.t ALTER d SET NOT NULL",
        "not null",
        "ALTER TABLE s.t DROP d",
    ),
    Life(
        "column",
        "s.t.d",
        "ALTER TABLE s.t ADD d text",
        "ALTER TABLE s.t ALTER d SET STORAGE PLAIN",
        "storage",
        "ALTER TABLE s.t DROP d",
    ),
    Life(
        "column",
        "s.t.d",
        "ALTER TABLE s.t ADD d text",
        "ALTER TABLE s.t ALTER d SET COMPRESSION pglz",
        "compression",
        "ALTER TABLE s.t DROP d",
    ),
    Life(
        "column",
        "s.t.d",
        "ALTER TABLE s.t ADD d text",
        "ALTER TABLE s.t ALTER d SET STATISTICS 7",
        "statistics target",
        "ALTER TABLE s.t DROP d",
    ),
    Life(
        "column",
        "s.t.d",
        "ALTER TABLE s.t ADD d text",
        "ALTER TABLE s.t ALTER d SET (n_distinct = 3)",
        "options",
        "ALTER TABLE s.t DROP d",
    ),
    Life(
        "column",
        "s.t.d",
        "ALTER TABLE s.t ADD d text",
        'ALTER TABLE s.t ALTER d TYPE text COLLATE "C"',
        "collation",
        "ALTER TABLE s.t DROP d",
    ),
    Life(
        "column",
        "s.t.d",
        "ALTER TABLE s.t ADD d text",
        "COMMENT ON COLUMN s.t.d IS 'x'",
        "comment",
        "ALTER TABLE s.t DROP d",
    ),
    Life(
        "column",
        "s.t.d",
        "ALTER TABLE s.t ADD d text",
        "GRANT SELECT (d) ON s.t TO PUBLIC",
        "grants",
        "ALTER TABLE s.t DROP d",
    ),
    Life(
        "column",
        "s.t.d",
        "ALTER TABLE s.t ADD d int GENERATED ALWAYS AS (a + 1) STORED",
        "ALTER TABLE s.t ALTER d DROP EXPRESSION",
        "generated",
        "ALTER TABLE s.t DROP d",
    ),
    Life(
        "column",
        "s.t.d",
        "ALTER TABLE s.t ADD d int GENERATED ALWAYS AS IDENTITY",
        "ALTER TABLE s.t ALTER d SET GENERATED BY DEFAULT",
        "identity",
        "ALTER TABLE s.t DROP d",
        ("sequence", "constraint"),
    ),
    Life(
        "constraint",
        "s.t.n",
        "ALTER TABLE s.t ADD CONSTRAINT n CHECK (a > 0) NOT VALID",
        "ALTER TABLE s.t VALIDATE CONSTRAINT n",
        "validated",
        "ALTER TABLE s.t DROP CONSTRAINT n",
    ),
    Life(
        "constraint",
        "s.t.n",
        "ALTER TABLE s.t ADD CONSTRAINT n UNIQUE (a)",
        "COMMENT ON CONSTRAINT n ON s.t IS 'x'",
        "comment",
        "ALTER TABLE s.t DROP CONSTRAINT n",
        ("index",),
    ),
    Life(
        "constraint",
        "s.t.n",
        "CREATE TABLE s.r (a int PRIMARY KEY); ALTER TABLE s.t ADD CONSTRAINT n FOREIGN KEY (a) REFERENCES s.r",
        "ALTER TABLE s.t ALTER CONSTRAINT n DEFERRABLE",
        "definition",
        "ALTER TABLE s.t DROP CONSTRAINT n; DROP TABLE s.r",
        ("table", "column", "index"),
    ),
    Life(
        "index",
        "s.n",
        "CREATE INDEX n ON s.t (a)",
        "ALTER INDEX s.n SET (fillfactor = 50)",
        "definition",
        "DROP INDEX s.n",
    ),
    Life("index", "s.n", "CREATE INDEX n ON s.t (a)", "COMMENT ON INDEX s.n IS 'x'", "comment", "DROP INDEX s.n"),
    Life("index", "s.n", "CREATE INDEX n ON s.t (a)", "ALTER TABLE s.t CLUSTER ON n", "clustered", "DROP INDEX s.n"),
    Life(
        "index",
        "s.n",
        "CREATE INDEX n ON s.t (a)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 's.n'::regclass",
        "valid",
        "DROP INDEX s.n",
    ),
    Life(
        "view",
        "s.n",
        "CREATE VIEW s.n AS SELECT a FROM s.t",
        "CREATE OR REPLACE VIEW s.n AS SELECT a FROM s.t WHERE true",
        "definition",
        "DROP VIEW s.n",
        ("column",),
    ),
    Life(
        "view",
        "s.n",
        "CREATE VIEW s.n AS SELECT a FROM s.t",
        "ALTER VIEW s.n SET (security_barrier)",
        "options",
        "DROP VIEW s.n",
        ("column",),
    ),
    Life(
        "materialized view",
        "s.n",
        "CREATE MATERIALIZED VIEW s.n AS SELECT a FROM s.t WITH NO DATA",
        "ALTER MATERIALIZED VIEW s.n SET (fillfactor = 50)",
        "options",
        "DROP MATERIALIZED VIEW s.n",
        ("column",),
    ),
    Life(
        "type",
        "s.n",
        "CREATE TYPE s.n AS ENUM ('a')",
        "ALTER TYPE s.n ADD VALUE 'b' BEFORE 'a'",
        "labels",
        "DROP TYPE s.n",
    ),
    Life(
        "type",
        "s.n",
        "CREATE TYPE s.n AS ENUM ('a')",
        "ALTER TYPE s.n RENAME VALUE 'a' TO 'b'",
        "labels",
        "DROP TYPE s.n",
    ),
    Life(
        "type",
        "s.n",
        "CREATE TYPE s.n AS RANGE (subtype = text)",
        "REVOKE USAGE ON TYPE s.n FROM PUBLIC",
        "grants",
        "DROP TYPE s.n",
        ("function", "cast"),
    ),
    Life(
        "composite type",
        "s.n",
        "CREATE TYPE s.n AS (a int)",
        "COMMENT ON TYPE s.n IS 'x'",
        "comment",
        "DROP TYPE s.n",
        ("column",),
    ),
    Life(
        "composite type",
        "s.n",
        "CREATE TYPE s.n AS (a int)",
        "REVOKE USAGE ON TYPE s.n FROM PUBLIC",
        "grants",
        "DROP TYPE s.n",
        ("column",),
    ),
    Life("domain", "s.n", "CREATE DOMAIN s.n AS int", "ALTER DOMAIN s.n SET DEFAULT 3", "default", "DROP DOMAIN s.n"),
    Life("domain", "s.n", "CREATE DOMAIN s.n AS int", "ALTER DOMAIN s.n SET NOT NULL", "not null", "DROP DOMAIN s.n"),
    Life(
        "constraint",
        "s.n.c",
        "CREATE DOMAIN s.n AS int CONSTRAINT c CHECK (VALUE > 0)",
        "COMMENT ON CONSTRAINT c ON DOMAIN s.n IS 'x'",
        "comment",
        "DROP DOMAIN s.n",
        ("domain",),
    ),
    Life(
        "function",
        "s.n(integer)",
        "CREATE FUNCTION s.n(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION s.n(int) RETURNS int LANGUAGE sql AS 'SELECT 2'",
        "body",
        "DROP FUNCTION s.n",
    ),
    Life(
        "function",
        "s.n(integer)",
        "CREATE FUNCTION s.n(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER FUNCTION s.n SECURITY DEFINER",
        "security definer",
        "DROP FUNCTION s.n",
    ),
    Life(
        "function",
        "s.n(integer)",
        "CREATE FUNCTION s.n(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER FUNCTION s.n SET work_mem = '1MB'",
        "configuration",
        "DROP FUNCTION s.n",
    ),
    Life(
        "function",
        "s.n(integer)",
        "CREATE FUNCTION s.n(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER FUNCTION s.n IMMUTABLE",
        "volatility",
        "DROP FUNCTION s.n",
    ),
    Life(
        "function",
        "s.n(integer)",
        "CREATE FUNCTION s.n(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "REVOKE EXECUTE ON FUNCTION s.n FROM PUBLIC",
        "grants",
        "DROP FUNCTION s.n",
    ),
    Life(
        "procedure",
        "s.n()",
        "CREATE PROCEDURE s.n() LANGUAGE sql AS 'SELECT 1'",
        "COMMENT ON PROCEDURE s.n IS 'x'",
        "comment",
        "DROP PROCEDURE s.n",
    ),
    Life(
        "aggregate",
        "s.n(integer)",
        "CREATE AGGREGATE s.n(int) (SFUNC = int4pl, STYPE = int)",
        "CREATE OR REPLACE AGGREGATE s.n(int) (SFUNC = int4mul, STYPE = int)",
        "aggregate",
        "DROP AGGREGATE s.n(int)",
    ),
    Life(
        "trigger",
        "s.t.n",
        "CREATE TRIGGER n BEFORE UPDATE ON s.t FOR EACH ROW EXECUTE FUNCTION s.trigger_function()",
        "ALTER TABLE s.t DISABLE TRIGGER n",
        "enabled",
        "DROP TRIGGER n ON s.t",
    ),
    Life(
        "event trigger",
        "n",
        "CREATE EVENT TRIGGER n ON sql_drop EXECUTE FUNCTION s.event_function()",
        "ALTER EVENT TRIGGER n ENABLE ALWAYS",
        "enabled",
        "DROP EVENT TRIGGER n",
    ),
    Life(
        "rule",
        "s.t.n",
        "CREATE RULE n AS ON DELETE TO s.t DO NOTHING",
        "CREATE OR REPLACE RULE n AS ON DELETE TO s.t DO INSTEAD NOTHING",
        "definition",
        "DROP RULE n ON s.t",
    ),
    Life(
        "policy",
        "s.t.n",
        "CREATE POLICY n ON s.t USING (true)",
        "ALTER POLICY n ON s.t USING (a > 0)",
        "using",
        "DROP POLICY n ON s.t",
    ),
    Life(
        "policy",
        "s.t.n",
        "CREATE POLICY n ON s.t USING (true)",
        "ALTER POLICY n ON s.t TO pg_monitor",
        "roles",
        "DROP POLICY n ON s.t",
    ),
    Life("sequence", "s.n", "CREATE SEQUENCE s.n", "ALTER SEQUENCE s.n MAXVALUE 99", "maximum", "DROP SEQUENCE s.n"),
    Life(
        "sequence", "s.n", "CREATE SEQUENCE s.n", "ALTER SEQUENCE s.n OWNED BY s.t.a", "owned by", "DROP SEQUENCE s.n"
    ),
    Life(
        "extension",
        "citext",
        "CREATE EXTENSION citext",
        "ALTER EXTENSION citext SET SCHEMA s",
        "schema",
        "DROP EXTENSION citext",
    ),
    Life(
        "default privileges",
        'FOR ROLE "postgres" ON TABLES',
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
        "ALTER DEFAULT PRIVILEGES GRANT INSERT ON TABLES TO PUBLIC",
        "grants",
        "ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM PUBLIC",
    ),
    Life(
        "statistics object",
        "s.n",
        "CREATE STATISTICS s.n ON a, c FROM s.t",
        "ALTER STATISTICS s.n SET STATISTICS 9",
        "target",
        "DROP STATISTICS s.n",
    ),
    Life(
        "operator",
        "s.<<<(integer, integer)",
        "CREATE OPERATOR s.<<< (LEFTARG = int, RIGHTARG = int, FUNCTION = int4lt)",
        "ALTER OPERATOR s.<<< (int, int) SET (RESTRICT = scalarltsel)",
        "restrict",
        "DROP OPERATOR s.<<< (int, int)",
    ),
    Life(
        "cast",
        "(s.t AS integer)",
        "CREATE FUNCTION s.f(s.t) RETURNS int LANGUAGE sql AS 'SELECT 1';"
        "CREATE CAST (s.t AS int) WITH FUNCTION s.f(s.t)",
        "COMMENT ON CAST (s.t AS int) IS 'x'",
        "comment",
        "DROP CAST (s.t AS int); DROP FUNCTION s.f",
        ("function",),
    ),
    Life(
        "collation",
        "s.n",
        "CREATE COLLATION s.n (locale = 'C')",
        "COMMENT ON COLLATION s.n IS 'x'",
        "comment",
        "DROP COLLATION s.n",
    ),
    Life(
        "publication", "n", "CREATE PUBLICATION n", "ALTER PUBLICATION n ADD TABLE s.t", "tables", "DROP PUBLICATION n"
    ),
    Life(
        "text search configuration",
        "s.n",
        "CREATE TEXT SEARCH CONFIGURATION s.n (PARSER = default)",
        "ALTER TEXT SEARCH CONFIGURATION s.n ADD MAPPING FOR word WITH simple",
        "mappings",
        "DROP TEXT SEARCH CONFIGURATION s.n",
    ),
    Life(
        "foreign data wrapper",
        "n",
        "CREATE FOREIGN DATA WRAPPER n",
        "ALTER FOREIGN DATA WRAPPER n OPTIONS (ADD a 'b')",
        "options",
        "DROP FOREIGN DATA WRAPPER n",
    ),
    Life(
        "foreign server",
        "n",
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER n FOREIGN DATA WRAPPER w",
        "ALTER SERVER n VERSION '2'",
        "version",
        "DROP SERVER n; DROP FOREIGN DATA WRAPPER w",
        ("foreign data wrapper",),
    ),
    Life(
        "foreign table",
        "s.n",
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER n FOREIGN DATA WRAPPER w;"
        "CREATE FOREIGN TABLE s.n (a int) SERVER n",
        "ALTER FOREIGN TABLE s.n OPTIONS (ADD a 'b')",
        "foreign options",
        "DROP FOREIGN TABLE s.n; DROP SERVER n; DROP FOREIGN DATA WRAPPER w",
        ("foreign data wrapper", "foreign server", "column"),
    ),
]


def life_id(life: Life) -> str:
    return f"{life.kind}-{life.attribute}".replace(" ", "-")


def only(changes: tuple[SchemaChange, ...], kind: str, name: str) -> SchemaChange:
    found = [change for change in changes if (change.kind, change.name) == (kind, name)]
    assert len(found) == 1, changes
    return found[0]


@pytest.mark.parametrize("life", LIVES, ids=life_id)
def test_the_life_of_an_object(conn: Connection, life: Life) -> None:
    conn.execute(BASE)
    conn.execute("SET allow_system_table_mods = on")
    empty = Catalog.load(conn)

    conn.execute("BEGIN")
    conn.execute(life.create.encode())
    assert Catalog.load(conn).fingerprint != empty.fingerprint
    conn.execute("ROLLBACK")
    assert Catalog.load(conn).fingerprint == empty.fingerprint

    conn.execute(life.create.encode())
    created = Catalog.load(conn)
    changes = empty.diff(created).changes
    added = only(changes, life.kind, life.name)
    assert added.change is Change.ADDED
    assert added.attributes[0].attribute == "definition"
    assert added.attributes[0].before is None
    not_null_on_18 = ("constraint",)
    assert {change.kind for change in changes} <= {life.kind, *life.along, *not_null_on_18}

    conn.execute("BEGIN")
    conn.execute(life.alter.encode())
    altered = Catalog.load(conn)
    changed = only(created.diff(altered).changes, life.kind, life.name)
    assert changed.change is Change.CHANGED
    found = [each for each in changed.attributes if each.attribute == life.attribute]
    assert len(found) == 1, changed
    assert found[0].before != found[0].after
    assert altered.fingerprint != created.fingerprint
    back = only(altered.diff(created).changes, life.kind, life.name)
    assert [(each.attribute, each.after, each.before) for each in back.attributes] == [
        (each.attribute, each.before, each.after) for each in changed.attributes
    ]
    conn.execute("ROLLBACK")
    assert Catalog.load(conn).fingerprint == created.fingerprint

    conn.execute(life.drop.encode())
    dropped = Catalog.load(conn)
    assert only(created.diff(dropped).changes, life.kind, life.name).change is Change.REMOVED
    assert dropped.fingerprint == empty.fingerprint
    assert not empty.diff(dropped)


def test_columns_know_their_table(conn: Connection) -> None:
    conn.execute(BASE)
    before = Catalog.load(conn)
    conn.execute('ALTER TABLE s.t ADD "D d" numeric(4, 2) NOT NULL DEFAULT 1.5')
    change = only(before.diff(Catalog.load(conn)).changes, "column", 's.t."D d"')
    assert change.parent == "s.t"
    assert change.attributes[0].after == "numeric(4,2) NOT NULL DEFAULT 1.5"


def test_the_order_of_columns_is_a_lesser_difference(conn: Connection) -> None:
    conn.execute("CREATE TABLE t (a int, b int, c int)")
    before = Catalog.load(conn)
    conn.execute("ALTER TABLE t DROP a; ALTER TABLE t ADD a int")
    after = Catalog.load(conn)
    (change,) = before.diff(after).changes
    assert (change.kind, change.name, change.order_only) == ("table", "public.t", True)
    assert (change.attributes[0].before, change.attributes[0].after) == ("a, b, c", "b, c, a")
    assert before.fingerprint != after.fingerprint
    conn.execute("COMMENT ON TABLE t IS 'x'")
    (change,) = before.diff(Catalog.load(conn)).changes
    assert not change.order_only


def test_a_new_column_in_between_is_no_change_of_order(conn: Connection) -> None:
    conn.execute("CREATE TABLE t (a int, b int)")
    before = Catalog.load(conn)
    conn.execute("DROP TABLE t; CREATE TABLE t (a int, n int, b int)")
    assert [(change.kind, change.name) for change in before.diff(Catalog.load(conn)).changes] == [
        ("column", "public.t.n")
    ]


def test_use_is_no_difference(conn: Connection) -> None:
    conn.execute("CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b text)")
    conn.execute("CREATE MATERIALIZED VIEW m AS SELECT a FROM t WITH NO DATA")
    before = Catalog.load(conn)
    conn.execute("INSERT INTO t (b) SELECT 'x' FROM generate_series(1, 5000); DELETE FROM t WHERE a < 100")
    conn.execute("VACUUM ANALYZE t")
    conn.execute("REINDEX TABLE t")
    conn.execute("TRUNCATE t")
    conn.execute("REFRESH MATERIALIZED VIEW m")
    after = Catalog.load(conn)
    assert not before.diff(after)
    assert before.fingerprint == after.fingerprint


def test_members_of_an_extension_are_left_out(conn: Connection) -> None:
    conn.execute("CREATE EXTENSION citext")
    before = Catalog.load(conn)
    conn.execute("COMMENT ON FUNCTION citext_eq(citext, citext) IS 'mine now'")
    assert not before.diff(Catalog.load(conn))


def test_grants_in_another_order_are_the_same(conn: Connection) -> None:
    conn.execute("CREATE TABLE t (a int); GRANT SELECT ON t TO pg_monitor; GRANT INSERT ON t TO pg_signal_backend")
    before = Catalog.load(conn)
    conn.execute("REVOKE ALL ON t FROM pg_monitor; GRANT SELECT ON t TO pg_monitor")
    assert not before.diff(Catalog.load(conn))


def test_grants_given_and_taken_back_leave_nothing(conn: Connection) -> None:
    conn.execute("CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    before = Catalog.load(conn)
    conn.execute("GRANT SELECT ON t TO PUBLIC; REVOKE SELECT ON t FROM PUBLIC")
    conn.execute("REVOKE EXECUTE ON FUNCTION f FROM PUBLIC; GRANT EXECUTE ON FUNCTION f TO PUBLIC")
    conn.execute("GRANT SELECT (a) ON t TO PUBLIC; REVOKE SELECT (a) ON t FROM PUBLIC")
    assert not before.diff(Catalog.load(conn))


def test_changes_come_in_a_stable_order(conn: Connection) -> None:
    before = Catalog.load(conn)
    conn.execute("CREATE TABLE b (y int, x int); CREATE TABLE a (z int); CREATE SCHEMA n")
    after = Catalog.load(conn)
    changes = before.diff(after).changes
    assert [(change.kind, change.name) for change in changes] == sorted(
        (change.kind, change.name) for change in changes
    )
    assert changes == before.diff(Catalog.load(conn)).changes
