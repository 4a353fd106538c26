"""Where the app copies."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from confiture_tui.ui.safe_text import safe_text

if TYPE_CHECKING:
    from confiture_tui.ui.app import ConfitureApp
    from confiture_tui.ui.copying import Copyable


class CopyDesk:
    """Copies by every road there is, and says what it was."""

    def __init__(self, app: ConfitureApp) -> None:
        self._app = app

    def choose(self, things: Sequence[Copyable]) -> None:
        """Ask which of these to copy."""
        from confiture_tui.ui.screens.choose import ChooseDialog

        def chosen(number: int | None) -> None:
            if number is not None:
                self.copy(things[number].make(), things[number].label)

        self._app.push_screen(ChooseDialog("Copy", [one.label for one in things]), chosen)

    def copy(self, text: str, what: str) -> None:
        """Copy a text to the clipboard; ``what`` it is is safe to show."""
        from confiture_tui.ui.clipboard import helper

        app, shown = self._app, safe_text(text)
        app.copy_to_clipboard(shown)
        command = helper(os.environ) if not app.is_headless else None
        if command is not None:
            app.run_worker(self._give_to(command, shown), group="clipboard", exclusive=True)
        app.notify(f"Copied: {what}", markup=False)

    async def _give_to(self, command: list[str], text: str) -> None:
        from confiture_tui.ui.background import in_background
        from confiture_tui.ui.clipboard import give_to

        problem = await in_background(lambda: give_to(command, text))
        if problem:
            self._app.notify(f"{problem}; the terminal was asked as well.", severity="warning", markup=False)
