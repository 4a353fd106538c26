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

    Attributes:
        gave_up: the budget was used up before the last statement.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        self._connect = connect
        self._last: Catalog | None = None
        self._spent = 0.0
        self.gave_up = False

    def start(self, *, statements: int) -> None:
        """Read what there is before the first of so many statements."""
        self._last = self._read()
        # One more look for each: what the first took tells whether all of them can be afforded.
        self.gave_up = self._spent * statements > _BUDGET_S

    def since_last(self, statement: Statement) -> SchemaDiff | None:
        """What changed since the look before; ``None`` when it was not looked at."""
        before = self._last
        if self.gave_up or before is None or statement.node_kind in _LEAVE_SCHEMA:
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
