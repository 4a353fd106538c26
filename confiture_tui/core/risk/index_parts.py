"""What a unique index is on: columns, expressions and a condition, as they were written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from confiture_tui.core.risk.advice.source import Source

if TYPE_CHECKING:
    from confiture_tui.core.risk.tables import Node


class IndexParts(NamedTuple):
    """The keys, each a column's name (``name`` given) or an expression's text, and the condition, ``None`` without."""

    keys: tuple[tuple[str | None, str], ...]
    condition: str | None


_ORDER = frozenset({"asc", "desc", "nulls", "first", "last"})


def index_parts(sql: str, node: Node) -> IndexParts | None:
    """The parts of a CREATE INDEX; ``None`` where a key has a collation or an operator class, or the text is not clear.

    Args:
        sql: the statement.
        node: its ``IndexStmt``.
    """
    elements = [each.get("IndexElem", {}) for each in node.get("indexParams", ())]
    if any({"collation", "opclass"} & each.keys() for each in elements):
        return None
    source, location = Source(sql), node.get("relation", {}).get("location")
    brackets = None if location is None else _brackets(source, source.name_end(source.offset(location)))
    if brackets is None:
        return None
    start, stop = brackets
    written = [_without_order(source, *part) for part in source.split(start, stop)]
    if len(written) != len(elements):
        return None
    keys = tuple((each.get("name"), text) for each, text in zip(elements, written, strict=True))
    if "whereClause" not in node:
        return IndexParts(keys, None)
    place = source.word("where", stop + 1, len(sql))
    return None if place is None else IndexParts(keys, source.part(place + len("where"), len(sql)).rstrip("; \t\r\n"))


def _brackets(source: Source, start: int) -> tuple[int, int] | None:
    """From where to where the first brackets go, without them."""
    depth, opened = 0, 0
    for position, token in source.tokens(start, len(source.sql)):
        if token in "([":
            opened = position + 1 if depth == 0 else opened
            depth += 1
        elif token in ")]":
            depth -= 1
            if depth == 0:
                return opened, position
    return None


def _without_order(source: Source, start: int, stop: int) -> str:
    """A key without ASC, DESC and NULLS FIRST at its end."""
    end = start
    for position, token in source.tokens(start, stop):
        if token.lower() not in _ORDER:
            end = position + len(token)
    return source.sql[start:end]
