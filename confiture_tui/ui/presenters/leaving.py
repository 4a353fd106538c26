"""What quitting would stop, as a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

if TYPE_CHECKING:
    from confiture_tui.ui.session import Session


def leaving(session: Session) -> Content:
    """What is under way, and what becomes of it."""
    # Which migration it is may change while the question is on the screen.
    if session.run.job is not None:
        return Content(
            "A plan is being run on the target.\n\nQuitting stops it: what is in its transaction is rolled back; what "
            "ran outside of one stands, and the next start says what to do."
        )
    return Content("A dry run is under way.\n\nQuitting cancels it; nothing of it stays anywhere.")
