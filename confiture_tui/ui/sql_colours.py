"""Where the colours of SQL begin and end, line by line. Imports pygments: import this only when it is needed."""

from __future__ import annotations

from typing import TypeAlias

from pygments.lexers.sql import PostgresLexer
from pygments.token import Comment, Keyword, Literal, Name, Number, Operator, String, Token, _TokenType

LineColours: TypeAlias = list[list[tuple[int, int, str]]]
"""For each line its coloured stretches: first character, the one after the last, style."""

# More special kinds before the general ones that hold them.
_STYLES: tuple[tuple[_TokenType, str], ...] = (
    (Comment, ".sql-comment"),
    (String, ".sql-string"),
    (Number, ".sql-number"),
    (Literal, ".sql-string"),
    (Name.Builtin, ".sql-type"),
    (Keyword.Type, ".sql-type"),
    (Keyword, ".sql-keyword"),
    (Operator, ".sql-operator"),
)


def _style_of(kind: _TokenType, known: dict[_TokenType, str | None]) -> str | None:
    if kind not in known:
        # Quoted identifiers are names, not text, although pygments files them under String.
        found = next((name for one, name in _STYLES if kind[: len(one)] == one), None)
        known[kind] = None if kind is String.Name else found
    return known[kind]


def colours_by_line(text: str) -> LineColours:
    """The coloured stretches of each line of ``text``, which holds no carriage returns."""
    known: dict[_TokenType, str | None] = {Token.Text: None}
    lines: LineColours = [[]]
    column = 0
    for kind, value in PostgresLexer(stripnl=False, ensurenl=False).get_tokens(text):
        style = _style_of(kind, known)
        # The lexer takes the dot of a qualified name for a number.
        if value == ".":
            style = None
        pieces = value.split("\n")
        for number, piece in enumerate(pieces):
            if number:
                lines.append([])
                column = 0
            if piece:
                if style is not None:
                    lines[-1].append((column, column + len(piece), style))
                column += len(piece)
    return lines
