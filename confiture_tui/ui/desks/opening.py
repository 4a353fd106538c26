"""Where the app is told to be opened on something else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.errors import UsageError
from confiture_tui.ui.reopening import Reopening, on_database, on_demo, on_files
from confiture_tui.ui.safe_text import safe_line, safe_text
from confiture_tui.ui.session import Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.ui.app import ConfitureApp


class OpeningDesk:
    """Asks for what is to be opened, and leaves the app for it."""

    def __init__(self, app: ConfitureApp) -> None:
        self._app = app

    def files(self) -> None:
        """Ask for a path, and open what is there."""

        def named(text: str | None) -> None:
            if text is None:
                return
            path = Path(text).expanduser().absolute()
            try:
                self._leave_for(on_files(self._app.service.settings, path, without_database=self._no_database))
            except UsageError as error:
                self._complain(f"{error.message} {error.hint}")

        self._ask("Open a directory of migrations, or an SQL file:", named)

    @property
    def _no_database(self) -> bool:
        """Whether the session could not be opened though its files are there: then the database was the reason."""
        session = self._app.session
        return session.phase is Phase.FAILED and session.service.settings.migrations_dir.is_dir()

    def database(self) -> None:
        """Ask for a connection string, and open the project on that database.

        One that was given and could not be used is offered again, to be mended, with its password masked.
        """
        # It loads the driver's side, which the first frame does without.
        from confiture_tui.service.masked_dsn import MaskedDsn

        settings = self._app.service.settings
        failed = self._app.session.phase is Phase.FAILED and settings.dsn is not None
        offered = MaskedDsn.of(settings.dsn.get_secret_value() if failed and settings.dsn is not None else "")

        def named(text: str | None) -> None:
            if text is None:
                return
            try:
                self._leave_for(on_database(settings, offered.filled_in(text)))
            except UsageError as error:
                self._complain(f"{error.message} {error.hint}")

        question = (
            "Connect to, as a URL (postgresql://user@host/database) or key=value words. A password is better in a "
            "password file than here"
        )
        masks = "; *** stands for what you typed" if offered.hidden else ""
        self._ask(f"{question}{masks}:", named, offered.shown)

    def demo(self) -> None:
        """Open the demo."""
        self._leave_for(on_demo(self._app.service.settings))

    def _leave_for(self, reopening: Reopening) -> None:
        """Leave this app for another one; not while a job runs, which leaving would cancel."""
        if self._app.session.busy:
            self._app.notify("A job is under way: cancel it first.", severity="warning")
        else:
            self._app.exit(reopening, return_code=0)

    def _ask(self, question: str, then: Callable[[str | None], None], suggestion: str = "") -> None:
        from confiture_tui.ui.screens.ask_line import LineDialog

        self._app.push_screen(LineDialog(Content(question), safe_line(suggestion)), then)

    def _complain(self, words: str) -> None:
        self._app.notify(safe_text(words), severity="error", markup=False)
