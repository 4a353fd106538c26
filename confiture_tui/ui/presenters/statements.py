"""The rows of the table of statements: what each one is and the worst of what it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from textual.content import Content

from confiture_tui.ui.actions import key_of
from confiture_tui.ui.presenters.figures import duration, number
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.progress import Mark
from confiture_tui.ui.safe_text import safe_line

if TYPE_CHECKING:
    from confiture_tui.core.dry_run.result import StatementObservation
    from confiture_tui.core.effects.lock_modes import LockMode
    from confiture_tui.core.effects.model import RelationLock, StatementEffects
    from confiture_tui.ui.glyphs import Glyphs


_TAG = "statement"
"""The name of the column of tags, which is never cut."""


DONE_ALREADY: Final = "done already"
"""What stands beside a statement that a run which stopped half-way has done."""


def not_looked() -> str:
    """What stands where nobody has looked and somebody may."""
    return f"not looked at yet: press {key_of('dry_run')}"


@dataclass(frozen=True, slots=True)
class Columns:
    """The widths of the columns in cells; 0 leaves a column out."""

    index: int
    line: int
    tag: int
    what: int
    time: int
    rows: int


def columns(width: int, statements: int, last_line: int, longest_tag: int) -> Columns:
    """The columns that fit: the line, then the rows, then the tag's tail give way to what the statement does."""
    index = max(len(str(statements)), 1) + 1
    line = max(len(str(last_line)) + 2, 5)
    tag = min(max(longest_tag, len(_TAG)), 26) + 1
    time, rows = 10, 9
    if width < 90:
        rows = 0
        tag = min(tag, 19)
    if width < 66:
        line = 0
        tag = min(tag, 15)
    what = width - 2 - index - line - tag - time - rows
    return Columns(index, line, tag, max(what, 8), time, rows)


def heading(layout: Columns) -> Content:
    """The names of the columns."""
    text = "".join(
        [
            "  ",
            _left("#", layout.index),
            _left("line", layout.line),
            _left(_TAG, layout.tag),
            _left("what it does", layout.what),
            _right("time", layout.time),
            _right("rows", layout.rows),
        ]
    )
    return Content.styled(text, style("label"))


def row(
    statement: StatementEffects,
    observed: StatementObservation | None,
    layout: Columns,
    *,
    glyphs: Glyphs,
    mark: Mark | None = None,
    unseen: str | None = None,
    done: bool = False,
) -> Content:
    """One statement.

    Args:
        statement: as the preview knows it.
        observed: as the last dry run saw it.
        layout: the widths of the columns.
        mark: where the statement is in the dry run under way.
        unseen: what stands where nobody has looked.
        done: a run that stopped half-way has done it already.
    """
    time = rows = Content("")
    if mark is not None:
        sign, what = _of_mark(mark, glyphs)
    elif observed is not None:
        sign, what = _of_outcome(observed, glyphs)
        if observed.elapsed_ms is not None:
            time = Content(duration(observed.elapsed_ms))
        if observed.rows is not None:
            rows = Content(number(observed.rows))
    elif done:
        sign = Content.styled(glyphs.ok, style("verdict-ok"))
        what = Content.styled(DONE_ALREADY, style("quiet"))
    else:
        sign = Content(" ")
        what = (
            summary(statement, glyphs)
            if statement.basis is not None
            else Content.styled(unseen or not_looked(), style("quiet"))
        )
        if statement.estimate is not None:
            time = Content.styled(f"~{duration(statement.estimate.expected_ms)}", style("quiet"))
    parts = [
        sign.truncate(2, pad=True),
        Content.styled(_left(str(statement.index), layout.index), style("quiet")),
        Content.styled(_left(f"L{statement.line}", layout.line), style("quiet")),
        Content(safe_line(statement.tag))
        .truncate(max(layout.tag - 1, 0), ellipsis=glyphs.fancy)
        .truncate(layout.tag, pad=True),
        what.truncate(max(layout.what - 1, 0), ellipsis=glyphs.fancy).truncate(layout.what, pad=True),
    ]
    parts += [Content.assemble(" " * (layout.time - time.cell_length), time)]
    if layout.rows:
        parts += [Content.assemble(" " * max(layout.rows - rows.cell_length, 1), rows)]
    return Content("").join(parts)


def _of_mark(mark: Mark, glyphs: Glyphs) -> tuple[Content, Content]:
    words = {
        Mark.WAITING: (glyphs.queued, "waits", "quiet"),
        Mark.RUNNING: (glyphs.running, "running", "state-running"),
        Mark.RAN: (glyphs.ok, "ran", "verdict-ok"),
        Mark.FAILED: (glyphs.fails, "failed", "verdict-fails"),
    }
    sign, word, name = words[mark]
    return Content.styled(sign, style(name)), Content.styled(word, style(name))


def _of_outcome(observed: StatementObservation, glyphs: Glyphs) -> tuple[Content, Content]:
    if observed.outcome == "failed":
        error = observed.error
        text = f"fails: {safe_line(error.sqlstate)} {safe_line(error.message)}" if error else "fails"
        invalid = [f"leaves {safe_line(name)} invalid; " for name in observed.invalid_indexes or ()]
        return (
            Content.styled(glyphs.fails, style("verdict-fails")),
            Content.styled("".join(invalid) + text, style("verdict-fails")),
        )
    if observed.outcome in ("not_run", "not_exercised"):
        word = "not run" if observed.outcome == "not_run" else "not exercised"
        reason = f": {safe_line(observed.reason)}" if observed.reason else ""
        return Content.styled(glyphs.not_run, style("quiet")), Content.styled(word + reason, style("quiet"))
    return Content.styled(glyphs.ok, style("verdict-ok")), summary(observed, glyphs)


def summary(effects: StatementEffects, glyphs: Glyphs) -> Content:
    """What a statement does, worst first, in one line; never silent about what was not looked at."""
    parts: list[Content] = []
    if effects.locks is None:
        parts.append(Content.styled("locks not seen", style("quiet")))
    elif effects.locks:
        strongest = max(effects.locks, key=lambda lock: lock.mode.strength)
        parts.append(lock_text(strongest))
        if len(effects.locks) > 1:
            parts.append(Content.styled(f"and {len(effects.locks) - 1} more", style("quiet")))
    else:
        parts.append(Content.styled("no lock on what existed", style("quiet")))
    for verb, names, name in (
        ("leaves invalid", effects.invalid_indexes, "severity-error"),
        ("rewrites", effects.rewrites, "verdict-rewrites"),
        ("scans", effects.scans, "verdict-blocks"),
        ("builds", effects.builds, "severity-info"),
        ("rebuilds", effects.rebuilds, "severity-info"),
        ("drops", effects.drops, "severity-warning"),
        ("creates", effects.creates, "quiet"),
    ):
        if names:
            rest = f" +{len(names) - 1}" if len(names) > 1 else ""
            parts.append(Content.assemble((verb, style(name)), f" {safe_line(names[0])}{rest}"))
    if effects.opaque:
        parts.append(Content.styled("runs code that cannot be read", style("severity-warning")))
    return Content.styled("  ", style("quiet")).join(parts)


def lock_style(mode: LockMode) -> str:
    """How a lock looks, by what it blocks."""
    if mode.blocks_reads:
        return style("lock-blocks-reads")
    return style("lock-blocks-writes") if mode.blocks_writes else style("lock-quiet")


def lock_text(lock: RelationLock) -> Content:
    """``ACCESS EXCLUSIVE public.orders``."""
    return Content.assemble((lock.mode.value, lock_style(lock.mode)), f" {safe_line(lock.relation)}")


def _left(text: str, width: int) -> str:
    return text[: max(width - 1, 0)].ljust(width) if width else ""


def _right(text: str, width: int) -> str:
    return text.rjust(width) if width else ""
