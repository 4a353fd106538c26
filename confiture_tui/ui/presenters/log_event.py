"""Everything that an event holds, as a tree and as one line to copy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from textual.content import Content

from confiture_tui.ui.presenters.figures import duration, number
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.safe_text import safe_line, safe_text

if TYPE_CHECKING:
    from confiture_tui.events import Event
    from confiture_tui.ui.glyphs import Glyphs

_LONGEST: Final = 20_000
"""Characters of one value that are laid out; the export has all of it."""
_DEEPEST: Final = 20
"""Levels of nesting that are drawn; no event of ours has more than three, but a recording may hold anything."""


def event_pane(event: Event | None, glyphs: Glyphs) -> Content:
    """The event's message in full, and below it its fields and data as a tree."""
    if event is None:
        return Content("No line is chosen.")
    fields: dict[str, Any] = {
        "at": f"{event.at.astimezone():%Y-%m-%d %H:%M:%S.%f %z}",
        "level": event.level.word,
        "migration": event.migration,
        "phase": event.phase,
        "statement": event.statement,
        "took": duration(event.duration_ms) if event.duration_ms is not None else None,
        "rows affected": number(event.rows_affected) if event.rows_affected is not None else None,
        "data": dict(event.data) or None,
    }
    tree = {key: value for key, value in fields.items() if value is not None}
    head = Content.assemble(
        (f"{getattr(glyphs, event.level.word)} {event.name}", style(f"severity-{event.level.word}")),
        "\n",
        _shortened(safe_text(event.message)),
    )
    return Content("\n").join([head, Content(""), *_branches(tree, "", glyphs, _DEEPEST)])


def event_text(event: Event) -> str:
    """The event as one line of text for somebody else: safe, and with all that it holds."""
    facts = {"migration": event.migration, "phase": event.phase, "statement": event.statement, **event.data}
    if event.duration_ms is not None:
        facts["took"] = duration(event.duration_ms)
    if event.rows_affected is not None:
        facts["rows"] = event.rows_affected
    words = [f"{key}={_scalar(value)}" for key, value in facts.items() if value is not None]
    return safe_line(" ".join([event.at.isoformat(), event.level.word, str(event.name), event.message, *words]))


def _branches(value: Any, indent: str, glyphs: Glyphs, deepest: int) -> list[Content]:
    pairs = _pairs(value)
    lines = []
    for position, (key, inner) in enumerate(pairs):
        last = position == len(pairs) - 1
        branch, below = (glyphs.last_branch, "   ") if last else (glyphs.branch, f"{glyphs.trunk}  ")
        first = Content.assemble((f"{indent}{branch} ", style("quiet")), (safe_line(key), style("label")))
        if _pairs(inner) and deepest:
            lines += [first, *_branches(inner, indent + below, glyphs, deepest - 1)]
        else:
            lines.append(Content.assemble(first, "  ", _shortened(safe_line(_scalar(inner)))))
    return lines


def _pairs(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(str(key), inner) for key, inner in value.items()]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [(str(position), inner) for position, inner in enumerate(value, 1)]
    return []


def _scalar(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
