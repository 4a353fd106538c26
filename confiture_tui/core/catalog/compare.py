"""Compares two sets of definitions, and sums one up. Both read the same texts, so that they cannot disagree."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.diff import AttributeChange, Change, SchemaChange, SchemaDiff

if TYPE_CHECKING:
    from confiture_tui.core.catalog.definition import Definition


def compare(before: Iterable[Definition], after: Iterable[Definition]) -> SchemaDiff:
    """What was added, removed and changed, in the order of kind and name."""
    old = {(each.kind, each.name): each for each in before}
    new = {(each.kind, each.name): each for each in after}
    return SchemaDiff(changes=tuple(_changes(old, new)))


def _changes(old: dict[tuple[str, str], Definition], new: dict[tuple[str, str], Definition]) -> Iterator[SchemaChange]:
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if before is None and after is not None:
            yield _whole(Change.ADDED, after)
        elif after is None and before is not None:
            yield _whole(Change.REMOVED, before)
        elif before is not None and after is not None and before != after:
            yield from _changed(before, after)


def _whole(change: Change, definition: Definition) -> SchemaChange:
    text = definition.text
    added = change is Change.ADDED
    attribute = AttributeChange(attribute="definition", before=None if added else text, after=text if added else None)
    return SchemaChange(
        change=change, kind=definition.kind, name=definition.name, parent=definition.parent, attributes=(attribute,)
    )


def _changed(before: Definition, after: Definition) -> Iterator[SchemaChange]:
    old, new = dict(before.attributes), dict(after.attributes)
    attributes = [
        AttributeChange(attribute=name, before=old.get(name), after=new.get(name))
        for name in [*old, *(name for name in new if name not in old)]
        if old.get(name) != new.get(name)
    ]
    order = _order(before.column_order, after.column_order)
    if order is not None:
        attributes.append(order)
    if attributes:
        yield SchemaChange(
            change=Change.CHANGED,
            kind=after.kind,
            name=after.name,
            parent=after.parent,
            attributes=tuple(attributes),
            order_only=order is not None and len(attributes) == 1,
        )


def _order(before: tuple[str, ...], after: tuple[str, ...]) -> AttributeChange | None:
    """The order of the columns that both have, where it differs; columns of one alone are changes of their own."""
    old, new = set(before), set(after)
    common_before = [name for name in before if name in new]
    common_after = [name for name in after if name in old]
    if common_before == common_after:
        return None
    return AttributeChange(attribute="column order", before=", ".join(common_before), after=", ".join(common_after))


def fingerprint(definitions: Iterable[Definition]) -> str:
    """SHA-256, in hex, of definitions in the order of kind and name.

    Exactly what ``compare`` looks at: kind, name, attributes, column order. Every text goes in with its length before
    it, so that no two sets of texts run together into the same bytes.
    """
    digest = hashlib.sha256()
    for each in definitions:
        texts: list[str | None] = [each.kind, each.name]
        for name, value in each.attributes:
            texts += (name, value)
        texts += each.column_order
        parts = ["-" if text is None else f"{len(text)}:{text}" for text in texts]
        digest.update(f"{len(each.attributes)};{';'.join(parts)}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
