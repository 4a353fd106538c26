"""A list of rows with one of them chosen: the base of the list of migrations and of the table of statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.message import Message
from textual.reactive import reactive

from confiture_tui.ui.widgets.lines import LinesView

if TYPE_CHECKING:
    from textual.events import Click, Resize
    from textual.style import Style


class RowList(LinesView):
    """Rows of one line each; ``cursor`` is the chosen one. The keys and a click move it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"row--cursor"}

    cursor: reactive[int] = reactive(0, always_update=False)

    class Moved(Message):
        """Another row is chosen."""

        def __init__(self, rows: RowList, index: int) -> None:
            super().__init__()
            self.rows = rows
            self.index = index

        @property
        def control(self) -> RowList:
            """The list."""
            return self.rows

    class Picked(Moved):
        """The chosen row was clicked again."""

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return self.virtual_size.height

    def set_rows(self, count: int, *, cursor: int = 0) -> None:
        """Say how many rows there are now and which one is chosen."""
        self.set_extent(count)
        self.cursor = cursor
        self.refresh()

    def line_style(self, index: int) -> Style:
        """The chosen row stands out."""
        return self.get_visual_style("row--cursor") if index == self.cursor else self.visual_style

    def validate_cursor(self, cursor: int) -> int:
        """Keep it on a row; 0 when there are none."""
        return max(0, min(cursor, self.row_count - 1))

    def watch_cursor(self, cursor: int) -> None:
        """Show the row, and tell."""
        self.show_cursor()
        self.refresh()
        if self.row_count:
            self.post_message(self.Moved(self, cursor))

    def show_cursor(self) -> None:
        """Scroll until the chosen row is in view."""
        height, top = self.size.height, self.scroll_offset.y
        if height <= 0:
            return
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, immediate=True)

    def on_resize(self, _event: Resize) -> None:
        """The chosen row must not be lost below the edge."""
        self.call_after_refresh(self.show_cursor)

    def on_click(self, event: Click) -> None:
        """Choose what was clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        index = offset.y + self.scroll_offset.y
        if index >= self.row_count:
            return
        if index == self.cursor:
            self.post_message(self.Picked(self, index))
        self.cursor = index

    def action_line_down(self) -> None:
        """The next row."""
        self.cursor += 1

    def action_line_up(self) -> None:
        """The row before."""
        self.cursor -= 1

    def action_page_down_lines(self) -> None:
        """A page further."""
        self.cursor += max(self.size.height - 1, 1)

    def action_page_up_lines(self) -> None:
        """A page back."""
        self.cursor -= max(self.size.height - 1, 1)

    def action_first_line(self) -> None:
        """The first row."""
        self.cursor = 0

    def action_last_line(self) -> None:
        """The last row."""
        self.cursor = self.row_count - 1
