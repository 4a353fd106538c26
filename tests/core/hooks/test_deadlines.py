"""A hook with a time-out: what it runs is cancelled, and what does not end is left behind."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from confiture_tui.core.hooks.context import HookContext
from confiture_tui.core.hooks.error import HookError
from confiture_tui.core.hooks.executor import HookExecutor
from confiture_tui.core.hooks.phase import HookPhase
from tests.core.hooks.probes import Connection, hook, rows, sql, status

if TYPE_CHECKING:
    from confiture_tui.database.dsn import Dsn


def test_a_hook_that_takes_too_long_is_cancelled(work: Connection) -> None:
    slow = hook(sql("SELECT pg_sleep(60)"), timeout_s=0.05)
    work.execute("BEGIN")
    with pytest.raises(HookError, match=r"longer than 0\.05 s"):
        HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [slow], HookContext())
    assert status(work) is TransactionStatus.INTRANS
    assert work.execute("SELECT 1").fetchone() == (1,)


def test_a_hook_that_computes_too_long_is_told_and_fails(work: Connection) -> None:
    def compute(_conn: Connection, context: HookContext) -> None:
        patience = threading.Event()
        while not context.cancelled():
            patience.wait(0.01)

    with pytest.raises(HookError, match="longer than"):
        HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [hook(compute, timeout_s=0.05)], HookContext())


@pytest.mark.parametrize("transactional", [True, False])
def test_a_hook_that_hangs_is_left_behind_and_its_locks_are_let_go(
    work: Connection, database: Dsn, transactional: bool
) -> None:
    over = threading.Event()

    def hang(conn: Connection, _context: HookContext) -> None:
        if not transactional:
            conn.execute("BEGIN")
        conn.execute("LOCK TABLE seen")
        over.wait()

    stuck = hook(hang, timeout_s=0.05, transactional=transactional)
    if transactional:
        work.execute("BEGIN; INSERT INTO seen VALUES (0)")
    with pytest.raises(HookError, match="thread left behind"):
        HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [stuck], HookContext())
    over.set()
    assert work.closed
    with psycopg.connect(database.conninfo(), autocommit=True) as other:
        other.execute("SET lock_timeout = '30s'; LOCK TABLE seen")
        assert rows(other) == 0


def test_a_hook_with_a_limit_knows_the_callers_context(work: Connection) -> None:
    shop: ContextVar[str] = ContextVar("shop", default="none")
    shop.set("jam")
    found: list[str] = []
    quick = hook(lambda *_: found.append(shop.get()), timeout_s=60)
    HookExecutor().execute_phase(work, HookPhase.AFTER_DDL, [quick], HookContext())
    assert found == ["jam"]
