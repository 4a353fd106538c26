"""A service without a server, for the states of screens that a real one reaches only by chance."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from confiture_tui.config import Settings
from confiture_tui.core.effects.model import StatementEffects
from confiture_tui.core.lint.model import LintReport
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.status import MigrationState, MigrationStatus
from confiture_tui.core.runner.plan import Plan, PlannedMigration, PlanTarget
from confiture_tui.core.runner.policy import RunPolicy
from confiture_tui.core.runner.selection import objections, to_apply, to_take_back
from confiture_tui.core.sql.script import Script
from confiture_tui.errors import Cancelled, ConfitureError, UsageError
from confiture_tui.events import Event, EventName, EventStream
from confiture_tui.service.assessing import Assessed
from confiture_tui.service.linting import LintRequest, LintResult
from confiture_tui.service.models import MigrationPreview, PreviewedHook
from confiture_tui.service.running import PreparedRun, RunRequest
from confiture_tui.service.settling import CleanedUp

if TYPE_CHECKING:
    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.core.risk.model import RiskAssessment
    from confiture_tui.core.runner.journal import JournalEntry
    from confiture_tui.core.runner.plan import PlannedHook
    from confiture_tui.core.runner.preflight import PreflightFinding
    from confiture_tui.core.runner.recovery import LeftOver
    from confiture_tui.core.runner.result import RunResult
    from confiture_tui.service.assess_request import AssessRequest
    from confiture_tui.service.places import ProjectInfo, TargetInfo


def status(version: str, name: str, state: str, sql: str = "", applied_at: datetime | None = None) -> MigrationStatus:
    """A migration with this text; without a text there is no file."""
    migration = Migration.from_sql(sql, version=version, name=name) if sql else None
    return MigrationStatus(
        version=version, name=name, state=MigrationState(state), applied_at=applied_at, migration=migration
    )


T = TypeVar("T")


class FakeJob(Generic[T]):
    def __init__(self, version: str) -> None:
        self.id, self.title, self.version = 1, f"Dry run of {version}", version
        self.future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.cancelling = False

    @property
    def done(self) -> bool:
        return self.future.done()

    def cancel(self) -> None:
        self.cancelling = True
        if not self.future.done():
            self.future.set_exception(Cancelled("cancelled"))

    def __await__(self) -> Generator[Any, None, T]:
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
    preflight: Sequence[PreflightFinding] = ()
    hooks: Mapping[str, Sequence[PlannedHook]] = field(default_factory=dict)
    left: Sequence[LeftOver] = ()
    plan_error: ConfitureError | None = None
    plan_salt: str = ""
    lint_outcome: LintResult | ConfitureError | None = None
    entries: Sequence[JournalEntry] = ()
    history_error: ConfitureError | None = None
    hold_plan: bool = False
    hold_lint: bool = False
    hold_history: bool = False
    settings: Settings = field(
        default_factory=lambda: Settings(project_dir=Path("/project"), migrations_dir=Path("/project/db/migrations"))
    )

    def __post_init__(self) -> None:
        self.events = EventStream()
        self.results: dict[str, DryRunResult] = {}
        self.jobs: list[FakeJob[DryRunResult]] = []
        self.runs: list[tuple[RunRequest | str, FakeJob[RunResult]]] = []
        self.lints: list[FakeJob[LintResult]] = []
        self.planned: list[RunRequest] = []
        self.marked: list[tuple[str, bool, str | None]] = []
        self.cleaned: list[tuple[str, str | None]] = []
        self.settings_error: ConfitureError | None = None
        self.ignored: list[tuple[str, str, str]] = []
        self.linted: list[LintRequest] = []
        self.declared: dict[str, Sequence[PreviewedHook]] = {}
        self.closed = False
        self.runs_end_with: RunResult | None = None
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
            hooks=tuple(self.declared.get(version, ())),
        )

    def dry_run(self, version: str) -> FakeJob[DryRunResult]:
        job: FakeJob[DryRunResult] = FakeJob(version)
        self.jobs.append(job)
        self.events(Event(name=EventName.DRY_RUN_START, message="dry run", migration=version, at=AT))
        if not self.hold_dry_run:
            self.finish(job)
        return job

    def finish(self, job: FakeJob[DryRunResult]) -> None:
        outcome = self.outcomes[job.version]
        if isinstance(outcome, ConfitureError):
            job.future.set_exception(outcome)
        else:
            self.results[job.version] = outcome
            self.events(Event(name=EventName.DRY_RUN_COMPLETED, message="done", migration=job.version, at=AT))
            job.future.set_result(outcome)

    async def assess(
        self, _request: AssessRequest, on_each: Callable[[Assessed], None] | None = None
    ) -> tuple[Assessed, ...]:
        made = tuple(Assessed(assessment=one, runner="confiture") for one in self.assessments)
        for one in made:
            if on_each is not None:
                on_each(one)
        return made

    async def left_overs(self) -> tuple[LeftOver, ...]:
        return tuple(self.left)

    async def prepare_run(self, request: RunRequest) -> PreparedRun:
        """The plan that the real one would make of these statuses, without a database behind it."""
        self.planned.append(request)
        if self.hold_plan:
            await self.go.wait()
        if self.plan_error is not None:
            raise self.plan_error
        if request.direction == "forward":
            chosen = to_apply(self.statuses, to=request.to, skip=request.skip, steps=request.steps)
            against = objections(self.statuses, chosen)
        else:
            chosen, against = to_take_back(self.statuses, steps=request.steps, to=request.to), ()
        plan = Plan(
            direction=request.direction,
            target=PlanTarget(
                host="db.example",
                database=self.target.database if self.target else "shop",
                role=self.target.role if self.target else "shop_owner",
                server_version="18.6",
            ),
            migrations=tuple(
                PlannedMigration(
                    version=one.version,
                    name=one.name,
                    checksum=one.checksum,
                    statements=len(one.up.statements),
                    transactional="CONCURRENTLY" not in one.up.text,
                    hooks=tuple(self.hooks.get(one.version, ())),
                    notes=("It has no way back.",) if request.direction == "forward" and one.down is None else (),
                )
                for one in chosen
            ),
            objections=tuple(one for one in against if one.code not in request.allowed),
            policy=RunPolicy(),
            catalog=self.plan_salt,
        )
        digest = plan.model_copy(update={"digest": hashlib.sha256(plan.model_dump_json().encode()).hexdigest()})
        return PreparedRun(plan=digest, preflight=tuple(self.preflight))

    def run(self, request: RunRequest, digest: str) -> FakeJob[RunResult]:
        job: FakeJob[RunResult] = FakeJob("")
        self.runs.append((request, job))
        self.digest = digest
        return job

    def resume(self, version: str, *, confirmation: str | None = None) -> FakeJob[RunResult]:
        job: FakeJob[RunResult] = FakeJob(version)
        self.runs.append((version, job))
        return job

    async def mark(self, version: str, *, applied: bool, confirmation: str | None = None) -> None:
        self.marked.append((version, applied, confirmation))
        self.left = [one for one in self.left if one.entry.version != version]

    async def clean_up(self, version: str, *, confirmation: str | None = None) -> CleanedUp:
        self.cleaned.append((version, confirmation))
        self.left = [one for one in self.left if one.entry.version != version]
        return CleanedUp(dropped=("shop.w_orders_email_idx",), pending=True)

    async def ignore_finding(self, *, rule: str, object: str, reason: str) -> None:
        if self.settings_error is not None:
            raise self.settings_error
        self.ignored.append((rule, object, reason))

    async def name_baseline(self) -> None:
        if self.settings_error is not None:
            raise self.settings_error

    def lint(self, request: LintRequest) -> FakeJob[LintResult]:
        self.linted.append(request)
        job: FakeJob[LintResult] = FakeJob("")
        self.lints.append(job)
        if not self.hold_lint:
            if isinstance(self.lint_outcome, ConfitureError):
                job.future.set_exception(self.lint_outcome)
            else:
                job.future.set_result(self.lint_outcome or LintResult(basis="database", report=LintReport()))
        return job

    async def history(self) -> tuple[JournalEntry, ...]:
        if self.hold_history:
            await self.go.wait()
        if self.history_error is not None:
            raise self.history_error
        return tuple(self.entries)

    async def close(self) -> None:
        for _, job in self.runs:
            if self.runs_end_with is not None and not job.done:
                job.future.set_result(self.runs_end_with)
            job.cancel()
        await asyncio.sleep(self.close_takes_s)
        self.closed = True


AT = datetime.fromisoformat("2025-01-02T03:04:05+00:00")


def statements_of(sql: str) -> tuple[StatementEffects, ...]:
    """The statements of a text, not looked at."""
    return tuple(
        StatementEffects(index=one.index, line=one.line, tag=one.tag, sql=one.sql)
        for one in Script.from_text(sql).statements
    )
