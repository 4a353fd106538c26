"""One project on one database, or on none: what can be asked of it, and what can be started."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_tui.errors import Cancelled
from confiture_tui.events import EventStream
from confiture_tui.service.jobs import Ask, Job, JobRunner

if TYPE_CHECKING:
    from confiture_tui.config import Settings
    from confiture_tui.core.dry_run.cache import Listed
    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.core.hooks.registry import HookInfo
    from confiture_tui.core.migrations.layouts.marked import SqlText
    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.core.runner.journal import JournalEntry
    from confiture_tui.core.runner.recovery import LeftOver
    from confiture_tui.core.runner.result import RunResult
    from confiture_tui.database.cancellation import CancelScope
    from confiture_tui.service.assess_request import AssessRequest
    from confiture_tui.service.assessing import Assessed, BaselineUse
    from confiture_tui.service.in_place import InPlaceOptions
    from confiture_tui.service.linting import LintRequest, LintResult
    from confiture_tui.service.models import MigrationPreview
    from confiture_tui.service.places import Opened, ProjectInfo, TargetInfo
    from confiture_tui.service.review import Review, ReviewRequest
    from confiture_tui.service.running import PreparedRun, RunRequest
    from confiture_tui.service.settling import CleanedUp, PreparedBaseline
    from confiture_tui.service.workspace import Workspace


class MigrationService:
    """What the screens and the command line talk to.

    Every method that touches a file or a server runs on a thread of its own; its errors are ``ConfitureError``.
    ``events`` carries everything that happens. Attributes may be read from the event loop at any time.
    """

    def __init__(self, settings: Settings, *, demo: bool = False, traffic: bool = False) -> None:
        """A service, not open yet; ``traffic``: the demo's shop has customers while it is open."""
        self.settings = settings
        self.is_demo = demo
        self._traffic = traffic
        self.events = EventStream()
        self.jobs = JobRunner(self.events)
        self._making = threading.Lock()
        self._made: Workspace | None = None
        self._results: dict[str, DryRunResult] = {}
        self._opened = False
        self._closed = False

    def _workspace(self) -> Workspace:
        """The synchronous side, made at first use: on a job's thread, because importing it takes a while.

        Raises:
            Cancelled: the service is closed, so that nothing may be started any more.
        """
        with self._making:
            if self._made is None:
                from confiture_tui.service.workspace import Workspace

                self._made = Workspace(self.settings, demo=self.is_demo, sink=self.events, traffic=self._traffic)
            # After it can be seen: either this sees that the service was closed, or who closes it sees the workspace.
            if self._closed:
                raise Cancelled("The session is closed.")
            return self._made

    @property
    def project(self) -> ProjectInfo | None:
        """The project, once ``open`` has found it."""
        return self._made.project if self._made else None

    @property
    def target(self) -> TargetInfo | None:
        """The database, once ``open`` has reached it; ``None`` without one."""
        return self._made.target if self._made else None

    @property
    def runner(self) -> str:
        """The name of the profile in whose name migrations are judged."""
        return self._made.profile.name if self._made else self.settings.runner

    @property
    def results(self) -> Mapping[str, DryRunResult]:
        """The last dry run of each migration in this session, by version."""
        return self._results

    async def open(self) -> None:
        """Find the project and its files, and connect if there is anything to connect to. Idempotent.

        Raises:
            UsageError: there is no project, or its settings cannot be used.
            ConnectError: the database cannot be reached.
        """
        if not self._opened:
            await self.jobs.start("Open", self._open, ask=Ask("open", {}))
            self._opened = True

    def _open(self, scope: CancelScope) -> Opened:
        from confiture_tui.service.places import Opened

        workspace = self._workspace()
        workspace.open(scope)
        return Opened(project=workspace.project, target=workspace.target)

    async def status(self) -> tuple[MigrationStatus, ...]:
        """Every migration with its state, as the files and the ledger have it now."""
        return await self.jobs.start("Status", lambda scope: self._workspace().status(scope), ask=Ask("status", {}))

    async def preview(self, version: str) -> MigrationPreview:
        """What the migration contains.

        Raises:
            UsageError: there is no such migration.
        """
        title, ask = f"Preview of {version}", Ask("preview", {})
        return await self.jobs.start(title, lambda _: self._workspace().preview(version), version=version, ask=ask)

    async def previews(self, versions: Sequence[str] = ()) -> tuple[MigrationPreview, ...]:
        """What migrations contain and do; all pending ones by default.

        Raises:
            UsageError: there is no such migration.
        """

        def work(scope: CancelScope) -> tuple[MigrationPreview, ...]:
            from confiture_tui.service.reading import previews

            return previews(self._workspace(), versions, scope)

        return await self.jobs.start("Preview", work)

    async def preview_files(self, files: Sequence[Path | SqlText]) -> tuple[MigrationPreview, ...]:
        """What loose SQL files, or the files of directories, contain: no project and no database is needed.

        Raises:
            UsageError: a path does not exist.
        """

        def work(_scope: CancelScope) -> tuple[MigrationPreview, ...]:
            from confiture_tui.service.reading import preview_files

            return preview_files(self._workspace(), files)

        return await self.jobs.start("Preview of files", work)

    def dry_run(self, version: str, *, on: str = "shadow", options: InPlaceOptions | None = None) -> Job[DryRunResult]:
        """Start a dry run of one migration, and return its job at once.

        Args:
            version: which.
            on: ``shadow``, or ``target``: in a transaction on the target itself that is always rolled back.
            options: how it is to be on the target.

        Raises:
            ValueError: there is no such place.
        """
        if on not in ("shadow", "target"):
            raise ValueError(f"a dry run is on the shadow or on the target, not on {on!r}")
        # What was seen before is not what is true of this one, whatever becomes of it.
        self._results.pop(version, None)

        def work(scope: CancelScope) -> DryRunResult:
            workspace = self._workspace()
            if on == "shadow":
                result = workspace.dry_run(version, scope)
            else:
                from confiture_tui.service.in_place import InPlaceOptions

                result = workspace.dry_run_on_target(version, options or InPlaceOptions(), scope)
            self._results[version] = result
            return result

        where = "" if on == "shadow" else " on the target"
        return self.jobs.start(f"Dry run of {version}{where}", work, version=version, ask=Ask("dry_run", {"on": on}))

    async def write_derived_down(self, version: str) -> Path | None:
        """Write the way back that the last dry run of a migration has derived; its file, ``None`` when there is none.

        Raises:
            UsageError: it is not proved, or a file is there already.
        """

        def work(_scope: CancelScope) -> Path | None:
            result = self._results.get(version)
            return self._workspace().write_derived_down(version, result) if result is not None else None

        return await self.jobs.start(f"Write the way back of {version}", work, version=version)

    def assess(
        self, request: AssessRequest, on_each: Callable[[Assessed], None] | None = None
    ) -> Job[tuple[Assessed, ...]]:
        """Start to assess pending migrations, by what their last dry runs have seen too; return the job at once.

        ``on_each`` is given each assessment as soon as it is made, on the job's thread.
        """
        results = dict(self._results)

        def work(scope: CancelScope) -> tuple[Assessed, ...]:
            from confiture_tui.service.reading import assess

            return assess(self._workspace(), request, scope, on_each, results)

        alone = request.versions[0] if len(request.versions) == 1 else None
        title = " ".join(["Assess", ", ".join(request.versions)]).strip()
        return self.jobs.start(title, work, version=alone, ask=Ask("assess", {}))

    def assess_files(self, files: Sequence[Path | SqlText], request: AssessRequest) -> Job[tuple[Assessed, ...]]:
        """Start to assess files, or what was read already, each by itself; no project is needed, nor a database."""

        def work(scope: CancelScope) -> tuple[Assessed, ...]:
            from confiture_tui.service.reading import assess_files

            return assess_files(self._workspace(), files, request, scope)

        return self.jobs.start("Assess files", work)

    async def calibrate(self, *, starts: bool = True) -> None:
        """Measure how fast a server on this machine works, unless that is known already: a second or two.

        It begins by itself whenever the shadow's server runs; this waits for its end.

        Args:
            starts: start a server for it where none runs yet.

        Raises:
            ConfitureError: no server could be started.
        """
        await self.jobs.start("Calibrate", lambda scope: self._workspace().calibrate(scope, starts=starts))

    async def by_baseline(
        self, assessed: Sequence[Assessed], path: Path, *, update: bool, complete: bool
    ) -> BaselineUse:
        """Let pass what a baseline's file has, or write it anew first; see ``assessing.by_baseline``.

        Raises:
            UsageError: it cannot be read or written, or is no baseline of risks.
        """

        def work(_scope: CancelScope) -> BaselineUse:
            from confiture_tui.service.assessing import by_baseline

            return by_baseline(assessed, path, update=update, complete=complete, target=self.target)

        return await self.jobs.start("Baseline", work)

    def lint(self, request: LintRequest) -> Job[LintResult]:
        """Start linting the target, or the schema that the files make, and return the job at once."""
        return self.jobs.start("Lint", lambda scope: self._workspace().lint(request, scope), ask=Ask("lint", {}))

    def review(self, request: ReviewRequest) -> Job[Review]:
        """Start to make the record of a review, and return the job at once."""

        def work(scope: CancelScope) -> Review:
            from confiture_tui.service.review import review

            return review(self._workspace(), request, scope)

        return self.jobs.start("Review", work)

    async def ignore_finding(self, *, rule: str, object: str, reason: str) -> None:
        """Exempt an object from a rule of the linter, in the project's settings.

        Raises:
            UsageError: the settings cannot be changed.
        """

        def work(_scope: CancelScope) -> None:
            from confiture_tui.service.lint_settings import ignore

            ignore(self._workspace().settings_to_change(), rule=rule, object=object, reason=reason)

        await self.jobs.start(f"Ignore {rule} of {object}", work)

    async def name_baseline(self) -> None:
        """Name a file for the linter's baseline in the project's settings, where they name none.

        Raises:
            UsageError: the settings cannot be changed.
        """

        def work(_scope: CancelScope) -> None:
            from confiture_tui.service.lint_settings import name_baseline

            name_baseline(self._workspace().settings_to_change())

        await self.jobs.start("Name the baseline", work)

    async def prepare_run(self, request: RunRequest) -> PreparedRun:
        """The plan of a run, and a look at the target. Changes nothing.

        Raises:
            UsageError: what is asked for cannot be run as it is.
        """

        def work(scope: CancelScope) -> PreparedRun:
            from confiture_tui.service.running import prepare

            return prepare(self._workspace().run_sources(scope, request.direction), request)

        return await self.jobs.start("Plan", work, ask=Ask("prepare_run", _told_of(request)))

    def run(self, request: RunRequest, digest: str) -> Job[RunResult]:
        """Start to run the plan with that digest, and return the job at once.

        The job fails with ``PlanChanged`` when the plan is another by now.
        """

        def work(scope: CancelScope) -> RunResult:
            from confiture_tui.service.running import run

            return run(self._workspace().run_sources(scope), request, digest, scope)

        title = "Apply" if request.direction == "forward" else "Take back"
        return self.jobs.start(title, work, ask=Ask("run", _told_of(request)))

    async def left_overs(self) -> tuple[LeftOver, ...]:
        """What earlier runs left half-way."""

        def work(scope: CancelScope) -> tuple[LeftOver, ...]:
            from confiture_tui.service.settling import what_is_left

            return what_is_left(self._workspace().run_sources(scope))

        return await self.jobs.start("Look at the journal", work, ask=Ask("left_overs", {}))

    def resume(self, version: str, *, confirmation: str | None = None) -> Job[RunResult]:
        """Start to go on with a migration that stopped half-way, and return the job at once."""

        def work(scope: CancelScope) -> RunResult:
            from confiture_tui.service.settling import resume

            return resume(self._workspace().run_sources(scope), version, confirmation, scope)

        return self.jobs.start(f"Resume {version}", work, version=version, ask=Ask("resume", {}))

    async def mark(self, version: str, *, applied: bool, confirmation: str | None = None) -> None:
        """Mark a migration that stopped half-way as applied, or as pending.

        Raises:
            UsageError: there is nothing to mark, or it is not allowed here.
        """

        def work(scope: CancelScope) -> None:
            from confiture_tui.service.settling import settle_by_hand

            settle_by_hand(self._workspace().run_sources(scope), version, confirmation, applied=applied)

        await self.jobs.start(f"Mark {version}", work, version=version, ask=Ask("mark", {"applied": applied}))

    async def clean_up(self, version: str, *, confirmation: str | None = None) -> CleanedUp:
        """Drop the invalid indexes that a migration has left behind which stopped half-way.

        Raises:
            UsageError: it has left none, or it is not allowed here.
        """

        def work(scope: CancelScope) -> CleanedUp:
            from confiture_tui.service.settling import clean_up_after

            return clean_up_after(self._workspace().run_sources(scope), version, confirmation)

        return await self.jobs.start(f"Clean up after {version}", work, version=version)

    async def prepare_baseline(self, request: RunRequest) -> PreparedBaseline:
        """Which pending migrations would be marked as applied, and what speaks against it. Changes nothing.

        Raises:
            UsageError: there is no such version.
        """

        def work(scope: CancelScope) -> PreparedBaseline:
            from confiture_tui.service.settling import prepare_baseline

            return prepare_baseline(self._workspace().run_sources(scope), request)

        return await self.jobs.start("Look at the migrations", work)

    async def baseline(self, request: RunRequest, agreed: PreparedBaseline) -> None:
        """Mark the pending migrations as applied without running them, if they are still those that were agreed on.

        Raises:
            UsageError: they are others, something speaks against it, or it is not allowed here.
        """

        def work(scope: CancelScope) -> None:
            from confiture_tui.service.settling import baseline

            baseline(self._workspace().run_sources(scope), request, agreed)

        await self.jobs.start("Baseline", work)

    async def history(self) -> tuple[JournalEntry, ...]:
        """The runs that the journal knows, the newest first."""

        def work(scope: CancelScope) -> tuple[JournalEntry, ...]:
            from confiture_tui.service.settling import history

            return history(self._workspace().run_sources(scope))

        return await self.jobs.start("History", work, ask=Ask("history", {}))

    async def hooks(self) -> tuple[HookInfo, ...]:
        """All hooks that there are; this loads those that are not denied."""

        def work(_scope: CancelScope) -> tuple[HookInfo, ...]:
            from confiture_tui.service.running import list_hooks

            return list_hooks(self.settings.config_file)

        return await self.jobs.start("Hooks", work)

    async def kept_shadows(self) -> tuple[Path, tuple[Listed, ...]]:
        """Where shadows are kept for the next dry run, and which there are."""

        def work(_scope: CancelScope) -> tuple[Path, tuple[Listed, ...]]:
            from confiture_tui.core.dry_run.cache import ShadowCache

            cache = ShadowCache(sink=self.events)
            return cache.directory, cache.listed()

        return await self.jobs.start("List kept shadows", work)

    async def clear_kept_shadows(self) -> int:
        """Throw the kept shadows away; how many there were."""

        def work(_scope: CancelScope) -> int:
            from confiture_tui.core.dry_run.cache import ShadowCache

            return ShadowCache(sink=self.events).clear()

        return await self.jobs.start("Clear kept shadows", work)

    async def close(self) -> None:
        """Cancel what is under way and stop the embedded servers: together within a second or so. Idempotent."""
        self._closed = True
        await self.jobs.close()
        if self._made is not None:
            made = self._made
            await self.jobs.start("Close", lambda _scope: made.close())


def _told_of(request: RunRequest) -> dict[str, Any]:
    """The request as a recording has it: without what a person typed to confirm it."""
    return request.model_dump(mode="json", exclude={"confirmation"})
