"""An event as one line of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.ui.presenters.figures import duration
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.safe_text import safe_line

if TYPE_CHECKING:
    from confiture_tui.events import Event
    from confiture_tui.ui.glyphs import Glyphs

_LONGEST = 4_000
"""Characters of a message that are laid out; no terminal is wider, and a line is never wrapped."""


def log_line(event: Event, *, width: int, glyphs: Glyphs, quiet: bool = False) -> Content:
    """Time, level as sign and word, migration, the event's name, its message; the time goes first when narrow.

    A ``quiet`` one is there for its neighbour only: no part of it stands out.
    """
    word = event.level.word
    level_style = style(f"severity-{word}")
    parts: list[Content | str | tuple[str, str]] = []
    if width >= 70:
        parts.append((f"{event.at.astimezone():%H:%M:%S} ", style("quiet")))
    parts.append((f"{getattr(glyphs, word)} {word:<7} ", level_style))
    if event.migration and width >= 50:
        parts.append((f"{safe_line(event.migration)[:20]} ", style("strong")))
    parts.append((f"{event.name} ", style("label")))
    message = event.message if len(event.message) <= _LONGEST else event.message[:_LONGEST] + "…"
    parts.append(safe_line(message))
    if event.duration_ms is not None:
        parts.append((f"  {duration(event.duration_ms)}", style("quiet")))
    line = Content.assemble(*parts)
    return Content.styled(line.plain, style("quiet")) if quiet else line
