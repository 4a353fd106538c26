"""Where the app changes its colours."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from confiture_tui.errors import UsageError
from confiture_tui.ui.background import in_background
from confiture_tui.ui.safe_text import safe_line

if TYPE_CHECKING:
    from confiture_tui.ui.app import ConfitureApp


class ThemeDesk:
    """Offers themes, puts the chosen one on, and keeps it for the next start."""

    def __init__(self, app: ConfitureApp) -> None:
        self._app = app

    def choose(self) -> None:
        """Ask for one."""
        from textual.command import CommandPalette

        from confiture_tui.ui.commands import ThemeCommands

        self._app.push_screen(CommandPalette(providers=[ThemeCommands], placeholder="Choose other colours"))

    def take(self, name: str) -> None:
        """Put it on, and write it into the user's own settings."""
        self._app.theme = name
        self._app.run_worker(self._keep(name), group="theme", exclusive=True)

    async def _keep(self, name: str) -> None:
        from confiture_tui.service.user_settings import keep_theme

        try:
            path = await in_background(lambda: keep_theme(name, os.environ))
        except UsageError as error:
            words = f"{name} holds until you quit, and was not kept. {error.message}"
            self._app.notify(safe_line(words), severity="warning", markup=False)
            return
        words = f"{name} is kept in {path}."
        stronger = self._app.service.settings.origins.get("theme", "")
        if stronger and str(path) not in stronger:
            words += f" {stronger} names another, which comes before it here."
        self._app.notify(safe_line(words), markup=False)
