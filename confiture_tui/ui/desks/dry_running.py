"""Where the app tries migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.errors import Cancelled, ConfitureError
from confiture_tui.ui.messages import DryRunEnded
from confiture_tui.ui.progress import Progress
from confiture_tui.ui.session import Topic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.service.jobs import Job
    from confiture_tui.ui.app import ConfitureApp


class DryRunDesk:
    """Starts dry runs, one after the other, and stops them."""

    def __init__(self, app: ConfitureApp) -> None:
        self._app = app

    def start(self, versions: Sequence[str]) -> None:
        """Try these migrations on a shadow, after what is under way already."""
        session = self._app.session
        running = session.progress.version if session.progress is not None else None
        session.queue += [one for one in versions if one != running and one not in session.queue]
        self._next()

    def _next(self) -> None:
        session = self._app.session
        if session.job is None and session.queue:
            version = session.queue.pop(0)
            session.failures.pop(version, None)
            session.progress = Progress(version)
            session.job = self._app.service.dry_run(version)
            self._app.run_worker(self._wait_for(version, session.job), group="dry-run")
        self._app.changed.publish(Topic.DRY_RUN)

    async def _wait_for(self, version: str, job: Job[DryRunResult]) -> None:
        try:
            result = await job
        except Cancelled:
            self._app.post_message(DryRunEnded(version))
        except ConfitureError as error:
            self._app.post_message(DryRunEnded(version, error=error))
        else:
            self._app.post_message(DryRunEnded(version, result=result))

    def ended(self, message: DryRunEnded) -> None:
        """Show what it came to, and go on with the next."""
        session = self._app.session
        session.job = session.progress = None
        if message.error is not None:
            session.failures[message.version] = message.error
        if message.result is not None:
            self._app.reading.assess_again(message.version)
        self._next()

    def cancel(self) -> None:
        """Stop the dry run under way and forget those that wait."""
        session = self._app.session
        session.queue.clear()
        if session.job is not None:
            session.job.cancel()
        self._app.changed.publish(Topic.DRY_RUN)
