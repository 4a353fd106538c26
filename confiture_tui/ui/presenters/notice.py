"""What stands on a screen that has nothing to show yet: it is being opened, it failed, there is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content

from confiture_tui.opening import opening_words
from confiture_tui.ui.actions import key_of
from confiture_tui.ui.presenters.first_run import looked_for, offers
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.presenters.verdict import error_text
from confiture_tui.ui.run_state import RunPhase
from confiture_tui.ui.safe_text import safe_text
from confiture_tui.ui.session import Phase

if TYPE_CHECKING:
    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.session import Session


def opening_notice(session: Session, glyphs: Glyphs) -> Content | None:
    """That the session is being opened, or why it could not be; ``None`` when it is open."""
    if session.phase is Phase.OPENING:
        first = opening_words(glyphs.ellipsis if glyphs.fancy else "...", demo=session.service.is_demo)
        return Content.assemble((first, style("strong")), "\n\n", ("The log below shows each step.", style("quiet")))
    if session.error is not None:
        settings = session.service.settings
        # Where there was something to be seen before, it is not missing.
        lost = bool(session.statuses)
        words = "This cannot be read any more." if lost else "This could not be opened."
        return Content.assemble(
            (f"{glyphs.error} {words}\n\n", style("severity-error")),
            error_text(session.error),
            "\n\n",
            *_of_the_run(session),
            offers(),
            *([] if session.service.is_demo or lost else [Content("\n\n"), looked_for(settings, glyphs)]),
        )
    return None


def notice(session: Session, glyphs: Glyphs) -> Content | None:
    """Why there are no migrations to be seen, and what to do; ``None`` when there are some."""
    opening = opening_notice(session, glyphs)
    if opening is not None or session.statuses:
        return opening
    return Content.assemble(
        ("There are no migrations yet.", style("strong")),
        "  They are files such as 001_first.up.sql, or those of another tool in its usual place. ",
        "Any SQL file can be looked at by itself.\n\n",
        *_found(session, glyphs),
        offers(),
        "\n\n",
        looked_for(session.service.settings, glyphs),
    )


def _of_the_run(session: Session) -> list[Content]:
    """Where to see what came of a run, when there was one."""
    if session.run.phase is not RunPhase.ENDED:
        return []
    return [Content.assemble("What came of the run is known: ", (key_of("show_run"), style("key")), " shows it.\n\n")]


_MOST: Final = 4
"""Findings that are told; the log has all of them."""


def _found(session: Session, glyphs: Glyphs) -> list[Content]:
    """What was there all the same, and why it is no migration."""
    findings = session.project.findings if session.project is not None else ()
    if not findings:
        return []
    lines = [
        Content.assemble((f"{glyphs.warning} ", style("severity-warning")), safe_text(one.message))
        for one in findings[:_MOST]
    ]
    if len(findings) > _MOST:
        lines.append(Content.styled(f"  and {len(findings) - _MOST} more: the log has them", style("quiet")))
    return [Content("\n").join(lines), Content("\n\n")]
