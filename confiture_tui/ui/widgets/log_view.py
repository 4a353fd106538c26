"""The lines of the log: drawn from the ring of events, following its end until the reader looks back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message
from textual.reactive import reactive

from confiture_tui.ui.presenters.log_line import log_line
from confiture_tui.ui.widgets.lines import LinesView

if TYPE_CHECKING:
    from textual.content import Content
    from textual.events import Resize

    from confiture_tui.ui.event_log import Events
    from confiture_tui.ui.glyphs import Glyphs


class LogView(LinesView):
    """A window on the event log.

    ``follow`` is a state of its own: looking back ends it, going to the end resumes it; new events never move what a
    reader looks at.
    """

    follow: reactive[bool] = reactive(True)
    unseen: reactive[int] = reactive(0, layout=False)

    class Changed(Message):
        """Whether it follows, or how many new events were not shown, has changed."""

    def __init__(self, log: Events, glyphs: Glyphs) -> None:
        super().__init__()
        self._log = log
        self._glyphs = glyphs
        self._first = log.first
        self._left_at = log.end
        self._placing = False

    def sync(self) -> None:
        """Show what has come since."""
        log = self._log
        dropped = log.first - self._first
        self._first = log.first
        if self.virtual_size.height != len(log):
            self.set_extent(len(log))
        else:
            self.refresh()
        if self.follow:
            self._place(self.max_scroll_y)
        else:
            # The oldest lines leave the ring: what is being read moves up by as many lines.
            if dropped:
                self._place(max(self.scroll_offset.y - dropped, 0))
            self.unseen = self._count_unseen()

    def _leave(self) -> None:
        """What comes from now on is new to the reader."""
        self._left_at = self._log.end

    def _count_unseen(self) -> int:
        return self._log.end - self._left_at

    def _place(self, y: int) -> None:
        self._placing = True
        self.scroll_to(y=y, animate=False, immediate=True, force=True)
        self._placing = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """A reader's scrolling decides whether the view follows."""
        super().watch_scroll_y(old_value, new_value)
        at_end = round(new_value) >= self.max_scroll_y
        # Fewer lines than before also bring the view to their end: nobody scrolled there.
        if not self._placing and (at_end if new_value > old_value else not at_end):
            self.follow = at_end

    def watch_follow(self, follow: bool) -> None:
        """Count from here, or go to the end."""
        self._leave()
        self.unseen = 0
        if follow and self.is_attached:
            self._place(self.max_scroll_y)
        self.post_message(self.Changed())

    def watch_unseen(self) -> None:
        """Tell the pane."""
        self.post_message(self.Changed())

    def on_resize(self, _event: Resize) -> None:
        """The end stays in view."""
        if self.follow:
            self.call_after_refresh(self.sync)

    def action_last_line(self) -> None:
        """To the end, and follow."""
        self.follow = True
        self._place(self.max_scroll_y)

    def line_content(self, index: int, width: int) -> Content | None:
        """One event."""
        serial = self._log.first + index
        if serial >= self._log.end:
            return None
        return log_line(self._log[serial], width=width, glyphs=self._glyphs)
