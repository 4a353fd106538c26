"""What the palette offers: the table of actions, and every migration by name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Provider
from textual.content import Content

from confiture_tui.ui.actions import Action, key_name, reachable_at
from confiture_tui.ui.presenters.migrations import label
from confiture_tui.ui.themes import OWN_THEMES

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from textual.command import Hits
    from textual.fuzzy import Matcher

    from confiture_tui.ui.app import ConfitureApp


def _highlighted(matcher: Matcher, text: str) -> Content:
    """The text with the matching characters marked. Textual's own ``Matcher.highlight`` would read it as markup."""
    _score, offsets = matcher.fuzzy_search.match(matcher.query, text)
    content = Content(text)
    for offset in offsets:
        content = content.stylize(matcher.match_style, offset, offset + 1)
    return content


class _Commands(Provider):
    """A list of commands, searched by their text."""

    @property
    def confiture(self) -> ConfitureApp:
        """The app, by its own type."""
        from confiture_tui.ui.app import ConfitureApp

        assert isinstance(self.app, ConfitureApp)
        return self.app

    def commands(self) -> list[tuple[str, str, Callable[[], Any]]]:
        """Text (safe), help, and what to do."""
        raise NotImplementedError

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for text, help_, command in self.commands():
            yield DiscoveryHit(Content(text), command, text=text, help=help_)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for text, help_, command in self.commands():
            score = matcher.match(text)
            if score > 0:
                yield Hit(score, _highlighted(matcher, text), command, text=text, help=help_)


class ActionCommands(_Commands):
    """The actions that can be done on the screen that is shown."""

    def commands(self) -> list[tuple[str, str, Callable[[], Any]]]:
        """One for each action of the table that the palette offers."""
        from confiture_tui.ui.screens.base import ConfitureScreen

        screen = self.screen
        if not isinstance(screen, ConfitureScreen):
            return []
        return [
            (_title(action), action.help, partial(self._run, action))
            for action in reachable_at(*screen.places)
            if action.palette and screen.offers(action)
        ]

    def _run(self, action: Action) -> Coroutine[Any, Any, bool]:
        target = self.confiture if action.is_of_app else self.screen
        return self.app.run_action(action.id, target)


class MigrationJump(_Commands):
    """Go to a migration: a list to choose from."""

    def commands(self) -> list[tuple[str, str, Callable[[], Any]]]:
        """One for each migration."""
        return [
            (f"Go to {label(status.version, status.name)}", status.state, partial(self.confiture.go_to, status.version))
            for status in self.confiture.session.statuses
        ]


class MigrationCommands(MigrationJump):
    """The same within the palette: found by typing, not listed before the commands."""

    async def discover(self) -> Hits:
        """None."""
        nothing: tuple[DiscoveryHit, ...] = ()
        for hit in nothing:
            yield hit


class ThemeCommands(_Commands):
    """Themes: those that come with the house first, each with a word on whom it is for."""

    def commands(self) -> list[tuple[str, str, Callable[[], Any]]]:
        """One for each theme."""
        ours = [name for name in OWN_THEMES if name in self.app.available_themes]
        others = sorted(name for name in self.app.available_themes if name not in OWN_THEMES)
        return [
            (
                f"{name} (in use)" if name == self.app.theme else name,
                OWN_THEMES.get(name, "One of Textual's own."),
                partial(self.confiture.themes.take, name),
            )
            for name in (*ours, *others)
        ]


def _title(action: Action) -> str:
    return f"{action.label} ({key_name(action.keys[0])})" if action.keys else action.label
