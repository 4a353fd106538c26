"""Everything that is known of one statement, for the pane under the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.ui.presenters.figures import duration, number, size
from confiture_tui.ui.presenters.statements import lock_style, not_looked
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.presenters.verdict import differences, failure_block
from confiture_tui.ui.safe_text import safe_line, safe_text

if TYPE_CHECKING:
    from confiture_tui.core.dry_run.result import StatementObservation
    from confiture_tui.core.effects.lock_modes import LockMode
    from confiture_tui.core.effects.model import RelationLock, StatementEffects
    from confiture_tui.ui.glyphs import Glyphs

_LABEL = 11
_FIELDS = (
    ("rewrites", "rewrites"),
    ("scans", "scans"),
    ("builds", "builds"),
    ("rebuilds", "rebuilds"),
    ("creates", "creates"),
    ("drops", "drops"),
    ("invalid", "invalid_indexes"),
)
_BASES = {
    "assumed": "read from the text alone",
    "catalog": "read from the text and the catalog",
    "observed": "seen while it ran",
}


def facts(
    statement: StatementEffects,
    observed: StatementObservation | None,
    glyphs: Glyphs,
    unseen: str | None = None,
    *,
    done: bool = False,
) -> Content:
    """A statement's effects, one line each. ``not seen`` is what nobody looked at; ``none`` was looked for in vain.

    ``done``: a run that stopped half-way has done it already.
    """
    effects: StatementEffects = observed if observed is not None else statement
    where = f"Statement {statement.index}, line {statement.line}: {safe_line(statement.tag)}"
    lines = [Content.styled(where, style("heading"))]
    if done and observed is None:
        words = "It is done already, by the run that stopped half-way; only what comes after it is counted."
        return Content("\n").join([*lines, Content(words)])
    if effects.basis is None and (observed is None or observed.outcome == "ran"):
        return Content("\n").join([*lines, Content.styled(unseen or not_looked(), style("quiet"))])
    if observed is not None and observed.reason:
        lines.append(_line("not run", Content(safe_text(observed.reason))))
    failure = observed.error if observed is not None else effects.fails
    if failure is not None:
        lines += failure_block(failure, glyphs)
    if effects.basis is not None:
        lines.append(_line("basis", Content(_BASES.get(effects.basis, effects.basis))))
        lines += _locks(effects.locks)
        lines += _lists(effects)
        lines.append(_line("data", _data(effects)))
    if observed is not None:
        lines += _measured(observed)
    elif effects.estimate is not None:
        estimate = effects.estimate
        text = f"{duration(estimate.low_ms)} to {duration(estimate.high_ms)} ({safe_line(estimate.source)})"
        lines.append(_line("time", Content(text)))
    for possible in effects.may_fail or ():
        word = "asked the data" if possible.checked else "not asked"
        text = f"SQLSTATE {safe_line(possible.sqlstate)} {safe_line(possible.why)} ({word})"
        lines.append(_line("may fail", Content(text)))
    return Content("\n").join(lines)


def waits(mode: LockMode) -> str:
    """Who waits while the lock is held."""
    if mode.blocks_reads:
        return "reads and writes wait"
    return "writes wait, reads go on" if mode.blocks_writes else "reads and writes go on"


def _locks(locks: tuple[RelationLock, ...] | None) -> list[Content]:
    if locks is None:
        return [_line("locks", Content.styled("not seen", style("quiet")))]
    if not locks:
        return [_line("locks", Content.styled("none on what existed before", style("quiet")))]
    lines = []
    for number_, lock in enumerate(sorted(locks, key=lambda one: (-one.mode.strength, one.relation))):
        text = Content.assemble(
            (lock.mode.value, lock_style(lock.mode)),
            f" {safe_line(lock.relation)}",
            (f"  {waits(lock.mode)}", style("quiet")),
        )
        lines.append(_line("locks" if number_ == 0 else "", text))
    return lines


def _lists(effects: StatementEffects) -> list[Content]:
    """What there is of each kind, a line each; then the kinds that were looked for in vain, and those not seen."""
    lines: list[Content] = []
    none: list[str] = []
    not_seen: list[str] = []
    for label, field in _FIELDS:
        names: tuple[str, ...] | None = getattr(effects, field)
        if names is None:
            not_seen.append(label)
        elif names:
            lines += [_line("" if at else label, Content(safe_line(name))) for at, name in enumerate(names)]
        else:
            none.append(label)
    for label, kinds in (("none", none), ("not seen", not_seen)):
        if kinds:
            lines.append(_line(label, Content.styled(", ".join(kinds), style("quiet"))))
    return lines


def _data(effects: StatementEffects) -> Content:
    words = []
    for value, yes, no, unknown in (
        (effects.destroys_data, "destroys data", "destroys none", "whether it destroys any is not known"),
        (effects.changes_data, "changes data", "changes none", "whether it changes any is not known"),
    ):
        words.append(unknown if value is None else yes if value else no)
    return Content("; ".join(words))


def _measured(observed: StatementObservation) -> list[Content]:
    lines = []
    parts = []
    if observed.elapsed_ms is not None:
        parts.append(duration(observed.elapsed_ms))
    if observed.rows is not None:
        parts.append(f"{number(observed.rows)} rows changed")
    if observed.wal_bytes is not None:
        parts.append(f"{size(observed.wal_bytes)} of WAL")
    if parts:
        lines.append(_line("measured", Content(", ".join(parts))))
    if observed.transactional is not None:
        text = "can run in a transaction" if observed.transactional else "cannot run in a transaction"
        lines.append(_line("wrapping", Content(text)))
    if observed.cumulative:
        lines.append(_line("note", Content("seen together with the statements before it")))
    lines += [_line("mismatch", text) for text in differences(observed)]
    lines += [_line("notice", Content(safe_text(notice))) for notice in observed.notices]
    lines += [_line("server", Content(safe_text(words))) for words in observed.evidence]
    return lines


def _line(label: str, text: Content) -> Content:
    return Content.assemble((label.ljust(_LABEL), style("label")), text)
