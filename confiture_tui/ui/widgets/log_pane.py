"""The log at the bottom of every screen: a title with what was missed, and the lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content

from confiture_tui.ui.presenters.figures import counted
from confiture_tui.ui.presenters.log_title import follow_state
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.widgets.log_view import LogView
from confiture_tui.ui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import Click

    from confiture_tui.ui.event_log import EventLog
    from confiture_tui.ui.glyphs import Glyphs


class LogTitle(OneLine):
    """``Log``, whether it follows, and the pill ``+N new`` when it does not; a click follows again."""

    def __init__(self, view: LogView, log: EventLog, glyphs: Glyphs) -> None:
        super().__init__()
        self._view = view
        self._log = log
        self._glyphs = glyphs

    def line(self, width: int) -> Content:
        """The title in ``width`` cells."""
        title = Content.assemble(("Log", style("heading")), (f"  {counted(self._log.total, 'event')}", style("quiet")))
        state = follow_state(following=self._view.follow, unseen=self._view.unseen, glyphs=self._glyphs)
        gap = max(width - title.cell_length - state.cell_length, 1)
        return Content.assemble(title, " " * gap, state)

    def on_click(self, _event: Click) -> None:
        """Follow again."""
        self._view.action_last_line()


class LogPane(Vertical):
    """The log; ``sync`` after events have come."""

    def __init__(self, log: EventLog, glyphs: Glyphs) -> None:
        super().__init__()
        self.view = LogView(log, glyphs)
        self._title = LogTitle(self.view, log, glyphs)

    def compose(self) -> ComposeResult:
        """Title and lines."""
        yield self._title
        yield self.view

    def on_log_view_changed(self) -> None:
        """The title says it."""
        self._title.refresh()

    def sync(self) -> None:
        """Show what has come since."""
        if self.display and self.is_attached:
            self.view.sync()
            self._title.refresh()
