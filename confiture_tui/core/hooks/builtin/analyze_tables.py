"""``analyze_tables``: fresh statistics for the planner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql
from pydantic import Field

from confiture_tui.core.hooks.builtin.relations import find
from confiture_tui.core.hooks.hook import Hook, HookOptions
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookResult

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.hooks.context import HookContext


class AnalyzeTablesOptions(HookOptions):
    """Which tables to analyze."""

    tables: tuple[str, ...] = Field(min_length=1)


class AnalyzeTables(Hook):
    """Runs ANALYZE on the tables that a migration filled or changed, so that the next plans are made for them.

    ANALYZE takes SHARE UPDATE EXCLUSIVE, which lets readers and writers pass.
    """

    name = "analyze_tables"
    phase = HookPhase.CLEANUP
    phases = frozenset({HookPhase.AFTER_DDL, HookPhase.AFTER_VALIDATION, HookPhase.CLEANUP})
    Options = AnalyzeTablesOptions
    idempotent = True

    def execute(self, conn: psycopg.Connection[Any], context: HookContext) -> HookResult:
        """Analyze one table after the other."""
        tables = self.options.tables
        for done, name in enumerate(tables, start=1):
            context.check_cancelled()
            table = find(conn, name, kinds="rpmf", what="table")
            conn.execute(sql.SQL("ANALYZE {}").format(table.identifier))
            context.progress(done, len(tables), f"analyzed {name}")
        return HookResult(statistics={"tables": len(tables)})
