"""The lines of the log at full height: one of them is chosen, and those around what passes a filter are quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.message import Message

from confiture_tui.ui.presenters.log_line import log_line
from confiture_tui.ui.widgets.log_view import LogView

if TYPE_CHECKING:
    from textual.content import Content
    from textual.events import Click
    from textual.style import Style

    from confiture_tui.events import Event
    from confiture_tui.ui.filtered_log import FilteredLog
    from confiture_tui.ui.glyphs import Glyphs


class LogLines(LogView):
    """What a filter lets through of the log, with a chosen line: the last one while the view follows."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"row--cursor"}

    class Chosen(Message):
        """Another line is chosen."""

    class Picked(Message):
        """The chosen line was clicked again."""

    def __init__(self, shown: FilteredLog, glyphs: Glyphs) -> None:
        super().__init__(shown, glyphs)
        self._shown = shown
        self._serial = 0
        self._settling = False

    @property
    def cursor(self) -> int:
        """The number of the chosen line; -1 when there are none."""
        if not len(self._shown):
            return -1
        return self._shown.end - 1 if self.follow else self._shown.number_of(self._serial)

    @property
    def chosen(self) -> Event | None:
        """The event of the chosen line."""
        return self._shown[self.cursor] if len(self._shown) else None

    def stay(self) -> None:
        """Keep the chosen line chosen, whatever comes."""
        if len(self._shown):
            self._serial = self._shown.serial(self.cursor)
            self.follow = False

    def choose(self, number: int) -> None:
        """Choose this line, or the nearest there is; the last one follows."""
        shown = self._shown
        if not len(shown):
            return
        number = max(shown.first, min(number, shown.end - 1))
        self._serial = shown.serial(number)
        self.follow = number == shown.end - 1
        self.show_cursor()
        self.refresh()
        self.post_message(self.Chosen())

    def show_cursor(self) -> None:
        """Scroll until the chosen line is in view."""
        index, height, top = self.cursor - self._shown.first, self.size.height, self.scroll_offset.y
        if height > 0 and not top <= index < top + height:
            self._place(index if index < top else index - height + 1)

    def refiltered(self) -> None:
        """Other lines pass now: the chosen one stays, or the next after it; who follows goes on."""
        self._first = self._shown.first
        self._settling = True

    def sync(self) -> None:
        """Show what has come since; after another filter, the chosen line is still in view."""
        super().sync()
        if self._settling:
            self._settling = not self._shown.is_complete
            if not self.follow:
                self.call_after_refresh(self.show_cursor)

    def _leave(self) -> None:
        # By serial: what an other filter lets through of what was there before is not new.
        self._left_at = self._shown.seen

    def _count_unseen(self) -> int:
        return self._shown.since(self._left_at)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Who scrolls away keeps the line that was chosen."""
        if self.follow and not self._placing and len(self._shown):
            self._serial = self._shown.serial(self._shown.end - 1)
        super().watch_scroll_y(old_value, new_value)

    def watch_follow(self, follow: bool) -> None:
        """Another line is the chosen one."""
        super().watch_follow(follow)
        self.post_message(self.Chosen())

    def line_style(self, index: int) -> Style:
        """The chosen line stands out."""
        chosen = self._shown.first + index == self.cursor
        return self.get_visual_style("row--cursor") if chosen else self.visual_style

    def line_content(self, index: int, width: int) -> Content | None:
        """One event; one that is there for its neighbour only is quiet."""
        number = self._shown.first + index
        if number >= self._shown.end:
            return None
        event = self._shown[number]
        return log_line(event, width=width, glyphs=self._glyphs, quiet=not self._shown.filter.lets_through(event))

    def on_click(self, event: Click) -> None:
        """Choose what was clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        number = self._shown.first + offset.y + self.scroll_offset.y
        if number >= self._shown.end:
            return
        if number == self.cursor:
            self.post_message(self.Picked())
        self.choose(number)

    def action_line_down(self) -> None:
        """The next line."""
        self.choose(self.cursor + 1)

    def action_line_up(self) -> None:
        """The line before."""
        self.choose(self.cursor - 1)

    def action_page_down_lines(self) -> None:
        """A page further."""
        self.choose(self.cursor + max(self.size.height - 1, 1))

    def action_page_up_lines(self) -> None:
        """A page back."""
        self.choose(self.cursor - max(self.size.height - 1, 1))

    def action_first_line(self) -> None:
        """The first line."""
        self.choose(self._shown.first)
