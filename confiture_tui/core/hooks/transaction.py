"""The place in a transaction that a hook is given, and what it left of it."""

from __future__ import annotations

import secrets
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg


class Left(Enum):
    """In which state a hook left the transaction that it was given."""

    INTACT = "intact"
    FAILED = "failed"
    """A statement of it failed, and it went on as if none had."""
    COMMITTED = "committed"
    ROLLED_BACK = "rolled back"
    LOST = "lost"
    """The connection is gone: PostgreSQL rolls back, unless a COMMIT was on its way."""


class HookSavepoint:
    """A savepoint with a name that nobody can guess, in a transaction whose id is known.

    Whether the savepoint is still there tells whether the transaction is; its id tells how it ended.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._name = f"confiture_hook_{secrets.token_hex(8)}"
        row = self._execute("SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text").fetchone()
        assert row is not None  # a SELECT without FROM gives one row
        self._transaction: str = row[0]
        self._execute(f"SAVEPOINT {self._name}")

    def release(self) -> Left:
        """Keep what the hook did, if the transaction is still the one that it was given."""
        return self._leave(f"RELEASE SAVEPOINT {self._name}")

    def roll_back(self) -> Left:
        """Take back what the hook did, if the transaction is still the one that it was given."""
        left = self._leave(f"ROLLBACK TO SAVEPOINT {self._name}")
        return self._leave(f"RELEASE SAVEPOINT {self._name}") if left is Left.INTACT else left

    def _leave(self, command: str) -> Left:
        import psycopg

        if self._is_gone():
            return Left.LOST
        try:
            self._execute(command)
        except psycopg.errors.InFailedSqlTransaction:
            return Left.FAILED
        except (psycopg.errors.NoActiveSqlTransaction, psycopg.errors.InvalidSavepointSpecification):
            return self._ended()
        except psycopg.OperationalError:
            if self._is_gone():
                return Left.LOST
            raise
        return Left.INTACT

    def _is_gone(self) -> bool:
        return self._connection.closed

    def _ended(self) -> Left:
        # Another transaction may have been begun in its place; it is nobody's.
        self._execute("ROLLBACK")
        row = self._execute("SELECT pg_catalog.pg_xact_status(%s::pg_catalog.xid8)", (self._transaction,)).fetchone()
        return Left.COMMITTED if row is not None and row[0] == "committed" else Left.ROLLED_BACK

    def _execute(self, command: str, parameters: tuple[Any, ...] | None = None) -> psycopg.Cursor[tuple[Any, ...]]:
        from psycopg.rows import tuple_row

        return self._connection.cursor(row_factory=tuple_row).execute(command.encode(), parameters, prepare=False)
