"""The shops' application: it works, waits for locks, comes back, ends when it is told to, and does not grow."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.database.connection import connect
from confiture_tui.database.demo import traffic
from confiture_tui.database.demo.traffic import APPLICATION_NAME, CONNECTIONS, Traffic
from confiture_tui.events import Event, EventName, Level
from tests.support.processes import until

from .looking import scalar

if TYPE_CHECKING:
    import psycopg

    from .conftest import Built

SESSIONS = f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{APPLICATION_NAME}'"
PIDS = SESSIONS.replace("count(*)", "coalesce(array_agg(pid), '{}')")
WAITING = f"{SESSIONS} AND cardinality(pg_blocking_pids(pid)) > 0"
OURS = "SELECT count(*) FROM w_order WHERE order_number LIKE 'WEB-%'"
NEWEST = "SELECT max(order_id) FROM w_order"


class Open:
    """Traffic on a copy of the shop, a session beside it, and one elsewhere that watches: within a transaction the
    list of sessions does not change."""

    def __init__(self, built: Built, conn: psycopg.Connection[Any], watcher: psycopg.Connection[Any]) -> None:
        self.conn = conn
        self.watcher = watcher
        self.events: list[Event] = []
        self.traffic = Traffic(built.server.dsn(conn.info.dbname, conn.info.user), sink=self.events.append)

    def sold(self, more: int) -> None:
        """Wait until that many transactions more have been committed."""
        enough = self.traffic.transactions + more
        until(lambda: self.traffic.transactions >= enough, f"{more} more transactions")

    def count(self, query: str) -> int:
        return int(scalar(self.watcher if "pg_stat_activity" in query else self.conn, query))

    def told(self) -> list[tuple[Level, str | None]]:
        return [(event.level, event.data.get("sqlstate")) for event in self.events[1:]]


@pytest.fixture
def opened(built: Built, clone: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    monkeypatch.setattr(traffic, "RATE", 300.0)
    monkeypatch.setattr(traffic, "KEPT", 3)
    with connect(built.server.dsn()) as watcher:
        one = Open(built, clone, watcher)
        one.traffic.start()
        yield one
        one.traffic.stop()
        until(lambda: one.count(SESSIONS) == 0, "no session of the application is left")


def test_it_reads_and_writes_under_a_name_of_its_own_and_keeps_the_read_side_in_step(opened: Open) -> None:
    until(lambda: opened.count(SESSIONS) == CONNECTIONS, "every session is there")
    until(lambda: opened.count(OURS) > 0, "an order has come in")
    opened.sold(60)
    opened.traffic.stop()
    until(lambda: opened.count(SESSIONS) == 0, "its sessions have ended")
    for name in ("order_summary", "customer_overview"):
        assert opened.count(f"SELECT count(*) FROM (TABLE v_{name} EXCEPT TABLE r_{name}) AS difference") == 0
    assert [event.name for event in opened.events] == [EventName.DEMO_TRAFFIC]


def test_what_it_writes_is_bounded(opened: Open) -> None:
    newest = opened.count(NEWEST)
    until(lambda: opened.count(NEWEST) > newest + 10 * CONNECTIONS, "many orders have come in")
    opened.traffic.stop()
    assert 0 < opened.count(OURS) <= 3 * CONNECTIONS


def test_it_waits_for_a_lock_as_long_as_it_takes(opened: Open) -> None:
    with opened.conn.transaction():
        opened.conn.execute("LOCK TABLE r_order_summary")
        until(lambda: opened.count(WAITING) > 0, "the application waits behind the lock")
    opened.sold(10)
    assert opened.told() == []


def test_it_comes_back_after_its_sessions_were_ended(opened: Open) -> None:
    until(lambda: opened.count(SESSIONS) == CONNECTIONS, "every session is there")
    before = set(scalar(opened.watcher, PIDS))
    opened.watcher.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", (list(before),))
    until(lambda: not before & set(scalar(opened.watcher, PIDS)), "the old sessions are gone")
    until(lambda: opened.count(SESSIONS) == CONNECTIONS, "it has come back")
    opened.sold(10)
    until(lambda: opened.told()[-1:] == [(Level.INFO, None)], "it has told that it is over")
    # Whoever was told nothing by the server any more finds a broken connection: 08006 stands for that.
    assert opened.told()[0] in {(Level.WARNING, "57P01"), (Level.WARNING, "08006")}


def test_a_rename_that_breaks_it_is_told_once_and_so_is_its_end(opened: Open) -> None:
    opened.sold(5)
    opened.conn.execute("ALTER TABLE w_order RENAME COLUMN channel TO way")
    until(lambda: (Level.WARNING, "42703") in opened.told(), "the application complains")
    opened.conn.execute("ALTER TABLE w_order RENAME COLUMN way TO channel")
    newest = opened.count(NEWEST)
    until(lambda: opened.count(NEWEST) > newest, "orders come in again")


def test_it_stops_while_it_waits_for_a_lock(opened: Open) -> None:
    with opened.conn.transaction():
        opened.conn.execute("LOCK TABLE r_order_summary")
        until(lambda: opened.count(WAITING) == CONNECTIONS, "every session waits")
        opened.traffic.stop()
        until(lambda: opened.count(SESSIONS) == 0, "its sessions have ended")


def test_stopping_ends_with_the_server_when_there_is_none(built: Built) -> None:
    dsn = built.server.dsn("no_such_shop", "shop_owner")
    one = Traffic(dsn)
    one.start()
    one.stop()
    one.stop()
    until(
        lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("demo-traffic")],
        "its threads have ended",
    )
    assert one.transactions == 0
