"""What workers tell the app: each a plain fact. Workers post these and touch no widget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.core.risk.model import RiskAssessment
    from confiture_tui.core.runner.journal import JournalEntry
    from confiture_tui.core.runner.recovery import LeftOver
    from confiture_tui.core.runner.result import RunResult
    from confiture_tui.errors import ConfitureError
    from confiture_tui.service.linting import LintResult
    from confiture_tui.service.models import MigrationPreview
    from confiture_tui.service.running import PreparedRun, RunRequest


class Opened(Message):
    """The service is open: there is a project, and a database if one was given."""


class OpenFailed(Message):
    """The service could not be opened."""

    def __init__(self, error: ConfitureError) -> None:
        super().__init__()
        self.error = error


class StatusesRead(Message):
    """The migrations and their states have been read."""

    def __init__(self, statuses: tuple[MigrationStatus, ...]) -> None:
        super().__init__()
        self.statuses = statuses


class StatusFailed(Message):
    """The migrations could not be read."""

    def __init__(self, error: ConfitureError) -> None:
        super().__init__()
        self.error = error


class AssessEnded(Message):
    """The pending migrations have been assessed, or could not be."""

    def __init__(self, assessments: tuple[RiskAssessment, ...] = (), *, error: ConfitureError | None = None) -> None:
        super().__init__()
        self.assessments = assessments
        self.error = error


class PlanRead(Message):
    """A run has been planned, or could not be; and what earlier runs left, or why that is not known."""

    def __init__(
        self,
        request: RunRequest,
        *,
        prepared: PreparedRun | None = None,
        error: ConfitureError | None = None,
        left: tuple[LeftOver, ...] = (),
        left_error: ConfitureError | None = None,
    ) -> None:
        super().__init__()
        self.request = request
        self.prepared = prepared
        self.error = error
        self.left = left
        self.left_error = left_error


class RunEnded(Message):
    """A run has a result, or could not be made."""

    def __init__(self, *, result: RunResult | None = None, error: ConfitureError | None = None) -> None:
        super().__init__()
        self.result = result
        self.error = error


class LeftSettled(Message):
    """Something was done about a migration that stopped half-way, or could not be; ``told``: what it was."""

    def __init__(self, told: str = "", *, error: ConfitureError | None = None) -> None:
        super().__init__()
        self.told = told
        self.error = error


class Linted(Message):
    """The schema has been judged, or could not be, or that was cancelled (then there is neither)."""

    def __init__(self, result: LintResult | None = None, *, error: ConfitureError | None = None) -> None:
        super().__init__()
        self.result = result
        self.error = error


class LintSettled(Message):
    """What the linter lets pass has been written into the settings, or could not be."""

    def __init__(self, *, update_baseline: bool = False, error: ConfitureError | None = None) -> None:
        super().__init__()
        self.update_baseline = update_baseline
        self.error = error


class HistoryRead(Message):
    """The journal has been read, or could not be."""

    def __init__(self, entries: tuple[JournalEntry, ...] = (), *, error: ConfitureError | None = None) -> None:
        super().__init__()
        self.entries = entries
        self.error = error


class DryRunEnded(Message):
    """A dry run has a result, or could not be made, or was cancelled (then there is neither)."""

    def __init__(
        self, version: str, *, result: DryRunResult | None = None, error: ConfitureError | None = None
    ) -> None:
        super().__init__()
        self.version = version
        self.result = result
        self.error = error


class PreviewRead(Message):
    """What a migration contains has been read, or could not be."""

    def __init__(
        self, version: str, *, preview: MigrationPreview | None = None, error: ConfitureError | None = None
    ) -> None:
        super().__init__()
        self.version = version
        self.preview = preview
        self.error = error
