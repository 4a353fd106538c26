"""The line at the top of every screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.errors import ConnectError
from confiture_tui.opening import WAITING
from confiture_tui.ui.presenters.header import header
from confiture_tui.ui.session import Phase
from confiture_tui.ui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from textual.content import Content

    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.session import Session

_WAITING = {Phase.OPENING: WAITING, Phase.READY: "no project", Phase.FAILED: "not opened"}


class HeaderBar(OneLine):
    """Project, environment, database, server, role, read-only or not."""

    def __init__(self, session: Session, glyphs: Glyphs) -> None:
        super().__init__()
        self._session = session
        self._glyphs = glyphs

    def line(self, width: int) -> Content:
        """The header in ``width`` cells."""
        session = self._session
        waiting = _WAITING[session.phase]
        lost = isinstance(session.error, ConnectError)
        return header(session.project, session.target, width=width, waiting=waiting, glyphs=self._glyphs, lost=lost)
