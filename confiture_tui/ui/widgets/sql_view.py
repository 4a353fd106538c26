"""The SQL of a migration, with line numbers, colours, and the chosen statement marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from textual import work
from textual.content import Content, Span
from textual.message import Message

from confiture_tui.ui.background import in_background
from confiture_tui.ui.safe_text import safe_text
from confiture_tui.ui.widgets.lines import LinesView

if TYPE_CHECKING:
    from textual.events import Click, Resize
    from textual.style import Style

    from confiture_tui.ui.sql_colours import LineColours

_TAB: Final = 4
_LONGEST_LINE: Final = 5_000
"""Characters of a line that are drawn: a data line of a megabyte must not stall the screen."""
_COLOUR_LIMIT: Final = 2_000_000
"""Characters above which a file is shown without colours: half a minute of a core for no gain."""


class SqlView(LinesView):
    """A file's text; lines too long for the view go on below.

    Showing it never waits: the colours come later, once there is somebody to see them.

    One line is the cursor's: the keys and a click move it, and it goes where a statement is marked.
    """

    class Moved(Message):
        """The cursor is on another line, counted from 1."""

        def __init__(self, line: int) -> None:
            super().__init__()
            self.line = line

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "sql--number",
        "sql--marked",
        "sql--cursor",
        "sql--marked-number",
        "sql-keyword",
        "sql-type",
        "sql-string",
        "sql-number",
        "sql-comment",
        "sql-operator",
    }

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._source: str | None = None
        self._lines: list[str] = []
        self._colours: LineColours = []
        self._rows: list[tuple[int, int, int]] = []  # line, first character, the one after the last
        self._first_rows: list[int] = []  # of each line
        self._laid_out_in = -1
        self._marked = range(0)
        self._cursor = 0
        self._bring_mark = False
        self._gutter = 0
        self._colourless = False
        """The text has no colours yet, and nobody has asked for them."""

    @property
    def lines_shown(self) -> list[str]:
        """The lines as they are drawn: safe, tabs expanded."""
        return self._lines

    @property
    def is_coloured(self) -> bool:
        """Whether the colours have come."""
        return bool(self._colours)

    def show(self, text: str) -> None:
        """Show a file's text from its first line. The same text again changes nothing."""
        if text == self._source:
            return
        self._source = text
        shown = safe_text(text.replace("\r\n", "\n")).expandtabs(_TAB)
        self._lines = [
            line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} … {len(line) - _LONGEST_LINE} more"
            for line in shown.split("\n")
        ]
        if len(self._lines) > 1 and not self._lines[-1]:
            self._lines.pop()
        self._colours = []
        self._marked = range(0)
        self._cursor = 0
        self._gutter = len(str(len(self._lines))) + 2
        self._colourless = len(shown) <= _COLOUR_LIMIT
        self._lay_out()
        self.scroll_to(y=0, animate=False, immediate=True)

    def _lay_out(self) -> None:
        """Break the lines to the width of the view; a hidden view, which has none, keeps them whole."""
        # A cell is left for the scrollbar, so that its coming does not change where lines break.
        self._laid_out_in = self.size.width
        width = self._laid_out_in - self._gutter - 1
        self._rows, self._first_rows = [], []
        for number, line in enumerate(self._lines):
            self._first_rows.append(len(self._rows))
            self._rows += [(number, start, end) for start, end in break_line(line, width)]
        self.set_extent(len(self._rows))
        if self._colourless and self._laid_out_in:
            self._colourless = False
            self._colour("\n".join(self._lines))

    @work(group="colours", exclusive=True)
    async def _colour(self, text: str) -> None:
        source = self._source
        colours = await in_background(lambda: _colours_of(text))
        # A view that was hidden meanwhile may have been given another text, whose colours nobody has asked for yet.
        if source == self._source:
            self._colours = colours
            self.refresh()

    def mark(self, first_line: int, last_line: int) -> None:
        """Mark these lines, counted from 1, and bring them into view."""
        marked = range(first_line - 1, last_line)
        if marked == self._marked:
            return
        self._marked = marked
        if not self.has_focus:
            # Whoever moves the cursor is not to be moved by what it marks.
            self._cursor = max(marked.start, 0)
            self._bring_mark = True
        self.refresh()
        self.call_after_refresh(self._show_mark)

    def on_resize(self, _event: Resize) -> None:
        """Break the lines anew. A view that was hidden until now has yet to bring the mark into view."""
        if self.size.width != self._laid_out_in:
            self._lay_out()
        self.call_after_refresh(self._show_mark)

    def _show_mark(self) -> None:
        height, top = self.size.height, self.scroll_offset.y
        if not self._bring_mark or not self._marked or height <= 0:
            return
        self._bring_mark = False
        first = self._first_rows[min(self._marked.start, len(self._lines) - 1)]
        after = self._first_rows[self._marked.stop] if self._marked.stop < len(self._lines) else len(self._rows)
        if first < top or after > top + height:
            self.scroll_to(y=max(first - 2, 0), animate=False, immediate=True)

    def line_style(self, index: int) -> Style:
        """The chosen statement stands out, and within it the cursor where the keys move it."""
        line = self._rows[index][0]
        if line == self._cursor and self.has_focus:
            return self.get_visual_style("sql--cursor")
        return self.get_visual_style("sql--marked") if line in self._marked else self.visual_style

    # The cursor

    def _move_to(self, line: int) -> None:
        line = max(0, min(line, len(self._lines) - 1))
        if line == self._cursor:
            return
        self._cursor = line
        first = self._first_rows[line]
        after = self._first_rows[line + 1] if line + 1 < len(self._lines) else len(self._rows)
        height, top = self.size.height, self.scroll_offset.y
        if first < top:
            self.scroll_to(y=first, animate=False, immediate=True)
        elif after > top + height:
            self.scroll_to(y=after - height, animate=False, immediate=True)
        self.refresh()
        self.post_message(self.Moved(line + 1))

    def _page(self) -> int:
        return max(self.size.height - 1, 1)

    def action_line_down(self) -> None:
        """The next line."""
        self._move_to(self._cursor + 1)

    def action_line_up(self) -> None:
        """The line before."""
        self._move_to(self._cursor - 1)

    def action_page_down_lines(self) -> None:
        """A page further."""
        self._move_to(self._cursor + self._page())

    def action_page_up_lines(self) -> None:
        """A page back."""
        self._move_to(self._cursor - self._page())

    def action_first_line(self) -> None:
        """The first line."""
        self._move_to(0)

    def action_last_line(self) -> None:
        """The last line."""
        self._move_to(len(self._lines) - 1)

    def on_click(self, event: Click) -> None:
        """To the line that was clicked."""
        offset = event.get_content_offset(self)
        row = offset.y + self.scroll_offset.y if offset is not None else len(self._rows)
        if row < len(self._rows):
            self._move_to(self._rows[row][0])

    def line_content(self, index: int, width: int) -> Content | None:
        """One line, or what of it fits, with its number."""
        line, start, end = self._rows[index]
        number = f"{line + 1:>{self._gutter - 1}} " if start == 0 else " " * self._gutter
        spans = [Span(0, len(number), ".sql--marked-number" if line in self._marked else ".sql--number")]
        if line < len(self._colours):
            shift = len(number) - start
            spans += [
                Span(max(first, start) + shift, min(after, end) + shift, style)
                for first, after, style in self._colours[line]
                if first < end and after > start
            ]
        return Content(number + self._lines[line][start:end], spans)


def _colours_of(text: str) -> LineColours:
    """The colours of a text: here, so that the lexer is loaded on a thread that nobody waits for."""
    from confiture_tui.ui.sql_colours import colours_by_line

    return colours_by_line(text)


def break_line(line: str, width: int) -> list[tuple[int, int]]:
    """Where to break a line into pieces of at most ``width`` cells: first character, the one after the last."""
    if width < 1 or (line.isascii() and len(line) <= width):
        return [(0, len(line))]
    pieces: list[tuple[int, int]] = []
    start = cells = 0
    for position, character in enumerate(line):
        size = 1 if character.isascii() else cell_len(character)
        if cells + size > width and position > start:
            # After a space, where there is one in the second half; SQL has words too long for a narrow view.
            space = line.rfind(" ", (start + position) // 2, position)
            cut = space + 1 if space > 0 else position
            pieces.append((start, cut))
            start, cells = cut, cell_len(line[cut:position])
        cells += size
    return [*pieces, (start, len(line))]
