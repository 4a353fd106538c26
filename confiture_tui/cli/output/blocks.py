"""What a record is made of, whatever it is written as: headings, facts, lists, tables, SQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from confiture_tui.cli.output.page import Style
from confiture_tui.service.markdown import code, escaped, fenced
from confiture_tui.terminal import one_line

if TYPE_CHECKING:
    from confiture_tui.cli.output.page import Page


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; ``level`` 1 is the title."""

    text: str
    level: int


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence or some."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values; ``literal``: names of the values that are to be copied as they are."""

    pairs: tuple[tuple[str, str], ...]
    literal: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Items:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below a head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Sql:
    """Statements, as they are."""

    text: str


Block = Heading | Paragraph | Facts | Items | Table | Sql


def as_markdown(blocks: Iterable[Block]) -> str:
    """Blocks as Markdown, in which no text from anywhere is more than text."""
    return "\n".join(_markdown(block) for block in blocks)


def _markdown(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {escaped(text)}\n"
        case Paragraph(text):
            return f"{escaped(text)}\n"
        case Facts(pairs, literal):
            lines = (f"- {escaped(name)}: {code(text) if name in literal else escaped(text)}\n" for name, text in pairs)
            return "".join(lines)
        case Items(items):
            return "".join(f"- {escaped(item)}\n" for item in items)
        case Table(head, rows):
            written = [" | ".join(escaped(cell) for cell in row) for row in (head, *rows)]
            written.insert(1, " | ".join("---" for _ in head))
            return "".join(f"| {line} |\n" for line in written)
        case Sql(text):
            return fenced(text)


def write_blocks(page: Page, blocks: Iterable[Block]) -> None:
    """Blocks as plain text."""
    for block in blocks:
        match block:
            case Heading(text, level):
                page.blank()
                page.line(page.styled(text if level > 1 else text.upper(), Style.TITLE))
            case Paragraph(text):
                page.paragraph(text, indent=2, first="  ")
            case Facts(pairs):
                width = max((len(name) for name, _text in pairs), default=0) + 4
                for name, text in pairs:
                    page.paragraph(text, indent=width, first=f"  {name}")
            case Items(items):
                for item in items:
                    page.paragraph(item, indent=4, first=f"  {page.glyphs.dot}")
            case Table(head, rows):
                _write_table(page, head, rows)
            case Sql(text):
                page.verbatim(text.rstrip().splitlines(), indent=4)
                page.blank()


def _write_table(page: Page, head: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> None:
    """Columns as wide as they must be; the last one is wrapped, or stands below where there is no room for it."""
    lines = [tuple(one_line(cell) for cell in row) for row in (head, *rows)]
    widths = [max(cell_len(row[number]) for row in lines) + 2 for number in range(len(head) - 1)]
    indent = 2 + sum(widths)
    for place, row in enumerate(lines):
        style = Style.QUIET if place == 0 else Style.PLAIN
        first = "  " + "".join(text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=False))
        if indent + 20 <= page.width:
            page.paragraph(row[-1], indent=indent, first=first.rstrip(), style=style)
        else:
            page.line(page.styled(first, style))
            page.paragraph(row[-1], indent=4, style=style)
