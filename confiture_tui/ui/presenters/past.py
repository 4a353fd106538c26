"""What was run: a row for each run of a migration, and the chosen one in full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.ui.actions import key_of
from confiture_tui.ui.presenters.figures import counted, duration, number
from confiture_tui.ui.presenters.migrations import label
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.presenters.verdict import error_text
from confiture_tui.ui.safe_text import safe_line, safe_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.core.runner.journal import JournalEntry
    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.session import Session

_OPEN = {"running", "committing", "hooks_pending", "interrupted"}
_WORDS = {
    ("done", "forward"): ("ok", "verdict-ok", "applied"),
    ("done", "backward"): ("ok", "verdict-ok", "taken back"),
    ("failed", "forward"): ("fails", "verdict-fails", "failed"),
    ("failed", "backward"): ("fails", "verdict-fails", "failed"),
    ("settled", "forward"): ("altered", "state-attention", "settled"),
    ("settled", "backward"): ("altered", "state-attention", "settled"),
}


@dataclass(frozen=True, slots=True)
class PastRow:
    """One run of a migration: as the journal has it, or as the ledger alone knows it."""

    version: str
    name: str
    at: datetime | None
    entry: JournalEntry | None = None
    status: MigrationStatus | None = None


def past_rows(entries: Sequence[JournalEntry], statuses: Sequence[MigrationStatus]) -> tuple[PastRow, ...]:
    """The runs of the journal and, of migrations it does not know, the rows of the ledger; the newest first."""
    rows = [PastRow(one.version, one.name, one.started_at, entry=one) for one in entries]
    known = {one.version for one in entries}
    rows += [
        PastRow(one.version, one.name, one.applied_at, status=one)
        for one in statuses
        if one.version not in known and one.state in ("applied", "changed", "missing")
    ]
    # What has no time was applied by a tool that keeps none: before everything else.
    order = {id(row): number for number, row in enumerate(rows)}
    return tuple(
        sorted(rows, key=lambda row: (row.at.timestamp() if row.at is not None else 0.0, -order[id(row)]), reverse=True)
    )


def past_row(row: PastRow, *, width: int, glyphs: Glyphs) -> Content:
    """When, what became of it, which migration, how long, by whom."""
    sign, name, word = _state(row)
    at = f"{row.at.astimezone():%Y-%m-%d %H:%M}" if row.at is not None else "at a time unknown"
    parts: list[str | Content | tuple[str, str]] = [
        (f"{at:<17} ", style("quiet")),
        Content.styled(f"{getattr(glyphs, sign)} {word}", style(name)).truncate(15, pad=True),
        " ",
        (label(row.version, row.name), style("strong")),
    ]
    if row.entry is not None:
        parts.append((f"  {_took(row.entry)}  {safe_line(row.entry.run_by)}", style("quiet")))
    return Content.assemble(*parts).truncate(width, ellipsis=glyphs.fancy)


def _state(row: PastRow) -> tuple[str, str, str]:
    if row.entry is None:
        return "applied", "state-applied", "applied"
    if row.entry.state in _OPEN:
        return "interrupted", "state-attention", row.entry.state.replace("_", " ")
    return _WORDS.get((row.entry.state, row.entry.direction), ("unclear", "quiet", safe_line(row.entry.state)))


def _took(entry: JournalEntry) -> str:
    if not entry.end_seen:
        return "not known how long"
    least = "at least " if entry.state in _OPEN else ""
    return least + duration(max((entry.changed_at - entry.started_at).total_seconds() * 1000, 0.0))


def past_title(session: Session, rows: Sequence[PastRow], *, width: int, glyphs: Glyphs) -> Content:
    """How many runs, and how many of them want somebody."""
    parts = [Content.styled("History", style("heading"))]
    if session.history.error is not None:
        parts.append(Content.styled(f"{glyphs.error} the journal could not be read", style("severity-error")))
    if session.history.error is None and session.history.entries is not None:
        facts = [f"{counted(len(session.history.entries), 'run')} in the journal"]
        ledger = sum(row.entry is None for row in rows)
        if ledger:
            facts.append(f"{number(ledger)} more in the ledger")
        parts.append(Content.styled(", ".join(facts), style("quiet")))
        half = sum(row.entry is not None and row.entry.state in _OPEN for row in rows)
        if half:
            parts.append(Content.styled(f"{glyphs.interrupted} {half} half-way", style("state-attention")))
    return Content("  ").join(parts).truncate(width, ellipsis=glyphs.fancy)


def past_pane(row: PastRow | None, session: Session, glyphs: Glyphs) -> Content:
    """One run in full; or why there is none."""
    state = session.history
    if row is None:
        if state.error is not None:
            return error_text(state.error)
        if state.entries is None:
            return Content.styled("The journal is being read.", style("quiet"))
        return Content.assemble(
            "Nothing was run here yet. ", (key_of("show_run"), style("key")), " plans the first run."
        )
    sign, name, word = _state(row)
    lines = [
        Content.assemble(
            (label(row.version, row.name), style("strong")), "  ", (f"{getattr(glyphs, sign)} {word}", style(name))
        )
    ]
    if state.error is not None:
        lines += [error_text(state.error), Content("")]
    if row.entry is None:
        lines.append(
            Content("The ledger has it, and the journal knows no run of it: it was applied by another tool, or before.")
        )
        if row.at is not None:
            lines.append(_labelled("applied", f"{row.at.astimezone():%Y-%m-%d %H:%M:%S}"))
        return Content("\n").join(lines)
    entry = row.entry
    lines += [
        _labelled("began", f"{entry.started_at.astimezone():%Y-%m-%d %H:%M:%S} by {safe_line(entry.run_by)}"),
        _labelled(
            "took", f"{_took(entry)}{' by the journal' if entry.end_seen else ''}; {counted(entry.attempts, 'attempt')}"
        ),
        _labelled("direction", entry.direction),
        _labelled("statements", _statements(entry)),
    ]
    if entry.hooks_done:
        lines.append(_labelled("hooks done", ", ".join(safe_line(one) for one in entry.hooks_done)))
    if entry.error:
        lines += [Content(""), Content(safe_text(entry.error))]
    if entry.state in _OPEN:
        lines += [
            Content(""),
            Content.assemble((key_of("show_run"), style("key")), " shows what can be done about it."),
        ]
    lines += [Content(""), _labelled("run", safe_line(entry.run_id)), _labelled("checksum", safe_line(entry.checksum))]
    return Content("\n").join(lines)


def _statements(entry: JournalEntry) -> str:
    if entry.transactional:
        return f"{entry.statements} in one transaction"
    return f"{entry.statement_done} of {entry.statements} done, one by one"


def _labelled(name: str, text: str) -> Content:
    return Content.assemble((f"{name:<12}", style("label")), text)
