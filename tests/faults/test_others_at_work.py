"""Other sessions do something at a random moment: cancel us, lock what we need, change our ledger, run the same."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.runner.advisory_lock import LockHeld
from confiture_tui.core.runner.result import RunOutcome, RunResult
from confiture_tui.core.runner.runner import MigrationRunner
from confiture_tui.core.runner.session import APPLICATION_NAME
from confiture_tui.database.connection import connect
from confiture_tui.errors import ConfitureError
from confiture_tui.events import Event, EventName
from tests.faults.running import (
    MIGRATIONS,
    POLICY,
    Connection,
    bring_to_an_end,
    check_that_all_is_done,
    exists,
    hooks_of,
    in_ledger,
    migrations,
)
from tests.support.processes import until

if TYPE_CHECKING:
    import random

    from confiture_tui.database.dsn import Dsn
    from tests.faults.conftest import Tried

_CANCEL = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = %s"


@pytest.mark.parametrize("kind", list(MIGRATIONS))
def test_our_statements_are_cancelled_at_a_random_moment(
    databases: Any, kind: str, chances: random.Random, tries: int, tried: Tried
) -> None:
    for _ in range(tries):
        place = databases.fresh()
        with connect(place) as conn, connect(place) as other:
            chosen = migrations(kind)
            timer = threading.Timer(chances.uniform(0, 0.4), other.execute, (_CANCEL, (APPLICATION_NAME,)))
            timer.start()
            result = None
            # Raised before the run had begun; later on whatever happens is in the result.
            with contextlib.suppress(psycopg.errors.QueryCanceled, ConfitureError):
                result = MigrationRunner(conn, policy=POLICY).apply(chosen, hooks=hooks_of(chosen))
            timer.join()
            tried("a statement cancelled by another session, at a random moment")
            if result is not None and result.migrations[0].outcome is RunOutcome.FAILED:
                assert not exists(conn, "a")
                assert not in_ledger(conn)
            bring_to_an_end(conn, kind)
            check_that_all_is_done(conn, kind)


def test_a_deadlock_is_tried_again(databases: Any, tries: int, tried: Tried) -> None:
    for _ in range(tries):
        _deadlock(databases.fresh())
        tried("a deadlock")


def _deadlock(place: Dsn) -> None:
    with connect(place) as conn, connect(place) as other:
        conn.execute("CREATE TABLE x (id int); CREATE TABLE y (id int)")
        other.execute("SET deadlock_timeout = '30s'; BEGIN; LOCK TABLE y")
        threads: list[threading.Thread] = []

        def sink(event: Event) -> None:
            # We have locked x and are about to ask for y: now the other one asks for x.
            if event.name is EventName.STATEMENT_START and event.statement == 3 and not threads:
                threads.append(threading.Thread(target=other.execute, args=("LOCK TABLE x; COMMIT",)))
                threads[0].start()
                until(
                    lambda: conn.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone() is not None,
                    "the other session waits",
                )

        policy = POLICY.model_copy(update={"lock_timeout_ms": 60_000, "give_way": None})
        result = MigrationRunner(conn, policy=policy, sink=sink).apply(migrations("deadlock"))
        threads[0].join()
        assert result.ok, result.migrations[0].error
        assert result.migrations[0].attempts == 2


def test_a_lock_that_is_never_granted_leaves_nothing(databases: Any, tries: int, tried: Tried) -> None:
    policy = POLICY.model_copy(update={"lock_timeout_ms": 50})
    for _ in range(tries):
        place = databases.fresh()
        with connect(place) as conn, connect(place, autocommit=False) as holder:
            conn.execute("CREATE TABLE x (id int)")
            holder.execute("LOCK TABLE x")
            one = Migration.from_sql("CREATE TABLE a (id int);\nALTER TABLE x ADD n int;", version="001", name="x")
            result = MigrationRunner(conn, policy=policy).apply(one)
            tried("a lock that is never granted")
            assert [run.outcome for run in result.migrations] == [RunOutcome.FAILED]
            assert result.migrations[0].attempts == 1 + policy.retries
            assert not exists(conn, "a")
            assert not in_ledger(conn)
            holder.rollback()
            assert MigrationRunner(conn, policy=policy).apply(one).ok


def test_two_operators_at_once(databases: Any, chances: random.Random, tries: int, tried: Tried) -> None:
    """One of them runs it; the other is told, whether he came during the run or after it."""
    for _ in range(tries):
        place = databases.fresh()
        results: list[RunResult | Exception] = []

        def operate(pause: float, place: Dsn = place, results: list[RunResult | Exception] = results) -> None:
            with connect(place) as conn:
                threading.Event().wait(pause)
                try:
                    results.append(MigrationRunner(conn, policy=POLICY).apply(migrations("whole")))
                except LockHeld as error:
                    results.append(error)

        threads = [threading.Thread(target=operate, args=(chances.uniform(0, 0.2),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tried("two operators at once")
        assert len(results) == 2
        assert sum(isinstance(one, RunResult) and one.ok for one in results) == 1
        (refused,) = [one for one in results if not (isinstance(one, RunResult) and one.ok)]
        if isinstance(refused, RunResult):
            assert "in the ledger already" in (refused.migrations[0].error or "")
        with connect(place) as conn:
            check_that_all_is_done(conn, "whole")


@pytest.mark.parametrize(
    "change",
    ["INSERT INTO tb_confiture (slug, version, name) VALUES ('x', '001', 'x')", "TRUNCATE tb_confiture"],
    ids=["a row is added", "all rows go"],
)
def test_the_ledger_is_changed_at_a_random_event(
    databases: Any, change: str, chances: random.Random, tries: int, tried: Tried
) -> None:
    """Either we see it and leave nothing, or it came before or after us: the ledger is never half written."""
    for _ in range(tries):
        place = databases.fresh()
        with connect(place) as conn, connect(place) as other:
            other.execute("SET lock_timeout = '100ms'")
            moment, seen = chances.randint(2, 9), list[str]()

            def sink(event: Event, moment: int = moment, seen: list[str] = seen, other: Connection = other) -> None:
                seen.append(event.name)
                if len(seen) == moment:
                    _try(other, change)

            result = MigrationRunner(conn, policy=POLICY, sink=sink).apply(migrations("whole"))
            tried("a ledger changed behind our back, at a random event")
            assert exists(conn, "a") == exists(conn, "b") == result.ok
            if not result.ok:
                assert result.migrations[0].outcome is RunOutcome.FAILED


def _try(other: Connection, change: str) -> None:
    """Change the ledger, unless it is not there yet, or held by a run."""
    try:
        other.execute(change.encode())
    except (psycopg.errors.UndefinedTable, psycopg.errors.LockNotAvailable, psycopg.errors.UniqueViolation):
        return
