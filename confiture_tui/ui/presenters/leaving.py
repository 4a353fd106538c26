"""What quitting would stop, as a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.ui.presenters.migrations import label
from confiture_tui.ui.presenters.styles import style

if TYPE_CHECKING:
    from confiture_tui.ui.session import Session


def leaving(session: Session) -> Content:
    """What is under way, and what becomes of it."""
    run = session.run
    if run.job is not None:
        current = run.progress.of_version(run.progress.current) if run.progress is not None else None
        name = label(current.version, current.name) if current is not None else "The plan"
        return Content.assemble(
            (name, style("strong")),
            " is being run on the target.\n\nQuitting stops it: what is in its transaction is rolled back; what ran "
            "outside of one stands, and the next start says what to do.",
        )
    progress = session.progress
    version = progress.version if progress is not None else ""
    status = session.status_of(version)
    return Content.assemble(
        "The dry run of ",
        (label(version, status.name if status is not None else ""), style("strong")),
        " is under way.\n\nQuitting cancels it; nothing of it stays anywhere.",
    )
