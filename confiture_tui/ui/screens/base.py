"""What every screen has: the header, a body, the log, the line of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.screen import Screen

from confiture_tui.ui.actions import Where
from confiture_tui.ui.command_lines import command_line, words_for_file
from confiture_tui.ui.copying import Copyable
from confiture_tui.ui.presenters.styles import CLASSES
from confiture_tui.ui.session import Phase
from confiture_tui.ui.widgets.header_bar import HeaderBar
from confiture_tui.ui.widgets.key_bar import KeyBar
from confiture_tui.ui.widgets.log_pane import LogPane

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.app import ComposeResult
    from textual.events import ScreenResume
    from textual.widget import Widget

    from confiture_tui.ui.actions import Action
    from confiture_tui.ui.app import ConfitureApp
    from confiture_tui.ui.session import Session, Topic
    from confiture_tui.ui.widgets.log_view import LogView


_NEED_A_PROJECT = frozenset(
    {"copy", "copy_command", "show_review", "show_dry_run", "show_lint", "show_run", "show_history", "go_to_migration"}
)
"""What shows nothing, and copies nothing, before there is a project."""


_TRY = frozenset({"dry_run", "dry_run_all"})
"""What a recording has its own time for."""


class ConfitureScreen(Screen[None]):
    """A screen of the app. A subclass gives the body, and redraws what a change of the session concerns."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(CLASSES)
    # Textual declares these without ClassVar.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (23, "-medium"), (34, "-tall")]  # noqa: RUF012

    PLACES: ClassVar[tuple[Where, ...]] = (Where.EVERYWHERE,)
    """What the line of keys and the help speak of here, most particular first."""

    @property
    def places(self) -> tuple[Where, ...]:
        """The places whose keys work here, the most particular first."""
        return (*self.confiture.PLACES, *self.PLACES)

    @property
    def confiture(self) -> ConfitureApp:
        """The app, by its own type."""
        from confiture_tui.ui.app import ConfitureApp

        app = self.app
        assert isinstance(app, ConfitureApp)
        return app

    MODE: ClassVar[str] = ""
    """The screen's name among the app's modes."""

    @property
    def has_job(self) -> bool:
        """Whether something of this screen is under way that its key cancels."""
        return False

    def offers(self, action: Action) -> bool:
        """Whether an action can be done now; the line of keys and the palette leave out what cannot."""
        if action.running:
            return self.has_job
        if action.id == "back_to_log":
            return self.confiture.came_from_log and self.MODE != "log"
        if action.id in _TRY and Where.REPLAY in self.confiture.PLACES:
            return False
        if action.id in _NEED_A_PROJECT:
            return self.session.phase is Phase.READY and action.id != f"show_{self.MODE}"
        return action.id != f"show_{self.MODE}"

    @property
    def session(self) -> Session:
        """What the app knows."""
        return self.confiture.session

    def compose(self) -> ComposeResult:
        """Header, body, log, keys."""
        app = self.confiture
        # Before there are widgets: Textual does it after their first layout, and styles each of them anew for it.
        for extent, breakpoints in zip(app.size, (self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS), strict=True):
            self._classes |= self._get_breakpoint_classes(extent, breakpoints)
        self.header_bar = HeaderBar(app.session, app.glyphs)
        self.log_pane = LogPane(app.event_log, app.glyphs)
        self.key_bar = KeyBar(app.session, self.places, self.offers)
        yield self.header_bar
        companion = app.companion()
        if companion is not None:
            yield companion
        yield from self.body()
        yield self.log_pane
        yield self.key_bar

    def body(self) -> Iterable[Widget]:
        """What is between the header and the log."""
        raise NotImplementedError

    _is_new = True
    """It was not shown yet."""

    def on_mount(self) -> None:
        """Hear of changes."""
        self.log_pane.display = self.confiture.log_shown
        self.confiture.changed.subscribe(self, self._on_change)

    def on_screen_resume(self, event: ScreenResume) -> None:
        """What has changed while another screen was shown."""
        if self._is_new:
            # Its widgets were styled as they were made.
            self._is_new, event.refresh_styles = False, False
        self.show_log(self.confiture.log_shown)
        self.header_bar.refresh()
        self.key_bar.refresh()

    def _on_change(self, topic: Topic) -> None:
        self.header_bar.refresh()
        self.key_bar.refresh()
        self.session_changed(topic)

    def session_changed(self, topic: Topic) -> None:
        """Redraw what this concerns."""
        raise NotImplementedError

    def looks_again_if_failed(self) -> bool:
        """Where files and ledger could not be read, read them again; whether that was so."""
        failed = self.session.phase is Phase.FAILED
        if failed:
            self.confiture.reading.reload()
        return failed

    # What can be copied

    def command(self) -> Sequence[str] | None:
        """The words after ``confiture-tui`` that give, without a screen, what this one shows; ``None``: none do now."""
        raise NotImplementedError

    @property
    def why_no_command(self) -> str:
        """Why none do, as a sentence."""
        return "No command gives this without a screen."

    def command_line(self) -> str | None:
        """The whole command line, safe to show."""
        words = self.command()
        if words is not None:
            words = words_for_file(self.session, words)
        return command_line(self.session, words) if words is not None else None

    def copyables(self) -> list[Copyable]:
        """What can be copied here, the most particular first."""
        command = self.command_line()
        return [Copyable(f"the command: {command}", lambda: command)] if command is not None else []

    @property
    def log_view(self) -> LogView:
        """The lines of the log that are shown here."""
        return self.log_pane.view

    def events_came(self) -> None:
        """New events are in the log."""
        self.log_pane.sync()

    def show_log(self, shown: bool) -> None:
        """Show or hide the log."""
        self.log_pane.display = shown
        if shown:
            self.call_after_refresh(self.log_pane.sync)
