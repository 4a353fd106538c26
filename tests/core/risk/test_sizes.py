"""How big tables are, and what proves them small."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.risk.sizes import ASSUMED_BYTES, SMALL_BYTES, Sizes, TableSize

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[object, ...]]


def analyzed(conn: Connection) -> TableSize:
    """The size of ``public.t`` once its statistics are fresh: counters reach the views about a second late."""
    deadline = time.monotonic() + 60
    while True:
        conn.execute("ANALYZE t")
        size = Sizes(Catalog.load(conn)).of("public.t")
        if size.fresh or time.monotonic() > deadline:
            return size
        time.sleep(0.05)


def test_without_a_catalog_everything_is_big() -> None:
    size = Sizes(None).of("public.t")
    assert (size.bytes, size.known, size.proved_small) == (ASSUMED_BYTES, False, False)
    assert "no catalog" in size.source


def test_small_is_proved_by_size_and_fresh_statistics_together(conn: Connection) -> None:
    conn.execute("CREATE TABLE t (v int) WITH (autovacuum_enabled = off)")
    assert Sizes(Catalog.load(conn)).of("public.t").proved_small, "an empty file needs no statistics"
    conn.execute("INSERT INTO t SELECT generate_series(1, 5000)")
    stale = Sizes(Catalog.load(conn)).of("public.t")
    assert (stale.fresh, stale.proved_small, stale.known) == (False, False, True)
    fresh = analyzed(conn)
    assert (fresh.fresh, fresh.proved_small) == (True, True)
    assert fresh.rows == 5000
    assert 0 < fresh.bytes <= SMALL_BYTES


def test_big_is_not_small(conn: Connection) -> None:
    conn.execute("CREATE TABLE t (v text)")
    conn.execute("ALTER TABLE t ALTER v SET STORAGE PLAIN")
    conn.execute("INSERT INTO t SELECT repeat('x', 4000) FROM generate_series(1, 3000)")
    size = analyzed(conn)
    assert size.bytes > SMALL_BYTES
    assert (size.fresh, size.proved_small) == (True, False)


def test_a_partitioned_table_is_as_big_as_its_partitions(conn: Connection) -> None:
    conn.execute("CREATE TABLE p (v int) PARTITION BY RANGE (v)")
    conn.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100)")
    conn.execute("CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (10000) PARTITION BY RANGE (v)")
    conn.execute("CREATE TABLE p21 PARTITION OF p2 FOR VALUES FROM (100) TO (10000)")
    conn.execute("INSERT INTO p SELECT generate_series(0, 999)")
    conn.execute("ANALYZE")
    sizes = Sizes(Catalog.load(conn))
    assert sizes.of("public.p").rows == 1000
    assert sizes.of("public.p").bytes == sizes.of("public.p1").bytes + sizes.of("public.p21").bytes


def test_rows_grow_with_the_file_when_statistics_are_old(conn: Connection) -> None:
    conn.execute("CREATE TABLE t WITH (autovacuum_enabled = off) AS SELECT generate_series(1, 20000) AS v")
    conn.execute("ANALYZE t")
    conn.execute("INSERT INTO t SELECT generate_series(1, 80000)")
    assert 50_000 < Sizes(Catalog.load(conn)).of("public.t").rows < 150_000


def test_what_nobody_has_filled_yet(conn: Connection) -> None:
    sizes = Sizes(Catalog.load(conn), new=frozenset({"public.made"}))
    assert sizes.of("public.made").proved_small
    assert not sizes.of("public.made").proved_empty
    sizes.empty.add("public.made")
    assert sizes.of("public.made").proved_empty
    assert not sizes.of("public.missing").known
