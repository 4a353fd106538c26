"""What quitting would stop, as a question; what it has stopped, for the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.errors import Cancelled
from confiture_tui.ui.command_lines import command_line
from confiture_tui.ui.presenters.migrations import label
from confiture_tui.ui.safe_text import safe_line

if TYPE_CHECKING:
    from confiture_tui.core.runner.result import RunOutcome, RunResult
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


def left_running(result: RunResult | None, session: Session) -> list[str]:
    """What became of a run during which somebody quit: what stands, and which command says more.

    Args:
        result: what the run said itself; ``None`` where it had no time to.
    """
    # With the models, which the first frame does without.
    from confiture_tui.core.runner.result import RunOutcome

    target = f"The run on {safe_line(session.target.database)}" if session.target is not None else "The run"
    more = command_line(session, ["status"])
    if result is None:
        lines = [f"{target} was stopped by quitting before it could say what stands; its journal knows."]
    else:
        outcomes = [one.outcome for one in result.migrations]
        counts = ", ".join(f"{outcomes.count(one)} {_said(one)}" for one in RunOutcome if one in outcomes)
        stopped = "was stopped by quitting" if not result.ok else "had ended"
        lines = [f"{target} {stopped}: {counts or 'nothing was begun'}."]
        lines += [
            f"{label(one.version, one.name)} stopped half-way: part of it stands."
            for one in result.migrations
            if one.outcome is RunOutcome.INTERRUPTED
        ]
    if session.service.is_demo:
        return [*lines, "The demo's database is gone with it."]
    # A line of its own, to be copied.
    return [*lines, "What is applied, and what can be done:", f"  {more}"]


def exit_code_of(result: RunResult | None) -> int:
    """What the program exits with after a run was quit: that of the same run without a screen."""
    return result.exit_code if result is not None else Cancelled.exit_code


def _said(outcome: RunOutcome) -> str:
    return "stopped and undone" if outcome == "failed" else outcome.words
