"""A column that a trigger keeps, while it is not yet, or cannot be, what it is to become."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.risk.advice.backfill import dollar_quoted
from confiture_tui.core.risk.advice.source import with_columns
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.risk.advice.subject import Subject


def names_of(subject: Subject) -> tuple[str, str]:
    """Name of the function, qualified, and of the trigger."""
    return f"{subject.schema}.{subject.helper('keep')}", subject.helper("keep")


def keep_by_trigger(subject: Subject, column: str, expression: str) -> tuple[str, ...] | None:
    """The statements that make a trigger which computes ``column`` of every row that is written.

    Args:
        subject: the table.
        column: quoted.
        expression: over the row's other columns.

    Returns:
        ``None`` when the expression cannot be read.
    """
    computed = with_columns(expression, lambda name: f"NEW.{quote_identifier(name)}")
    if computed is None:
        return None
    function, trigger = names_of(subject)
    # The line break: the user's expression may end in a comment.
    body = f"BEGIN\n    NEW.{column} := {computed.strip()}\n    ;\n    RETURN NEW;\nEND"
    return (
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS {dollar_quoted(body, 'keep')}",
        f"CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {subject.table}\n"
        f"    FOR EACH ROW EXECUTE FUNCTION {function}()",
    )


def stop_keeping(subject: Subject) -> tuple[str, ...]:
    """The statements that take the trigger and its function away."""
    function, trigger = names_of(subject)
    return f"DROP TRIGGER {trigger} ON {subject.table}", f"DROP FUNCTION {function}()"
