"""``rebuild_index``: indexes built anew while everybody goes on."""

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

    from confiture_tui.core.hooks.builtin.relations import FoundRelation
    from confiture_tui.core.hooks.context import HookContext

# What REINDEX CONCURRENTLY leaves when it fails: the new index, or the old one that it did not come to drop, invalid
# and named after the index (documentation of REINDEX, "Rebuilding Indexes Concurrently").
_LEFT_OVER = """
SELECT n.nspname, left_over.relname
FROM pg_catalog.pg_class index_class
JOIN pg_catalog.pg_index own ON own.indexrelid = index_class.oid
JOIN pg_catalog.pg_index other ON other.indrelid = own.indrelid AND NOT other.indisvalid
JOIN pg_catalog.pg_class left_over ON left_over.oid = other.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = left_over.relnamespace
WHERE index_class.oid = pg_catalog.to_regclass(%s)
  AND left_over.relname ~ '_cc(new|old)[0-9]*$'
  AND pg_catalog.starts_with(left_over.relname::text, pg_catalog.left(index_class.relname::text, 50))
  AND left_over.relname <> index_class.relname
"""
_VALID = """
SELECT indisvalid FROM pg_catalog.pg_index WHERE indexrelid = pg_catalog.to_regclass(%s)
"""


class RebuildIndexOptions(HookOptions):
    """Which indexes to rebuild."""

    indexes: tuple[str, ...] = Field(min_length=1)


class RebuildIndex(Hook):
    """Runs REINDEX INDEX CONCURRENTLY, outside any transaction, and looks whether the index is valid afterwards.

    What an earlier attempt left behind, invalid, is dropped first.
    """

    name = "rebuild_index"
    phase = HookPhase.CLEANUP
    phases = frozenset({HookPhase.AFTER_DDL, HookPhase.CLEANUP})
    Options = RebuildIndexOptions
    transactional = False
    idempotent = True

    def execute(self, conn: psycopg.Connection[Any], context: HookContext) -> HookResult:
        """Rebuild one index after the other."""
        indexes = self.options.indexes
        dropped = 0
        for done, name in enumerate(indexes, start=1):
            context.check_cancelled()
            index = find(conn, name, kinds="iI", what="index")
            dropped += self._drop_what_is_left(conn, name, context)
            self._rebuild(conn, name, index)
            context.progress(done, len(indexes), f"rebuilt {name}")
        return HookResult(statistics={"indexes": len(indexes), "left_overs_dropped": dropped})

    def _drop_what_is_left(self, conn: psycopg.Connection[Any], name: str, context: HookContext) -> int:
        left = conn.cursor(row_factory=tuple_row).execute(_LEFT_OVER, (name,)).fetchall()
        for schema, index in left:
            context.logger.warning("an invalid index of an earlier attempt is dropped", schema=schema, index=index)
            conn.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(schema, index)))
        return len(left)

    def _rebuild(self, conn: psycopg.Connection[Any], name: str, index: FoundRelation) -> None:
        conn.execute(sql.SQL("REINDEX INDEX CONCURRENTLY {}").format(index.identifier))
        row = conn.cursor(row_factory=tuple_row).execute(_VALID, (name,)).fetchone()
        if index.kind == "i" and (row is None or not row[0]):
            raise RuntimeError(f"the index {name} is not valid after REINDEX CONCURRENTLY")
