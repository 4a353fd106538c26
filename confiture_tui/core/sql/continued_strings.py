"""Comments between the parts of a string constant, which the server takes and libpg_query does not.

``'a' -- why`` and ``'b'`` on the next line are one string to the server (documentation, "String Constants"; a comment
counts as white space). libpg_query, whose scanner hands comments on, calls it a syntax error.
"""

from __future__ import annotations

import re

from confiture_tui.core.sql.lexical import (
    CONTINUATION,
    PLAIN_WITHOUT_STRUCTURE,
    QUOTED,
    comment_end,
    dollar_quote_end,
)

_ESCAPE_STRING_PART = re.compile(r"(?>[^'\\]++|\\[\s\S]|'')*+'")
_LINE_COMMENT = re.compile(r"--[^\n\r]*+")


def without_comments_in_strings(sql: str) -> str:
    """``sql`` with spaces in place of such comments; every byte of its UTF-8 stays where it is."""
    parts: list[str] = []
    position, size = 0, len(sql)
    while position < size:
        start = position
        plain = PLAIN_WITHOUT_STRUCTURE.match(sql, position)
        position = plain.end() if plain else position
        parts.append(sql[start:position])
        if position >= size:
            break
        start = position
        mark = sql[position]
        if quoted := QUOTED.match(sql, position):
            position = quoted.end()
            escapes = mark in "eE"
            parts.append(_blanked_escape_string(quoted.group()) if escapes else quoted.group())
            if mark != '"' and (gap := CONTINUATION.match(sql, position)) and not escapes:
                parts.append(_blanked(gap.group()[:-1]))
                position = gap.end() - 1
            continue
        after = comment_end(sql, position, size) if mark in "-/" else dollar_quote_end(sql, position, size)
        position = after or position + 1
        parts.append(sql[start:position])
    return "".join(parts)


def _blanked_escape_string(text: str) -> str:
    parts: list[str] = []
    position = text.index("'") + 1
    start = 0
    while part := _ESCAPE_STRING_PART.match(text, position):
        parts.append(text[start : part.end()])
        start = part.end()
        gap = CONTINUATION.match(text, start)
        if gap is None:
            break
        parts.append(_blanked(gap.group()))
        start = position = gap.end()
    return "".join((*parts, text[start:]))


def _blanked(gap: str) -> str:
    return _LINE_COMMENT.sub(lambda comment: " " * len(comment.group().encode()), gap)
