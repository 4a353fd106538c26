"""What stands on a screen that has nothing to show yet: it is being opened, it failed, there is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.ui.presenters.first_run import looked_for, offers
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.presenters.verdict import error_text
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
        settings = session.service.settings
        return Content.assemble(
            (f"{glyphs.error} This could not be opened.\n\n", style("severity-error")),
            error_text(session.error),
            "\n\n",
            offers(),
            *([] if session.service.is_demo else [Content("\n\n"), looked_for(settings, glyphs)]),
        )
    return None


def notice(session: Session, glyphs: Glyphs) -> Content | None:
    """Why there are no migrations to be seen, and what to do; ``None`` when there are some."""
    opening = opening_notice(session, glyphs)
    if opening is not None or session.statuses:
        return opening
    return Content.assemble(
        ("There are no migrations yet.", style("strong")),
        "  They are files such as 001_first.up.sql, or those of another tool in its usual place.\n\n",
        offers(),
        "\n\n",
        looked_for(session.service.settings, glyphs),
    )
