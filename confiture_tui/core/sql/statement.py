"""A script, split without loss into pieces, and its statements.

``"".join(piece.text for piece in script.pieces) == script.text`` always holds, whatever the file contains.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from confiture_tui.core.records import quickly_made


class PieceKind(StrEnum):
    """What a piece of a script is."""

    SQL = "sql"
    """One SQL statement with the comments and white space before it and its semicolon."""
    META = "meta"
    """A psql meta-command (``\\connect …``): psql's, not the server's."""
    COPY_DATA = "copy_data"
    """The lines after ``COPY … FROM stdin;`` up to and with ``\\.``."""
    BLANK = "blank"
    """White space and comments only, or a lone semicolon."""
    OUTSIDE = "outside"
    """What stands in the file and is not this script's: the way back, for instance."""


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """Why a statement could not be parsed: message, 1-based character position in the statement, line, column."""

    message: str
    position: int
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A contiguous part of a script: its kind, its exact text, and where it starts (0-based character offset)."""

    kind: PieceKind
    text: str
    offset: int


@quickly_made
@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement of a script.

    Attributes:
        index: 1-based position among the script's statements.
        sql: its text without leading comments, white space and the closing semicolon.
        offset: 0-based character offset of ``sql`` in the script's text.
        line: 1-based line of its first word.
        column: 1-based column, in characters, of its first word.
        tag: PostgreSQL's command tag (``ALTER TABLE``); its leading key words when it could not be parsed.
        node_kind: the syntax tree's top node, ``AlterTableStmt`` for example; ``None`` when it could not be parsed.
        node: that node's fields, as libpg_query writes them; ``None`` when it could not be parsed.
        problem: why it could not be parsed; ``None`` when it could.
        copy_data: the data lines of a ``COPY … FROM stdin``, without the end marker; ``None`` for anything else.
    """

    index: int
    sql: str
    offset: int
    line: int
    column: int
    tag: str
    node_kind: str | None
    node: dict[str, Any] | None = field(default=None, repr=False, compare=False)
    problem: SyntaxProblem | None = None
    copy_data: str | None = field(default=None, repr=False)
