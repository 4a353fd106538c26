"""Where the app runs migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from confiture_tui.errors import ConfitureError
from confiture_tui.ui.messages import LeftSettled, PlanRead, RunEnded
from confiture_tui.ui.run_progress import MigrationProgress, RunProgress
from confiture_tui.ui.run_state import RunPhase, Step
from confiture_tui.ui.safe_text import safe_line
from confiture_tui.ui.session import Topic

if TYPE_CHECKING:
    from confiture_tui.core.runner.recovery import LeftOver
    from confiture_tui.core.runner.result import RunResult
    from confiture_tui.service.jobs import Job
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
        skip: frozenset[str] = frozenset(),
        allowed: frozenset[str] = frozenset(),
    ) -> None:
        """Plan a run and look at the target; changes nothing there. Not while one is under way."""
        from confiture_tui.service.running import RunRequest

        self.plan_request(RunRequest(direction=direction, to=to, steps=steps, skip=skip, allowed=allowed))

    def plan_request(self, request: RunRequest, *, stepping: bool = False) -> None:
        """The same for a request that there is already; ``stepping``: within a run that goes one by one."""
        state = self.state
        if state.job is not None:
            return
        if not stepping:
            state.scope, state.step, state.stepped = None, None, ()
        state.phase, state.error, state.changed = RunPhase.PLANNING, None, False
        state.request = request
        self._app.run_worker(self._plan(request), group="plan", exclusive=True)
        self._publish()

    # One by one

    def step_through(self) -> None:
        """From here on each migration of the plan is asked for by itself."""
        self.state.scope, self.state.stepped = self.state.request, ()
        self._publish()

    def proceed(self, confirmation: str | None) -> None:
        """Run the first migration of the plan, by itself."""
        state = self.state
        if state.scope is None or state.prepared is None or state.job is not None:
            return
        state.step = Step(state.prepared.plan, confirmation)
        self.plan_request(state.scope.model_copy(update={"to": None, "steps": 1}), stepping=True)

    def skip(self) -> None:
        """Leave the first migration of the plan out, and go on to the next."""
        state = self.state
        if state.scope is None or state.prepared is None or state.is_backward:
            return
        first = state.prepared.plan.migrations[0].version
        state.scope = state.scope.model_copy(update={"skip": state.scope.skip | {first}})
        self.plan_request(state.scope, stepping=True)

    def stop_stepping(self) -> None:
        """No more: what was run stays, and is summed up."""
        state = self.state
        stepped, state.scope, state.step, state.stepped = state.stepped, None, None, ()
        if stepped:
            self._sum_up(stepped)
        self._publish()

    def _sum_up(self, stepped: tuple[RunResult, ...]) -> None:
        from confiture_tui.core.runner.result import RunResult

        state = self.state
        state.result, state.phase = RunResult.joined(stepped), RunPhase.ENDED
        state.progress = RunProgress([MigrationProgress(one.version, one.name, 0) for one in state.result.migrations])
        state.progress.settle(state.result)

    def _step_ended(self, result: RunResult) -> None:
        """On to the next, unless this one failed or was the last."""
        state = self.state
        state.stepped = (*state.stepped, result)
        scope, state.step = state.scope, None
        if scope is None or not result.ok:
            self.stop_stepping()
            return
        if scope.steps is not None or (state.is_backward and scope.to is None):
            # What is done already does not count any more.
            scope = scope.model_copy(update={"steps": (scope.steps or 1) - 1})
            if scope.steps == 0:
                self.stop_stepping()
                return
        state.scope = scope
        self.plan_request(scope, stepping=True)

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
        if state.scope is not None:
            self._planned_step()
        self._publish()

    def _planned_step(self) -> None:
        """Begin what was said yes to, if it is still that; sum up, where nothing is left."""
        state = self.state
        step, state.step = state.step, None
        if state.prepared is None or state.refusals or state.left:
            state.scope = None
        elif step is not None and step.is_first_of(state.prepared.plan):
            self.start(step.confirmation)
        elif step is not None and state.scope is not None:
            self.plan_request(state.scope, stepping=True)
            state.changed = True
        elif state.prepared.plan.is_empty:
            self.stop_stepping()

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
        progress = RunProgress([MigrationProgress(entry.version, entry.name, entry.statements, done=entry.known_done)])
        self._run(progress, self._app.service.resume(entry.version, confirmation=confirmation))

    def _run(self, progress: RunProgress, job: Job[RunResult]) -> None:
        state = self.state
        state.phase, state.progress, state.job = RunPhase.RUNNING, progress, job
        state.result, state.error, state.changed = None, None, False
        # By the end they are not pending any more, and nobody assesses them.
        forward = not state.is_backward
        assessed = self._app.session.assessments.items() if forward else ()
        before = state.estimates if state.stepped else {}
        state.estimates = before | {version: one.estimate for version, one in assessed}
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
            self._app.reading.reload()
            if state.scope is not None and message.result is not None:
                self._step_ended(message.result)
            elif state.scope is not None:
                self.stop_stepping()
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
            self._app.post_message(LeftSettled(error=error))
        else:
            self._app.post_message(LeftSettled(f"{version} counts as {'applied' if applied else 'pending'} now."))

    def clean_up(self, version: str, confirmation: str | None) -> None:
        """Drop the invalid indexes that it has left behind."""
        self._app.run_worker(self._clean_up(version, confirmation), group="mark")

    async def _clean_up(self, version: str, confirmation: str | None) -> None:
        try:
            done = await self._app.service.clean_up(version, confirmation=confirmation)
        except ConfitureError as error:
            self._app.post_message(LeftSettled(error=error))
        else:
            state = "It is pending again." if done.pending else "It is still half-way."
            self._app.post_message(LeftSettled(f"Dropped {', '.join(done.dropped)}. {state}"))

    def settled(self, message: LeftSettled) -> None:
        """Plan anew, or say why it could not be."""
        if message.error is not None:
            self.state.error, self.state.phase = message.error, RunPhase.REFUSED
            self._publish()
            return
        self._app.notify(safe_line(message.told), markup=False)
        self._app.session.history.entries = None
        self._app.reading.reload()
        self.plan()
