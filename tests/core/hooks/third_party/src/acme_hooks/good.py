"""A hook that works, and something that is none."""

from __future__ import annotations

from typing import Any

from confiture_tui import Hook, HookContext, HookPhase, HookResult


class AcmeCount(Hook):
    """Counts the tables."""

    phase = HookPhase.AFTER_DDL

    def execute(self, conn: Any, context: HookContext) -> HookResult:
        (count,) = conn.execute("SELECT count(*) FROM pg_class WHERE relkind = 'r'").fetchone()
        return HookResult(statistics={"tables": count})


def not_a_hook() -> None:
    """A function where a class should be."""
