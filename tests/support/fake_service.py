"""A service without a server, for the states of screens that a real one reaches only by chance."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_tui.config import Settings
from confiture_tui.core.effects.model import StatementEffects
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.status import MigrationState, MigrationStatus
from confiture_tui.core.sql.script import Script
from confiture_tui.errors import Cancelled, ConfitureError, UsageError
from confiture_tui.events import Event, EventName, EventStream
from confiture_tui.service.assessing import Assessed, AssessRequest
from confiture_tui.service.models import MigrationPreview, ProjectInfo, TargetInfo

if TYPE_CHECKING:
    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.core.risk.model import RiskAssessment


def status(version: str, name: str, state: str, sql: str = "", applied_at: datetime | None = None) -> MigrationStatus:
    """A migration with this text; without a text there is no file."""
    migration = Migration.from_sql(sql, version=version, name=name) if sql else None
    return MigrationStatus(
        version=version, name=name, state=MigrationState(state), applied_at=applied_at, migration=migration
    )


class FakeJob:
    def __init__(self, version: str) -> None:
        self.id, self.title, self.version = 1, f"Dry run of {version}", version
        self.future: asyncio.Future[DryRunResult] = asyncio.get_running_loop().create_future()
        self.cancelling = False

    @property
    def done(self) -> bool:
        return self.future.done()

    def cancel(self) -> None:
        self.cancelling = True
        if not self.future.done():
            self.future.set_exception(Cancelled("cancelled"))

    def __await__(self) -> Generator[Any, None, DryRunResult]:
        return asyncio.shield(self.future).__await__()


@dataclass
class FakeService:
    statuses: Sequence[MigrationStatus] = ()
    outcomes: Mapping[str, DryRunResult | ConfitureError] = field(default_factory=dict)
    project: ProjectInfo | None = None
    target: TargetInfo | None = None
    open_error: ConfitureError | None = None
    is_demo: bool = False
    hold_open: bool = False
    hold_dry_run: bool = False
    close_takes_s: float = 0.0
    assessments: Sequence[RiskAssessment] = ()
    previews: int = 0
    settings: Settings = field(
        default_factory=lambda: Settings(project_dir=Path("/project"), migrations_dir=Path("/project/db/migrations"))
    )

    def __post_init__(self) -> None:
        self.events = EventStream()
        self.results: dict[str, DryRunResult] = {}
        self.jobs: list[FakeJob] = []
        self.closed = False
        self.go = asyncio.Event()

    async def open(self) -> None:
        self.events(Event(name=EventName.SERVER_STARTING, message="starting", at=AT))
        if self.hold_open:
            await self.go.wait()
        if self.open_error is not None:
            raise self.open_error
        self.events(Event(name=EventName.PROJECT_OPENED, message="shop: 5 migrations", at=AT))

    async def status(self) -> tuple[MigrationStatus, ...]:
        return tuple(self.statuses)

    async def preview(self, version: str) -> MigrationPreview:
        self.previews += 1
        one = next(one for one in self.statuses if one.version == version)
        if one.migration is None:
            raise UsageError(f"There is no file of {version}.")
        statements = statements_of(one.migration.up.text)
        return MigrationPreview(
            version=version,
            name=one.name,
            path=None,
            wrapping="transaction",
            analysed=(len(statements), len(statements)),
            statements=statements,
            has_down=True,
        )

    def dry_run(self, version: str) -> FakeJob:
        job = FakeJob(version)
        self.jobs.append(job)
        self.events(Event(name=EventName.DRY_RUN_START, message="dry run", migration=version, at=AT))
        if not self.hold_dry_run:
            self.finish(job)
        return job

    def finish(self, job: FakeJob) -> None:
        outcome = self.outcomes[job.version]
        if isinstance(outcome, ConfitureError):
            job.future.set_exception(outcome)
        else:
            self.results[job.version] = outcome
            self.events(Event(name=EventName.DRY_RUN_COMPLETED, message="done", migration=job.version, at=AT))
            job.future.set_result(outcome)

    async def assess(self, _request: AssessRequest) -> tuple[Assessed, ...]:
        return tuple(Assessed(assessment=one, runner="confiture") for one in self.assessments)

    async def close(self) -> None:
        await asyncio.sleep(self.close_takes_s)
        self.closed = True


AT = datetime.fromisoformat("2025-01-02T03:04:05+00:00")


def statements_of(sql: str) -> tuple[StatementEffects, ...]:
    """The statements of a text, not looked at."""
    return tuple(
        StatementEffects(index=one.index, line=one.line, tag=one.tag, sql=one.sql)
        for one in Script.from_text(sql).statements
    )
