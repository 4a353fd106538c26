"""The rows of the wizard: what is left half-way first, then what is run, in its order, with what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.ui.presenters.figures import duration
from confiture_tui.ui.presenters.migrations import label
from confiture_tui.ui.presenters.risk import level_badge
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.run_progress import Stage
from confiture_tui.ui.run_state import RunPhase

if TYPE_CHECKING:
    from confiture_tui.core.runner.recovery import LeftOver
    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.run_progress import MigrationProgress
    from confiture_tui.ui.session import Session

_STATE_WIDTH = 14


@dataclass(frozen=True, slots=True)
class RunRow:
    """One row.

    Attributes:
        version, name: of the migration.
        left: what an earlier run left of it; then the row is about that and nothing else.
        progress: its place in the run that is under way, or was the last one.
        included: it belongs to the plan; ``None`` while that is not known.
    """

    version: str
    name: str
    left: LeftOver | None = None
    progress: MigrationProgress | None = None
    included: bool | None = True


def run_rows(session: Session) -> tuple[RunRow, ...]:
    """The rows of what the wizard knows now."""
    state = session.run
    left = tuple(RunRow(one.entry.version, one.entry.name, left=one) for one in state.left)
    if state.phase in (RunPhase.RUNNING, RunPhase.ENDED) and state.progress is not None:
        return tuple(RunRow(one.version, one.name, progress=one) for one in state.progress.migrations)
    planned = {one.version for one in state.prepared.plan.migrations} if state.prepared is not None else None
    if state.is_backward:
        reach = [one for one in reversed(session.statuses) if one.state in ("applied", "changed", "missing")]
    else:
        reach = [one for one in session.statuses if one.state == "pending"]
    # A plan that is made anew may be of the other direction: what is shown meanwhile is no part of it yet.
    if state.phase in (RunPhase.PLANNING, RunPhase.IDLE):
        planned = None
    return (
        *left,
        *(
            RunRow(one.version, one.name, included=one.version in planned if planned is not None else None)
            for one in reach
        ),
    )


_STAGES = {
    Stage.WAITING: ("queued", "quiet"),
    Stage.RUNNING: ("running", "state-running"),
    Stage.APPLIED: ("ok", "verdict-ok"),
    Stage.ROLLED_BACK: ("ok", "verdict-ok"),
    Stage.FAILED: ("fails", "verdict-fails"),
    Stage.INTERRUPTED: ("interrupted", "state-attention"),
    Stage.SKIPPED: ("not_run", "quiet"),
}


def stage_badge(stage: Stage, glyphs: Glyphs) -> Content:
    """Where a migration is, as sign and word."""
    sign, name = _STAGES[stage]
    return Content.styled(f"{getattr(glyphs, sign)} {stage.value}", style(name))


def run_row(row: RunRow, session: Session, *, width: int, glyphs: Glyphs) -> Content:
    """One row: sign and word, name, and its risk or how long it took."""
    if row.left is not None:
        state = Content.styled(f"{glyphs.interrupted} half-way", style("state-attention"))
        badge = Content.styled(row.left.state.value.replace("_", " "), style("state-attention"))
    elif row.progress is not None:
        state, badge = stage_badge(row.progress.stage, glyphs), _took(row.progress, glyphs)
    elif row.included:
        back = session.run.is_backward
        state = Content.styled(f"{glyphs.arrow} {'take back' if back else 'apply'}", style("state-pending"))
        badge = _risk(row.version, session, glyphs)
    elif row.included is None:
        now = "applied" if session.run.is_backward else "pending"
        state, badge = Content.styled(f"{getattr(glyphs, now)} {now}", style("quiet")), Content("")
    else:
        skip = session.run.request.skip if session.run.request is not None else frozenset()
        words = "left out" if row.version in skip else "not now"
        state, badge = Content.styled(f"{glyphs.not_run} {words}", style("quiet")), Content("")
    room = max(width - _STATE_WIDTH - (badge.cell_length + 1 if badge else 0), 8)
    name = Content(label(row.version, row.name)).truncate(room, ellipsis=glyphs.fancy, pad=True)
    quiet = row.left is None and row.progress is None and not row.included
    name = name.stylize(style("quiet")) if quiet else name
    state = state.truncate(_STATE_WIDTH, pad=True)
    line = Content.assemble(state, name, " ", badge) if badge else Content.assemble(state, name)
    return line.truncate(width, ellipsis=glyphs.fancy)


def _risk(version: str, session: Session, glyphs: Glyphs) -> Content:
    assessment = session.assessments.get(version)
    if assessment is None or session.run.is_backward:
        return Content("")
    return level_badge(assessment, glyphs)


def _took(progress: MigrationProgress, glyphs: Glyphs) -> Content:
    if progress.elapsed_ms is not None:
        return Content.styled(duration(progress.elapsed_ms), style("quiet"))
    if progress.stage is Stage.RUNNING and progress.statements:
        return Content.styled(f"{progress.done}/{progress.statements}", style("state-running"))
    return Content("")
