"""A run as it happens, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.ui.actions import key_of
from confiture_tui.ui.presenters.figures import counted, duration
from confiture_tui.ui.presenters.migrations import label
from confiture_tui.ui.presenters.run_rows import stage_badge
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.presenters.verdict import error_text, failure_block
from confiture_tui.ui.run_progress import HookStage, Stage, stage_of
from confiture_tui.ui.safe_text import safe_line, safe_text

if TYPE_CHECKING:
    from confiture_tui.core.runner.result import MigrationRun
    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.presenters.run_rows import RunRow
    from confiture_tui.ui.run_progress import HookProgress
    from confiture_tui.ui.session import Session

_BAR = 20


def live_pane(row: RunRow | None, glyphs: Glyphs) -> Content:
    """One migration of the run under way."""
    if row is None or row.progress is None:
        return Content("")
    one = row.progress
    lines = [
        Content.assemble((label(one.version, one.name), style("strong")), "  ", stage_badge(one.stage, glyphs)),
    ]
    if one.statements:
        lines.append(_bar("statements", one.done, one.statements, glyphs))
    if one.stage is Stage.RUNNING and one.statement > one.done:
        lines.append(_labelled("now", one.place))
    lines += [_hook(hook, glyphs) for hook in one.hooks]
    if one.lock:
        lines.append(_sign(glyphs.queued, "state-running", one.lock))
    if one.behind:
        lines.append(_sign(glyphs.warning, "severity-warning", one.behind))
    if one.retry:
        lines.append(_sign(glyphs.altered, "severity-warning", one.retry))
    if one.gave_way:
        lines.append(_labelled("gave way", counted(one.gave_way, "time")))
    if one.told:
        lines += [Content(""), Content(safe_text(one.told))]
    return Content("\n").join(lines)


def _bar(name: str, done: int, total: int, glyphs: Glyphs) -> Content:
    full, empty = ("█", "░") if glyphs.fancy else ("#", ".")
    filled = min(round(done / total * _BAR), _BAR) if total > 0 else 0
    return Content.assemble(
        (f"{name:<12}", style("label")),
        (full * filled, style("state-running")),
        (empty * (_BAR - filled), style("quiet")),
        f" {done:,} of {total:,}",
    )


def _hook(hook: HookProgress, glyphs: Glyphs) -> Content:
    signs = {
        HookStage.RUNNING: (glyphs.running, "state-running"),
        HookStage.OK: (glyphs.ok, "verdict-ok"),
        HookStage.FAILED: (glyphs.fails, "verdict-fails"),
    }
    sign, name = signs[hook.stage]
    facts = [hook.phase, hook.stage.value]
    if hook.rows:
        facts.append(counted(hook.rows, "row"))
    if hook.elapsed_ms is not None:
        facts.append(duration(hook.elapsed_ms))
    line = Content.assemble(
        (f"{sign} ", style(name)),
        (safe_line(hook.name), style("strong")),
        (f"  {f' {glyphs.separator} '.join(safe_line(fact) for fact in facts)}", style("quiet")),
    )
    if hook.stage is HookStage.RUNNING and hook.done is not None and hook.total:
        return Content("\n").join([line, _bar("", hook.done, hook.total, glyphs)])
    if hook.stage is HookStage.RUNNING and hook.said:
        return Content("\n").join([line, Content(f"  {safe_line(hook.said)}")])
    if hook.stage is HookStage.FAILED:
        return Content("\n").join([line, Content.styled(f"  {safe_text(hook.said)}", style("severity-error"))])
    return line


def result_pane(row: RunRow | None, session: Session, glyphs: Glyphs) -> Content:
    """What became of the chosen migration, its time, its statements beside the estimate, how to take the run back."""
    state = session.run
    blocks: list[Content] = []
    if state.error is not None:
        blocks += [error_text(state.error), Content("")]
    result = state.result
    one = (
        next((each for each in result.migrations if row is not None and each.version == row.version), None)
        if result
        else None
    )
    if one is not None:
        blocks += _became(one, session, glyphs)
    elif row is not None and row.progress is not None:
        blocks.append(live_pane(row, glyphs))
    if session.error is not None:
        said = "Since then nothing can be read: this is what the run itself told. "
        blocks += [
            Content(""),
            Content.assemble((said, style("state-attention")), (key_of("plan_again"), style("key")), " looks again."),
            error_text(session.error),
        ]
    if result is not None and result.undo:
        heading, plans = (
            ("To apply it again", "plan_forward") if state.is_backward else ("To take it back", "plan_backward")
        )
        blocks += [Content(""), Content.styled(heading, style("heading"))]
        blocks.append(
            Content.assemble(
                (key_of(plans), style("key")),
                " plans it here; ",
                (key_of("copy"), style("key")),
                " copies the command:",
            )
        )
        blocks += [Content.assemble((f"{glyphs.arrow} ", style("key")), safe_line(command)) for command in result.undo]
    if result is not None:
        blocks.append(Content.styled(f"{key_of('export_summary')} writes the summary into a file", style("quiet")))
    return Content("\n").join(blocks)


def _became(one: MigrationRun, session: Session, glyphs: Glyphs) -> list[Content]:
    outcome = stage_of(one.outcome)
    lines = [Content.assemble((label(one.version, one.name), style("strong")), "  ", stage_badge(outcome, glyphs))]
    if outcome is not Stage.SKIPPED:
        took = duration(one.elapsed_ms)
        if one.attempts > 1:
            took += f"; {one.attempts} attempts"
        lines.append(_labelled("took", took))
        estimate = session.run.estimates.get(one.version)
        if one.statements_ms is not None:
            spent = duration(one.statements_ms)
            if estimate is not None:
                spent += f"; {duration(estimate.low_ms)} to {duration(estimate.high_ms)} were expected"
            lines.append(_labelled("statements", spent))
    for hook in one.hooks:
        facts = [hook.outcome.value.replace("_", " "), duration(hook.elapsed_ms)]
        if hook.rows_affected:
            facts.append(counted(hook.rows_affected, "row"))
        phase = hook.phase.value if hook.phase is not None else ""
        failed = hook.outcome == "failed"
        lines.append(
            Content.assemble(
                (f"{glyphs.fails if failed else glyphs.ok} ", style("verdict-fails" if failed else "verdict-ok")),
                (safe_line(hook.hook), style("strong")),
                (f"  {f' {glyphs.separator} '.join([phase, *facts])}", style("quiet")),
            )
        )
        lines += [Content(f"  {safe_text(text)}") for text in (hook.message, hook.error) if text]
    if one.error:
        lines += [Content(""), Content.styled(safe_text(one.error), style("severity-error"))]
    if one.failure is not None:
        lines += failure_block(one.failure, glyphs, statement=one.statement)
    return lines


def _labelled(name: str, text: str) -> Content:
    return Content.assemble((f"{name:<12}", style("label")), text)


def _sign(sign: str, name: str, text: str) -> Content:
    return Content.assemble((f"{sign} ", style(name)), safe_text(text))
