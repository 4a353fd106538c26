"""A run waits for locks with a limit, gives way to others, and is the only one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.runner.advisory_lock import NAMESPACE, LockHeld, object_key
from confiture_tui.core.runner.result import RunOutcome
from confiture_tui.core.traffic.model import GiveWayLimits
from confiture_tui.database.cancellation import CancelScope
from confiture_tui.events import Event, EventName
from tests.core.runner.running import QUICK, Connection, a_hook, applied, apply, exists, migration, outcomes

if TYPE_CHECKING:
    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.database.dsn import Dsn


def test_a_lock_that_is_not_granted_is_asked_for_again_and_then_had(conn: Connection, database: Dsn) -> None:
    conn.execute("CREATE TABLE a (id int)")
    events: list[Event] = []
    with psycopg.connect(database.conninfo()) as holder:
        holder.execute("LOCK TABLE a")

        def sink(event: Event) -> None:
            events.append(event)
            if event.name is EventName.LOCK_TIMEOUT_RETRY:
                holder.rollback()

        result = apply(conn, migration("ALTER TABLE a ADD COLUMN n int"), sink=sink)
    assert outcomes(result) == [RunOutcome.APPLIED]
    assert result.migrations[0].attempts == 2
    assert any(event.name is EventName.LOCK_TIMEOUT_RETRY for event in events)


def test_a_lock_that_is_never_granted_fails_and_names_who_holds_it(conn: Connection, database: Dsn) -> None:
    conn.execute("CREATE TABLE a (id int)")
    with psycopg.connect(database.conninfo(), application_name="long report") as holder:
        holder.execute("LOCK TABLE a")
        result = apply(conn, migration("ALTER TABLE a ADD COLUMN n int"))
    assert outcomes(result) == [RunOutcome.FAILED]
    assert result.migrations[0].attempts == 3
    assert "55P03" in (result.migrations[0].error or "")
    assert "long report" in (result.migrations[0].error or "")


def test_a_lock_that_a_deferred_check_waits_for_is_asked_for_again_too(conn: Connection, database: Dsn) -> None:
    conn.execute(
        "CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);"
        "CREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED)"
    )
    with psycopg.connect(database.conninfo()) as holder:
        holder.execute("SELECT FROM p FOR UPDATE")

        def sink(event: Event) -> None:
            if event.name is EventName.LOCK_TIMEOUT_RETRY:
                holder.rollback()

        result = apply(conn, migration("INSERT INTO c VALUES (1)"), sink=sink)
    assert outcomes(result) == [RunOutcome.APPLIED]
    assert result.migrations[0].attempts == 2


def test_it_gives_way_to_others_and_succeeds_when_they_are_gone(conn: Connection, database: Dsn) -> None:
    conn.execute("CREATE TABLE a (id int)")
    policy = QUICK.model_copy(update={"lock_timeout_ms": 60_000, "give_way": GiveWayLimits(wait_ms=200)})
    ready, events = threading.Event(), list[Event]()
    with (
        psycopg.connect(database.conninfo(), autocommit=True) as reader,
        psycopg.connect(database.conninfo()) as holder,
    ):
        holder.execute("SELECT * FROM a")

        def sink(event: Event) -> None:
            events.append(event)
            if event.name is EventName.STATEMENT_START:
                ready.set()
            if event.name is EventName.LOCK_TIMEOUT_RETRY:
                holder.rollback()

        waited: list[str] = []

        def read() -> None:
            assert ready.wait(30)
            # Not before the ALTER is in the queue: only then a reader has to wait behind it.
            while not reader.execute(
                "SELECT 1 FROM pg_locks WHERE relation = 'a'::regclass AND NOT granted"
            ).fetchone():
                pass
            reader.execute("SELECT count(*) FROM a")
            waited.append("done")

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        result = apply(conn, migration("ALTER TABLE a ADD COLUMN n int"), policy=policy, sink=sink)
        thread.join(30)
    assert outcomes(result) == [RunOutcome.APPLIED]
    assert waited == ["done"]
    assert EventName.GAVE_WAY in [event.name for event in events]


@pytest.mark.parametrize("idempotent", [True, False])
def test_it_gives_way_in_the_middle_of_a_hook_too(conn: Connection, database: Dsn, idempotent: bool) -> None:
    conn.execute("CREATE TABLE a (id int)")
    policy = QUICK.model_copy(update={"give_way": GiveWayLimits(wait_ms=200)})
    locked, tries = threading.Event(), list[int]()

    def work(inner: Connection, _context: HookContext) -> None:
        tries.append(1)
        if len(tries) == 1:
            inner.execute("LOCK TABLE a")
            locked.set()
            inner.execute("SELECT pg_sleep(60)")

    def read() -> None:
        assert locked.wait(30)
        with psycopg.connect(database.conninfo()) as reader:
            reader.execute("SELECT count(*) FROM a")

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    hook = a_hook(work, idempotent=idempotent)
    result = apply(conn, migration("CREATE TABLE b (id int)"), hooks={"001": [hook]}, policy=policy)
    thread.join(30)
    assert not thread.is_alive()
    assert outcomes(result) == [RunOutcome.APPLIED if idempotent else RunOutcome.FAILED]
    assert len(tries) == (2 if idempotent else 1)
    assert exists(conn, "b") is idempotent
    if not idempotent:
        assert "gave way" in (result.migrations[0].error or "")


def test_what_is_said_to_be_done_outlasts_a_crash(conn: Connection) -> None:
    conn.execute(f"ALTER DATABASE {conn.info.dbname} SET synchronous_commit = off")
    one = migration("CREATE TABLE a AS SELECT current_setting('synchronous_commit') AS it")
    assert apply(conn, one).ok
    assert conn.execute("SELECT it FROM a").fetchone() == ("on",)


def test_a_cancel_reaches_a_hook_before_the_transaction(conn: Connection) -> None:
    scope, over = CancelScope(), threading.Event()

    def sink(event: Event) -> None:
        if event.name is EventName.HOOK_START:
            threading.Thread(target=press, daemon=True).start()

    def press() -> None:
        while not over.wait(0.05):
            scope.cancel()

    def sleep(inner: Connection, _context: HookContext) -> None:
        inner.execute("SELECT pg_sleep(60)")

    hook = a_hook(sleep, HookPhase.BEFORE_VALIDATION)
    result = apply(conn, migration("SELECT 1"), hooks={"001": [hook]}, sink=sink, scope=scope)
    over.set()
    assert result.exit_code == 130
    assert applied(conn) == []


def test_what_holds_up_others_waits_no_longer_outside_a_transaction_either(conn: Connection, database: Dsn) -> None:
    conn.execute("CREATE TABLE a (id int)")
    with psycopg.connect(database.conninfo()) as holder:
        holder.execute("SELECT FROM a")
        lets_go = threading.Timer(20, holder.rollback)
        lets_go.start()
        result = apply(conn, migration("VACUUM FULL a"))
        lets_go.cancel()
    assert outcomes(result) == [RunOutcome.FAILED]
    assert "55P03" in (result.migrations[0].error or "")


def test_a_cancel_of_a_deferred_check_is_a_cancel(conn: Connection, database: Dsn) -> None:
    conn.execute(
        "CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);"
        "CREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED)"
    )
    scope, over = CancelScope(), threading.Event()

    def press() -> None:
        checking = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SET CONSTRAINTS%' AND wait_event_type = 'Lock'"
        while not conn.execute(checking).fetchone():
            pass
        while not over.wait(0.05):
            scope.cancel()

    def sink(event: Event) -> None:
        if event.name is EventName.STATEMENT_COMPLETED:
            threading.Thread(target=press, daemon=True).start()

    policy = QUICK.model_copy(update={"lock_timeout_ms": 30_000})
    with psycopg.connect(database.conninfo()) as holder:
        holder.execute("SELECT FROM p FOR UPDATE")
        result = apply(conn, migration("INSERT INTO c VALUES (1)"), sink=sink, scope=scope, policy=policy)
    over.set()
    assert (outcomes(result), result.exit_code) == ([RunOutcome.FAILED], 130)


def test_only_one_run_at_a_time(conn: Connection, database: Dsn) -> None:
    with psycopg.connect(database.conninfo(), application_name="colleague") as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", (NAMESPACE, object_key(conn.info.dbname)))
        with pytest.raises(LockHeld, match="colleague") as caught:
            apply(conn, migration("CREATE TABLE a (id int)"))
    assert caught.value.exit_code == 6
    assert not exists(conn, "a")
