"""Where the app runs migrations, lints and looks back: each desk starts the work and takes down what came of it.

The workers post messages; the app hands them to the desk, which changes the session and publishes what changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from confiture_tui.errors import Cancelled, ConfitureError
from confiture_tui.ui.messages import HistoryRead, Linted, Marked, PlanRead, RunEnded
from confiture_tui.ui.run_progress import MigrationProgress, RunProgress
from confiture_tui.ui.run_state import RunPhase
from confiture_tui.ui.session import Topic

if TYPE_CHECKING:
    from confiture_tui.core.runner.recovery import LeftOver
    from confiture_tui.core.runner.result import RunResult
    from confiture_tui.service.jobs import Job
    from confiture_tui.service.linting import LintResult
    from confiture_tui.service.running import RunRequest
    from confiture_tui.ui.app import ConfitureApp
    from confiture_tui.ui.run_state import RunState


class RunDesk:
    """Plans runs, starts them and stops them."""

    def __init__(self, app: ConfitureApp) -> None:
        self._app = app

    @property
    def state(self) -> RunState:
        """What is known of runs."""
        return self._app.session.run

    def _publish(self) -> None:
        self._app.changed.publish(Topic.RUN)

    def plan(
        self,
        direction: Literal["forward", "backward"] = "forward",
        *,
        to: str | None = None,
        steps: int | None = None,
        allowed: frozenset[str] = frozenset(),
    ) -> None:
        """Plan a run and look at the target; changes nothing there. Not while one is under way."""
        from confiture_tui.service.running import RunRequest

        state = self.state
        if state.job is not None:
            return
        state.phase, state.error, state.changed = RunPhase.PLANNING, None, False
        state.request = RunRequest(direction=direction, to=to, steps=steps, allowed=allowed)
        self._app.run_worker(self._plan(state.request), group="plan", exclusive=True)
        self._publish()

    async def _plan(self, request: RunRequest) -> None:
        service, message = self._app.service, PlanRead(request)
        try:
            message.left = await service.left_overs()
        except ConfitureError as error:
            message.left_error = error
        try:
            message.prepared = await service.prepare_run(request)
        except ConfitureError as error:
            message.error = error
        self._app.post_message(message)

    def planned(self, message: PlanRead) -> None:
        """Show the plan."""
        state = self.state
        # Of two plans asked for shortly after each other, the first may be told of when it is not wanted any more.
        if state.request != message.request or state.job is not None:
            return
        state.left, state.left_error = message.left, message.left_error
        state.prepared, state.error, state.result = message.prepared, message.error, None
        state.phase = RunPhase.PLANNED if message.prepared is not None else RunPhase.REFUSED
        self._publish()

    def stop_planning(self) -> None:
        """Wait for the plan no longer."""
        self._app.workers.cancel_group(self._app, "plan")
        self.state.phase = RunPhase.PLANNED if self.state.prepared is not None else RunPhase.IDLE
        self._publish()

    def start(self, confirmation: str | None) -> None:
        """Run the plan that is shown."""
        state = self.state
        if state.prepared is None or state.request is None or state.job is not None:
            return
        plan = state.prepared.plan
        request = state.request.model_copy(update={"confirmation": confirmation})
        state.resumed = None
        self._run(RunProgress.of(plan.migrations), self._app.service.run(request, plan.digest))

    def resume(self, left: LeftOver, confirmation: str | None) -> None:
        """Go on with what stopped half-way."""
        if self.state.job is not None:
            return
        entry = left.entry
        self.state.resumed = entry.version
        progress = RunProgress([MigrationProgress(entry.version, entry.name, entry.statements)])
        self._run(progress, self._app.service.resume(entry.version, confirmation=confirmation))

    def _run(self, progress: RunProgress, job: Job[RunResult]) -> None:
        state = self.state
        state.phase, state.progress, state.job = RunPhase.RUNNING, progress, job
        state.result, state.error, state.changed = None, None, False
        # By the end they are not pending any more, and nobody assesses them.
        forward = not state.is_backward
        assessed = self._app.session.assessments.items() if forward else ()
        state.estimates = {version: one.estimate for version, one in assessed}
        self._app.run_worker(self._await(job), group="run")
        self._publish()

    async def _await(self, job: Job[RunResult]) -> None:
        try:
            self._app.post_message(RunEnded(result=await job))
        except ConfitureError as error:
            self._app.post_message(RunEnded(error=error))

    def ended(self, message: RunEnded) -> None:
        """Show what came of it, and read what is applied now."""
        from confiture_tui.service.running import PlanChanged

        state = self.state
        state.job = None
        if isinstance(message.error, PlanChanged):
            state.prepared, state.changed, state.phase = message.error.prepared, True, RunPhase.PLANNED
        else:
            state.result, state.error, state.phase = message.result, message.error, RunPhase.ENDED
            if message.result is not None and state.progress is not None:
                state.progress.settle(message.result)
            self._app.session.history.entries = None
            self._app.session.lint.result = None
            self._app.reload()
        self._publish()

    def cancel(self) -> None:
        """Ask the run to stop; it has within a second."""
        if self.state.job is not None:
            self.state.job.cancel()
            self._publish()

    def mark(self, version: str, confirmation: str | None, *, applied: bool) -> None:
        """Mark what stopped half-way as applied, or as pending."""
        self._app.run_worker(self._mark(version, confirmation, applied=applied), group="mark")

    async def _mark(self, version: str, confirmation: str | None, *, applied: bool) -> None:
        try:
            await self._app.service.mark(version, applied=applied, confirmation=confirmation)
        except ConfitureError as error:
            self._app.post_message(Marked(version, applied=applied, error=error))
        else:
            self._app.post_message(Marked(version, applied=applied))

    def marked(self, message: Marked) -> None:
        """Plan anew, or say why it could not be."""
        if message.error is not None:
            self.state.error, self.state.phase = message.error, RunPhase.REFUSED
            self._publish()
            return
        self._app.session.history.entries = None
        self._app.reload()
        self.plan()


class LookingDesk:
    """Lints, and reads the history."""

    def __init__(self, app: ConfitureApp) -> None:
        self._app = app

    def lint(self) -> None:
        """Judge the schema as it is now, and as the pending migrations make it."""
        from confiture_tui.service.linting import LintRequest

        state = self._app.session.lint
        if state.job is not None:
            return
        state.error, state.cancelled = None, False
        state.job = self._app.service.lint(LintRequest())
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
        self._app.changed.publish(Topic.LINT)

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
