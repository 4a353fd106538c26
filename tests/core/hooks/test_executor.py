"""Hooks run where they should, and what they do is taken back when they fail."""

from __future__ import annotations

import sys
import threading
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from confiture_tui.core.hooks.context import CancelFlag, HookContext
from confiture_tui.core.hooks.error import HookError
from confiture_tui.core.hooks.executor import HookExecutor
from confiture_tui.core.hooks.hook import Hook
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookOutcome, HookResult
from confiture_tui.errors import Cancelled
from confiture_tui.events import Event, EventName
from tests.core.hooks.probes import Connection, hook, insert, rows, sql, status


def test_in_a_transaction_a_hook_stays_in_it(work: Connection) -> None:
    work.execute("BEGIN")
    (result,) = HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [hook(insert)], HookContext())
    assert (result.hook, result.phase, result.outcome) == ("probe", HookPhase.AFTER_DDL, HookOutcome.OK)
    assert result.rows_affected == 3
    assert status(work) is TransactionStatus.INTRANS
    assert rows(work) == 3
    work.execute("ROLLBACK")
    assert rows(work) == 0


@pytest.mark.parametrize("autocommit", [True, False])
def test_on_an_idle_connection_each_hook_has_a_transaction_of_its_own(work: Connection, autocommit: bool) -> None:
    work.autocommit = autocommit
    failing = hook(sql("SELECT 1/0"), HookPhase.BEFORE_VALIDATION, name="second")
    with pytest.raises(HookError) as caught:
        HookExecutor().execute_phase(
            work, HookPhase.BEFORE_VALIDATION, [hook(insert, HookPhase.BEFORE_VALIDATION), failing], HookContext()
        )
    assert caught.value.hook == "second"
    assert isinstance(caught.value.cause, psycopg.errors.DivisionByZero)
    assert status(work) is TransactionStatus.IDLE
    assert work.autocommit is autocommit
    assert rows(work) == 3, "the first hook's own transaction was committed"


def test_only_the_hooks_of_the_phase_run_and_in_their_order(work: Connection) -> None:
    order: list[str] = []

    def note(name: str, phase: HookPhase) -> Hook:
        return hook(lambda _conn, _context: order.append(name), phase, name=name)

    hooks = [
        note("b", HookPhase.AFTER_DDL),
        note("other", HookPhase.BEFORE_DDL),
        note("a", HookPhase.AFTER_DDL),
    ]
    assert len(HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, hooks, HookContext())) == 2
    assert order == ["b", "a"]


def test_statistics_reach_the_hooks_after_it(work: Connection) -> None:
    context = HookContext()
    found: list[Any] = []
    second = hook(lambda _conn, seen: found.append(seen.statistics["probe"]["inserted"]), name="second")
    HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [hook(insert), second], context)
    assert found == [3]


def test_a_failure_takes_back_what_the_hook_did_and_leaves_the_transaction_sound(work: Connection) -> None:
    def fail(conn: Connection, context: HookContext) -> None:
        insert(conn, context)
        conn.execute("SELECT no_such_column")

    work.execute("BEGIN; INSERT INTO seen VALUES (0)")
    with pytest.raises(HookError, match="no_such_column") as caught:
        HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [hook(fail)], HookContext())
    assert not caught.value.transaction_ended
    assert status(work) is TransactionStatus.INTRANS
    assert rows(work) == 1


@pytest.mark.parametrize("method", ["commit", "rollback", "close"])
def test_the_connection_refuses_to_end_what_is_not_the_hooks(work: Connection, method: str) -> None:
    work.execute("BEGIN")
    with pytest.raises(HookError, match="belongs to the run"):
        HookExecutor().execute_phase(
            work, HookPhase.AFTER_DDL, [hook(lambda conn, _: getattr(conn, method)())], HookContext()
        )
    assert status(work) is TransactionStatus.INTRANS


def test_the_connection_refuses_a_change_of_autocommit_and_a_with_block(work: Connection) -> None:
    def change(conn: Connection, _context: HookContext) -> None:
        conn.autocommit = False

    def enter(conn: Connection, _context: HookContext) -> None:
        with conn:
            pass

    for attempt in (change, enter):
        with pytest.raises(HookError, match="cannot"):
            HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [hook(attempt)], HookContext())
    assert work.autocommit
    assert not work.closed


@pytest.mark.parametrize("command", ["COMMIT", "END", "COMMIT AND CHAIN", "COMMIT; BEGIN", "/* x */ commit work"])
def test_a_hidden_commit_is_found_and_told(work: Connection, command: str) -> None:
    work.execute("BEGIN; INSERT INTO seen VALUES (0)")
    with pytest.raises(HookError, match="committed the transaction") as caught:
        HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [hook(sql(command))], HookContext())
    assert caught.value.transaction_ended
    assert "stands" in caught.value.undone
    assert status(work) is TransactionStatus.IDLE
    assert rows(work) == 1


@pytest.mark.parametrize("command", ["ROLLBACK", "ROLLBACK AND CHAIN", "ABORT; BEGIN"])
def test_a_hidden_rollback_is_found_and_told(work: Connection, command: str) -> None:
    work.execute("BEGIN; INSERT INTO seen VALUES (0)")
    with pytest.raises(HookError, match="rolled back the transaction") as caught:
        HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [hook(sql(command))], HookContext())
    assert caught.value.transaction_ended
    assert rows(work) == 0


def test_a_swallowed_database_error_is_a_failure(work: Connection) -> None:
    def swallow(conn: Connection, _context: HookContext) -> None:
        try:
            conn.execute("SELECT 1/0")
        except psycopg.errors.DivisionByZero:
            return

    work.execute("BEGIN; INSERT INTO seen VALUES (0)")
    with pytest.raises(HookError, match="went on as if none had"):
        HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [hook(swallow)], HookContext())
    assert status(work) is TransactionStatus.INTRANS
    assert rows(work) == 1


@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), ValueError("no"), BaseException("odd")])
def test_whatever_a_hook_raises_is_its_failure(work: Connection, error: BaseException) -> None:
    def throw(_conn: Connection, _context: HookContext) -> None:
        raise error

    with pytest.raises(HookError) as caught:
        HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [hook(throw)], HookContext())
    assert caught.value.cause is error
    assert caught.value.exit_code == 4


def test_sys_exit_does_not_end_the_program(work: Connection) -> None:
    with pytest.raises(HookError):
        HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [hook(lambda *_: sys.exit(1))], HookContext())


def test_a_lost_connection_is_a_failure_that_says_so(work: Connection) -> None:
    def die(conn: Connection, _context: HookContext) -> None:
        conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    work.execute("BEGIN")
    with pytest.raises(HookError) as caught:
        HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [hook(die)], HookContext())
    assert caught.value.transaction_ended
    assert "connection is gone" in caught.value.undone


@pytest.mark.parametrize("asked", [True, threading.Event, lambda: True], ids=["value", "event", "function"])
def test_the_flag_can_be_asked_in_every_way(asked: Any) -> None:
    if asked is threading.Event:
        asked = threading.Event()
        assert not HookContext(cancelled=asked).cancelled
        asked.set()
    context = HookContext(cancelled=asked)
    assert context.cancelled
    assert context.cancelled()
    with pytest.raises(Cancelled):
        context.check_cancelled()


def test_a_context_made_by_hand_asks_for_no_stop() -> None:
    assert not HookContext().cancelled
    assert not HookContext().cancelled()


def test_a_hook_may_have_an_init_of_its_own_and_a_phase_in_small_letters(work: Connection) -> None:
    class Own(Hook):
        phase = HookPhase.AFTER_DDL

        def __init__(self, rows: int) -> None:
            self.rows = rows

        def execute(self, conn: Connection, context: HookContext) -> HookResult:
            return HookResult(rows_affected=self.rows)

    phase: Any = "after_ddl"
    (result,) = HookExecutor().execute_phase(work, phase, [Own(7)], HookContext())
    assert (result.hook, result.phase, result.rows_affected) == ("own", HookPhase.AFTER_DDL, 7)


def test_a_coroutine_is_told_as_what_it_is(work: Connection) -> None:
    async def later(*_: Any) -> HookResult:
        return HookResult()

    wrong: Any = later
    with pytest.raises(HookError, match="coroutine"):
        HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [hook(wrong)], HookContext())


def test_a_cancel_is_a_cancel_and_not_a_failure_of_the_hook(work: Connection) -> None:
    asked = threading.Event()

    def stop(conn: Connection, context: HookContext) -> None:
        insert(conn, context)
        asked.set()
        context.check_cancelled()

    work.execute("BEGIN")
    with pytest.raises(Cancelled):
        HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [hook(stop)], HookContext(cancelled=CancelFlag(asked)))
    assert status(work) is TransactionStatus.INTRANS
    assert rows(work) == 0


@pytest.mark.parametrize("phase", [HookPhase.CLEANUP, HookPhase.ON_ERROR])
def test_best_effort_phases_go_on_and_never_raise(work: Connection, phase: HookPhase) -> None:
    def fail(conn: Connection, _context: HookContext) -> None:
        conn.execute("SELECT 1/0")

    results = HookExecutor().execute_phase(
        work, phase, [hook(fail, phase, name="broken"), hook(insert, phase)], HookContext()
    )
    assert [one.outcome for one in results] == [HookOutcome.FAILED, HookOutcome.OK]
    assert "division by zero" in (results[0].error or "")
    assert rows(work) == 3


def test_what_only_the_commit_finds_is_the_hooks_failure(work: Connection) -> None:
    work.execute("CREATE TABLE late (n int, UNIQUE (n) DEFERRABLE INITIALLY DEFERRED)")
    twice = sql("INSERT INTO late VALUES (1), (1)")
    with pytest.raises(HookError, match=r"probe .*failed: duplicate key.*rolled back") as caught:
        HookExecutor().execute_phase(
            work, HookPhase.BEFORE_VALIDATION, [hook(twice, HookPhase.BEFORE_VALIDATION)], HookContext()
        )
    assert isinstance(caught.value.cause, psycopg.errors.UniqueViolation)
    last = [hook(twice, HookPhase.CLEANUP, name="late"), hook(insert, HookPhase.CLEANUP)]
    results = HookExecutor().execute_phase(work, HookPhase.CLEANUP, last, HookContext())
    assert [one.outcome for one in results] == [HookOutcome.FAILED, HookOutcome.OK]
    assert (rows(work), status(work)) == (3, TransactionStatus.IDLE)


def test_what_a_hook_says_is_told_as_it_is(work: Connection) -> None:
    events: list[Event] = []
    said = hook(lambda *_: HookResult(message="kept in ../backups."))
    HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [said], HookContext(sink=events.append))
    assert events[2].message == "probe is complete: kept in ../backups."


def test_a_hook_with_transactions_of_its_own_commits_batches(work: Connection) -> None:
    def batches(conn: Connection, _context: HookContext) -> HookResult:
        for batch in range(3):
            with conn.transaction():
                conn.execute("INSERT INTO seen VALUES (%s)", (batch,))
        with conn.transaction():
            conn.execute("INSERT INTO seen VALUES (9)")
            if rows(conn) == 4:
                raise psycopg.Rollback
        return HookResult(rows_affected=3)

    free = hook(batches, transactional=False)
    HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [free], HookContext())
    assert rows(work) == 3
    work.execute("BEGIN")
    with pytest.raises(ValueError, match="must be committed before it"):
        HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [free], HookContext())


def test_a_hook_that_leaves_its_own_transaction_open_fails(work: Connection) -> None:
    free = hook(sql("BEGIN; INSERT INTO seen VALUES (1)"), transactional=False)
    with pytest.raises(HookError, match="left a transaction open"):
        HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [free], HookContext())
    assert status(work) is TransactionStatus.IDLE
    assert rows(work) == 0


def test_a_dry_run_on_the_target_exercises_nothing_that_stays(work: Connection) -> None:
    outside = hook(insert, name="mailer", outside_effects=True)
    free = hook(insert, name="backfill", transactional=False)
    context = HookContext(dry_run=True)
    results = HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [outside, free, hook(insert)], context)
    assert [one.outcome for one in results] == [HookOutcome.NOT_EXERCISED, HookOutcome.NOT_EXERCISED, HookOutcome.OK]
    assert all(one.error for one in results[:2])
    assert rows(work) == 0, "a transaction of its own on the target is rolled back"
    HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [free], HookContext(dry_run=True, on_shadow=True))
    assert rows(work) == 3


def test_a_failed_transaction_is_refused(work: Connection) -> None:
    work.execute("BEGIN")
    with pytest.raises(psycopg.errors.DivisionByZero):
        work.execute("SELECT 1/0")
    with pytest.raises(ValueError, match="sound transaction"):
        HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [hook(insert)], HookContext())


def test_what_a_hook_returns_must_be_a_result(work: Connection) -> None:
    wrong: Any = lambda *_: 42  # noqa: E731
    with pytest.raises(HookError, match="returned int"):
        HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [hook(wrong)], HookContext())


def test_the_log_tells_it_in_order(work: Connection) -> None:
    events: list[Event] = []

    def report(_conn: Connection, context: HookContext) -> None:
        context.logger.info("half way", table="seen", odd=object)
        context.progress(1, 2)

    def fail(conn: Connection, _context: HookContext) -> None:
        conn.execute("SELECT 1/0")

    with pytest.raises(HookError):
        HookExecutor().execute_phase(
            work,
            HookPhase.AFTER_DDL,
            [hook(insert), hook(report, name="reporter"), hook(fail, name="broken")],
            HookContext(sink=events.append),
        )
    assert [event.name for event in events] == [
        EventName.EXECUTING_HOOKS,
        EventName.HOOK_START,
        EventName.HOOK_COMPLETED,
        EventName.HOOK_START,
        EventName.HOOK_LOG,
        EventName.HOOK_PROGRESS,
        EventName.HOOK_COMPLETED,
        EventName.HOOK_START,
        EventName.HOOK_FAILED,
    ]
    completed = events[2]
    assert completed.rows_affected == 3
    assert completed.duration_ms is not None
    assert completed.phase == "AFTER_DDL"
    assert events[4].data["table"] == "seen"
    assert all(Event.from_record(event.to_record()) for event in events)
