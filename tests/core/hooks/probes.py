"""Hooks made of a function, and looks at what they have done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from confiture_tui.core.hooks.hook import Hook
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg.pq import TransactionStatus

    from confiture_tui.core.hooks.context import HookContext

Connection = psycopg.Connection[Any]


def hook(
    work: Callable[[Connection, HookContext], HookResult | None],
    phase: HookPhase = HookPhase.AFTER_DDL,
    *,
    name: str = "probe",
    transactional: bool = True,
    timeout_s: float | None = None,
    outside_effects: bool = False,
) -> Hook:
    """A hook that does ``work``."""

    def execute(_self: Hook, conn: Connection, context: HookContext) -> HookResult | None:
        return work(conn, context)

    members = {
        "name": name,
        "phase": phase,
        "transactional": transactional,
        "timeout_s": timeout_s,
        "outside_effects": outside_effects,
        "execute": execute,
    }
    kind: type[Hook] = type("Probe", (Hook,), members)
    return kind()


def sql(command: str) -> Callable[[Connection, HookContext], None]:
    """Work that runs one text of SQL."""

    def run(conn: Connection, _context: HookContext) -> None:
        conn.execute(command.encode())

    return run


def insert(conn: Connection, _context: HookContext) -> HookResult:
    count = conn.execute("INSERT INTO seen SELECT generate_series(1, 3)").rowcount
    return HookResult(rows_affected=count, statistics={"inserted": count})


def rows(conn: Connection) -> int:
    (count,) = conn.execute("SELECT count(*) FROM seen").fetchone() or (None,)
    assert isinstance(count, int)
    return count


def status(conn: Connection) -> TransactionStatus:
    return conn.info.transaction_status
