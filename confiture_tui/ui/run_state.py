"""What the app knows of runs: the plan that is shown, the run under way, what came of it, what is left half-way."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confiture_tui.core.effects.model import DurationEstimate
    from confiture_tui.core.runner.plan import Plan
    from confiture_tui.core.runner.recovery import LeftOver
    from confiture_tui.core.runner.result import RunResult
    from confiture_tui.errors import ConfitureError
    from confiture_tui.service.jobs import Job
    from confiture_tui.service.running import PreparedRun, RunRequest
    from confiture_tui.ui.run_progress import RunProgress


class RunPhase(StrEnum):
    """How far the wizard is."""

    IDLE = "idle"
    """There is no plan yet."""
    PLANNING = "planning"
    PLANNED = "planned"
    RUNNING = "running"
    ENDED = "ended"
    REFUSED = "refused"
    """There can be no plan; ``error`` says why."""


@dataclass(frozen=True, slots=True)
class Step:
    """A migration that was said yes to by itself: the plan whose first one it was, and the name that was typed."""

    plan: Plan
    confirmation: str | None

    def is_first_of(self, other: Plan) -> bool:
        """Whether another plan is of this migration and nothing else, on what it rested on when it was shown."""
        mine, fresh = self.plan, other
        return fresh.migrations == mine.migrations[:1] and (fresh.target, fresh.policy, fresh.catalog) == (
            mine.target,
            mine.policy,
            mine.catalog,
        )


@dataclass(slots=True)
class RunState:
    """The wizard's state.

    Attributes:
        phase: how far it is.
        request: what is to be run.
        prepared: the plan that is shown.
        left: what earlier runs left half-way.
        left_error: why that is not known.
        changed: the plan is another than the one that was said yes to.
        job: the run under way.
        progress: how far that has come.
        result: what came of the last one.
        error: why there is no plan, or no result.
        estimates: how long the migrations were expected to take when the run began, by version.
        resumed: the version that the run under way goes on with.
        scope: the request whose migrations are asked for one by one; ``None`` otherwise.
        step: the migration that is run next, one by one, as it was shown, and the name that was typed for it.
        stepped: what came of those that were run one by one.
    """

    phase: RunPhase = RunPhase.IDLE
    request: RunRequest | None = None
    prepared: PreparedRun | None = None
    left: tuple[LeftOver, ...] = ()
    left_error: ConfitureError | None = None
    changed: bool = False
    job: Job[RunResult] | None = None
    progress: RunProgress | None = None
    result: RunResult | None = None
    error: ConfitureError | None = None
    estimates: dict[str, DurationEstimate] = field(default_factory=dict)
    resumed: str | None = None
    scope: RunRequest | None = None
    step: Step | None = None
    stepped: tuple[RunResult, ...] = ()

    @property
    def is_backward(self) -> bool:
        """Whether migrations are taken back."""
        return self.request is not None and self.request.direction == "backward"

    @property
    def refusals(self) -> tuple[str, ...]:
        """What speaks against running the plan."""
        if self.prepared is None:
            return ()
        plan = self.prepared.plan
        return (
            *(one.sentence for one in plan.objections),
            *(one.sentence for one in self.prepared.preflight if one.level == "refuse"),
        )
