"""Log: everything that happened, at full height: to filter, look into, copy, write out, and go from to its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual import work
from textual.containers import Container, Vertical
from textual.content import Content

from confiture_tui.errors import UsageError
from confiture_tui.events import Level
from confiture_tui.observability import export_events
from confiture_tui.service.log_filter import LogFilter
from confiture_tui.ui.actions import Where, bindings_at, key_of
from confiture_tui.ui.background import in_background
from confiture_tui.ui.command_lines import plain_command_line
from confiture_tui.ui.copying import Copyable
from confiture_tui.ui.filtered_log import FilteredLog
from confiture_tui.ui.presenters.figures import counted
from confiture_tui.ui.presenters.log_event import event_pane, event_text
from confiture_tui.ui.presenters.log_title import log_title
from confiture_tui.ui.safe_text import safe_line
from confiture_tui.ui.screens.ask_line import LineDialog
from confiture_tui.ui.screens.base import ConfitureScreen
from confiture_tui.ui.widgets.drawn_line import DrawnLine
from confiture_tui.ui.widgets.filter_line import FilterLine
from confiture_tui.ui.widgets.log_lines import LogLines
from confiture_tui.ui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widgets import Input

    from confiture_tui.events import Event
    from confiture_tui.ui.actions import Action
    from confiture_tui.ui.session import Topic
    from confiture_tui.ui.widgets.log_view import LogView

_CONTEXTS: Final = (0, 2, 5)
"""How many lines around each that passes can be shown."""
_COPIED: Final = 1_000
"""How many lines are copied at most: terminals drop what is much larger."""


class LogScreen(ConfitureScreen):
    """The lines, a line to filter them, and what the chosen one holds."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_at(Where.LOG)]
    PLACES = (Where.LOG, Where.EVERYWHERE)
    MODE = "log"
    AUTO_FOCUS = "LogScreen LogLines"

    def __init__(self) -> None:
        super().__init__()
        self._exported: Path | None = None

    def body(self) -> ComposeResult:
        """A line, the filter while it is used, the lines, the chosen one's event while it is asked for."""
        app = self.confiture
        self.shown = FilteredLog(app.event_log)
        self.lines = LogLines(self.shown, app.glyphs)
        self.title_line = DrawnLine(self._title, id="log-title")
        self.filter = FilterLine(id="log-filter")
        self.details = TextPane(id="log-event")
        self.details.display = False
        with Vertical(id="log"):
            yield self.title_line
            yield self.filter
            with Container(id="log-body"):
                yield self.lines
                yield self.details

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
        """New events are in the log, or not all of them have been looked at yet."""
        done = self.shown.sync()
        self.lines.sync()
        self.title_line.refresh()
        if self.lines.follow:
            self._show_event()
        if not done:
            # A key that waits is served between two slices.
            self.set_timer(0.001, self.events_came)

    def on_log_view_changed(self) -> None:
        """The title says it."""
        self.title_line.refresh()

    def on_log_lines_chosen(self) -> None:
        """The details follow."""
        self._show_event()
        self.key_bar.refresh()

    def on_log_lines_picked(self) -> None:
        """A second click asks for the details."""
        self.action_log_details()

    def _show_event(self) -> None:
        if self.details.display:
            self.details.show(event_pane(self.lines.chosen, self.confiture.glyphs))

    def offers(self, action: Action) -> bool:
        """There is no pane to be hidden, clearing needs a filter, and what is done with a line needs one."""
        event = self.lines.chosen
        if action.id == "leave_log_filter":
            return not self.shown.filter.is_empty
        if action.id in ("log_go_to", "only_migration"):
            return event is not None and event.migration is not None
        return action.id != "toggle_log" and super().offers(action)

    # What is shown

    def _let_through(self, new: LogFilter) -> None:
        self.shown.refilter(new)
        self.lines.refiltered()
        self.events_came()
        self._show_event()
        self.key_bar.refresh()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed."""
        if event.value != self.shown.filter.text:
            self._let_through(replace(self.shown.filter, text=event.value))

    def on_input_submitted(self) -> None:
        """The filter stays, and the keys go back to the lines."""
        self.filter.keep()
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
        self._let_through(replace(self.shown.filter, level=level))

    def action_log_context(self) -> None:
        """More lines around each that passes; after the most, none."""
        around = _CONTEXTS[(_CONTEXTS.index(self.shown.filter.context) + 1) % len(_CONTEXTS)]
        self._let_through(replace(self.shown.filter, context=around))

    def action_leave_log_filter(self) -> None:
        """Show all lines; with none hidden, put the details away."""
        if self.shown.filter.is_empty and not self.filter.display:
            self.details.display = False
        self.filter.keep()
        self.filter.display = False
        self._let_through(LogFilter(context=self.shown.filter.context))
        self.filter.value = ""
        self.lines.focus()

    def action_only_migration(self) -> None:
        """Only the lines of the chosen line's migration."""
        event = self.lines.chosen
        if event is not None and event.migration is not None:
            self._only("migration", event.migration)

    def action_only_event(self) -> None:
        """Only the lines with the chosen line's event."""
        event = self.lines.chosen
        if event is not None:
            self._only("event", str(event.name))

    def _only(self, key: str, value: str) -> None:
        """Add ``key=value`` to the filter, in the place of another one of this key."""
        self.lines.stay()
        words = [word for word in self.shown.filter.text.split() if not word.startswith(f"{key}=")]
        text = " ".join([*words, f"{key}={value}"])
        self.filter.value = text
        self.filter.keep()
        self.filter.display = True
        self._let_through(replace(self.shown.filter, text=text))

    # What is done with a line

    def action_log_details(self) -> None:
        """Everything that the chosen line's event holds, or hide it."""
        self.details.display = not self.details.display
        self._show_event()
        if not self.details.display:
            self.lines.focus()

    def action_log_go_to(self) -> None:
        """To what the chosen line speaks of."""
        event = self.lines.chosen
        if event is None or event.migration is None:
            self.notify("This line speaks of no migration.", severity="warning")
            return
        if self.session.status_of(event.migration) is None:
            self.notify(f"There is no migration {safe_line(event.migration)} here.", severity="warning", markup=False)
            return
        self.lines.stay()
        self.confiture.came_from_log = True
        self.confiture.go_to(event.migration, event.statement)

    def copyables(self) -> list[Copyable]:
        """The chosen line's event, and the last lines that are shown."""
        event, things = self.lines.chosen, []
        if event is not None:
            things.append(Copyable("the chosen line's event", lambda: event_text(event)))
        shown = min(len(self.shown), _COPIED)
        if shown:
            things.append(Copyable(f"the {counted(shown, 'line')} shown", self._last_lines))
        return [*things, *super().copyables()]

    def _last_lines(self) -> str:
        return "\n".join(event_text(event) for event in self._events()[-_COPIED:])

    def _events(self) -> list[Event]:
        while not self.shown.sync():
            pass
        return [self.shown[number] for number in range(self.shown.first, self.shown.end)]

    def action_export_log(self) -> None:
        """Ask for a name, and write what is shown."""
        events = self._events()
        suggestion = f"confiture-log-{datetime.now(UTC).astimezone():%Y%m%d-%H%M%S}.jsonl"
        question = f"Write {counted(len(events), 'event')} as JSON Lines into a new file that only you may read:"

        def named(name: str | None) -> None:
            if name is not None:
                self._export(events, Path(name).expanduser())

        self.app.push_screen(LineDialog(Content(question), suggestion), named)

    @work(group="export")
    async def _export(self, events: list[Event], path: Path) -> None:
        try:
            count = await in_background(lambda: export_events(events, path))
        except UsageError as error:
            self.notify(safe_line(f"{error.message} {error.hint}"), severity="error", markup=False)
        else:
            self._exported = path.resolve()
            self.notify(safe_line(f"{counted(count, 'event')} written to {path.resolve()}"), markup=False)

    def command(self) -> list[str] | None:
        """The same filter on the file that has this session's events: its log file, its recording, the last export."""
        settings = self.session.service.settings
        file = settings.log_file or settings.record or self._exported
        if file is None:
            return None
        asked = self.shown.filter
        words = ["log", str(file), *asked.text.split()]
        if asked.level is not Level.DEBUG:
            words += ["--log-level", asked.level.word]
        if asked.context:
            words += ["--context", str(asked.context)]
        return words

    def command_line(self) -> str | None:
        """It reads the file and nothing else."""
        words = self.command()
        return plain_command_line(words) if words is not None else None

    @property
    def why_no_command(self) -> str:
        """That no file has them yet."""
        return f"No file has this session's log yet: {key_of('export_log')} exports it, and then there is a command."
