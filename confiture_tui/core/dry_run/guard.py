"""A commit guard: while it is planted, no COMMIT of the transaction can succeed.

A row that violates a deferred foreign key makes every COMMIT, END, COMMIT AND CHAIN or PREPARE TRANSACTION fail with
23503 and roll back, however it is spelled and wherever it hides. The name is random, so that a migration can neither
meet nor remove it by accident.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.effects.model import Failure


class CommitGuard:
    """The guard of one transaction.

    Attributes:
        table: its temporary table, without schema; the name of its constraint begins with it.
    """

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self._conn = conn
        self.table = f"confiture_guard_{secrets.token_hex(8)}"
        self._constraint = f"{self.table}_fk"

    def plant(self) -> None:
        """Create the table and its violation; the first thing in the transaction."""
        # Everybody may use it: after a migration's SET ROLE, `lift` and `raise_again` run as that role.
        self._conn.execute(
            f"CREATE TEMP TABLE {self.table} (id int PRIMARY KEY, missing int CONSTRAINT {self._constraint} "
            f"REFERENCES pg_temp.{self.table} DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP;"
            f"GRANT ALL ON pg_temp.{self.table} TO PUBLIC;"
            f"INSERT INTO pg_temp.{self.table} VALUES (1, 2)".encode()
        )

    def lift(self) -> None:
        """Take the violation away, so that deferred constraints can be checked for the migration's own sake."""
        self._conn.execute(f"DELETE FROM pg_temp.{self.table}".encode())

    def raise_again(self) -> None:
        """Plant the violation again after ``lift``, whatever the migration did to its constraint's mode.

        Only the guard's own constraint is named: all others stay as the migration has set them.
        """
        self._conn.execute(
            f"SET CONSTRAINTS pg_temp.{self._constraint} DEFERRED;"
            f"INSERT INTO pg_temp.{self.table} VALUES (1, 2)".encode()
        )

    def tripped(self, failure: Failure) -> bool:
        """Whether a statement failed because of the guard, which no other run of the migration would meet."""
        return any(self.table in (text or "") for text in (failure.message, failure.detail, failure.hint))
