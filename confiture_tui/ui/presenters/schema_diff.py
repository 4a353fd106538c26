"""The difference that a migration makes to the schema, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.ui.presenters.figures import counted
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.safe_text import safe_line, safe_text

if TYPE_CHECKING:
    from confiture_tui.core.catalog.diff import AttributeChange, SchemaChange, SchemaDiff
    from confiture_tui.ui.glyphs import Glyphs

_WORDS = {"added": "adds", "removed": "removes", "changed": "changes"}
_STYLES = {"added": "diff-added", "removed": "diff-removed", "changed": "diff-changed"}


def schema_diff(diff: SchemaDiff, glyphs: Glyphs) -> Content:
    """Every object that comes, goes or changes; a changed one with its text before and after."""
    if not diff.changes:
        return Content("The schema is the same before and after.")
    lines = [Content.styled(_count(diff), style("heading"))]
    for change in diff.changes:
        lines += _change(change, glyphs)
    return Content("\n").join(lines)


def _count(diff: SchemaDiff) -> str:
    counts = {word: sum(change.change == key for change in diff.changes) for key, word in _WORDS.items()}
    return ", ".join(f"{word} {counted(count, 'object')}" for word, count in counts.items() if count)


def _change(change: SchemaChange, glyphs: Glyphs) -> list[Content]:
    signs = {"added": glyphs.added, "removed": glyphs.removed, "changed": glyphs.altered}
    note = "  (order of columns only)" if change.order_only else ""
    first = Content.styled(
        f"{signs[change.change]} {safe_line(change.kind)} {safe_line(change.name)}{note}", style(_STYLES[change.change])
    )
    return [first, *(line for attribute in change.attributes for line in _attribute(attribute, glyphs))]


def _attribute(change: AttributeChange, glyphs: Glyphs) -> list[Content]:
    name = "" if change.attribute == "definition" else f"{safe_line(change.attribute)}: "
    lines = []
    for text, sign, style_name in (
        (change.before, glyphs.removed, "diff-removed"),
        (change.after, glyphs.added, "diff-added"),
    ):
        if text is not None:
            body = safe_text(text).strip().replace("\n", "\n        ")
            lines.append(Content.assemble("    ", (f"{sign} ", style(style_name)), (name, style("label")), body))
    return lines
