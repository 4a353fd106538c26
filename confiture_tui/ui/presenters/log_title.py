"""The line over the log at full height: how much there is, what of it is shown, whether it follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.ui.presenters.figures import counted, number
from confiture_tui.ui.presenters.styles import style

if TYPE_CHECKING:
    from confiture_tui.ui.event_log import EventLog
    from confiture_tui.ui.filtered_log import FilteredLog
    from confiture_tui.ui.glyphs import Glyphs


def log_title(
    log: EventLog, shown: FilteredLog, *, following: bool, unseen: int, width: int, glyphs: Glyphs
) -> Content:
    """``Log  1,234 events, 57 shown, from warning on``."""
    facts = [counted(log.total, "event")]
    if log.total > len(log):
        facts.append(f"the last {number(len(log))} kept")
    if not shown.filter.is_empty:
        facts.append(f"{number(len(shown))} shown")
    if shown.filter.level > shown.filter.level.DEBUG:
        facts.append(f"from {shown.filter.level.word} on")
    if shown.filter.context and not shown.filter.is_empty:
        facts.append(f"{shown.filter.context} around each")
    title = Content.assemble(("Log", style("heading")), (f"  {', '.join(facts)}", style("quiet")))
    state = follow_state(following=following, unseen=unseen, glyphs=glyphs)
    gap = max(width - title.cell_length - state.cell_length, 1)
    return Content.assemble(title, " " * gap, state).truncate(width, ellipsis=glyphs.fancy)


def follow_state(*, following: bool, unseen: int, glyphs: Glyphs) -> Content:
    """Whether the log follows its end; while it does not, the pill ``+N new``."""
    if following:
        return Content.styled("following", style("quiet"))
    if unseen:
        return Content.styled(f" +{number(unseen)} new {glyphs.down} F ", style("pill"))
    return Content.styled("paused: F follows", style("quiet"))
