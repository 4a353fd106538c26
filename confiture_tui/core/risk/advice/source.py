"""The user's own text, cut where the syntax tree says.

Safe rewrites repeat the user's expressions, types and options as they were written. The tree tells where each part
begins (in bytes); where it ends, the next part or the lexical rules tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from confiture_tui.core.risk.advice.tree import nodes_of
from confiture_tui.core.sql.lexical import IDENTIFIER, QUOTED, TOKEN, comment_end, dollar_quote_end, skip_blank
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ColumnText:
    """A column definition, in parts.

    Attributes:
        name: as written.
        type: with COLLATE, STORAGE and COMPRESSION, as written.
        constraints: each constraint's node and its text as written, in order, with what follows it (DEFERRABLE, …).
    """

    name: str
    type: str
    constraints: tuple[tuple[Node, str], ...]


class Source:
    """The text of one statement."""

    __slots__ = ("_bytes", "sql")

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self._bytes = None if self.sql.isascii() else self.sql.encode()

    def offset(self, location: int) -> int:
        """The character offset of a ``location`` of the tree, which counts bytes."""
        return location if self._bytes is None else len(self._bytes[:location].decode(errors="ignore"))

    def name_end(self, start: int) -> int:
        """The offset after the possibly qualified name that begins at ``start``."""
        position = end = start
        while True:
            position = _part_end(self.sql, position)
            end = position
            position = skip_blank(self.sql, position, len(self.sql))
            if not self.sql.startswith(".", position):
                return end
            position = skip_blank(self.sql, position + 1, len(self.sql))

    def commands(self, node: Node) -> tuple[tuple[int, int], ...]:
        """From where to where each sub-command of an ALTER TABLE goes; empty when it cannot be told."""
        location = node.get("relation", {}).get("location")
        if location is None:
            return ()
        start = self.name_end(self.offset(location))
        start = skip_blank(self.sql, start, len(self.sql))
        if self.sql.startswith("*", start):
            start += 1
        if (bracket := self.sql[start : start + 1]) == ")":  # ALTER TABLE ONLY (name)
            start += len(bracket)
        found = tuple(self.split(start, len(self.sql)))
        return found if len(found) == len(node.get("cmds", ())) else ()

    def split(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """The parts between commas outside brackets, without the blanks and comments around them."""
        depth, begin = 0, start
        first: int | None = None
        last = start
        for position, token in self.tokens(start, stop):
            if token == "," and depth == 0:
                yield (begin, begin) if first is None else (first, last)
                begin, first = position + 1, None
                continue
            if token in "([":
                depth += 1
            elif token in ")]":
                depth -= 1
            first = position if first is None else first
            last = position + len(token)
        yield (begin, begin) if first is None else (first, last)

    def word(self, wanted: str, start: int, stop: int) -> int | None:
        """The offset of the first such key word (lower case) outside brackets; ``None`` without."""
        depth = 0
        for position, token in self.tokens(start, stop):
            if token in "([":
                depth += 1
            elif token in ")]":
                depth -= 1
            elif depth == 0 and token.lower() == wanted:
                return position
        return None

    def tokens(self, start: int, stop: int) -> Iterator[tuple[int, str]]:
        """Offset and text of every word, quoted thing and single other character; comments and blanks left out."""
        sql, position = self.sql, start
        while True:
            if (found := TOKEN.match(sql, position, stop)) is not None:
                yield found.start(1), found.group(1)
                position = found.end()
                continue
            position = skip_blank(sql, position, stop)
            if position >= stop:
                return
            end = self._token_end(position, stop)
            yield position, sql[position:end]
            position = end

    def trim(self, start: int, stop: int) -> tuple[int, int]:
        """The same part without blanks and comments at its ends."""
        first, last = stop, start
        for position, token in self.tokens(start, stop):
            first = min(first, position)
            last = position + len(token)
        return (first, last) if first < last else (start, start)

    def part(self, start: int, stop: int) -> str:
        """The text of a part, without blanks and comments at its ends."""
        begin, end = self.trim(start, stop)
        return self.sql[begin:end]

    def column(self, definition: Node, stop: int) -> ColumnText | None:
        """A column definition's parts; ``stop`` is where its sub-command ends. ``None`` when it has no places."""
        type_location = definition.get("typeName", {}).get("location")
        location = definition.get("location")
        if location is None or type_location is None:
            return None
        constraints = [one["Constraint"] for one in definition.get("constraints", ())]
        if any("location" not in one for one in constraints):
            return None
        constraints.sort(key=lambda one: one["location"])
        starts = [self.offset(one["location"]) for one in constraints]
        ends = [*starts[1:], stop][: len(starts)]
        type_start = self.offset(type_location)
        name_start = self.offset(location)
        texts: list[tuple[Node, str]] = []
        for one, begin, end in zip(constraints, starts, ends, strict=True):
            text = self.part(begin, end)
            if texts and str(one.get("contype", "")).startswith("CONSTR_ATTR_"):
                texts[-1] = (texts[-1][0], f"{texts[-1][1]} {text}")
            else:
                texts.append((one, text))
        return ColumnText(
            self.sql[name_start : _part_end(self.sql, name_start)],
            self.part(type_start, starts[0] if starts else stop),
            tuple(texts),
        )

    def _token_end(self, position: int, stop: int) -> int:
        if quoted := QUOTED.match(self.sql, position, stop):
            return quoted.end()
        if (end := dollar_quote_end(self.sql, position, stop)) is not None:
            return end
        if word := IDENTIFIER.match(self.sql, position, stop):
            return word.end()
        if (end := comment_end(self.sql, position, stop)) is not None:
            return end
        return position + 1


def _part_end(sql: str, start: int) -> int:
    """The offset after the identifier, quoted or not, at ``start``."""
    if sql.startswith(('U&"', 'u&"'), start):
        start += 2
    if sql.startswith('"', start):
        position = start + 1
        while (position := sql.find('"', position)) >= 0:
            if not sql.startswith('""', position):
                return position + 1
            position += 2
        return len(sql)
    word = IDENTIFIER.match(sql, start)
    return word.end() if word else start


def words_of(sql: str) -> Iterator[str]:
    """Every word and double-quoted identifier of a text; strings and comments are passed over."""
    for _, token in Source(sql).tokens(0, len(sql)):
        if token[0] == '"' or IDENTIFIER.match(token):
            yield token


def with_columns(expression: str, write: Callable[[str], str | None]) -> str | None:
    """An expression with its column references written anew.

    Args:
        expression: SQL without sub-selects.
        write: gives for a column's bare name the text to put in place of the reference; ``None`` to leave it.

    Returns:
        ``None`` when the expression cannot be read.
    """
    prefix = "SELECT ("
    sql = f"{prefix}{expression}\n)"
    tree = parse(sql)
    if isinstance(tree, SyntaxProblem):
        return None
    source = Source(sql)
    places: list[tuple[int, int, str]] = []
    for reference in nodes_of(tree[1], "ColumnRef"):
        fields = [one.get("String", {}).get("sval") for one in reference.get("fields", ())]
        if not fields or fields[-1] is None or any(True for _ in nodes_of(tree[1], "SubLink")):
            return None
        text = write(fields[-1])
        if text is not None:
            start = source.offset(reference.get("location", 0))
            places.append((start, source.name_end(start), text))
    for start, end, text in sorted(places, reverse=True):
        sql = sql[:start] + text + sql[end:]
    return sql[len(prefix) : -2]
