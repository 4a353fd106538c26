"""PostgreSQL's lexical rules, as far as they decide where a statement ends.

Source: PostgreSQL documentation, "Lexical Structure" (identifiers, string constants with their continuation over
lines, dollar quoting, nested comments), checked against the parser itself in the tests. Plain strings follow
``standard_conforming_strings = on``, the default since PostgreSQL 9.1: only ``E'…'`` knows backslashes.

Every repetition in the patterns is possessive: none can backtrack, so each takes time linear in what it reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

SPACE = " \t\n\r\f\v"
"""PostgreSQL's white space. A no-break space is none: to the server it is a letter."""

_ASCII = "".join(map(chr, range(128)))
_ASCII_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
_DIGITS = "0123456789"
_SPECIAL = "'\"$;\\/-"


def _set(characters: str) -> str:
    """The inside of a ``[…]`` of a pattern."""
    return "".join(f"\\x{ord(one):02x}" for one in characters)


def _ascii_without(characters: str) -> str:
    """All other ASCII characters, as the inside of a ``[…]``.

    Every character beyond ASCII counts as a letter. The sets are written by their ASCII part, negated where need be:
    ranges up to the end of Unicode would take a tenth of a second to compile.
    """
    return _set("".join(one for one in _ASCII if one not in characters))


_LETTER = f"[^{_ascii_without(_ASCII_LETTERS)}]"
_LETTERS_DIGITS = f"[^{_ascii_without(_ASCII_LETTERS + _DIGITS)}]*+"
_IDENTIFIER = f"{_LETTER}[^{_ascii_without(_ASCII_LETTERS + _DIGITS + '$')}]*+"
_WORD = f"(?![eE]'){_IDENTIFIER}"
_NUMBER = rf"[0-9]++(?:{_IDENTIFIER})?+"
_PARAMETER = rf"\$[0-9]++(?:{_IDENTIFIER})?+"
_DOLLAR_TAG = rf"\$(?:{_LETTER}{_LETTERS_DIGITS})?+\$"
_LINE_COMMENT = r"--[^\n\r]*+"

# A string goes on when nothing but white space with a line end in it (and comments) lies before the next quote.
_CONTINUED = r"(?>[ \t\f\v]|--[^\n\r]*+)*+[\n\r](?>[ \t\n\r\f\v]|--[^\n\r]*+[\n\r])*+'"
_ESCAPE_STRING = rf"[eE]'(?>[^'\\]++|\\[\s\S]|'(?>'|{_CONTINUED}))*+'"

# A doubled quote needs no rule of its own: 'a''b' reads as two strings side by side and ends at the same place.
_QUOTED = rf"""'[^']*+'|"[^"]*+"|{_ESCAPE_STRING}"""
_PUNCTUATION = rf"-(?!-)|/(?!\*)|{_PARAMETER}|(?!{_DOLLAR_TAG})\$"


def _run(stops: str, *others: str) -> re.Pattern[str]:
    """A run of white space, operators and numbers, and of the other patterns, up to what none of them can begin with.

    It always stops at ``;``, a backslash, a comment, a dollar quote and a quote that is never closed, and at ``stops``.
    """
    simple = f"[{_ascii_without(_ASCII_LETTERS + _DIGITS + _SPECIAL + stops)}]++"
    return re.compile(f"(?>{'|'.join((simple, *others, _NUMBER, _PUNCTUATION))})*+")


IDENTIFIER = re.compile(_IDENTIFIER)
CONTINUATION = re.compile(_CONTINUED)
"""What may lie between two parts of one string constant, with the opening quote of the second."""
DOLLAR_TAG = re.compile(_DOLLAR_TAG)
LINE_COMMENT = re.compile(_LINE_COMMENT)
BLANKS = re.compile(rf"(?>[{SPACE}]++|{_LINE_COMMENT})*+")
BLOCK_COMMENT_MARK = re.compile(r"/\*|\*/")

PLAIN = _run("", _WORD, _QUOTED)
"""All that can be passed over where only ``;`` ends a statement."""

PLAIN_WITHOUT_WORDS = _run("()", _QUOTED)
"""The same, but it stops at words and round brackets too."""

PLAIN_WITHOUT_STRUCTURE = _run(",()[]", _WORD)
"""Words, numbers, operators and white space: it stops at all quotes, commas and brackets."""

QUOTED = re.compile(_QUOTED)

TOKEN = re.compile(rf"(?>[{SPACE}]++|{_LINE_COMMENT})*+({_QUOTED}|{_IDENTIFIER}|[^'\"$/])")
"""White space and line comments, and what comes after them: a quoted thing, a word, or one other character.

It matches nothing before a block comment, a dollar quote, a quote that is never closed, or what may be one of them.
"""


def dollar_quote_end(text: str, start: int, stop: int) -> int | None:
    """The offset after the dollar quote that begins at ``start``; ``None`` if there is none or it never ends."""
    tag = DOLLAR_TAG.match(text, start, stop)
    if tag is None:
        return None
    close = text.find(tag.group(), tag.end(), stop)
    return None if close < 0 else close + len(tag.group())


def comment_end(text: str, start: int, stop: int) -> int | None:
    """The offset after the comment that begins at ``start``; ``None`` if there is none or it never ends."""
    if text.startswith("/*", start, stop):
        return block_comment_end(text, start, stop)
    line = LINE_COMMENT.match(text, start, stop)
    return None if line is None else line.end()


def block_comment_end(text: str, start: int, stop: int) -> int | None:
    """The offset after the ``/* … */`` that begins at ``start``, comments in it included; ``None`` if it never ends."""
    depth = 0
    for mark in BLOCK_COMMENT_MARK.finditer(text, start, stop):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return mark.end()
    return None


def skip_blank(text: str, start: int, stop: int) -> int:
    """The offset of the first thing from ``start`` on that is neither white space nor a (closed) comment."""
    position = start
    while True:
        blanks = BLANKS.match(text, position, stop)
        position = blanks.end() if blanks else position
        if not text.startswith("/*", position, stop):
            return position
        end = block_comment_end(text, position, stop)
        if end is None:
            return position
        position = end


def leading_words(text: str, start: int, stop: int) -> Iterator[str]:
    """The words that a statement begins with, in lower case, up to the first thing that is no word."""
    position = start
    while word := IDENTIFIER.match(text, position, stop):
        yield word.group().lower()
        position = skip_blank(text, word.end(), stop)
