"""The rows of the list of migrations, and the head of the chosen one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.ui.actions import key_of
from confiture_tui.ui.presenters.figures import counted
from confiture_tui.ui.presenters.risk import level_badge
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.presenters.verdict import badge_of, verdict_line
from confiture_tui.ui.safe_text import safe_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.core.risk.model import RiskAssessment
    from confiture_tui.service.models import MigrationPreview
    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.session import Session

_STATE_STYLES = {
    "pending": "state-pending",
    "applied": "state-applied",
    "interrupted": "state-attention",
    "changed": "state-attention",
    "missing": "state-attention",
}
# What needs a decision comes first; what is done comes last, newest first.
_ORDER = {"interrupted": 0, "changed": 1, "missing": 2, "pending": 3, "applied": 4}
_STATE_WIDTH = 14
"""Sign, space and the longest word, ``interrupted``, with a space after it."""
_BESIDE = 56
"""Cells from which on a row has room for the word of its state before the name."""
_WIDE = 64
"""Cells from which on a row has room for the dry run's word beside the level of the risk."""


def ordered(
    statuses: Sequence[MigrationStatus], worst_first: Mapping[str, RiskAssessment] | None = None
) -> tuple[MigrationStatus, ...]:
    """As the list shows them: what needs attention, then pending ones in the order of running, then applied ones.

    Args:
        worst_first: assessments by version: the pending ones are to be ordered by them, those not assessed last.
    """
    scores = {version: one.score for version, one in worst_first.items()} if worst_first is not None else {}
    todo = [status for status in statuses if status.state != "applied"]
    done = [status for status in statuses if status.state == "applied"]
    todo.sort(key=lambda status: (_ORDER[status.state], -scores.get(status.version, -1)))
    return (*todo, *reversed(done))


def title(session: Session, width: int, *, glyphs: Glyphs, worst_first: bool = False) -> Content:
    """How many there are of each state: ``Migrations  5 pending, 12 applied``."""
    if session.project is not None and session.project.alone is not None:
        alone = Content.assemble(("File", style("heading")), ("  by itself: no ledger knows it", style("quiet")))
        return alone.truncate(width, ellipsis=glyphs.fancy)
    counts: dict[str, int] = {}
    for status in session.statuses:
        counts[status.state] = counts.get(status.state, 0) + 1
    words = [f"{counts[state]} {state}" for state in _ORDER if state in counts]
    if worst_first:
        words.insert(0, "worst first")
    if session.assessing:
        pending = [one.version for one in session.statuses if one.state in ("pending", "interrupted")]
        words.append(f"{sum(one in session.assessments for one in pending)} of {len(pending)} assessed")
    text = Content.assemble(("Migrations", style("heading")), ("  " + ", ".join(words), style("quiet")))
    return text.truncate(width, ellipsis=glyphs.fancy)


def label(version: str, name: str) -> str:
    """``007_add_segment``, safe to show."""
    return safe_line(f"{version}_{name}" if version and name else version or name)


def state_of(status: MigrationStatus, glyphs: Glyphs) -> Content:
    """The state as sign and word."""
    return Content.styled(f"{getattr(glyphs, status.state)} {status.state}", style(_STATE_STYLES[status.state]))


def row(status: MigrationStatus, session: Session, *, width: int, glyphs: Glyphs) -> Content:
    """One migration: its state, its name, and what a dry run said."""
    badge = _badge(status, session, glyphs, wide=width >= _WIDE)
    if session.project is not None and session.project.alone is not None:
        # It is neither pending nor applied.
        room = max(width - (badge.cell_length + 1 if badge else 0), 8)
        return Content.assemble(_name(status, room, glyphs), " ", badge)
    name_width = max(width - _STATE_WIDTH - (badge.cell_length + 1 if badge else 0), 8)
    # Beside the panes a name needs the room: the sign stays, and the word stands where nothing else is to be said.
    if width < _BESIDE:
        if not badge or status.state in ("interrupted", "changed", "missing"):
            badge = Content.styled(status.state, style(_STATE_STYLES[status.state]))
        state = Content.styled(getattr(glyphs, status.state) + " ", style(_STATE_STYLES[status.state]))
        name_width = max(width - 2 - (badge.cell_length + 1 if badge else 0), 8)
    else:
        state = state_of(status, glyphs).truncate(_STATE_WIDTH, pad=True)
    name = _name(status, name_width, glyphs)
    return Content.assemble(state, name, " ", badge) if badge else Content.assemble(state, name)


def _name(status: MigrationStatus, width: int, glyphs: Glyphs) -> Content:
    return Content(label(status.version, status.name)).truncate(width, ellipsis=glyphs.fancy, pad=True)


def _badge(status: MigrationStatus, session: Session, glyphs: Glyphs, *, wide: bool) -> Content:
    version = status.version
    progress = session.progress
    if progress is not None and progress.version == version:
        return Content.styled(f"{glyphs.running} running", style("state-running"))
    if version in session.queue:
        return Content.styled(f"{glyphs.queued} queued", style("quiet"))
    if version in session.failures:
        return Content.styled(f"{glyphs.error} no result", style("severity-error"))
    result = session.results.get(version)
    verdict = badge_of(result, glyphs) if result is not None else None
    assessment = session.assessments.get(version)
    if assessment is None:
        return verdict.content if verdict is not None else Content("")
    level = level_badge(assessment, glyphs)
    if verdict is None:
        return level
    tried = verdict.content if wide else Content.styled(verdict.sign, verdict.style)
    return Content.assemble(tried, "  ", level)


def head(
    status: MigrationStatus, preview: MigrationPreview | None, *, width: int, glyphs: Glyphs, alone: bool = False
) -> Content:
    """The chosen migration: its name, its state, how much there is of it, and how it is wrapped.

    ``alone``: it is a file of no project, which has no state.
    """
    parts = [Content.styled(label(status.version, status.name), style("strong"))]
    if not alone:
        parts.append(state_of(status, glyphs))
    if preview is not None:
        parts.append(Content(counted(len(preview.statements), "statement")))
        wrapping = {"transaction": "one transaction", "own": "its own transaction", "none": "no transaction"}
        parts.append(Content(wrapping.get(preview.wrapping, safe_line(preview.wrapping))))
        parts.append(
            Content("has a way back") if preview.has_down else Content.styled("no way back", style("severity-warning"))
        )
    if status.applied_at is not None:
        parts.append(Content.styled(f"applied {status.applied_at:%Y-%m-%d %H:%M}", style("quiet")))
    line = Content.styled(f" {glyphs.separator} ", style("quiet")).join(parts)
    return line.truncate(width, ellipsis=glyphs.fancy)


def is_applied(version: str, session: Session) -> bool:
    """Whether the schema has what the migration makes, so that a dry run of it would tell nothing."""
    status = session.status_of(version)
    return status is not None and status.state == "applied"


def is_interrupted(version: str, session: Session) -> bool:
    """Whether a run of the migration stopped half-way: what is left of it comes before anything that could be tried."""
    status = session.status_of(version)
    return status is not None and status.state == "interrupted"


def settled_by() -> Content:
    """Where something can be done about what stopped half-way."""
    return Content.assemble("press ", (key_of("show_run"), style("key")), " to resume or settle it")


def head_verdict(version: str, session: Session, *, width: int, glyphs: Glyphs) -> Content:
    """The line under the head: how far the dry run is, or what it came to, or how to start it."""
    progress = session.progress
    result = session.results.get(version)
    failure = session.failures.get(version)
    if progress is not None and progress.version == version:
        cancelling = session.job is not None and session.job.cancelling
        step = "stopping" if cancelling else progress.step
        line = Content.assemble(
            (f"{glyphs.running} dry run", style("state-running")),
            f"  {safe_line(step)}",
            (f"   {key_of('cancel')} cancels", style("quiet")),
        )
    elif version in session.queue:
        line = Content.styled(f"{glyphs.queued} waits for its dry run", style("quiet"))
    elif failure is not None:
        line = Content.assemble((f"{glyphs.error} no dry run", style("severity-error")), f"  {safe_line(str(failure))}")
    elif result is not None:
        line = verdict_line(result, glyphs)
    elif is_interrupted(version, session):
        line = Content.assemble(
            (f"{glyphs.interrupted} stopped half-way", style("state-attention")), ": ", settled_by()
        )
    elif is_applied(version, session):
        line = Content.styled("applied already: there is nothing to try", style("quiet"))
    else:
        line = Content.assemble(("not tried yet: press ", style("quiet")), (key_of("dry_run"), style("key")))
    assessment = session.assessments.get(version)
    if assessment is not None and progress is None:
        # At the end, where a narrow line loses it first: the list beside it has it too.
        line = Content.assemble(line, f" {glyphs.separator} ", level_badge(assessment, glyphs))
    return line.truncate(width, ellipsis=glyphs.fancy)
