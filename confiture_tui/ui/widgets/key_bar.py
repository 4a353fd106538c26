"""The line of keys at the bottom of every screen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from confiture_tui.ui.actions import Where, reachable_at
from confiture_tui.ui.presenters.keys import key_hints, key_line
from confiture_tui.ui.session import Phase
from confiture_tui.ui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.content import Content
    from textual.events import Click

    from confiture_tui.ui.actions import Action
    from confiture_tui.ui.presenters.keys import KeyHint
    from confiture_tui.ui.session import Session


_WAYS_OUT = frozenset({"open_files", "connect", "open_demo", "reload"})


class KeyBar(OneLine):
    """The keys that matter here; a click on one does what it says."""

    def __init__(self, session: Session, places: tuple[Where, ...], offers: Callable[[Action], bool]) -> None:
        """A line of the keys of these places, the most particular first, that ``offers`` says can be used now."""
        super().__init__()
        self._session = session
        self._actions = reachable_at(*places)
        self._offers = offers

    def _hints(self, width: int) -> tuple[KeyHint, ...]:
        phase = self._session.phase
        if phase is Phase.FAILED or (phase is Phase.READY and not self._session.statuses):
            # Nothing can be done here but to open something else.
            first = [replace(action, weight=1) for action in self._actions if action.id in _WAYS_OUT]
            rest = [action for action in self._actions if action.is_of_app and action.id not in _WAYS_OUT]
            return key_hints([*first, *(one for one in rest if self._offers(one))], width=width, running=True)
        # What a screen does needs something to do it to.
        ready = phase is Phase.READY
        actions = [action for action in self._actions if (ready or action.is_of_app) and self._offers(action)]
        return key_hints(actions, width=width, running=True)

    def line(self, width: int) -> Content:
        """The keys that fit in ``width`` cells."""
        return key_line(self._hints(width))

    async def on_click(self, event: Click) -> None:
        """Do what was clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        for hint in self._hints(self.size.width):
            if hint.start <= offset.x < hint.end:
                target = self.app if hint.action.is_of_app else self.screen
                await self.app.run_action(hint.action.id, target)
