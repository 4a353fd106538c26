"""Log: everything that happened, at full height, with a filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical

from confiture_tui.events import Level
from confiture_tui.ui.actions import Where, bindings_at
from confiture_tui.ui.filtered_log import FilteredLog, LogFilter
from confiture_tui.ui.presenters.log_title import log_title
from confiture_tui.ui.screens.base import ConfitureScreen
from confiture_tui.ui.widgets.drawn_line import DrawnLine
from confiture_tui.ui.widgets.filter_line import FilterLine
from confiture_tui.ui.widgets.log_view import LogView

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.content import Content
    from textual.widgets import Input

    from confiture_tui.ui.actions import Action
    from confiture_tui.ui.session import Topic


class LogScreen(ConfitureScreen):
    """The lines, and a line to filter them."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_at(Where.LOG)]
    PLACES = (Where.LOG, Where.EVERYWHERE)
    MODE = "log"
    AUTO_FOCUS = "LogScreen #log LogView"

    def body(self) -> ComposeResult:
        """A line, the filter while it is used, the lines."""
        app = self.confiture
        self.shown = FilteredLog(app.event_log)
        self.lines = LogView(self.shown, app.glyphs)
        self.title_line = DrawnLine(self._title, id="log-title")
        self.filter = FilterLine(id="log-filter")
        with Vertical(id="log"):
            yield self.title_line
            yield self.filter
            yield self.lines

    @property
    def log_view(self) -> LogView:
        """The lines of this screen; the pane at the bottom is not shown here."""
        return self.lines

    def _title(self, width: int) -> Content:
        view = self.lines
        return log_title(
            self.confiture.event_log,
            self.shown,
            following=view.follow,
            unseen=view.unseen,
            width=width,
            glyphs=self.confiture.glyphs,
        )

    def session_changed(self, topic: Topic) -> None:
        """The log says everything."""

    def show_log(self, shown: bool) -> None:
        """The pane at the bottom would say the same again."""
        self.log_pane.display = False
        self.call_after_refresh(self.events_came)

    def on_mount(self) -> None:
        """Without the pane."""
        super().on_mount()
        self.show_log(False)

    def events_came(self) -> None:
        """New events are in the log."""
        self.shown.sync()
        self.lines.sync()
        self.title_line.refresh()

    def on_log_view_changed(self) -> None:
        """The title says it."""
        self.title_line.refresh()

    def offers(self, action: Action) -> bool:
        """There is no pane to be hidden, and clearing needs a filter."""
        if action.id == "leave_log_filter":
            return not self.shown.filter.is_empty
        return action.id != "toggle_log" and super().offers(action)

    def _let_through(self, text: str, level: Level) -> None:
        self.shown.refilter(LogFilter(text, level))
        self.lines.restart()
        self.title_line.refresh()
        self.key_bar.refresh()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed."""
        self._let_through(event.value, self.shown.filter.level)

    def on_input_submitted(self) -> None:
        """The filter stays, and the keys go back to the lines."""
        self.lines.focus()
        self.filter.display = bool(self.shown.filter.text)

    def action_filter_log(self) -> None:
        """Type what is looked for."""
        self.filter.display = True
        self.filter.focus()

    def action_log_level(self) -> None:
        """From the next level on; after the last, all."""
        levels = list(Level)
        level = levels[(levels.index(self.shown.filter.level) + 1) % len(levels)]
        self._let_through(self.shown.filter.text, level)

    def action_leave_log_filter(self) -> None:
        """Show all lines."""
        self.filter.value = ""
        self.filter.display = False
        self._let_through("", Level.DEBUG)
        self.lines.focus()
