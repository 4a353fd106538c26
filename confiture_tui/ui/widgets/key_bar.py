"""The line of keys at the bottom of every screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.ui.actions import Where, actions_at
from confiture_tui.ui.presenters.keys import key_hints, key_line
from confiture_tui.ui.session import Phase
from confiture_tui.ui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from textual.content import Content
    from textual.events import Click

    from confiture_tui.ui.presenters.keys import KeyHint
    from confiture_tui.ui.session import Session


class KeyBar(OneLine):
    """The keys that matter here; a click on one does what it says."""

    def __init__(self, session: Session, *places: Where) -> None:
        super().__init__()
        self._session = session
        self._actions = actions_at(*places)

    def _hints(self, width: int) -> tuple[KeyHint, ...]:
        ready = self._session.phase is Phase.READY
        # What a screen does needs something to do it to.
        actions = [action for action in self._actions if ready or action.where is Where.EVERYWHERE]
        return key_hints(actions, width=width, running=self._session.busy)

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
                target = self.app if hint.action.where is Where.EVERYWHERE else self.screen
                await self.app.run_action(hint.action.id, target)
