"""Hooks run in their phases, with the migration or after it, and their failures are told."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookOutcome, HookResult
from confiture_tui.core.runner.failures import HalfWay
from confiture_tui.core.runner.journal import Journal
from confiture_tui.core.runner.recovery import LeftState, settle_journal
from confiture_tui.core.runner.result import RunOutcome
from confiture_tui.core.runner.runner import MigrationRunner
from confiture_tui.core.traffic.model import GiveWayLimits
from confiture_tui.database.ledger_table import LedgerTable
from tests.core.runner.running import (
    QUICK,
    Connection,
    a_hook,
    applied,
    apply,
    exists,
    fail,
    migration,
    outcomes,
    states,
)

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.core.hooks.hook import Hook
    from confiture_tui.database.dsn import Dsn


def test_hooks_run_in_their_phases_and_the_ledger_comes_after_them(conn: Connection) -> None:
    seen: list[tuple[str, bool, bool]] = []

    def look(phase: HookPhase) -> Hook:
        def work(inner: Connection, _context: HookContext) -> None:
            in_ledger = LedgerTable("public").holds(inner, "001")
            seen.append((phase, exists(inner, "a"), in_ledger))

        return a_hook(work, phase, name=phase.lower())

    result = apply(conn, migration("CREATE TABLE a (id int)"), hooks={"001": [look(phase) for phase in HookPhase]})
    assert result.ok
    assert seen == [
        ("BEFORE_VALIDATION", False, False),
        ("BEFORE_DDL", False, False),
        ("AFTER_DDL", True, False),
        ("AFTER_VALIDATION", True, False),
        ("CLEANUP", True, True),
    ]
    assert [one.phase for one in result.migrations[0].hooks] == [row[0] for row in seen]


@pytest.mark.parametrize("phase", [HookPhase.BEFORE_VALIDATION, HookPhase.BEFORE_DDL, HookPhase.AFTER_VALIDATION])
def test_a_hook_that_fails_takes_the_migration_with_it_and_on_error_runs(conn: Connection, phase: HookPhase) -> None:
    told: list[str] = []
    hooks = [
        a_hook(fail, phase, name="broken"),
        a_hook(lambda _conn, context: told.append(str(context.error)), HookPhase.ON_ERROR, name="teller"),
        a_hook(fail, HookPhase.ON_ERROR, name="broken_too"),
    ]
    result = apply(conn, migration("CREATE TABLE a (id int)"), hooks={"001": hooks})
    assert outcomes(result) == [RunOutcome.FAILED]
    assert "it does not fit" in (result.migrations[0].error or "")
    assert len(told) == 1
    assert "it does not fit" in told[0]
    assert {one.hook: one.outcome for one in result.migrations[0].hooks}["broken_too"] is HookOutcome.FAILED
    assert not exists(conn, "a")
    assert applied(conn) == []


def test_a_hook_with_transactions_of_its_own_runs_after_the_commit(conn: Connection) -> None:
    def fill(inner: Connection, _context: HookContext) -> HookResult:
        assert LedgerTable("public").holds(inner, "001")
        for number in range(3):
            with inner.transaction():
                inner.execute("INSERT INTO a VALUES (%s)", (number,))
        return HookResult(rows_affected=3)

    after = a_hook(lambda inner, _: exists(inner, "a"), HookPhase.AFTER_VALIDATION, name="check")
    result = apply(
        conn, migration("CREATE TABLE a (id int)"), hooks={"001": [a_hook(fill, transactional=False), after]}
    )
    assert result.ok
    (one,) = result.migrations
    assert [hook.hook for hook in one.hooks] == ["probe", "check"]
    assert one.statements_ms is not None
    assert 0 < one.statements_ms <= one.elapsed_ms - sum(hook.elapsed_ms for hook in one.hooks)
    assert states(conn) == ["done"]


def test_a_failure_after_the_commit_is_half_way_and_can_be_resumed(conn: Connection) -> None:
    broken = True
    ran: list[str] = []

    def maybe(_conn: Connection, _context: HookContext) -> None:
        ran.append("second")
        if broken:
            raise ValueError("not yet")

    hooks = [
        a_hook(lambda *_: ran.append("first"), name="first", transactional=False),
        a_hook(maybe, name="second", transactional=False),
    ]
    one = migration("CREATE TABLE a (id int)")
    result = apply(conn, one, hooks={"001": hooks})
    assert outcomes(result) == [RunOutcome.INTERRUPTED]
    assert result.exit_code == 5
    assert "committed" in (result.migrations[0].error or "")
    assert exists(conn, "a")
    assert applied(conn) == ["001"]
    (left,) = settle_journal(conn, Journal("public"))
    assert left.state is LeftState.HOOKS_PENDING
    assert "AFTER_DDL:first" in left.sentence
    with pytest.raises(HalfWay, match="hooks after the commit are not done"):
        apply(conn, migration("CREATE TABLE b (id int)", version="002"))
    broken = False
    resumed = MigrationRunner(conn, policy=QUICK).resume(one, left.entry, hooks=hooks)
    assert resumed.ok
    assert resumed.migrations[0].statements_ms is None, "they were run before it"
    assert ran == ["first", "second", "second"]
    assert states(conn) == ["done"]


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_hook_after_the_commit_that_others_wait_for_is_run_again_if_it_may_be(
    conn: Connection, database: Dsn, idempotent: bool
) -> None:
    conn.execute("CREATE TABLE a (id int)")
    policy = QUICK.model_copy(update={"give_way": GiveWayLimits(wait_ms=200)})
    locked, tries = threading.Event(), list[int]()

    def fill(inner: Connection, _context: HookContext) -> None:
        tries.append(1)
        with inner.transaction():
            inner.execute("LOCK TABLE a")
            locked.set()
            inner.execute("SELECT pg_sleep(%s)", (60 if len(tries) == 1 else 0,))

    def read() -> None:
        assert locked.wait(30)
        with psycopg.connect(database.conninfo()) as reader:
            reader.execute("SELECT count(*) FROM a")

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    hook = a_hook(fill, transactional=False, idempotent=idempotent)
    result = apply(conn, migration("CREATE TABLE b (id int)"), hooks={"001": [hook]}, policy=policy)
    thread.join(30)
    assert not thread.is_alive()
    assert outcomes(result) == [RunOutcome.APPLIED if idempotent else RunOutcome.INTERRUPTED]
    assert len(tries) == (2 if idempotent else 1)
    assert exists(conn, "b")
    if not idempotent:
        assert "gave way" in (result.migrations[0].error or "")


def test_a_hook_that_hangs_fails_the_migration_and_the_next_run_goes_on(conn: Connection) -> None:
    over, told = threading.Event(), list[str]()
    stuck = a_hook(lambda *_: over.wait())
    type(stuck).timeout_s = 0.05
    teller = a_hook(lambda _conn, context: told.append(str(context.error)), HookPhase.ON_ERROR, name="teller")
    one = migration("CREATE TABLE a (id int)")
    result = apply(conn, one, hooks=[stuck, teller])
    over.set()
    assert outcomes(result) == [RunOutcome.FAILED]
    assert "did not stop" in (result.migrations[0].error or "")
    assert "Nothing of it stands." in (result.migrations[0].error or "")
    assert len(told) == 1
    assert not exists(conn, "a")
    assert apply(conn, one).ok


def test_one_migration_runs_with_what_it_declares(conn: Connection, tmp_path: Path) -> None:
    (tmp_path / "001_a.hooks.yaml").write_text(
        "hooks:\n- hook: analyze_tables\n  options: {tables: [a]}\n"
        "- {hook: analyze_tables, direction: backward, phase: AFTER_DDL, options: {tables: [a]}}\n"
    )
    one = migration("CREATE TABLE a (id int)", "SELECT 1").model_copy(update={"path": tmp_path / "001_a.up.sql"})
    runner = MigrationRunner(conn, policy=QUICK)
    assert [hook.phase for hook in runner.apply(one).migrations[0].hooks] == [HookPhase.CLEANUP]
    assert [hook.phase for hook in runner.rollback(one).migrations[0].hooks] == [HookPhase.AFTER_DDL]
    assert runner.apply(one, hooks={}).migrations[0].hooks == ()


def test_a_hook_that_went_well_before_the_one_that_failed_counts_for_a_retry(conn: Connection, database: Dsn) -> None:
    conn.execute("CREATE TABLE a (id int)")
    sent: list[str] = []
    hooks = [
        a_hook(lambda *_: sent.append("a message"), name="sender"),
        a_hook(lambda inner, _: inner.execute("LOCK TABLE a"), name="locker", idempotent=True),
    ]
    with psycopg.connect(database.conninfo()) as holder:
        holder.execute("LOCK TABLE a")
        result = apply(conn, migration("CREATE TABLE b (id int)"), hooks=hooks)
    assert outcomes(result) == [RunOutcome.FAILED]
    assert sent == ["a message"]


def test_backward_hooks_know_the_direction(conn: Connection) -> None:
    directions: list[str] = []
    both = migration("CREATE TABLE a (id int)", "DROP TABLE a")
    hooks = {"001": [a_hook(lambda _conn, context: directions.append(context.direction))]}
    apply(conn, both, hooks=hooks)
    MigrationRunner(conn, policy=QUICK).rollback([both], hooks=hooks)
    assert directions == ["forward", "backward"]


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_retry_with_hooks_only_if_all_that_ran_allow_it(conn: Connection, database: Dsn, idempotent: bool) -> None:
    conn.execute("CREATE TABLE a (id int)")
    hook = a_hook(lambda *_: None, HookPhase.BEFORE_DDL, idempotent=idempotent)
    with psycopg.connect(database.conninfo()) as holder:
        holder.execute("LOCK TABLE a")
        result = apply(conn, migration("ALTER TABLE a ADD n int"), hooks={"001": [hook]})
    assert result.migrations[0].attempts == (3 if idempotent else 1)
    assert outcomes(result) == [RunOutcome.FAILED]


def test_a_hook_that_commits_by_itself_fails_and_what_stands_is_told(conn: Connection) -> None:
    hook = a_hook(lambda inner, _: inner.execute("COMMIT"))
    result = apply(conn, migration("CREATE TABLE a (id int)"), hooks={"001": [hook]})
    assert outcomes(result) == [RunOutcome.INTERRUPTED]
    assert "until then stands" in (result.migrations[0].error or "")
    assert exists(conn, "a")
    assert applied(conn) == []
    (left,) = settle_journal(conn, Journal("public"))
    assert "part of it stands" in left.sentence
    assert left.actions == ("mark_applied", "mark_pending")
