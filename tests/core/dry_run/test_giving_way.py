"""In place, others come first: the dry run stops for those who wait behind it, and says for whom."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.dry_run.executor import DryRunExecutor
from confiture_tui.core.dry_run.result import Outcome, Verdict
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.traffic.model import GiveWayLimits
from confiture_tui.errors import ConfitureError, ConnectError, UsageError
from confiture_tui.events import Event, EventName, Sink, discard
from tests.support.pooler import TransactionPooler
from tests.support.processes import until

if TYPE_CHECKING:
    from confiture_tui.core.dry_run.result import DryRunResult
    from tests.support.in_place import Target

QUICK = GiveWayLimits(wait_ms=150, poll_ms=20, grace_ms=60_000)


class Customer:
    """A session that wants to read a table, from the moment at which it is told to, and until it has."""

    def __init__(self, in_place: Target, sql: str = "SELECT count(*) FROM t") -> None:
        self.conn: psycopg.Connection[Any] = psycopg.connect(
            in_place.server.dsn(in_place.name).conninfo(), autocommit=True, application_name="customer"
        )
        self._sql = sql
        self._thread: threading.Thread | None = None

    def come(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self.conn.execute, args=(self._sql.encode(),))
            self._thread.start()

    def served(self) -> bool:
        assert self._thread is not None
        self._thread.join(30)
        return not self._thread.is_alive()


def run(in_place: Target, sql: str, limits: GiveWayLimits | None = QUICK, sink: Sink = discard) -> DryRunResult:
    return DryRunExecutor(give_way=limits, sink=sink).run(in_place.conn, Migration.from_sql(sql))


@pytest.mark.parametrize("statement", ["SELECT pg_sleep(60)", "ALTER TABLE t ADD COLUMN y int; SELECT pg_sleep(60)"])
def test_a_statement_is_stopped_for_a_customer(in_place: Target, statement: str) -> None:
    customer = Customer(in_place)
    events: list[Event] = []

    def sink(event: Event) -> None:
        events.append(event)
        if event.name is EventName.STATEMENT_COMPLETED:
            customer.come()

    result = run(in_place, f"ALTER TABLE t ADD COLUMN x int;\n{statement};\nSELECT 3;", sink=sink)
    assert customer.served()
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.failure is None
    stopped = next(one for one in result.statements if one.outcome is Outcome.NOT_RUN)
    assert (stopped.reason or "").startswith("The dry run gave way: 1 session waited behind it")
    assert "customer" in (stopped.reason or "")
    assert result.statements[-1].outcome is Outcome.NOT_RUN
    assert result.proof.nothing_persisted is True
    names = [event.name for event in events]
    assert EventName.LOCK_WAIT in names
    assert EventName.GAVE_WAY in names
    assert in_place.conn.execute("SELECT 5").fetchone() == (5,)


def test_between_statements_it_stops_by_itself(in_place: Target) -> None:
    """Nothing runs that could be cancelled: it sees the flag before the next statement."""
    customer = Customer(in_place)
    gave = threading.Event()

    def sink(event: Event) -> None:
        if event.name is EventName.GAVE_WAY:
            gave.set()
        if event.name is EventName.STATEMENT_COMPLETED and event.statement == 1:
            customer.come()
            assert gave.wait(30)

    result = run(in_place, "ALTER TABLE t ADD COLUMN x int;\nSELECT 2;", sink=sink)
    assert customer.served()
    assert [one.outcome for one in result.statements] == [Outcome.RAN, Outcome.NOT_RUN]
    assert result.verdict is Verdict.INCONCLUSIVE


def test_after_the_last_statement_too(in_place: Target) -> None:
    customer = Customer(in_place)
    gave = threading.Event()

    def sink(event: Event) -> None:
        if event.name is EventName.GAVE_WAY:
            gave.set()
        if event.name is EventName.STATEMENT_COMPLETED:
            customer.come()
            assert gave.wait(30)

    result = run(in_place, "ALTER TABLE t ADD COLUMN x int;", sink=sink)
    assert customer.served()
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "gave way" in (result.statements[0].reason or "")


def test_one_that_does_not_stop_is_ended(in_place: Target) -> None:
    customer = Customer(in_place)

    def sink(event: Event) -> None:
        if event.name is EventName.STATEMENT_COMPLETED:
            customer.come()
            assert customer.served()

    limits = GiveWayLimits(wait_ms=50, poll_ms=20, grace_ms=50)
    with pytest.raises(ConfitureError, match="gave way, and its session had to be ended"):
        run(in_place, "ALTER TABLE t ADD COLUMN x int;\nSELECT 2;", limits, sink)
    row = in_place.admin.execute("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'x'")
    assert row.fetchone() == (0,)


def test_those_who_queue_while_it_waits_for_a_lock_count(in_place: Target) -> None:
    """The worst of all: an idle reader keeps us waiting, and everybody queues behind us."""
    customer = Customer(in_place)
    with psycopg.connect(in_place.server.dsn(in_place.name).conninfo(), application_name="report") as reader:
        reader.execute("SELECT * FROM t")
        waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 't'::regclass"

        def queue_up() -> None:
            until(lambda: in_place.admin.execute(waits).fetchone() is not None, "the dry run waits")
            customer.come()

        thread = threading.Thread(target=queue_up)
        thread.start()
        executor = DryRunExecutor(give_way=QUICK, lock_timeout_ms=60_000)
        result = executor.run(in_place.conn, Migration.from_sql("ALTER TABLE t ADD COLUMN x int;"))
        thread.join()
        assert customer.served()
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "gave way" in (result.statements[0].reason or "")


def test_whom_it_waited_for_is_said_when_time_is_out(in_place: Target) -> None:
    with psycopg.connect(in_place.server.dsn(in_place.name).conninfo(), application_name="report") as reader:
        reader.execute("SELECT * FROM t")
        pid = reader.info.backend_pid
        executor = DryRunExecutor(lock_timeout_ms=2_500)
        result = executor.run(in_place.conn, Migration.from_sql("SELECT 1;\nALTER TABLE t ADD COLUMN x int;"))
    assert result.failure is not None
    assert result.failure.sqlstate == "55P03"
    assert result.notes == (
        "Line 2: what ended it is the dry run's own lock_timeout of 2500 ms; with another limit it may succeed. "
        f"It waited for session {pid} (report, role postgres).",
    )


def test_a_time_out_of_ours_is_told_from_a_cancel_by_somebody_else(in_place: Target) -> None:
    """By the clock: the server's text may be in any language."""
    own = DryRunExecutor(statement_timeout_ms=1_500).run(in_place.conn, Migration.from_sql("SELECT pg_sleep(60);"))
    assert own.failure is not None
    assert own.failure.sqlstate == "57014"
    assert any("statement_timeout of 1500 ms" in note for note in own.notes)

    def cancel() -> None:
        running = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND query LIKE 'SELECT pg_sleep%%'"
        pid = in_place.conn.info.backend_pid
        until(lambda: in_place.admin.execute(running, (pid,)).fetchone() is not None, "it sleeps")
        in_place.admin.execute("SELECT pg_cancel_backend(%s)", (pid,))

    thread = threading.Thread(target=cancel)
    thread.start()
    result = run(in_place, "SELECT pg_sleep(60);\nSELECT 2;")
    thread.join()
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "Another session cancelled it" in (result.statements[0].reason or "")


def test_through_a_transaction_pooler_it_is_refused(in_place: Target) -> None:
    migration = Migration.from_sql("SELECT 1;")
    server = in_place.server.dsn(in_place.name, "plain")
    for limits in (QUICK, None):
        with (
            tempfile.TemporaryDirectory() as directory,
            TransactionPooler(server, Path(directory)) as pooler,
            psycopg.connect(pooler.conninfo) as conn,
            pytest.raises(UsageError, match="pooler"),
        ):
            DryRunExecutor(give_way=limits).run(conn, migration)
    with (
        tempfile.TemporaryDirectory() as directory,
        TransactionPooler(server, Path(directory), session=True) as pooler,
        psycopg.connect(pooler.conninfo) as conn,
    ):
        assert DryRunExecutor().run(conn, migration).ok


def test_without_a_second_connection_there_is_none(in_place: Target) -> None:
    in_place.admin.execute("ALTER ROLE plain CONNECTION LIMIT 1")
    try:
        with pytest.raises(ConnectError, match="watches from a second connection"):
            run(in_place, "SELECT 1;")
        assert run(in_place, "SELECT 1;", None).ok
    finally:
        in_place.admin.execute("ALTER ROLE plain CONNECTION LIMIT -1")


def test_nobody_watches_when_it_is_over(in_place: Target) -> None:
    assert run(in_place, "SELECT 1;").ok
    left = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'confiture%'"
    until(lambda: in_place.admin.execute(left).fetchone() is None, "the second connection is closed")


def test_a_late_cancel_never_meets_the_next_statement(in_place: Target) -> None:
    """Given way at whatever moment: what the caller runs next is not cancelled."""
    verdicts = set()
    for moment in range(8):
        customer = Customer(in_place)
        limits = GiveWayLimits(wait_ms=5 + 5 * moment, poll_ms=5, grace_ms=60_000)

        def sink(event: Event, customer: Customer = customer) -> None:
            if event.name is EventName.STATEMENT_COMPLETED:
                customer.come()

        sql = "ALTER TABLE t ADD COLUMN x int;\n" + "SELECT pg_sleep(0.02);\n" * 5
        verdicts.add(run(in_place, sql, limits, sink).verdict)
        assert in_place.conn.execute("SELECT pg_sleep(0.01), 5").fetchone() == ("", 5)
        assert customer.served()
    assert Verdict.INCONCLUSIVE in verdicts
