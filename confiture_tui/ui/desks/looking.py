"""Where the app lints, and looks back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.errors import Cancelled, ConfitureError
from confiture_tui.ui.messages import HistoryRead, Linted, LintSettled
from confiture_tui.ui.safe_text import safe_text
from confiture_tui.ui.session import Topic

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from confiture_tui.core.lint.model import Violation
    from confiture_tui.service.jobs import Job
    from confiture_tui.service.linting import LintResult
    from confiture_tui.ui.app import ConfitureApp


class LookingDesk:
    """Lints, and reads the history."""

    def __init__(self, app: ConfitureApp) -> None:
        self._app = app

    def lint(self, *, update_baseline: bool = False) -> None:
        """Judge the schema as it is now, and as the pending migrations make it.

        Args:
            update_baseline: write the baseline anew, with everything that is found.
        """
        from confiture_tui.service.linting import LintRequest

        state = self._app.session.lint
        if state.job is not None:
            return
        state.error, state.cancelled = None, False
        state.job = self._app.service.lint(LintRequest(update_baseline=update_baseline, pending=not update_baseline))
        self._app.run_worker(self._lint(state.job), group="lint")
        self._app.changed.publish(Topic.LINT)

    async def _lint(self, job: Job[LintResult]) -> None:
        try:
            self._app.post_message(Linted(await job))
        except Cancelled:
            self._app.post_message(Linted())
        except ConfitureError as error:
            self._app.post_message(Linted(error=error))

    def linted(self, message: Linted) -> None:
        """Show what was found."""
        state = self._app.session.lint
        state.job, state.error = None, message.error
        state.cancelled = message.result is None and message.error is None
        if not state.cancelled:
            state.result = message.result
        updated = message.result.updated if message.result is not None else None
        if message.result is not None and updated is not None:
            place = safe_text(str(message.result.baseline))
            self._app.notify(f"{place}: {updated.total} let pass, {updated.added} of them new.", markup=False)
            # That looked at the present schema alone.
            self.lint()
        self._app.changed.publish(Topic.LINT)

    def ignore(self, violation: Violation, reason: str) -> None:
        """Exempt the object of a violation from its rule, and look again."""
        service = self._app.service
        work = service.ignore_finding(rule=violation.rule, object=violation.object, reason=reason)
        self._app.run_worker(self._settled(work, update_baseline=False), group="lint-settings")

    def baseline(self) -> None:
        """Let everything that is found now pass, and look again."""
        self._app.run_worker(
            self._settled(self._app.service.name_baseline(), update_baseline=True), group="lint-settings"
        )

    async def _settled(self, work: Awaitable[None], *, update_baseline: bool) -> None:
        try:
            await work
        except ConfitureError as error:
            self._app.post_message(LintSettled(error=error))
        else:
            self._app.post_message(LintSettled(update_baseline=update_baseline))

    def settled(self, message: LintSettled) -> None:
        """Look again, or say why nothing was written."""
        if message.error is not None:
            words = f"{message.error.message} {message.error.hint}".rstrip()
            self._app.notify(safe_text(words), severity="error", markup=False)
        else:
            self.lint(update_baseline=message.update_baseline)

    def cancel_lint(self) -> None:
        """Stop it."""
        job = self._app.session.lint.job
        if job is not None:
            job.cancel()
            self._app.changed.publish(Topic.LINT)

    def history(self) -> None:
        """Read the journal."""
        state = self._app.session.history
        state.reading, state.error = True, None
        self._app.run_worker(self._history(), group="history", exclusive=True)
        self._app.changed.publish(Topic.HISTORY)

    async def _history(self) -> None:
        try:
            self._app.post_message(HistoryRead(await self._app.service.history()))
        except ConfitureError as error:
            self._app.post_message(HistoryRead(error=error))

    def history_read(self, message: HistoryRead) -> None:
        """Show it."""
        state = self._app.session.history
        state.reading, state.entries, state.error = False, message.entries, message.error
        self._app.changed.publish(Topic.HISTORY)
