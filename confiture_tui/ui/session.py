"""What the app knows now. The app alone changes it, on the event loop; screens read it and never keep a copy."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING

from confiture_tui.ui.readings import HistoryState, LintState
from confiture_tui.ui.run_state import RunState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.core.risk.model import RiskAssessment
    from confiture_tui.errors import ConfitureError
    from confiture_tui.service import MigrationService
    from confiture_tui.service.jobs import Job
    from confiture_tui.service.places import ProjectInfo, TargetInfo
    from confiture_tui.ui.progress import Progress


class Phase(StrEnum):
    """How far the app is."""

    OPENING = "opening"
    READY = "ready"
    FAILED = "failed"


class Topic(StrEnum):
    """What of the session changed, so that a screen redraws that and no more."""

    OPENED = "opened"
    MIGRATIONS = "migrations"
    DRY_RUN = "dry_run"
    PROGRESS = "progress"
    RISK = "risk"
    RUN = "run"
    RUN_PROGRESS = "run_progress"
    LINT = "lint"
    HISTORY = "history"


@dataclass(slots=True)
class Session:
    """The state of the app.

    Attributes:
        service: what everything is asked of.
        phase: how far the app is.
        error: why it could not be opened, or why the migrations could not be read.
        statuses: every migration with its state, in order.
        job: the dry run under way.
        progress: how far that has come.
        queue: versions whose dry runs follow it.
        failures: dry runs that could not be made at all, by version.
        assessments: of the pending migrations, by version, as far as they are there.
        assessing: they are on their way.
        assess_error: why there are none.
        run: the wizard that runs migrations.
        lint: what is wrong with the schema.
        history: what was run.
    """

    service: MigrationService
    phase: Phase = Phase.OPENING
    error: ConfitureError | None = None
    statuses: tuple[MigrationStatus, ...] = ()
    job: Job[DryRunResult] | None = None
    progress: Progress | None = None
    queue: list[str] = field(default_factory=list)
    failures: dict[str, ConfitureError] = field(default_factory=dict)
    assessments: dict[str, RiskAssessment] = field(default_factory=dict)
    assessing: bool = False
    assess_error: ConfitureError | None = None
    run: RunState = field(default_factory=RunState)
    lint: LintState = field(default_factory=LintState)
    history: HistoryState = field(default_factory=HistoryState)

    @property
    def project(self) -> ProjectInfo | None:
        """The project, once it is found."""
        return self.service.project if self.phase is not Phase.OPENING else None

    @property
    def target(self) -> TargetInfo | None:
        """The database, once it is reached."""
        return self.service.target if self.phase is not Phase.OPENING else None

    @property
    def results(self) -> Mapping[str, DryRunResult]:
        """The last dry run of each migration, by version."""
        return self.service.results

    @property
    def busy(self) -> bool:
        """Whether a job is under way that quitting would cancel."""
        return self.job is not None or self.run.job is not None

    def reset(self) -> None:
        """Know nothing again, as at the start."""
        fresh = Session(self.service)
        for one in fields(self):
            setattr(self, one.name, getattr(fresh, one.name))

    def status_of(self, version: str) -> MigrationStatus | None:
        """The migration with this version."""
        return next((status for status in self.statuses if status.version == version), None)
