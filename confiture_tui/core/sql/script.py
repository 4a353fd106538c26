"""A file of SQL: its text, its pieces, its statements, each with its place and its syntax tree."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.splitter import BYTE_ORDER_MARK, Segment, begins_with_sql, segments
from confiture_tui.core.sql.statement import Piece, PieceKind, Statement, SyntaxProblem
from confiture_tui.core.sql.tags import tag_of, tag_of_words

_SURROGATE = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\ufffd"
NOT_UTF8 = "the text is not UTF-8"
"""The problem of a statement that holds a byte outside UTF-8."""

_EMPTY = frozenset({PieceKind.BLANK, PieceKind.OUTSIDE})
_BLOCK_STARTS = frozenset({"TRANS_STMT_BEGIN", "TRANS_STMT_START"})
_SAVEPOINTS = frozenset({"TRANS_STMT_SAVEPOINT", "TRANS_STMT_RELEASE", "TRANS_STMT_ROLLBACK_TO"})


@dataclass(frozen=True, slots=True)
class MetaCommand:
    r"""A psql meta-command of a script: the text from its backslash on, without the line end, and its 1-based line."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class _Parsed:
    """The parts of a script that need the parser."""

    statements: tuple[Statement, ...]
    wrapper: tuple[Statement, Statement] | None


class Script:
    """A file of SQL, split without loss; immutable, and equal to every script of the same text and marks.

    A tool may keep both directions in one file, or SQL among the code of a program: then only the ``sections`` are the
    script's, each split by itself; the rest is kept as pieces that nobody runs, so that lines and offsets are the
    file's.

    Splitting and parsing happen when something that needs them is first asked for, and once. One statement that
    cannot be parsed carries its ``problem`` and costs none of the others.

    A character that stands for a byte outside UTF-8 (a lone surrogate, as ``errors="surrogateescape"`` makes them)
    becomes U+FFFD in ``text``, and the statement that holds it has a ``problem``: it cannot be what was written.
    """

    __slots__ = ("_first_line", "_parsed", "_sections", "_segments", "_undecodable", "text", "transactional")

    def __init__(
        self,
        text: str,
        *,
        first_line: int = 1,
        sections: Sequence[tuple[int, int]] | None = None,
        transactional: bool | None = None,
    ) -> None:
        """A script.

        Args:
            text: the whole file's.
            first_line: the 1-based line on which the text begins in its file.
            sections: the parts that are the script's, as growing, disjoint pairs of 0-based character offsets; all of
                the text without them.
            transactional: what a mark of its tool says of running it in a transaction; ``None`` without a mark.
        """
        undecodable = () if text.isascii() else tuple(one.start() for one in _SURROGATE.finditer(text))
        self.text = _SURROGATE.sub(_REPLACEMENT, text) if undecodable else text
        self.transactional = transactional
        self._sections = ((0, len(text)),) if sections is None else tuple(sections)
        self._undecodable: tuple[int, ...] = undecodable
        self._first_line = first_line
        self._segments: tuple[Segment, ...] | None = None
        self._parsed: _Parsed | None = None

    @classmethod
    def from_text(cls, text: str, *, first_line: int = 1) -> Script:
        """The script with that text; ``first_line`` is the 1-based line on which it begins in its file."""
        return cls(text, first_line=first_line)

    def part(self, *, sections: Sequence[tuple[int, int]] | None = None, transactional: bool | None = None) -> Script:
        """The script that only these sections of the same file are, or all of it; see the constructor."""
        if sections is None and transactional == self.transactional and self._is_whole:
            return self
        part = Script(self.text, first_line=self._first_line, sections=sections, transactional=transactional)
        part._undecodable = self._undecodable
        return part

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Script):
            return NotImplemented
        return self._identity() == other._identity()

    def _identity(self) -> tuple[object, ...]:
        return (self.text, self._first_line, self._undecodable, self._sections, self.transactional)

    def __hash__(self) -> int:
        return hash((self.text, self._first_line))

    def __repr__(self) -> str:
        return f"<Script of {len(self.text)} characters>"

    @property
    def first_line(self) -> int:
        """The 1-based line of its file on which the script begins."""
        return self._first_line

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The pieces in order; ``"".join(piece.text for piece in script.pieces) == script.text``."""
        return tuple(Piece(one.kind, self.text[one.start : one.stop], one.start) for one in self._split())

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The SQL statements in order, without the wrapper.

        Raises:
            ConfitureError: the parser's library is not installed.
        """
        return self._parse().statements

    @property
    def wrapper(self) -> tuple[Statement, Statement] | None:
        """The BEGIN (or START TRANSACTION) and the COMMIT (or END) around all other statements; ``None`` without them.

        They are in no list of statements and their index is 0. Savepoints may lie between them, nothing else that
        begins or ends a transaction.
        """
        return self._parse().wrapper

    @property
    def is_wrapped(self) -> bool:
        """Whether one BEGIN … COMMIT pair is around the whole file."""
        return self.wrapper is not None

    @property
    def transaction_control(self) -> tuple[Statement, ...]:
        """The statements that begin, end or mark a transaction, without the wrapper; savepoints are among them."""
        return tuple(one for one in self.statements if one.node_kind == "TransactionStmt")

    @property
    def problems(self) -> tuple[Statement, ...]:
        """The statements that could not be parsed."""
        return tuple(one for one in self.statements if one.problem is not None)

    @property
    def meta_commands(self) -> tuple[MetaCommand, ...]:
        """The psql meta-commands, which no server understands."""
        places = _Places(self.text, self._first_line)
        return tuple(
            MetaCommand(self.text[one.start : one.stop].rstrip("\r\n"), places.of(one.start)[0])
            for one in self._split()
            if one.kind is PieceKind.META
        )

    @property
    def sql_size(self) -> int:
        """How many characters its SQL has, without comments between statements and the data of COPY."""
        return sum(one.stop - one.start for one in self._split() if one.kind is PieceKind.SQL)

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing in it but white space and comments. Looks no further than it must."""
        if self._segments is None and self._is_whole and begins_with_sql(self.text):
            return False
        return all(one.kind in _EMPTY for one in self._segments or self._each_segment())

    @property
    def _is_whole(self) -> bool:
        return self._sections == ((0, len(self.text)),)

    def _split(self) -> tuple[Segment, ...]:
        if self._segments is None:
            self._segments = tuple(self._each_segment())
        return self._segments

    def _each_segment(self) -> Iterator[Segment]:
        """The segments of each section, and between them what is not the script's."""
        if self._is_whole:
            yield from segments(self.text)
            return
        end = 0
        for start, stop in self._sections:
            if end < start:
                yield Segment(PieceKind.OUTSIDE, end, start, end, start)
            for one in segments(self.text[start:stop]):
                yield one.moved(start)
            end = stop
        if end < len(self.text):
            yield Segment(PieceKind.OUTSIDE, end, len(self.text), end, len(self.text))

    def _parse(self) -> _Parsed:
        # Two threads that ask at the same time both do the work and get equal results.
        if self._parsed is None:
            self._parsed = _numbered(list(self._each_statement()))
        return self._parsed

    def _each_statement(self) -> Iterator[Statement]:
        places = _Places(self.text, self._first_line)
        undecodable = iter((*self._undecodable, len(self.text)))
        next_undecodable = next(undecodable)
        data = _copy_data(self.text, self._split())
        index = 0
        for segment in self._split():
            if segment.kind is not PieceKind.SQL:
                continue
            index += 1
            line, column = places.of(segment.body_start)
            while next_undecodable < segment.body_start:
                next_undecodable = next(undecodable)
            bad = next_undecodable - segment.body_start if next_undecodable < segment.body_stop else None
            yield _statement(
                index,
                self.text[segment.body_start : segment.body_stop],
                segment.body_start,
                line,
                column,
                bad,
                data.get(segment.start),
            )


class _Places:
    """Lines and columns of growing offsets, each in time linear in the way from the one before."""

    def __init__(self, text: str, first_line: int) -> None:
        self._text = text
        self._line = first_line
        self._line_start = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
        self._offset = 0

    def of(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column, in characters, of an offset not below the one asked before."""
        self._line += self._text.count("\n", self._offset, offset)
        last = self._text.rfind("\n", self._offset, offset)
        if last >= 0:
            self._line_start = last + 1
        self._offset = offset
        return self._line, offset - self._line_start + 1


def _copy_data(text: str, found: tuple[Segment, ...]) -> dict[int, str]:
    """The data of each COPY … FROM stdin, by the offset of its segment, without the end marker."""
    data: dict[int, str] = {}
    waiting: list[Segment] = []
    for segment in found:
        if segment.reads_copy_data:
            waiting.append(segment)
        elif segment.kind is PieceKind.COPY_DATA and waiting:
            lines = text[segment.start : segment.stop]
            data[waiting.pop(0).start] = re.sub(r"(\A|\n)\\\.\r?\n?\Z", r"\1", lines)
    # psql sees the end of the file at once: a COPY with no lines after it reads nothing.
    data.update((segment.start, "") for segment in waiting)
    return data


def _statement(
    index: int, sql: str, offset: int, line: int, column: int, undecodable: int | None, copy_data: str | None
) -> Statement:
    """The statement, its problem placed in the file."""
    tree: tuple[str, dict[str, Any]] | SyntaxProblem
    if undecodable is None:
        tree = parse(sql)
    else:
        before = sql[:undecodable]
        last_line = undecodable - (before.rfind("\n") + 1)
        tree = SyntaxProblem(NOT_UTF8, undecodable + 1, before.count("\n") + 1, last_line + 1)
    if isinstance(tree, SyntaxProblem):
        placed = dataclasses.replace(
            tree, line=line + tree.line - 1, column=tree.column + (column - 1 if tree.line == 1 else 0)
        )
        return Statement(index, sql, offset, line, column, tag_of_words(sql), None, None, placed, copy_data)
    kind, node = tree
    return Statement(index, sql, offset, line, column, tag_of(kind, node), kind, node, None, copy_data)


def _numbered(found: list[Statement]) -> _Parsed:
    """The statements, those inside a wrapper counted without it."""
    wrapper = _wrapper(found)
    if wrapper is None:
        return _Parsed(tuple(found), None)
    begin, *inner, end = found
    return _Parsed(
        tuple(dataclasses.replace(one, index=one.index - 1) for one in inner),
        (dataclasses.replace(begin, index=0), dataclasses.replace(end, index=0)),
    )


def _wrapper(found: list[Statement]) -> tuple[Statement, Statement] | None:
    """The pair of statements around all the others, if there is one."""
    if len(found) < 2 or _transaction_kind(found[0]) not in _BLOCK_STARTS:
        return None
    first, *inner, last = found
    ends = _transaction_kind(last) == "TRANS_STMT_COMMIT" and not (last.node or {}).get("chain")
    marks = {_transaction_kind(one) for one in inner} - {None}
    return (first, last) if ends and marks <= _SAVEPOINTS else None


def _transaction_kind(statement: Statement) -> str | None:
    if statement.node_kind != "TransactionStmt" or statement.node is None:
        return None
    return str(statement.node.get("kind"))
