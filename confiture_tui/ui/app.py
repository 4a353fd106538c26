"""The app: it owns the session, runs what takes time, and hands on what happened."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from typing import TYPE_CHECKING, ClassVar, Final

from textual.content import Content
from textual.signal import Signal

from confiture_tui.errors import ConfitureError, UsageError
from confiture_tui.observability import new_private_file
from confiture_tui.ui.actions import ACTIONS, Action, Where, bindings_at, use
from confiture_tui.ui.commands import ActionCommands, MigrationCommands, MigrationJump
from confiture_tui.ui.desks.copying import CopyDesk
from confiture_tui.ui.desks.dry_running import DryRunDesk
from confiture_tui.ui.desks.looking import LookingDesk
from confiture_tui.ui.desks.opening import OpeningDesk
from confiture_tui.ui.desks.reading import ReadingDesk
from confiture_tui.ui.desks.running import RunDesk
from confiture_tui.ui.desks.theming import ThemeDesk
from confiture_tui.ui.event_log import CAPACITY, EventLog
from confiture_tui.ui.glyphs import glyphs_for
from confiture_tui.ui.keymap import keys_file_text, textual_keymap
from confiture_tui.ui.presenters.leaving import exit_code_of, leaving, left_running
from confiture_tui.ui.safe_text import safe_text
from confiture_tui.ui.screens.base import ConfitureScreen
from confiture_tui.ui.screens.review import ReviewScreen
from confiture_tui.ui.session import Session, Topic
from confiture_tui.ui.style_files import style_sheets
from confiture_tui.ui.terminal_app import TerminalApp
from confiture_tui.ui.themes import DEFAULT_THEME, meanings, own_themes, resolve
from confiture_tui.user_files import user_keys_file
from confiture_tui.yaml_file import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

    from textual.binding import BindingType
    from textual.widget import Widget

    from confiture_tui.core.runner.result import RunResult
    from confiture_tui.events import Event
    from confiture_tui.service import MigrationService
    from confiture_tui.service.jobs import Job
    from confiture_tui.ui.messages import (
        AssessEnded,
        DryRunEnded,
        HistoryRead,
        LeftSettled,
        Linted,
        LintSettled,
        OpenFailed,
        PlanRead,
        RunEnded,
        StatusesRead,
        StatusFailed,
    )

DRAIN_HZ: Final = 15
"""How often a second new events are taken over into the log: smooth to the eye, and a frame's time apart."""
_AT_ONCE: Final = 5_000
"""How many events are taken over at once: more would hold up a key for longer than a frame."""
_CLOSE_LIMIT_S: Final = 0.9
"""How long closing the service may keep a quitting user waiting."""


def _lint_screen() -> ConfitureScreen:
    from confiture_tui.ui.screens.lint import LintScreen

    return LintScreen()


def _run_screen() -> ConfitureScreen:
    from confiture_tui.ui.screens.run import RunScreen

    return RunScreen()


def _history_screen() -> ConfitureScreen:
    from confiture_tui.ui.screens.history import HistoryScreen

    return HistoryScreen()


def _log_screen() -> ConfitureScreen:
    from confiture_tui.ui.screens.log import LogScreen

    return LogScreen()


class ConfitureApp(TerminalApp):
    """The full-screen assistant on one service.

    Workers post messages; the handlers of this class change the session and publish what changed; screens redraw.

    Attributes:
        session: what is known.
        event_log: the last events.
        changed: published with the topic of each change of the session.
        log_shown: whether screens show the log.
        came_from_log: a line of the log led to what is shown.
        last_words: sentences to be printed when the terminal is the shell's again.
    """

    TITLE = "Confiture TUI"
    # Textual's own declaration; what is not the first screen is imported when it is asked for.
    MODES = {  # noqa: RUF012
        "review": ReviewScreen,
        "lint": _lint_screen,
        "run": _run_screen,
        "history": _history_screen,
        "log": _log_screen,
    }
    DEFAULT_MODE = "review"
    COMMANDS = {ActionCommands, MigrationCommands}  # noqa: RUF012 - Textual's own declaration
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_at(Where.EVERYWHERE)]
    PLACES: ClassVar[tuple[Where, ...]] = ()
    """Whose keys come before those of every screen."""

    def __init__(self, service: MigrationService, *, actions: tuple[Action, ...] = ACTIONS) -> None:
        """The app on a service; ``actions`` is the table with the user's own keys.

        Raises:
            UsageError: the settings name a theme that there is not.
        """
        super().__init__(css_path=[str(path) for path in style_sheets()])
        self.service = service
        self.glyphs = glyphs_for(os.environ, ascii=service.settings.ascii)
        self.set_class(not self.glyphs.fancy, "-ascii", update=False)
        self.session = Session(service)
        self.event_log = EventLog()
        self.changed: Signal[Topic] = Signal(self, "session changed")
        self.reading = ReadingDesk(self)
        self.dry_runs = DryRunDesk(self)
        self.runs = RunDesk(self)
        self.looks = LookingDesk(self)
        self.copying = CopyDesk(self)
        self.opening = OpeningDesk(self)
        self.themes = ThemeDesk(self)
        self.log_shown = True
        self.came_from_log = False
        self.last_words: list[str] = []
        self._arrived: deque[Event] = deque(maxlen=CAPACITY)
        self._unsubscribe = service.events.subscribe(self._arrived.append)
        for theme in own_themes():
            self.register_theme(theme)
        self.theme = os.environ.get("TEXTUAL_THEME") or self._theme_of_settings()
        self.stylesheet.set_variables(self.get_css_variables())
        self._look_in_force, self._count_in_force = (self.theme, self.ansi_theme), self._css_update_count
        use(actions)
        self.set_keymap(textual_keymap(actions))

    def _theme_of_settings(self) -> str:
        settings = self.service.settings
        if settings.theme is None:
            return DEFAULT_THEME
        if settings.theme not in self.available_themes:
            origin = settings.origins.get("theme", "the settings")
            hint = did_you_mean(settings.theme, self.available_themes, "Themes")
            raise UsageError(f"{origin}: there is no theme '{settings.theme}'.", hint=hint)
        return settings.theme

    def get_css_variables(self) -> dict[str, str]:
        """A theme's colours, and what each meaning looks like in them."""
        variables = super().get_css_variables()
        variables |= resolve({**meanings(), **self.current_theme.variables}, variables)
        self.theme_variables = variables
        return variables

    def refresh_css(self, animate: bool = True) -> None:
        """Style everything anew, if anything looks otherwise since it was styled.

        Textual asks for it twice as it starts and twice for each screen that is shown for the first time, and each
        time reads all the style sheets anew.
        """
        count, look = self._css_update_count, (self.theme, self.ansi_theme)
        screens = [screen for stack in self._screen_stacks.values() for screen in stack]
        # One that was never styled anew (-1) is styled as it is made, by what is in force.
        if look == self._look_in_force and all(one._css_update_count in (self._count_in_force, -1) for one in screens):
            for screen in screens:
                screen._css_update_count = count
        else:
            super().refresh_css(animate)
        self._look_in_force, self._count_in_force = look, count

    def companion(self) -> Widget | None:
        """A line that every screen has below its header, made anew for each; a plain session has none."""
        return None

    # Life

    def on_mount(self) -> None:
        """The first frame waits for nothing: what takes time begins after it."""
        self.set_interval(1 / DRAIN_HZ, self._drain)
        self.heed_the_terminal()
        self.call_after_refresh(self.reading.reload)

    async def on_unmount(self) -> None:
        """Stop what runs and what was started, within the time that a quitting user is kept waiting."""
        self._unsubscribe()
        run = self.session.run.job
        try:
            await asyncio.wait_for(self.service.close(), _CLOSE_LIMIT_S)
        except TimeoutError:
            self.last_words.append("Not everything had stopped after a second; it is ended with this program.")
        except ConfitureError as error:
            self.last_words.append(safe_text(str(error)))
        if run is not None:
            result = await self._result_of(run)
            self.last_words = [*left_running(result, self.session), *self.last_words]
            # A signal, or a crash, has said more already.
            self._return_code = self.return_code or exit_code_of(result)

    async def _result_of(self, run: Job[RunResult]) -> RunResult | None:
        """What a run that was stopped by quitting said at its end; ``None`` when it did not come to that."""
        try:
            return await run if run.done else None
        except ConfitureError:
            return None

    @property
    def log_file_of_events(self) -> Path | None:
        """As the settings say."""
        return self.service.settings.log_file

    # Events

    def _drain(self) -> None:
        """Take over the assessments and the events that came since the last time."""
        self.reading.take_over()
        arrived = self._arrived
        events = [arrived.popleft() for _ in range(min(len(arrived), _AT_ONCE))]
        if not events:
            return
        least = self.service.settings.log_level
        self.event_log.extend(event for event in events if event.level >= least)
        for screen in self.screen_stack:
            # One that was switched to just now has nothing yet to show them in.
            if isinstance(screen, ConfitureScreen) and screen.is_mounted:
                screen.events_came()
        progress = self.session.progress
        # Every event is applied: `any` would stop at the first that changes something.
        if progress is not None and sum(progress.apply(event) for event in events):
            self.changed.publish(Topic.PROGRESS)
        run = self.session.run.progress
        if run is not None and self.session.run.job is not None and sum(run.apply(event) for event in events):
            self.changed.publish(Topic.RUN_PROGRESS)

    # What came of the work at the desks

    def on_opened(self) -> None:
        """The service is open."""
        self.reading.opened()

    def on_open_failed(self, message: OpenFailed) -> None:
        """It is not."""
        self.reading.failed(message)

    def on_statuses_read(self, message: StatusesRead) -> None:
        """There are migrations."""
        self.reading.statuses_read(message)

    def on_status_failed(self, message: StatusFailed) -> None:
        """They could not be read."""
        self.reading.failed(message)

    def on_assess_ended(self, message: AssessEnded) -> None:
        """There are assessments."""
        self.reading.assess_ended(message)

    def on_dry_run_ended(self, message: DryRunEnded) -> None:
        """A migration was tried."""
        self.dry_runs.ended(message)

    def on_plan_read(self, message: PlanRead) -> None:
        """There is a plan."""
        self.runs.planned(message)

    def on_run_ended(self, message: RunEnded) -> None:
        """There is a result; what happened last is told before it."""
        while self._arrived:
            self._drain()
        self.runs.ended(message)

    def on_left_settled(self, message: LeftSettled) -> None:
        """A person has decided."""
        self.runs.settled(message)

    def on_linted(self, message: Linted) -> None:
        """There are findings."""
        self.looks.linted(message)

    def on_lint_settled(self, message: LintSettled) -> None:
        """Some findings are let pass from now on."""
        self.looks.settled(message)

    def on_history_read(self, message: HistoryRead) -> None:
        """There is a history."""
        self.looks.history_read(message)

    # Actions of every screen

    async def action_show_review(self) -> None:
        """To the migrations."""
        await self.switch_mode("review")

    async def action_show_dry_run(self) -> None:
        """To the dry run of the chosen migration."""
        await self.switch_mode("review")
        if isinstance(self.screen, ReviewScreen):
            self.screen.show_dry_run()

    async def action_show_lint(self) -> None:
        """To what is wrong with the schema."""
        await self.switch_mode("lint")

    async def action_show_run(self) -> None:
        """To the wizard."""
        await self.switch_mode("run")

    async def action_show_history(self) -> None:
        """To what was run."""
        await self.switch_mode("history")

    async def action_show_log(self) -> None:
        """To the log at full height."""
        await self.switch_mode("log")

    def action_toggle_log(self) -> None:
        """Show or hide the log, on every screen."""
        self.log_shown = not self.log_shown
        for screen in self.screen_stack:
            if isinstance(screen, ConfitureScreen):
                screen.show_log(self.log_shown)

    def action_follow_log(self) -> None:
        """To the end of the log."""
        if isinstance(self.screen, ConfitureScreen):
            self.screen.log_view.action_last_line()

    # Opening something else, and copying

    def action_open_files(self) -> None:
        """Ask for a path, and open what is there."""
        self.opening.files()

    def action_connect(self) -> None:
        """Ask for a connection string, and open the project on that database."""
        self.opening.database()

    def action_open_demo(self) -> None:
        """Open the demo."""
        self.opening.demo()

    def action_copy(self) -> None:
        """Choose what to copy."""
        if isinstance(self.screen, ConfitureScreen):
            self.copying.choose(self.screen.copyables())

    def action_copy_command(self) -> None:
        """Copy the command line that gives the same without a screen."""
        if isinstance(self.screen, ConfitureScreen):
            command = self.screen.command_line()
            if command is None:
                self.notify(self.screen.why_no_command, severity="warning", markup=False)
            else:
                self.copying.copy(command, command)

    def action_change_theme(self) -> None:
        """Choose other colours, which are kept for the next start."""
        self.themes.choose()

    def action_write_keys(self) -> None:
        """Write a file of all actions, to give them other keys; never over one that is there."""
        path = user_keys_file(os.environ)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with new_private_file(path) as file:
                file.write(keys_file_text())
        except OSError as error:
            self.notify(f"{safe_text(str(path.parent))}: {error.strerror}", severity="error", markup=False)
        except UsageError as error:
            self.notify(safe_text(error.message), severity="error", markup=False)
        else:
            self.notify(f"Written: {safe_text(str(path))}. It holds from the next start on.", markup=False)

    def action_help(self) -> None:
        """The keys of the screen that is shown."""
        from confiture_tui.ui.screens.help import HelpScreen

        if isinstance(self.screen, ConfitureScreen):
            self.push_screen(HelpScreen(self.screen.places))

    def action_go_to_migration(self) -> None:
        """Find a migration by name."""
        from textual.command import CommandPalette

        self.push_screen(CommandPalette(providers=[MigrationJump], placeholder="Go to a migration"))

    def go_to(self, version: str, statement: int | None = None) -> None:
        """Show a migration on Review, or one of its statements (from 1)."""
        self.switch_mode("review")
        screen = self.screen
        if isinstance(screen, ReviewScreen):
            screen.choose(version, statement)

    async def action_back_to_log(self) -> None:
        """Back to the line that led here, if one did."""
        if self.came_from_log:
            self.came_from_log = False
            await self.switch_mode("log")

    async def action_request_quit(self) -> None:
        """Quit, unless a job runs: then ask."""
        from confiture_tui.ui.screens.confirm import ConfirmDialog

        if not self.session.busy:
            self.exit(return_code=0)
            return
        if isinstance(self.screen, ConfirmDialog):
            return
        question = leaving(self.session)

        def answered(yes: bool | None) -> None:
            if yes:
                self.exit(return_code=0)

        self.push_screen(ConfirmDialog(question, yes=Content("Quit"), no=Content("Stay")), answered)
