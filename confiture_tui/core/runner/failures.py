"""What can go wrong while a migration runs, as this package tells it to itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.errors import ConfitureError

if TYPE_CHECKING:
    from confiture_tui.core.effects.model import Failure
    from confiture_tui.core.sql.statement import Statement
    from confiture_tui.core.traffic.model import GaveWay

RETRIED = frozenset({"55P03", "40P01", "40001"})
"""lock_not_available, deadlock_detected, serialization_failure: the next attempt may find it otherwise."""


class StatementFailed(ConfitureError):
    """A statement of the migration failed (exit code 4).

    Attributes:
        statement: it; ``None`` when it was the COMMIT.
        failure: the server's error.
        waited_for: whom it waited for, in words; ``None`` where that is not known.
    """

    exit_code = 4

    def __init__(self, failure: Failure, statement: Statement | None, *, waited_for: str | None = None) -> None:
        where = f"Statement {statement.index} (line {failure.line or statement.line})" if statement else "The COMMIT"
        detail = f" {failure.detail}" if failure.detail else ""
        waited = f" It waited for {waited_for}." if waited_for and failure.sqlstate == "55P03" else ""
        super().__init__(
            f"{where} failed: {failure.message.rstrip('.')} [{failure.sqlstate}].{detail}{waited}",
            hint=failure.hint or "",
        )
        self.statement = statement
        self.failure = failure
        self.waited_for = waited_for


class LetThrough(ConfitureError):
    """We gave way to others (exit code 4)."""

    exit_code = 4

    def __init__(self, why: GaveWay) -> None:
        super().__init__(f"It gave way: {why.reason}")
        self.why = why


class HalfWay(ConfitureError):
    """The migration stopped, and part of it stands (exit code 5)."""

    exit_code = 5
