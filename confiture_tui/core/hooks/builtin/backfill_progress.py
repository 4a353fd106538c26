"""How far a backfill has come, kept in the database, so that the next attempt goes on from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.rows import tuple_row

if TYPE_CHECKING:
    import psycopg

TABLE = "tb_confiture_backfill"
"""Made in the first schema of the search_path; it goes when no backfill needs it any more."""

_CREATE = """
CREATE TABLE IF NOT EXISTS {table} (
    migration text NOT NULL, target text NOT NULL, last_key text, rows_done bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT pg_catalog.now(), PRIMARY KEY (migration, target))
"""
_KEEP = """
INSERT INTO {table} (migration, target, last_key, rows_done) VALUES (%s, %s, %s, %s)
ON CONFLICT (migration, target) DO UPDATE
SET last_key = EXCLUDED.last_key, rows_done = EXCLUDED.rows_done, updated_at = pg_catalog.now()
"""


class BackfillProgress:
    """The last key that was done, and the rows so far, of one migration's backfill of one target."""

    def __init__(self, conn: psycopg.Connection[Any], migration: str, target: str) -> None:
        self._conn = conn
        self._key = (migration, target)
        self._table = sql.Identifier(TABLE)

    def read(self) -> tuple[str | None, int]:
        """The last key done, as text, and the rows so far; makes the table where there is none."""
        self._conn.execute(sql.SQL(_CREATE).format(table=self._table))
        row = (
            self._conn.cursor(row_factory=tuple_row)
            .execute(
                sql.SQL("SELECT last_key, rows_done FROM {} WHERE migration = %s AND target = %s").format(self._table),
                self._key,
            )
            .fetchone()
        )
        return (row[0], row[1]) if row is not None else (None, 0)

    def keep(self, last_key: str, rows: int) -> None:
        """Note how far it has come: in the transaction of the batch, so that both are there or neither."""
        self._conn.execute(sql.SQL(_KEEP).format(table=self._table), (*self._key, last_key, rows))

    def forget(self) -> None:
        """Forget it, in the transaction of the last batch: the backfill is complete."""
        self._conn.execute(
            sql.SQL("DELETE FROM {} WHERE migration = %s AND target = %s").format(self._table), self._key
        )

    def drop_if_empty(self) -> None:
        """Drop the table, unless another backfill is still to be gone on with."""
        row = self._conn.execute(sql.SQL("SELECT true FROM {} LIMIT 1").format(self._table)).fetchone()
        if row is None:
            self._conn.execute(sql.SQL("DROP TABLE {}").format(self._table))
