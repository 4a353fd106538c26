"""The two lines over the wizard: what it is about, and what the next key does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.core.runner.result import RunOutcome
from confiture_tui.ui.actions import key_of
from confiture_tui.ui.presenters.figures import counted
from confiture_tui.ui.presenters.migrations import label
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.run_state import RunPhase
from confiture_tui.ui.safe_text import safe_line

if TYPE_CHECKING:
    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.presenters.run_rows import RunRow
    from confiture_tui.ui.session import Session


def run_title(session: Session, *, width: int, glyphs: Glyphs) -> Content:
    """``Run  applies 3 migrations to shop``."""
    state = session.run
    parts = [Content.styled("Run", style("heading"))]
    if state.prepared is not None and state.phase is not RunPhase.REFUSED:
        plan = state.prepared.plan
        count = counted(len(plan.migrations), "migration")
        words = f"takes back {count} from" if plan.direction == "backward" else f"applies {count} to"
        if plan.is_empty:
            words = "nothing to take back from" if plan.direction == "backward" else "nothing to apply to"
        if state.resumed is not None:
            words = f"goes on with {safe_line(state.resumed)} on"
        if state.phase is RunPhase.ENDED:
            # The plan says what was to be done, which need not be what was.
            words = "ended on"
        parts.append(Content.assemble(f"{words} ", (safe_line(plan.target.database), style("strong"))))
    if state.left and state.phase not in (RunPhase.RUNNING, RunPhase.ENDED):
        parts.append(Content.styled(f"{len(state.left)} left half-way", style("state-attention")))
    return Content("  ").join(parts).truncate(width, ellipsis=glyphs.fancy)


def next_step(row: RunRow | None, session: Session, *, width: int, glyphs: Glyphs) -> Content:
    """Where the wizard is, and what the keys do now: as many of them as there is room for, each of them whole."""
    return _next_step(row, session, width, glyphs).truncate(width, ellipsis=glyphs.fancy)


def _next_step(row: RunRow | None, session: Session, width: int, glyphs: Glyphs) -> Content:
    state = session.run
    if state.job is not None:
        return _under_way(session, width, glyphs)
    if state.phase is RunPhase.PLANNING:
        return _between(
            Content.styled(f"{glyphs.running} planning", style("state-running")),
            "reads files, ledger and target; changes nothing",
            _stops(),
            width,
            glyphs,
        )
    if state.phase is RunPhase.ENDED:
        return _ended(session, glyphs)
    if row is not None and row.left is not None:
        text = f"{glyphs.interrupted} {label(row.version, row.name)} stopped half-way"
        return Content.assemble((text, style("state-attention")), "  it comes first")
    if state.phase is RunPhase.REFUSED:
        return Content.styled(f"{glyphs.error} there is no plan", style("severity-error"))
    if state.prepared is None:
        return Content.assemble(
            ("no plan yet: ", style("quiet")), (key_of("plan_again"), style("key")), (" plans", style("quiet"))
        )
    if state.changed:
        return Content.assemble(
            (f"{glyphs.warning} the plan has changed since it was shown", style("severity-warning")),
            "  nothing was run: look at it again",
        )
    if state.prepared.plan.is_empty:
        return Content.assemble((f"{glyphs.ok} ", style("verdict-ok")), "nothing to run")
    if session.target is not None and session.target.read_only:
        return Content.assemble(
            (f"{glyphs.not_run} read-only", style("state-attention")),
            "  nothing can be run: start without --read-only",
        )
    if state.left:
        text = f"{glyphs.interrupted} {counted(len(state.left), 'migration')} stopped half-way"
        return Content.assemble((text, style("state-attention")), "  nothing else is run before that is settled")
    if state.refusals:
        allow = (
            Content.assemble((f"  {key_of('allow_objections')}", style("key")), " allows it")
            if state.prepared.plan.objections
            else ""
        )
        count = counted(len(state.refusals), "thing")
        speaks = "speaks" if len(state.refusals) == 1 else "speak"
        return Content.assemble(
            (f"{glyphs.error} refused: {count} {speaks} against it", style("severity-error")), allow
        )
    return _ready(row, session, width, glyphs)


def _between(begin: Content, middle: str, end: Content, width: int, glyphs: Glyphs) -> Content:
    """Three things in a line, of which the middle one gives way."""
    room = max(width - begin.cell_length - end.cell_length - 5, 0)
    return Content.assemble(begin, "  ", Content(middle).truncate(room, ellipsis=glyphs.fancy), "   ", end)


def _stops() -> Content:
    return Content.assemble((key_of("cancel_run"), style("key")), (" stops", style("quiet")))


def _ready(row: RunRow | None, session: Session, width: int, glyphs: Glyphs) -> Content:
    plan = session.run.prepared.plan if session.run.prepared is not None else None
    if plan is None:
        return Content("")
    last = label(plan.migrations[-1].version, plan.migrations[-1].name)
    count = len(plan.migrations)
    word = "takes back" if plan.direction == "backward" else "applies"
    what = last if count == 1 else f"{count} migrations up to {last}"
    others = [("step_through", "asks for each")]
    if row is not None:
        skip = session.run.request.skip if session.run.request is not None else frozenset()
        if row.version != plan.migrations[-1].version:
            others.append(("limit_here", f"goes only to {safe_line(row.version)}"))
        if plan.direction == "forward":
            does = "takes it in again" if row.version in skip else f"leaves {safe_line(row.version)} out"
            others.append(("skip_chosen", does))
    line = Content.assemble((key_of("run_plan"), style("key")), f" {word} {what}").truncate(
        width, ellipsis=glyphs.fancy
    )
    for key, does in others:
        longer = Content.assemble(line, "   ", (key_of(key), style("key")), f" {does}")
        if longer.cell_length > width:
            break
        line = longer
    return line


def _under_way(session: Session, width: int, glyphs: Glyphs) -> Content:
    state = session.run
    if state.job is not None and state.job.cancelling:
        return Content.styled(f"{glyphs.running} stopping", style("state-running"))
    current = state.progress.of_version(state.progress.current) if state.progress is not None else None
    if current is None:
        step = "starting: a clean session, the lock of all runs"
    elif current.retry:
        step = f"{label(current.version, current.name)}: waits before the next attempt"
    elif current.statement:
        step = f"{label(current.version, current.name)}: {current.place}"
    else:
        step = label(current.version, current.name)
    return _between(Content.styled(f"{glyphs.running} running", style("state-running")), step, _stops(), width, glyphs)


_OUTCOMES = {
    RunOutcome.APPLIED: ("ok", "verdict-ok"),
    RunOutcome.ROLLED_BACK: ("ok", "verdict-ok"),
    RunOutcome.FAILED: ("fails", "verdict-fails"),
    RunOutcome.INTERRUPTED: ("interrupted", "state-attention"),
    RunOutcome.SKIPPED: ("not_run", "quiet"),
}


def _ended(session: Session, glyphs: Glyphs) -> Content:
    state = session.run
    if state.result is None:
        words = f"{glyphs.error} {safe_line(str(state.error))}" if state.error is not None else "ended"
        return Content.styled(words, style("severity-error"))
    outcomes = [one.outcome for one in state.result.migrations]
    parts = [
        Content.styled(f"{getattr(glyphs, sign)} {outcomes.count(word)} {_word(word)}", style(name))
        for word, (sign, name) in _OUTCOMES.items()
        if word in outcomes
    ]
    if state.result.cancelled:
        parts.insert(0, Content.styled("cancelled", style("state-attention")))
    again = "shows what can be done about it" if RunOutcome.INTERRUPTED in outcomes else "plans anew"
    if session.error is not None:
        again = "looks again"
    parts.append(Content.assemble((key_of("plan_again"), style("key")), f" {again}"))
    return Content("  ").join(parts)


def _word(outcome: RunOutcome) -> str:
    return "failed: all of it undone" if outcome is RunOutcome.FAILED else outcome.words
