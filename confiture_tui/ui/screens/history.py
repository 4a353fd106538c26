"""History: what was run, when, by whom and how long; what was not brought to an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, Vertical
from textual.content import Content

from confiture_tui.ui.actions import Where, bindings_at
from confiture_tui.ui.copying import Copyable
from confiture_tui.ui.presenters.migrations import label
from confiture_tui.ui.presenters.notice import opening_notice
from confiture_tui.ui.presenters.past import past_pane, past_title
from confiture_tui.ui.screens.base import ConfitureScreen
from confiture_tui.ui.session import Phase, Topic
from confiture_tui.ui.widgets.drawn_line import DrawnLine
from confiture_tui.ui.widgets.past_list import PastList
from confiture_tui.ui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import ScreenResume


class HistoryScreen(ConfitureScreen):
    """The runs beside the chosen one."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_at(Where.HISTORY)]
    PLACES = (Where.HISTORY, Where.EVERYWHERE)
    MODE = "history"
    AUTO_FOCUS = "#past"

    def body(self) -> ComposeResult:
        """A line, the list, the chosen run."""
        session, glyphs = self.session, self.confiture.glyphs
        self.notice = TextPane(id="history-notice")
        self.past = PastList(session, glyphs, id="past")
        self.title_line = DrawnLine(
            lambda width: past_title(session, self.past.rows, width=width, glyphs=glyphs), id="history-title"
        )
        self.detail = TextPane(id="past-run")
        yield self.notice
        with Vertical(id="history"):
            yield self.title_line
            with Horizontal(id="history-body"):
                yield self.past
                yield self.detail

    def on_mount(self) -> None:
        """Show what is known."""
        super().on_mount()
        self.session_changed(Topic.OPENED)

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Read it, when nobody has since the last run."""
        super().on_screen_resume(event)
        self._read_if_new()

    def _read_if_new(self) -> None:
        state = self.session.history
        if state.entries is None and not state.reading and self.session.phase is Phase.READY:
            self.confiture.looks.history()

    def session_changed(self, topic: Topic) -> None:
        """Redraw what the change concerns."""
        if topic not in (Topic.OPENED, Topic.MIGRATIONS, Topic.HISTORY):
            return
        text = opening_notice(self.session, self.confiture.glyphs)
        self.notice.show(text if text is not None else Content(""))
        self.notice.display = text is not None
        self.query_one("#history").display = text is None
        if topic is Topic.MIGRATIONS and self.is_current:
            self._read_if_new()
        self.past.reload()
        self._show()

    def _show(self) -> None:
        self.title_line.refresh()
        self.detail.show(past_pane(self.past.chosen, self.session, self.confiture.glyphs))
        if self.focused is None:
            self.past.focus()

    def on_row_list_moved(self) -> None:
        """Another run is chosen."""
        self._show()

    def action_open_run(self) -> None:
        """From the list into the text, and back."""
        (self.detail if self.focused is self.past else self.past).focus()

    def action_leave_run(self) -> None:
        """Back to the list."""
        self.past.focus()

    def action_history_again(self) -> None:
        """Read it again, and the ledger."""
        if not self.looks_again_if_failed():
            self.confiture.reading.reload()
            self.confiture.looks.history()

    def command(self) -> list[str]:
        """What is applied, and when."""
        return ["status"]

    def copyables(self) -> list[Copyable]:
        """What is shown of the chosen run."""
        row = self.past.chosen
        things = []
        if row is not None:
            shown = self.detail.content.plain
            things.append(Copyable(f"what is shown of {label(row.version, row.name)}", lambda: shown))
        return [*things, *super().copyables()]
