"""The course of a migration: its hooks by phase around its statements, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.ui.presenters.figures import counted
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.safe_text import safe_line, safe_text

if TYPE_CHECKING:
    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.core.risk.model import RiskAssessment
    from confiture_tui.service.models import MigrationPreview
    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.session import Session

_PHASE = 18
_LONGEST = 200
"""Lines of the way back that are shown."""


def way_pane(status: MigrationStatus, preview: MigrationPreview | None, session: Session, glyphs: Glyphs) -> Content:
    """What runs in which order, and what takes it back."""
    if preview is None:
        return Content.styled("reading the file", style("quiet"))
    lines = [Content.styled("What runs, in this order", style("heading")), *_course(preview, glyphs)]
    lines += [Content(""), Content.styled("The way back", style("heading"))]
    lines += _back(status, session.assessments.get(status.version), session, glyphs)
    return Content("\n").join(lines)


def _course(preview: MigrationPreview, glyphs: Glyphs) -> list[Content]:
    statements = counted(len(preview.statements), "statement")
    begin, end = {
        "transaction": ("BEGIN", "COMMIT, with the row of the ledger"),
        "own": ("BEGIN, the file's own", "COMMIT, the file's own"),
    }.get(preview.wrapping, ("", ""))
    unknown = [one for one in preview.hooks if one.phase is None]
    lines: list[Content] = []
    for phase in HookPhase:
        if phase is HookPhase.BEFORE_DDL and begin:
            lines.append(Content.styled(begin, style("label")))
        hooks = [one for one in preview.hooks if one.phase is phase]
        lines += [_hook(phase.value, one.hook, one.direction, glyphs) for one in hooks]
        if phase is HookPhase.BEFORE_DDL:
            alone = "" if begin else ", each on its own"
            lines.append(Content.assemble(f"  {glyphs.arrow} ", (f"{statements}{alone}", style("strong"))))
        if phase is HookPhase.AFTER_VALIDATION and end:
            lines.append(Content.styled(end, style("label")))
    lines += [_hook("a phase of its own", one.hook, one.direction, glyphs) for one in unknown]
    if not preview.hooks:
        lines.append(Content.styled("It has no hooks.", style("quiet")))
    return lines


def _hook(phase: str, name: str, direction: str, glyphs: Glyphs) -> Content:
    also = {"both": "  also on the way back", "backward": "  on the way back only"}.get(direction, "")
    return Content.assemble(
        f"  {glyphs.info} ",
        (f"{phase:<{_PHASE}} ", style("label")),
        (safe_line(name), style("strong")),
        (also, style("quiet")),
    )


def _back(
    status: MigrationStatus, assessment: RiskAssessment | None, session: Session, glyphs: Glyphs
) -> list[Content]:
    lines: list[Content] = []
    down = status.migration.down if status.migration is not None else None
    if down is None:
        return [Content.styled(f"{glyphs.warning} There is none: no .down.sql.", style("severity-warning"))]
    path = status.migration.down_path if status.migration is not None else None
    if path is not None:
        lines.append(Content.assemble(("file       ", style("label")), safe_line(path.name)))
    if assessment is not None:
        back = assessment.rollback
        words = {"kept": "kept", "lost": "lost", "unknown": "not known"}[back.data]
        lines.append(Content.assemble(("data       ", style("label")), f"{words}. {safe_text(back.why)}".rstrip()))
    lines.append(Content.assemble(("schema     ", style("label")), *_proved(status.version, session, glyphs)))
    text = safe_text(down.text).rstrip().splitlines()
    lines.append(Content(""))
    lines += [
        Content.styled(line, style("quiet") if line.lstrip().startswith("--") else "") for line in text[:_LONGEST]
    ]
    if len(text) > _LONGEST:
        lines.append(Content.styled(f"and {len(text) - _LONGEST:,} more lines", style("quiet")))
    return lines


def _proved(version: str, session: Session, glyphs: Glyphs) -> tuple[str | tuple[str, str], ...]:
    result = session.results.get(version)
    trip = result.round_trip if result is not None else None
    if trip is None or trip.schema_proved is None:
        return ("not tried: a dry run goes up and down on the shadow and compares",)
    if trip.schema_proved:
        return ((f"{glyphs.ok} ", style("verdict-ok")), "comes back as it was: tried on the shadow")
    return ((f"{glyphs.fails} ", style("verdict-fails")), "does not come back as it was: tried on the shadow")
