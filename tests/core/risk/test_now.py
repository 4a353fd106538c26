"""What runs on the tables now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.risk.now import (
    OpenTransaction,
    Traffic,
    average_traffic,
    expected_wait,
    open_transactions,
    traffic_of,
    watched_traffic,
)
from confiture_tui.database.connection import connect

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.database.dsn import Dsn

modes = st.sampled_from(LockMode)


def transaction(mode: LockMode, age: float, *, autovacuum: bool = False) -> OpenTransaction:
    return OpenTransaction("public.t", mode, 1, age, "active", "app", autovacuum)


def oid_of(conn: psycopg.Connection[tuple[object, ...]], name: str) -> int:
    row = conn.execute("SELECT %s::regclass::oid::int8", (name,)).fetchone()
    assert row is not None
    assert isinstance(row[0], int)
    return row[0]


def test_a_reader_is_seen_with_its_age_and_strongest_lock(
    conn: psycopg.Connection[tuple[object, ...]], database: Dsn
) -> None:
    conn.execute("CREATE TABLE t (v int); CREATE TABLE quiet (v int)")
    wanted = {oid_of(conn, "t"): "public.t", oid_of(conn, "quiet"): "public.quiet"}
    with connect(database, application_name="shop") as other, other.transaction():
        pid = other.info.backend_pid
        other.execute("SELECT FROM t")
        other.execute("INSERT INTO t VALUES (1)")
        with conn.transaction():
            conn.execute("LOCK TABLE quiet")
            (found,) = open_transactions(conn.cursor(), wanted)
    assert (found.relation, found.mode, found.pid) == ("public.t", LockMode.ROW_EXCLUSIVE, pid)
    assert (found.state, found.application_name, found.autovacuum) == ("idle in transaction", "shop", False)
    assert 0 <= found.age_seconds < 100
    assert open_transactions(conn.cursor(), wanted) == ()


@settings(deadline=None)
@given(st.lists(st.builds(transaction, modes, st.floats(0, 1e5))), modes)
def test_one_waits_for_those_that_are_in_the_way_and_no_others(open_now: list[OpenTransaction], mode: LockMode) -> None:
    wait = expected_wait(open_now, mode)
    in_the_way = [each.age_seconds for each in open_now if mode in each.mode.conflicts]
    assert wait >= max(in_the_way, default=0)
    assert (wait > 0) == (max(in_the_way, default=0) > 0)


@settings(deadline=None)
@given(modes, st.floats(0, 100), st.floats(0, 100))
def test_older_ones_are_waited_for_longer(mode: LockMode, first: float, second: float) -> None:
    young, old = (expected_wait([transaction(mode, age)], LockMode.ACCESS_EXCLUSIVE) for age in sorted((first, second)))
    assert young <= old


def test_autovacuum_gives_way() -> None:
    vacuum = transaction(LockMode.SHARE_UPDATE_EXCLUSIVE, 3600, autovacuum=True)
    assert expected_wait([vacuum], LockMode.ACCESS_EXCLUSIVE) == 1
    assert expected_wait([vacuum], LockMode.ROW_EXCLUSIVE) == 0


def test_traffic_is_watched(conn: psycopg.Connection[tuple[object, ...]], database: Dsn) -> None:
    conn.execute("CREATE TABLE t (v int); CREATE TABLE quiet (v int); INSERT INTO t SELECT generate_series(1, 10)")
    wanted = {oid_of(conn, "t"): "public.t", oid_of(conn, "quiet"): "public.quiet"}

    def meanwhile(_seconds: float) -> None:
        # A session hands its counts on when it ends, at the latest.
        with connect(database) as other:
            for _ in range(5):
                other.execute("SELECT FROM t")
            other.execute("UPDATE t SET v = v")
        counted = "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 't'"
        deadline = time.monotonic() + 30
        while conn.execute(counted).fetchone() != (10,) and time.monotonic() < deadline:
            time.sleep(0.02)

    with connect(database) as asking:
        found = watched_traffic(asking, wanted, 1, pause=meanwhile)
    traffic = found["public.t"]
    assert traffic.reads > 0
    assert traffic.updates > 0
    assert found["public.quiet"].reads == found["public.quiet"].writes == 0


def test_nothing_is_watched_without_time(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    assert watched_traffic(conn, {1: "public.t"}, 0) == {}


def test_the_average_of_the_counters(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    conn.execute("CREATE TABLE t (v int); CREATE VIEW w AS SELECT 1 AS one")
    catalog = Catalog.load(conn)
    found = average_traffic(catalog, "public.t", 100)
    assert found is not None
    assert found.writes == 0
    assert average_traffic(catalog, "public.w", 100) is None
    assert average_traffic(catalog, "public.gone", 100) is None


def test_the_busier_of_now_and_the_average_counts_where_the_average_means_something() -> None:
    quiet, busy = Traffic(1, 0, 0, 0, "now"), Traffic(50, 5, 5, 0, "average")
    assert traffic_of(quiet, busy, 86_400) is busy
    assert traffic_of(quiet, busy, 60) is quiet
    assert traffic_of(quiet, busy, None) is quiet
    assert traffic_of(None, busy, None) is busy
    assert traffic_of(None, None, None) is None
