"""One project on one database, or on none: what can be asked of it, and what can be started."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.errors import Cancelled
from confiture_tui.events import EventStream
from confiture_tui.service.jobs import Job, JobRunner

if TYPE_CHECKING:
    from confiture_tui.config import Settings
    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.database.cancellation import CancelScope
    from confiture_tui.service.models import MigrationPreview, ProjectInfo, TargetInfo
    from confiture_tui.service.workspace import Workspace


class MigrationService:
    """What the screens and the command line talk to.

    Every method that touches a file or a server runs on a thread of its own; its errors are ``ConfitureError``.
    ``events`` carries everything that happens. Attributes may be read from the event loop at any time.
    """

    def __init__(self, settings: Settings, *, demo: bool = False) -> None:
        self.settings = settings
        self.is_demo = demo
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

                self._made = Workspace(self.settings, demo=self.is_demo, sink=self.events)
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
            await self.jobs.start("Open", lambda scope: self._workspace().open(scope))
            self._opened = True

    async def status(self) -> tuple[MigrationStatus, ...]:
        """Every migration with its state, as the files and the ledger have it now."""
        return await self.jobs.start("Status", lambda scope: self._workspace().status(scope))

    async def preview(self, version: str) -> MigrationPreview:
        """What the migration contains.

        Raises:
            UsageError: there is no such migration.
        """
        return await self.jobs.start(
            f"Preview of {version}", lambda _scope: self._workspace().preview(version), version=version
        )

    async def preview_files(self, paths: Sequence[Path]) -> tuple[MigrationPreview, ...]:
        """What loose SQL files, or the files of directories, contain: no project and no database is needed.

        Raises:
            UsageError: a path does not exist.
        """
        return await self.jobs.start("Preview of files", lambda _scope: self._workspace().preview_files(paths))

    def dry_run(self, version: str) -> Job[DryRunResult]:
        """Start a dry run of one migration on a shadow of the target, and return its job at once."""

        # What was seen before is not what is true of this one, whatever becomes of it.
        self._results.pop(version, None)

        def work(scope: CancelScope) -> DryRunResult:
            result = self._workspace().dry_run(version, scope)
            self._results[version] = result
            return result

        return self.jobs.start(f"Dry run of {version}", work, version=version)

    async def close(self) -> None:
        """Cancel what is under way and stop the embedded servers: together within a second or so. Idempotent."""
        self._closed = True
        await self.jobs.close()
        if self._made is not None:
            made = self._made
            await self.jobs.start("Close", lambda _scope: made.close())
