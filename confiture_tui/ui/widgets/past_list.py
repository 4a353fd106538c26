"""The list of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.ui.presenters.past import past_row, past_rows
from confiture_tui.ui.widgets.row_list import RowList

if TYPE_CHECKING:
    from textual.content import Content

    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.presenters.past import PastRow
    from confiture_tui.ui.session import Session


class PastList(RowList):
    """Every run, the newest first."""

    def __init__(self, session: Session, glyphs: Glyphs, *, id: str) -> None:
        super().__init__(id=id)
        self._session = session
        self._glyphs = glyphs
        self.rows: tuple[PastRow, ...] = ()

    def reload(self) -> None:
        """Take the runs from the session."""
        entries = self._session.history.entries
        self.rows = past_rows(entries, self._session.statuses) if entries is not None else ()
        self.set_rows(len(self.rows), cursor=self.cursor)

    @property
    def chosen(self) -> PastRow | None:
        """The chosen run."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def line_content(self, index: int, width: int) -> Content | None:
        """One run."""
        return past_row(self.rows[index], width=width, glyphs=self._glyphs)
