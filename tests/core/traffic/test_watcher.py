"""Who waits behind us is seen, and given way to: a statement is cancelled, a session that listens not is ended."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.traffic.model import GaveWay, GiveWayLimits
from confiture_tui.core.traffic.queue import Waiting, behind
from confiture_tui.core.traffic.watcher import TrafficWatcher
from confiture_tui.database.connection import connect_beside
from confiture_tui.events import Event, EventName
from tests.support.processes import until

if TYPE_CHECKING:
    from confiture_tui.database.dsn import Dsn

PATIENT = GiveWayLimits(wait_ms=3_600_000, sessions=1_000, poll_ms=10)


@pytest.fixture
def ours(database: Dsn) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.conninfo(), application_name="ours") as conn:
        conn.execute("CREATE TABLE t (id int); CREATE TABLE other (id int)")
        conn.commit()
        yield conn


@contextlib.contextmanager
def waiting(database: Dsn, sql: str, name: str = "customer") -> Iterator[threading.Thread]:
    """A session that runs something which has to wait; at the end it is cancelled if it still does."""
    with psycopg.connect(database.conninfo(), autocommit=True, application_name=name) as conn:

        def run() -> None:
            with contextlib.suppress(psycopg.errors.QueryCanceled):
                conn.execute(sql.encode())

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield thread
        finally:
            while thread.is_alive():
                conn.cancel_safe()
                thread.join(0.05)


def watching(conn: psycopg.Connection[Any], limits: GiveWayLimits, **options: Any) -> TrafficWatcher:
    return TrafficWatcher(lambda: connect_beside(conn), conn.info.backend_pid, limits, **options)


def test_who_waits_is_seen_and_told(ours: psycopg.Connection[Any], database: Dsn) -> None:
    events: list[Event] = []
    ours.execute("LOCK TABLE t")
    with watching(ours, PATIENT, sink=events.append) as watcher, waiting(database, "SELECT * FROM t"):
        until(lambda: any(event.name is EventName.LOCK_WAIT for event in events), "an event for the wait")
        (waiter,) = watcher.blocked()
        assert (waiter.relation, waiter.mode) == ("public.t", LockMode.ACCESS_SHARE)
        assert waiter.application == "customer"
        assert waiter.label.startswith(f"session {waiter.pid} (customer, role ")
        assert watcher.gave_way is None
        ours.rollback()
        until(lambda: watcher.blocked() == (), "nobody waits any more")
    event = next(event for event in events if event.name is EventName.LOCK_WAIT)
    assert event.data["waiting"] == "others"
    assert event.data["pids"] == [waiter.pid]


def test_those_behind_somebody_behind_us_count_and_others_do_not(ours: psycopg.Connection[Any], database: Dsn) -> None:
    with psycopg.connect(database.conninfo()) as stranger, watching(ours, PATIENT) as watcher:
        ours.execute("LOCK TABLE t")
        stranger.execute("LOCK TABLE other")
        with (
            waiting(database, "BEGIN; LOCK TABLE t IN SHARE MODE; ROLLBACK", "first"),
            waiting(database, "SELECT * FROM other", "elsewhere"),
        ):
            until(lambda: {one.application for one in watcher.blocked()} == {"first"}, "the one behind us")
            with waiting(database, "INSERT INTO t VALUES (1)", "second"):
                names = {"first", "second"}
                until(lambda: {one.application for one in watcher.blocked()} == names, "the one behind him too")
            ours.rollback()
            stranger.rollback()


def test_the_closure_knows_who_is_behind_whom() -> None:
    def one(pid: int, *ahead: int, maintenance: bool = False) -> Waiting:
        return Waiting(pid, frozenset(ahead), 1.0, None, None, None, "", maintenance)

    queue = (one(2, 1), one(3, 2), one(4, 9), one(5, 3, 4), one(6, 1, maintenance=True), one(1, 8))
    assert [found.pid for found in behind(1, queue)] == [2, 3, 5]
    assert behind(7, queue) == ()


def test_a_statement_is_cancelled_when_somebody_waits_too_long(ours: psycopg.Connection[Any], database: Dsn) -> None:
    events: list[Event] = []
    told: list[GaveWay] = []
    ours.execute("LOCK TABLE t")
    limits = GiveWayLimits(wait_ms=100, poll_ms=10, grace_ms=60_000)
    with watching(ours, limits, sink=events.append, on_yield=told.append) as watcher:
        with waiting(database, "SELECT * FROM t") as customer:
            with pytest.raises(psycopg.errors.QueryCanceled):
                ours.execute("SELECT pg_sleep(60)")
            ours.rollback()
            customer.join(30)
            assert not customer.is_alive()
        why = watcher.gave_way
    assert why is not None
    assert told == [why]
    assert "1 session waited behind it" in why.reason
    assert [event.name for event in events if event.name is EventName.GAVE_WAY] == [EventName.GAVE_WAY]
    assert ours.execute("SELECT 1").fetchone() == (1,)


def test_too_many_at_once_are_too_much(ours: psycopg.Connection[Any], database: Dsn) -> None:
    limits = GiveWayLimits(wait_ms=3_600_000, sessions=1, poll_ms=10, grace_ms=60_000)
    ours.execute("LOCK TABLE t")
    with watching(ours, limits) as watcher, waiting(database, "TABLE t"):
        until(lambda: len(watcher.blocked()) == 1, "one waits")
        assert watcher.gave_way is None
        with waiting(database, "TABLE t"):
            until(lambda: watcher.gave_way is not None, "two are one too many")
        ours.rollback()


def test_a_session_that_does_nothing_is_ended(ours: psycopg.Connection[Any], database: Dsn) -> None:
    limits = GiveWayLimits(wait_ms=50, poll_ms=10, grace_ms=50)
    ours.execute("LOCK TABLE t")
    with watching(ours, limits) as watcher, waiting(database, "SELECT * FROM t") as customer:
        customer.join(30)
        assert not customer.is_alive()
        assert watcher.gave_way is not None
    with pytest.raises(psycopg.OperationalError):
        ours.execute("SELECT 1")


def test_whom_we_wait_for_is_told(ours: psycopg.Connection[Any], database: Dsn) -> None:
    events: list[Event] = []
    with psycopg.connect(database.conninfo(), application_name="reader") as reader:
        reader.execute("LOCK TABLE t IN ACCESS SHARE MODE")
        with watching(ours, PATIENT, sink=events.append) as watcher:
            thread = threading.Thread(target=ours.execute, args=("LOCK TABLE t",))
            thread.start()
            until(lambda: watcher.waited_for is not None, "it waits")
            reader.rollback()
            thread.join(30)
            assert not thread.is_alive()
    assert "reader" in (watcher.waited_for or "")
    event = next(event for event in events if event.name is EventName.LOCK_WAIT)
    assert event.data["waiting"] == "ours"
    assert event.message.startswith("Waiting for ACCESS EXCLUSIVE on public.t, behind session")


def _watchers(conn: psycopg.Connection[Any]) -> list[int]:
    query = """
    SELECT pid FROM pg_stat_activity
     WHERE application_name = 'confiture-tui watcher' AND datname = current_database()
    """
    return [pid for (pid,) in conn.execute(query)]


def test_a_lost_second_connection_is_made_again(ours: psycopg.Connection[Any], database: Dsn) -> None:
    with psycopg.connect(database.conninfo(), autocommit=True) as admin, watching(ours, PATIENT) as watcher:
        (first,) = _watchers(admin)
        admin.execute("SELECT pg_terminate_backend(%s, 10000)", (first,))
        until(lambda: _watchers(admin) not in ([], [first]), "another one looks")
        assert watcher.gave_way is None


def test_a_watcher_that_cannot_see_gives_way(ours: psycopg.Connection[Any], database: Dsn) -> None:
    made: list[psycopg.Connection[Any]] = []

    def once() -> psycopg.Connection[Any]:
        if made:
            raise psycopg.OperationalError("no more")
        made.append(connect_beside(ours))
        return made[0]

    with (
        psycopg.connect(database.conninfo(), autocommit=True) as admin,
        TrafficWatcher(once, ours.info.backend_pid, PATIENT) as watcher,
    ):
        admin.execute("SELECT pg_terminate_backend(%s, 10000)", (made[0].info.backend_pid,))
        until(lambda: watcher.gave_way is not None, "it is blind")
        assert watcher.gave_way is not None
        assert watcher.gave_way.blind


def test_a_watcher_that_fails_by_itself_gives_way_too(ours: psycopg.Connection[Any], database: Dsn) -> None:
    def broken(event: Event) -> None:
        if event.name is EventName.LOCK_WAIT:
            raise RuntimeError("the sink is broken")

    ours.execute("LOCK TABLE t")
    with watching(ours, PATIENT, sink=broken) as watcher, waiting(database, "SELECT * FROM t"):
        until(lambda: watcher.gave_way is not None, "that nobody looks any more is known")
        assert watcher.gave_way is not None
        assert watcher.gave_way.blind
        assert "RuntimeError" in watcher.gave_way.reason
        ours.rollback()


def test_a_wait_that_began_before_us_is_not_ours(ours: psycopg.Connection[Any], database: Dsn) -> None:
    """Somebody has long been waiting for another one, who comes to wait behind us: that time is not our doing."""
    with psycopg.connect(database.conninfo()) as middle:
        middle.execute("LOCK TABLE other")
        with waiting(database, "SELECT * FROM other", "patient"):
            with psycopg.connect(database.conninfo(), autocommit=True) as admin:
                late = "SELECT count(*) FROM pg_locks WHERE NOT granted AND clock_timestamp() - waitstart > '0.4 s'"
                until(lambda: admin.execute(late.encode()).fetchone() == (1,), "he has waited for a while")
            began = time.monotonic()
            ours.execute("LOCK TABLE t")
            with watching(ours, PATIENT) as watcher:
                thread = threading.Thread(target=middle.execute, args=("LOCK TABLE t",))
                thread.start()
                until(lambda: len(watcher.blocked()) == 2, "both are behind us")
                seen = {one.application: one.waited_ms for one in watcher.blocked()}
                lasted_ms = (time.monotonic() - began) * 1000
                ours.rollback()
                thread.join(30)
            middle.rollback()
    assert seen["patient"] <= lasted_ms


def test_nothing_is_left_of_it(ours: psycopg.Connection[Any]) -> None:
    with watching(ours, PATIENT) as watcher:
        assert watcher.blocked() == ()
    watcher.stop()
    ours.autocommit = True
    until(lambda: _watchers(ours) == [], "its connection is closed")
