"""Splitting a script into pieces without loss, by PostgreSQL's lexical rules.

A statement ends at its semicolon, with two exceptions that the grammar itself makes: the actions of a
``CREATE RULE … DO (a; b)`` and the body of a function or procedure in ``BEGIN ATOMIC … END``. What psql adds is
respected as well: meta-commands (``\\connect``) and the data after ``COPY … FROM stdin;``.

Unlike psql, a bracket that is never closed does not swallow the statements after it: outside CREATE RULE no
statement may hold a semicolon in brackets, so that the broken statement ends at its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from confiture_tui.core.sql.lexical import (
    IDENTIFIER,
    PLAIN,
    PLAIN_WITHOUT_WORDS,
    SPACE,
    comment_end,
    dollar_quote_end,
    leading_words,
    skip_blank,
)
from confiture_tui.core.sql.statement import Piece, PieceKind

BYTE_ORDER_MARK = "\ufeff"

_WHOLE_LINE_COMMANDS = re.compile(r"\\(?:!|copy\b|h\b|help\b|ef\b|ev\b|sf\b|sv\b)")
_COPY_META_FROM_STDIN = re.compile(r"\\copy\b.*\bfrom\s+stdin\b", re.IGNORECASE)
_META_ARGUMENTS = re.compile(r"""(?>[^\\'"`\n]++|'(?>[^'\\\n]++|\\[^\n])*+'|"[^"\n]*+"|`[^`\n]*+`|\\(?!\\)|['"`])*+""")
_END_OF_COPY_DATA = re.compile(r"\\\.\r?(?:\n|\Z)")


class Segment(NamedTuple):
    """A piece by its offsets.

    ``start`` to ``stop`` is the whole piece. For SQL, ``body_start`` to ``body_stop`` is the statement itself, without
    the comments and white space around it and without its semicolon; for anything else they equal ``start``, ``stop``.
    ``reads_copy_data`` says that it is a ``COPY … FROM stdin`` whose data follow in the script.
    """

    kind: PieceKind
    start: int
    stop: int
    body_start: int
    body_stop: int
    reads_copy_data: bool = False

    def moved(self, by: int) -> Segment:
        """The same segment in a text that has so many characters more before it."""
        start, stop, body_start, body_stop = (one + by for one in self[1:5])
        return Segment(self.kind, start, stop, body_start, body_stop, self.reads_copy_data)


def split(text: str) -> tuple[Piece, ...]:
    """The pieces of a script, in order: ``"".join(piece.text for piece in split(text)) == text``, always.

    Never raises. A quote or comment that is never closed makes the rest of the text one SQL piece. A lone semicolon is
    a ``BLANK`` piece. Takes time linear in the length of the text.
    """
    return tuple(Piece(one.kind, text[one.start : one.stop], one.start) for one in segments(text))


def segments(text: str) -> Iterator[Segment]:
    """The pieces of ``split`` as offsets, one after the other."""
    position, size = 0, len(text)
    while position < size:
        for segment in _next_segments(text, position, size):
            yield segment
            position = segment.stop
        if not segment.reads_copy_data:
            continue
        # psql runs the COPY at once, reads its data from the next line on, and only then what is left of this line.
        on_next_line = segment.kind is PieceKind.META
        line_end = position if on_next_line else text.find("\n", position) + 1 or size
        owed = 1
        while position < line_end:
            for segment in _next_segments(text, position, line_end):
                yield segment
                position = segment.stop
            owed += segment.reads_copy_data
        while owed and position < size:
            position, start = _end_of_copy_data(text, position), position
            yield Segment(PieceKind.COPY_DATA, start, position, start, position)
            owed -= 1


def begins_with_sql(text: str) -> bool:
    """Whether the first thing in a script, after blanks, is SQL: one that is not blank is known before it is split."""
    size = len(text)
    body = skip_blank(text, len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0, size)
    return body < size and text[body] not in ";\\"


def _next_segments(text: str, start: int, stop: int) -> Iterator[Segment]:
    """What stands at ``start``: one segment, or blanks and then a meta-command."""
    after_mark = start + 1 if start == 0 and text.startswith(BYTE_ORDER_MARK) else start
    body = skip_blank(text, after_mark, stop)
    if body >= stop or text[body] == ";":
        end = min(body + 1, stop)
        yield Segment(PieceKind.BLANK, start, end, start, end)
    elif text[body] == "\\":
        if body > start:
            yield Segment(PieceKind.BLANK, start, body, start, body)
        end = _end_of_meta_command(text, body, stop)
        reads = _COPY_META_FROM_STDIN.match(text, body, end) is not None
        yield Segment(PieceKind.META, body, end, body, end, reads)
    else:
        yield _statement(text, start, body, stop)


def _end_of_meta_command(text: str, start: int, stop: int) -> int:
    r"""Where the meta-command at ``start`` ends: its line, or ``\\``, which separates it from SQL on the same line."""
    if text.startswith(("\\;", "\\\\"), start, stop):
        return start + 2
    line_end = text.find("\n", start, stop) + 1 or stop
    if not _WHOLE_LINE_COMMANDS.match(text, start, line_end):
        arguments = _META_ARGUMENTS.match(text, start + 1, line_end)
        end = arguments.end() if arguments else line_end
        if text.startswith("\\\\", end, line_end):
            return end + 2
    return line_end


def _end_of_copy_data(text: str, start: int) -> int:
    r"""The offset after the line ``\.``, or the end of the text."""
    for mark in _END_OF_COPY_DATA.finditer(text, start):
        if mark.start() == start or text[mark.start() - 1] == "\n":
            return mark.end()
    return len(text)


class _Form:
    """What decides where one statement ends: whether it is one of the few with semicolons or data of its own."""

    __slots__ = ("_blocks", "_depth", "_kind", "_previous", "reads_stdin")

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._depth = 0
        self._blocks = 0
        self._previous = ""
        self.reads_stdin = False

    @classmethod
    def of(cls, text: str, start: int, stop: int) -> _Form | None:
        """The form of the statement at ``start``; ``None`` for one that simply ends at its semicolon."""
        words = leading_words(text, start, stop)
        match next(words, ""):
            case "copy":
                return cls("copy")
            case "create":
                word = next(words, "")
                if word == "or" and next(words, "") == "replace":
                    word = next(words, "")
                if word in ("function", "procedure"):
                    return cls("routine")
                if word == "rule":
                    return cls("rule")
        return None

    def word(self, word: str) -> None:
        """Take note of a word, in lower case."""
        if self._depth == 0:
            if self._kind == "copy":
                self.reads_stdin = self.reads_stdin or (word == "stdin" and self._previous == "from")
            elif self._kind == "routine":
                if word == "atomic" and self._previous == "begin":
                    self._blocks += 1
                    word = ";"
                elif word == "end" and self._previous == ";" and self._blocks:
                    # Every statement of such a body has its semicolon, so only the block's own END follows one;
                    # the END of a CASE never does.
                    self._blocks -= 1
        self._previous = word

    def other(self) -> None:
        """Take note of something that is no word: a number, a string, an operator."""
        self._previous = ""

    def bracket(self, mark: str) -> None:
        """Take note of ``(`` or ``)``."""
        self._depth = self._depth + 1 if mark == "(" else max(0, self._depth - 1)
        self._previous = ""

    def ends_here(self) -> bool:
        """Whether the semicolon that has just been reached ends the statement."""
        if self._kind == "rule":
            return self._depth == 0
        if self._blocks:
            self._previous, self._depth = ";", 0
            return False
        return True


def _statement(text: str, start: int, body: int, stop: int) -> Segment:
    """The SQL statement that begins at ``body``, with all that lies before it from ``start`` on."""
    form = _Form.of(text, body, stop)
    plain = PLAIN if form is None else PLAIN_WITHOUT_WORDS
    position = body
    trailing: int | None = None  # where the comments begin after which nothing has come yet
    while True:
        passed = plain.match(text, position, stop)
        end = passed.end() if passed else position
        if end > position and text[position:end].strip(SPACE):
            trailing = None
            if form is not None:
                form.other()
        position = end
        if position >= stop:
            return _sql(text, start, body, trailing, stop, stop, form)
        mark = text[position]
        if mark == ";":
            if form is None or form.ends_here():
                return _sql(text, start, body, trailing, position, position + 1, form)
            position += 1
        elif mark == "\\":
            return _sql(text, start, body, trailing, position, position, None)
        elif mark in "-/" and (after := comment_end(text, position, stop)) is not None:
            trailing = position if trailing is None else trailing
            position = after
            continue
        elif form is not None and mark in "()":
            form.bracket(mark)
            position += 1
        elif form is not None and (word := _bare_word(text, position, stop)) is not None:
            form.word(word.group().lower())
            position = word.end()
        else:
            position = dollar_quote_end(text, position, stop) or stop
            if form is not None:
                form.other()
        trailing = None


def _bare_word(text: str, start: int, stop: int) -> re.Match[str] | None:
    """The word at ``start``; ``None`` where an ``E'…'`` that is never closed begins."""
    if text[start] in "eE" and text.startswith("'", start + 1, stop):
        return None
    return IDENTIFIER.match(text, start, stop)


def _sql(
    text: str, start: int, body: int, trailing: int | None, body_stop: int, stop: int, form: _Form | None
) -> Segment:
    end = body_stop if trailing is None else trailing
    while end > body and text[end - 1] in SPACE:
        end -= 1
    closed = stop > body_stop
    return Segment(PieceKind.SQL, start, stop, body, end, closed and form is not None and form.reads_stdin)
