"""What can be copied from where you are: the most particular first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_tui.ui.presenters import as_markdown
from confiture_tui.ui.presenters.figures import counted
from confiture_tui.ui.presenters.migrations import label
from confiture_tui.ui.safe_text import safe_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.core.effects.model import StatementEffects
    from confiture_tui.core.lint.model import Violation
    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.service.linting import LintResult
    from confiture_tui.ui.session import Session


@dataclass(frozen=True, slots=True)
class Copyable:
    """Something that can be copied.

    Attributes:
        label: what it is, safe to show: ``this finding, as Markdown``.
        make: makes the text; called only when it is wanted.
    """

    label: str
    make: Callable[[], str]


def of_review(
    session: Session, status: MigrationStatus | None, risk: Risk | None, statement: StatementEffects | None
) -> list[Copyable]:
    """The chosen risk, its safe way, the chosen migration, the review of all, the chosen statement."""
    assessment = session.assessments.get(status.version) if status is not None else None
    things: list[Copyable] = []
    if assessment is not None and risk is not None:
        name = safe_line(risk.rule)
        things.append(Copyable(f"the finding {name}, as Markdown", lambda: as_markdown.risk_markdown(assessment, risk)))
        if risk.safe_sql:
            safe_sql = risk.safe_sql
            things.append(Copyable("its safe way, as SQL", lambda: safe_sql))
    if assessment is not None and status is not None:
        result = session.results.get(status.version)
        name = label(status.version, status.name)
        things.append(Copyable(f"{name}, as Markdown", lambda: as_markdown.migration_markdown(assessment, result)))
    if session.statuses:
        words = "the review of all pending migrations, as Markdown"
        things.append(Copyable(words, lambda: as_markdown.review_markdown(session)))
    if statement is not None:
        things.append(Copyable(f"statement {statement.index}, as SQL", lambda: statement.sql))
    return things


def of_lint(result: LintResult | None, chosen: Violation | None, shown: Sequence[Violation]) -> list[Copyable]:
    """The fix of the chosen finding, the finding, all that are shown."""
    things: list[Copyable] = []
    if chosen is not None and result is not None:
        name = safe_line(chosen.rule)
        if chosen.fix is not None:
            sql = chosen.fix.sql
            things.append(Copyable(f"the fix of {name}, as SQL", lambda: sql))
        things.append(
            Copyable(f"the finding {name}, as Markdown", lambda: as_markdown.violation_markdown(chosen, result))
        )
    if shown:
        words = f"the {counted(len(shown), 'finding')} shown, as Markdown"
        things.append(Copyable(words, lambda: as_markdown.violations_markdown(shown)))
    return things


def of_run(session: Session) -> list[Copyable]:
    """What takes the last run back, and its summary."""
    result = session.run.result
    if result is None:
        return []
    things = [Copyable("the summary of the run, as Markdown", lambda: as_markdown.run_markdown(session))]
    if result.undo:
        undo = safe_line(" && ".join(result.undo))
        things.insert(0, Copyable(f"what takes it back: {undo}", lambda: undo))
    return things
