"""The difference that a migration makes to the schema, as a tree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from textual.content import Content

from confiture_tui.service.sql_diff import sql_diff
from confiture_tui.ui.presenters.figures import counted
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.safe_text import safe_line

if TYPE_CHECKING:
    from confiture_tui.core.catalog.diff import AttributeChange, SchemaChange, SchemaDiff
    from confiture_tui.ui.glyphs import Glyphs

Part: TypeAlias = tuple[str, str]
"""A piece of a line, safe to show, and the name of its style; empty for none."""

_WORDS = {"added": "adds", "removed": "removes", "changed": "changes"}
_BESIDE = 32
"""Characters of a definition that stand beside the name instead of below it."""
_STYLES = {"added": "diff-added", "removed": "diff-removed", "changed": "diff-changed"}


@dataclass(frozen=True, slots=True)
class DiffNode:
    """A line of the tree, and the lines below it."""

    parts: tuple[Part, ...]
    children: tuple[DiffNode, ...] = ()


def diff_summary(diff: SchemaDiff) -> Content:
    """``adds 2 objects, changes 1 object``."""
    if not diff.changes:
        return Content("The schema is the same before and after.")
    counts = {word: sum(change.change == key for change in diff.changes) for key, word in _WORDS.items()}
    words = ", ".join(f"{word} {counted(count, 'object')}" for word, count in counts.items() if count)
    return Content.styled(words, style("heading"))


def diff_tree(diff: SchemaDiff, glyphs: Glyphs) -> tuple[DiffNode, ...]:
    """Every object that comes, goes or changes, the parts of a relation below it, and each with its texts."""
    own = {change.name: change for change in diff.changes if change.parent is None}
    below: dict[str, list[SchemaChange]] = {}
    for change in diff.changes:
        below.setdefault(change.parent or change.name, [])
        if change.parent is not None:
            below[change.parent].append(change)
    nodes = []
    for name, parts in below.items():
        children = tuple(_object(part, glyphs, within=name) for part in parts)
        if name in own:
            node = _object(own[name], glyphs)
            nodes.append(replace(node, children=(*node.children, *children)))
        else:
            nodes.append(DiffNode(((safe_line(name), "relation"),), children))
    return tuple(nodes)


def _object(change: SchemaChange, glyphs: Glyphs, *, within: str | None = None) -> DiffNode:
    signs = {"added": glyphs.added, "removed": glyphs.removed, "changed": glyphs.altered}
    name = _STYLES[change.change]
    # Below its relation the name of a part need not say the relation again.
    shown = change.name.removeprefix(f"{within}.") if within is not None else change.name
    parts: list[Part] = [(f"{signs[change.change]} {safe_line(change.kind)} ", name), (safe_line(shown), "relation")]
    texts = [one for attribute in change.attributes for one in _attribute(attribute, glyphs)]
    if change.order_only:
        parts.append(("  order of columns only", "quiet"))
    elif len(texts) == 1 and change.change != "changed" and len(texts[0].parts[-1][0]) <= _BESIDE:
        # A short line fits beside the name.
        return DiffNode((*parts, ("  ", ""), *texts[0].parts[1:]))
    return DiffNode(tuple(parts), tuple(texts))


def _attribute(change: AttributeChange, glyphs: Glyphs) -> list[DiffNode]:
    name: Part = ("" if change.attribute == "definition" else f"{safe_line(change.attribute)}: ", "label")
    signs = {"-": (f"{glyphs.removed} ", "diff-removed"), "+": (f"{glyphs.added} ", "diff-added"), " ": ("  ", "")}
    lines = sql_diff((change.before or "").strip(), (change.after or "").strip())
    return [DiffNode((signs[sign], name, (safe_line(line), "" if sign != " " else "quiet"))) for sign, line in lines]
