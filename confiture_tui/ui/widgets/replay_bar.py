"""Where a replay is, below the header of every screen; a click goes there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from confiture_tui.ui.presenters.replay import replay_line
from confiture_tui.ui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from textual.content import Content
    from textual.events import Click

    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.player import Player


class ReplayBar(OneLine):
    """State, time, speed, and how much lies behind."""

    class Clicked(Message):
        """Somebody wants to be elsewhere: at this share of the recording, from 0 to 1."""

        def __init__(self, share: float) -> None:
            super().__init__()
            self.share = share

    def __init__(self, player: Player, name: str, glyphs: Glyphs) -> None:
        super().__init__()
        self._player = player
        self._file = name
        self._glyphs = glyphs

    def line(self, width: int) -> Content:
        """The line in ``width`` cells."""
        return replay_line(self._player, self._file, width=width, glyphs=self._glyphs)

    def on_click(self, event: Click) -> None:
        """Go to where in the bar it was."""
        offset = event.get_content_offset(self)
        signs = self.line(self.size.width).plain
        cells = [at for at, sign in enumerate(signs) if sign in "━─=-"]
        if offset is not None and cells and cells[0] <= offset.x <= cells[-1]:
            self.post_message(self.Clicked((offset.x - cells[0]) / max(len(cells) - 1, 1)))
