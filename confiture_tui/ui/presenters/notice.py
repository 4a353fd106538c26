"""What stands on a screen that has nothing to show yet: it is being opened, it failed, there is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.presenters.verdict import error_text
from confiture_tui.ui.safe_text import safe_line
from confiture_tui.ui.session import Phase

if TYPE_CHECKING:
    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.session import Session


def opening_notice(session: Session, glyphs: Glyphs) -> Content | None:
    """That the session is being opened, or why it could not be; ``None`` when it is open."""
    if session.phase is Phase.OPENING:
        dots = glyphs.ellipsis if glyphs.fancy else "..."
        first = (
            f"Starting the demo's own server and building its shop {dots}"
            if session.service.is_demo
            else f"Opening {dots}"
        )
        return Content.assemble((first, style("strong")), "\n\n", ("The log below shows each step.", style("quiet")))
    if session.error is not None:
        return Content.assemble(
            (f"{glyphs.error} This could not be opened.\n\n", style("severity-error")),
            error_text(session.error),
            ("\n\nr tries again, q quits.", style("quiet")),
        )
    return None


def notice(session: Session, glyphs: Glyphs) -> Content | None:
    """Why there are no migrations to be seen, and what to do; ``None`` when there are some."""
    opening = opening_notice(session, glyphs)
    if opening is not None or session.statuses:
        return opening
    directory = safe_line(str(session.service.settings.migrations_dir))
    return Content.assemble(
        ("There are no migrations yet.\n\n", style("strong")),
        f"Looked for NNN_name.up.sql in {directory}, and for those of other tools in the usual places.",
        ("\n\nWrite one and press r; confiture-tui demo shows a project that has some.", style("quiet")),
    )
