"""What each statement did to the schema, read between the statements from a session of its own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from confiture_tui.core.catalog import Catalog

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from confiture_tui.core.catalog.diff import SchemaDiff
    from confiture_tui.core.sql.statement import Statement

_BUDGET_S: Final = 2.0
"""Seconds that reading may take in one dry run: a schema of thousands of tables takes as long for a single look."""
_LEAVE_SCHEMA: Final = frozenset(
    {"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CopyStmt", "TruncateStmt", "VariableSetStmt", "VacuumStmt"}
)
"""Statements that change no definition, unless a trigger does."""


class SchemaChanges:
    """Looks at a schema after each statement that may have changed it.

    Args:
        connect: opens a session of the role that has read ``before``.
        before: the schema before the first statement.
        cost_s: the seconds that reading it took; 0 when nobody knows.
        statements: how many statements there are: with one look for each of them it may be too much from the start.

    Attributes:
        gave_up: the budget was used up, or would be, before the last statement.
    """

    def __init__(
        self, connect: Callable[[], psycopg.Connection[Any]], before: Catalog, *, cost_s: float, statements: int
    ) -> None:
        self._connect = connect
        self._last = before
        self._spent = 0.0
        self.gave_up = cost_s * statements > _BUDGET_S

    def since_last(self, statement: Statement) -> SchemaDiff | None:
        """What changed since the look before; ``None`` when it was not looked at."""
        before = self._last
        if self.gave_up or statement.node_kind in _LEAVE_SCHEMA:
            return None
        if self._spent > _BUDGET_S:
            self.gave_up = True
            return None
        self._last = self._read()
        return before.diff(self._last)

    def _read(self) -> Catalog:
        began = time.monotonic()
        with self._connect() as conn:
            found = Catalog.load(conn)
        self._spent += time.monotonic() - began
        return found
