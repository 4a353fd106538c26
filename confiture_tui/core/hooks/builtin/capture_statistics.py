"""``capture_statistics``: how large the tables are, for the log and for later hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.rows import tuple_row
from pydantic import Field

from confiture_tui.core.hooks.builtin.relations import find
from confiture_tui.core.hooks.hook import Hook, HookOptions
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookResult

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.hooks.context import HookContext

_SIZE = """
SELECT pg_catalog.pg_total_relation_size(c.oid), c.reltuples
FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass(%s)
"""


class CaptureStatisticsOptions(HookOptions):
    """Which tables to look at; ``exact`` counts their rows, which reads each table from end to end."""

    tables: tuple[str, ...] = Field(min_length=1)
    exact: bool = False


class CaptureStatistics(Hook):
    """Notes rows and bytes of tables; used twice in a migration it says what changed in between.

    ``statistics`` has ``{table: {"rows", "bytes"}}``, rows as the planner estimates them (``-1``: never analyzed)
    unless ``exact``.
    """

    name = "capture_statistics"
    phase = HookPhase.BEFORE_DDL
    phases = frozenset(HookPhase)
    Options = CaptureStatisticsOptions
    idempotent = True

    def execute(self, conn: psycopg.Connection[Any], context: HookContext) -> HookResult:
        """Look at one table after the other."""
        before = context.statistics.get(self.hook_name(), {})
        found: dict[str, Any] = {}
        for done, name in enumerate(self.options.tables, start=1):
            context.check_cancelled()
            found[name] = self._look_at(conn, name)
            context.progress(done, len(self.options.tables), f"looked at {name}")
        changes = [
            f"{name}: {found[name]['rows'] - before[name]['rows']:+,.0f} rows" for name in found if name in before
        ]
        return HookResult(statistics=found, message=", ".join(changes))

    def _look_at(self, conn: psycopg.Connection[Any], name: str) -> dict[str, Any]:
        table = find(conn, name, kinds="rpmf", what="table")
        cursor = conn.cursor(row_factory=tuple_row)
        size, estimate = cursor.execute(_SIZE, (name,)).fetchone() or (0, -1)
        rows = estimate
        if self.options.exact:
            (rows,) = cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(table.identifier)).fetchone() or (0,)
        return {"rows": int(rows), "bytes": int(size)}
