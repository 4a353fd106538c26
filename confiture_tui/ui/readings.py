"""What the app has read for the screens that only look: the findings of the linter, and the history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confiture_tui.core.runner.journal import JournalEntry
    from confiture_tui.errors import ConfitureError
    from confiture_tui.service.jobs import Job
    from confiture_tui.service.linting import LintResult


@dataclass(slots=True)
class LintState:
    """What the linter said.

    Attributes:
        job: it is at work.
        result: what it found last.
        error: why it found nothing.
        cancelled: it was stopped before it had found anything.
    """

    job: Job[LintResult] | None = None
    result: LintResult | None = None
    error: ConfitureError | None = None
    cancelled: bool = False


@dataclass(slots=True)
class HistoryState:
    """What the journal says: ``entries``, the newest first; ``None`` while nobody has asked it."""

    entries: tuple[JournalEntry, ...] | None = None
    reading: bool = False
    error: ConfitureError | None = None
