"""Each kind of object: created, altered and dropped, it shows in the diff; rolled back, the fingerprint is back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.catalog import Catalog, Change, SchemaChange
from tests.core.catalog.lives import BASE, LIVES

if TYPE_CHECKING:
    import psycopg

    from tests.core.catalog.life import Life

    Connection = psycopg.Connection[tuple[Any, ...]]


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
