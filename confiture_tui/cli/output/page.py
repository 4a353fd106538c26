"""A page of text: lines of styled, safe text, wrapped to a width, with colour or without."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from confiture_tui.terminal import one_line, safe_text, wants_colour

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

_RESET = "\x1b[0m"
_WIDTH_WITHOUT_TERMINAL = 100
_LEAST_WIDTH = 40
NARROW = 80
"""Below this width, in cells, what is a column elsewhere becomes a line of its own."""


class Style(StrEnum):
    """What a piece of text is, and the SGR codes that show it. Words always carry the meaning; colour only helps."""

    PLAIN = ""
    TITLE = "\x1b[1m"
    QUIET = "\x1b[2m"
    GOOD = "\x1b[32m"
    CAREFUL = "\x1b[33m"
    BAD = "\x1b[31m"
    BAD_TITLE = "\x1b[1;31m"
    GOOD_TITLE = "\x1b[1;32m"
    CAREFUL_TITLE = "\x1b[1;33m"


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The few signs that are not letters."""

    good: str
    bad: str
    unsure: str
    bar: str
    dot: str
    cut: str


_UNICODE = Glyphs(good="✓", bad="✗", unsure="?", bar="│", dot="·", cut="…")
_ASCII = Glyphs(good="+", bad="x", unsure="?", bar="|", dot="-", cut="..")


@dataclass
class Page:
    """Collects lines. Everything that comes from files or servers goes through ``safe_text`` here.

    Attributes:
        width: how many cells a line has.
        colour: whether styles become SGR codes.
        glyphs: signs that the output can encode.
    """

    width: int = _WIDTH_WITHOUT_TERMINAL
    colour: bool = False
    glyphs: Glyphs = _UNICODE
    _lines: list[str] = field(default_factory=list)

    @classmethod
    def for_stream(cls, stream: TextIO | None = None) -> Page:
        """A page that fits where ``stream`` (stdout by default) goes."""
        stream = sys.stdout if stream is None else stream
        if stream is None:
            # A program that is started with a closed stdout has none; who writes to it is told.
            return cls()
        fallback = (_WIDTH_WITHOUT_TERMINAL, 24)
        columns = shutil.get_terminal_size(fallback).columns if stream.isatty() or os.environ.get("COLUMNS") else 0
        encoding = (getattr(stream, "encoding", None) or "ascii").lower()
        return cls(
            width=max(columns, _LEAST_WIDTH) if columns else _WIDTH_WITHOUT_TERMINAL,
            colour=wants_colour(stream, os.environ),
            glyphs=_UNICODE if encoding.startswith("utf") else _ASCII,
        )

    @property
    def is_narrow(self) -> bool:
        """Whether columns must become lines."""
        return self.width < NARROW

    def fresh(self) -> Page:
        """An empty page of the same kind."""
        return Page(self.width, self.colour, self.glyphs)

    def text(self) -> str:
        """Everything so far."""
        return "".join(f"{line.rstrip()}\n" for line in self._lines)

    def styled(self, text: str, style: Style = Style.PLAIN) -> str:
        """A piece of a line: made safe, and coloured if this page has colours."""
        safe = one_line(text) if "\n" in text else safe_text(text).replace("\t", " ")
        return f"{style.value}{safe}{_RESET}" if self.colour and style.value and safe.strip() else safe

    def cell(self, text: str, width: int, style: Style = Style.PLAIN, *, right: bool = False) -> str:
        """A piece of a line that is ``width`` cells wide or wider, never cut."""
        safe = safe_text(text).replace("\n", " ").replace("\t", " ")
        padding = " " * max(0, width - cell_len(safe))
        return padding + self.styled(safe, style) if right else self.styled(safe, style) + padding

    def shortened(self, text: str, width: int) -> str:
        """One line of at most ``width`` cells; where it is cut, it ends with a sign for that."""
        line, cut = one_line(text), self.glyphs.cut[:width]
        return line if cell_len(line) <= width else set_cell_size(line, width - len(cut)).rstrip() + cut

    def joined(self, *facts: str) -> str:
        """Facts on one line, a dot between them."""
        return f" {self.glyphs.dot} ".join(fact for fact in facts if fact)

    def line(self, *pieces: str) -> None:
        """A line of pieces made with ``styled`` and ``cell``."""
        self._lines.append("".join(pieces))

    def blank(self) -> None:
        """An empty line, except at the top and after another one."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def paragraph(self, text: str, *, indent: int = 0, first: str = "", style: Style = Style.PLAIN) -> None:
        """Text wrapped to the width, every line indented; ``first`` stands in the indent of the first line."""
        room = max(self.width - indent, 20)
        lead = first + " " * max(indent - cell_len(first), 1 if first.strip() else 0)
        for part in safe_text(text).splitlines() or [""]:
            for wrapped in textwrap.wrap(part, room, break_on_hyphens=False) or [""]:
                self._lines.append(self.styled(lead) + self.styled(wrapped, style))
                lead = " " * indent

    def verbatim(self, lines: Iterable[str], *, indent: int, style: Style = Style.PLAIN) -> None:
        """Lines as they are (tabs become spaces), never wrapped: SQL is to be copied."""
        for text in lines:
            self._lines.append(" " * indent + self.styled(safe_text(text).expandtabs(4), style))
