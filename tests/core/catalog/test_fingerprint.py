"""The fingerprint is equal exactly when the diff is empty, whatever way the schema came about."""

from __future__ import annotations

import random
import subprocess
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confiture_tui.core.catalog import Catalog
from confiture_tui.database.connection import connect

if TYPE_CHECKING:
    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer
    from tests.support.databases import Databases

    Connection = psycopg.Connection[tuple[Any, ...]]


def agree(before: Catalog, after: Catalog) -> bool:
    """Whether two catalogs are equal; diff in both directions and fingerprints must say the same."""
    equal = before.fingerprint == after.fingerprint
    assert bool(before.diff(after)) is not equal
    assert bool(after.diff(before)) is not equal
    return equal


def test_a_dumped_and_restored_copy_is_equal(server: EmbeddedServer, databases: Databases, rich_database: Dsn) -> None:
    copy = databases.fresh()
    dump = subprocess.run(
        [server.bin_dir / "pg_dump", "-s", "-d", rich_database.conninfo()], check=True, capture_output=True
    )
    subprocess.run(
        [server.bin_dir / "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", copy.conninfo()],
        input=dump.stdout,
        check=True,
        capture_output=True,
    )
    with connect(rich_database) as one, connect(copy) as two:
        before, after = Catalog.load(one), Catalog.load(two)
    assert before.diff(after).changes == ()
    assert agree(before, after)
    oids = [each.oid for each in before.relations.values()]
    assert oids != [each.oid for each in after.relations.values()]


INDEPENDENT = [
    "CREATE TABLE t1 (a int PRIMARY KEY, b text)",
    "CREATE TYPE e AS ENUM ('x', 'y')",
    "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE SEQUENCE s1",
    "CREATE SCHEMA n",
    "CREATE TABLE t2 (a serial)",
    "CREATE DOMAIN d AS int CHECK (VALUE > 0)",
    "CREATE COLLATION c (locale = 'C')",
]


@pytest.mark.parametrize("seed", range(3))
def test_the_order_in_which_objects_were_made_does_not_show(databases: Databases, seed: int) -> None:
    catalogs: list[Catalog] = []
    for shuffled in (INDEPENDENT, random.Random(seed).sample(INDEPENDENT, len(INDEPENDENT))):
        with connect(databases.fresh()) as conn:
            for statement in shuffled:
                conn.execute(statement.encode())
            conn.execute("GRANT SELECT ON t1 TO PUBLIC; COMMENT ON TABLE t1 IS 'x'")
            catalogs.append(Catalog.load(conn))
    assert agree(*catalogs)


STEPS = [
    "CREATE TABLE t (a int, b text)",
    "DROP TABLE t CASCADE",
    "ALTER TABLE t ADD c int",
    "ALTER TABLE t DROP c",
    "ALTER TABLE t ALTER a SET NOT NULL",
    "ALTER TABLE t ALTER a DROP NOT NULL",
    "ALTER TABLE t ALTER b TYPE varchar(9)",
    "ALTER TABLE t ALTER b TYPE text",
    "ALTER TABLE t ALTER b SET DEFAULT 'x'",
    "ALTER TABLE t ALTER b DROP DEFAULT",
    "CREATE INDEX i ON t (a)",
    "DROP INDEX i",
    "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0)",
    "ALTER TABLE t DROP CONSTRAINT k",
    "GRANT SELECT ON t TO PUBLIC",
    "REVOKE SELECT ON t FROM PUBLIC",
    "COMMENT ON COLUMN t.b IS 'x'",
    "COMMENT ON COLUMN t.b IS NULL",
    "CREATE VIEW v AS SELECT a FROM t",
    "DROP VIEW v",
    "ALTER TABLE t RENAME TO u",
    "ALTER TABLE u RENAME TO t",
    "ALTER TABLE t OWNER TO pg_monitor",
    "ALTER TABLE t OWNER TO postgres",
    "CREATE TYPE e AS ENUM ('x')",
    "ALTER TYPE e ADD VALUE IF NOT EXISTS 'y'",
    "DROP TYPE e",
    "INSERT INTO t (a) VALUES (1)",
    "ANALYZE t",
    "CREATE SEQUENCE s OWNED BY t.a",
    "SELECT nextval('s')",
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE t DISABLE ROW LEVEL SECURITY",
]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(STEPS), min_size=1, max_size=14))
def test_equal_fingerprints_mean_an_empty_diff(conn: Connection, steps: list[str]) -> None:
    conn.execute("BEGIN")
    try:
        conn.execute("CREATE TABLE t (a int, b text)")
        seen = [Catalog.load(conn)]
        for step in steps:
            try:
                with conn.transaction():
                    conn.execute(step.encode())
            except psycopg.Error:
                continue
            seen.append(Catalog.load(conn))
        for one in seen:
            agree(one, seen[-1])
            agree(seen[0], one)
    finally:
        conn.execute("ROLLBACK")


def test_there_and_back_is_equal(conn: Connection) -> None:
    """The steps that undo each other do lead back: the property above is not true for want of equal catalogs."""
    conn.execute("CREATE TABLE t (a int, b text)")
    before = Catalog.load(conn)
    for there, back in [(6, 7), (8, 9), (10, 11), (12, 13), (14, 15), (16, 17), (18, 19), (20, 21), (22, 23), (31, 32)]:
        conn.execute(STEPS[there].encode())
        assert not agree(before, Catalog.load(conn)), STEPS[there]
        conn.execute(STEPS[back].encode())
        assert agree(before, Catalog.load(conn)), STEPS[back]


def test_texts_do_not_run_together(conn: Connection) -> None:
    conn.execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    conn.execute("ALTER FUNCTION f SET search_path = 'a, b'")
    one = Catalog.load(conn)
    conn.execute("ALTER FUNCTION f SET search_path = 'a', 'b'")
    assert not agree(one, Catalog.load(conn))
