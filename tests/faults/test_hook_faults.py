"""Whatever a hook does, in whichever phase, schema, ledger and journal agree, or somebody is told what to do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.hooks.hook import Hook
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.runner.result import RunOutcome, RunResult
from confiture_tui.core.runner.runner import MigrationRunner
from confiture_tui.database.connection import connect
from tests.faults.running import (
    POLICY,
    Connection,
    bring_to_an_end,
    check_that_all_is_done,
    exists,
    in_ledger,
    migrations,
    sessions_are_gone,
)
from tests.support.processes import PythonProcess, until

if TYPE_CHECKING:
    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.database.dsn import Dsn
    from tests.faults.conftest import Tried

EXITING = """
import os, sys
import psycopg
from confiture_tui import Hook, HookPhase, MigrationRunner
from tests.faults.running import migrations

class Leave(Hook):
    name = "leave"
    phase = HookPhase.AFTER_DDL
    phases = frozenset(HookPhase)

    def execute(self, conn, context):
        os._exit(7)

class Fail(Leave):
    name = "fail"

    def execute(self, conn, context):
        raise ValueError("so that ON_ERROR runs")

phase = HookPhase(sys.argv[2])
hooks = [Leave(phase=phase), *([Fail()] if phase is HookPhase.ON_ERROR else [])]
with psycopg.connect(sys.argv[1], autocommit=True) as conn:
    MigrationRunner(conn).apply(migrations("whole"), hooks=hooks)
"""

PHASES = pytest.mark.parametrize("phase", list(HookPhase), ids=str)
STANDS = frozenset({HookPhase.CLEANUP})
"""After a failure in this phase the migration is applied all the same."""


class Odd(Hook):
    """A hook that does something that it should not do."""

    name = "odd"
    phase = HookPhase.AFTER_DDL
    phases = frozenset(HookPhase)

    def __init__(self, phase: HookPhase, work: Callable[[Connection], object]) -> None:
        super().__init__(phase=phase)
        self._work = work

    def execute(self, conn: Connection, context: HookContext) -> None:
        self._work(conn)


class Limited(Odd):
    """One that may not take long."""

    timeout_s = 0.05


class Failing(Hook):
    """A hook that fails, so that ON_ERROR comes to its turn."""

    name = "failing"
    phase = HookPhase.AFTER_VALIDATION

    def execute(self, conn: Connection, context: HookContext) -> None:
        raise ValueError("so that ON_ERROR runs")


def run(conn: Connection, hook: Hook) -> RunResult:
    hooks = [hook, *([Failing()] if hook.runs_in is HookPhase.ON_ERROR else [])]
    return MigrationRunner(conn, policy=POLICY).apply(migrations("whole"), hooks=hooks)


def check(conn: Connection, phase: HookPhase, result: RunResult) -> None:
    """All of it stands or nothing, as the result says; and it can be brought to an end."""
    outcome = RunOutcome.APPLIED if phase in STANDS else RunOutcome.FAILED
    assert [one.outcome for one in result.migrations] == [outcome], result.migrations[0].error
    assert exists(conn, "a") == exists(conn, "b") == in_ledger(conn) == (phase in STANDS)
    bring_to_an_end(conn, "whole")
    check_that_all_is_done(conn, "whole")


@PHASES
def test_a_hook_that_ends_the_process(conn: Connection, database: Dsn, phase: HookPhase, tried: Tried) -> None:
    with PythonProcess(EXITING, database.conninfo(), phase) as child:
        assert child.process.wait(60) == 7
    tried("a hook that ends the process (os._exit)")
    until(lambda: sessions_are_gone(conn), "the server noticed that the process is gone")
    assert exists(conn, "a") == exists(conn, "b") == in_ledger(conn) == (phase in STANDS)
    bring_to_an_end(conn, "whole")
    check_that_all_is_done(conn, "whole")


@pytest.mark.parametrize("error", [SystemExit(3), BaseException("odd"), GeneratorExit()], ids=repr)
@PHASES
def test_a_hook_that_raises_anything(conn: Connection, phase: HookPhase, error: BaseException, tried: Tried) -> None:
    def throw(_conn: Connection) -> None:
        raise error

    tried("a hook that raises SystemExit, BaseException, GeneratorExit")
    check(conn, phase, run(conn, Odd(phase, throw)))


@PHASES
def test_ctrl_c_in_a_hook_ends_the_run_and_leaves_nothing_half_done(
    conn: Connection, phase: HookPhase, tried: Tried
) -> None:
    def throw(_conn: Connection) -> None:
        raise KeyboardInterrupt

    tried("Ctrl-C while a hook runs")
    with pytest.raises(KeyboardInterrupt):
        run(conn, Odd(phase, throw))
    assert exists(conn, "a") == exists(conn, "b") == in_ledger(conn) == (phase in STANDS)
    bring_to_an_end(conn, "whole")
    check_that_all_is_done(conn, "whole")


CLOSING: dict[str, Callable[[Connection], object]] = {
    "by libpq": lambda inner: inner.pgconn.finish(),
    "by the server": lambda inner: inner.execute("SELECT pg_terminate_backend(pg_backend_pid())"),
}


@pytest.mark.parametrize("how", list(CLOSING))
@PHASES
def test_a_hook_that_closes_the_connection(conn: Connection, phase: HookPhase, how: str, tried: Tried) -> None:
    tried("a hook that closes the connection under us")
    check(conn, phase, run(conn, Odd(phase, CLOSING[how])))


@PHASES
def test_a_hook_that_commits_by_itself(conn: Connection, phase: HookPhase, tried: Tried) -> None:
    tried("a hook that commits by itself")
    result = run(conn, Odd(phase, lambda inner: inner.execute("COMMIT")))
    (one,) = result.migrations
    if phase in STANDS or phase is HookPhase.ON_ERROR:
        check(conn, phase, result)
        return
    # What was done before it stands, and that is said: nobody is told that all of it was rolled back.
    assert one.outcome is RunOutcome.INTERRUPTED
    assert "until then stands" in (one.error or "")
    assert exists(conn, "a") == exists(conn, "b") == phase.in_transaction & (phase is not HookPhase.BEFORE_DDL)
    assert not in_ledger(conn)
    bring_to_an_end(conn, "whole")
    check_that_all_is_done(conn, "whole")


@pytest.mark.parametrize("phase", [HookPhase.BEFORE_VALIDATION, HookPhase.AFTER_DDL, HookPhase.CLEANUP], ids=str)
def test_a_hook_that_hangs(conn: Connection, database: Dsn, phase: HookPhase, tried: Tried) -> None:
    over = threading.Event()

    def hang(inner: Connection) -> None:
        inner.execute("LOCK TABLE x")
        over.wait()

    conn.execute("CREATE TABLE x (id int)")
    tried("a hook that hangs in its own code, with a limit")
    result = run(conn, Limited(phase, hang))
    with connect(database) as other:
        other.execute("SET lock_timeout = '10s'")
        other.execute("SELECT count(*) FROM x")
    over.set()
    check(conn, phase, result)
    assert any("did not stop" in (hook.error or "") for hook in result.migrations[0].hooks)


def test_a_hook_that_hangs_while_others_wait_is_ended_without_a_limit_of_its_own(
    conn: Connection, database: Dsn, tried: Tried
) -> None:
    """Nobody can end its code; but its locks are taken from it, and what it does then is told."""
    conn.execute("CREATE TABLE x (id int)")
    locked, over = threading.Event(), threading.Event()

    def hang(inner: Connection) -> None:
        inner.execute("LOCK TABLE x")
        locked.set()
        over.wait(60)

    def read() -> None:
        assert locked.wait(30)
        with connect(database) as reader:
            reader.execute("SELECT count(*) FROM x")
        over.set()

    tried("a hook that hangs in its own code, while others wait behind it")
    reader: Any = threading.Thread(target=read, daemon=True)
    reader.start()
    result = run(conn, Odd(HookPhase.AFTER_DDL, hang))
    reader.join(30)
    assert over.is_set()
    check(conn, HookPhase.AFTER_DDL, result)
