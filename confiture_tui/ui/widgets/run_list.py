"""The list of the wizard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.ui.presenters.run_rows import run_row, run_rows
from confiture_tui.ui.widgets.row_list import RowList

if TYPE_CHECKING:
    from textual.content import Content

    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.presenters.run_rows import RunRow
    from confiture_tui.ui.session import Session


class RunList(RowList):
    """What is left half-way, then what is run or could be, in its order."""

    def __init__(self, session: Session, glyphs: Glyphs, *, id: str) -> None:
        super().__init__(id=id)
        self._session = session
        self._glyphs = glyphs
        self.rows: tuple[RunRow, ...] = ()

    def reload(self) -> None:
        """Take the rows from the session; the chosen one stays chosen, unless something half-way has turned up."""
        before, had_left = self.chosen, any(one.left is not None for one in self.rows)
        self.rows = run_rows(self._session)
        at = 0
        turned_up = not had_left and any(one.left is not None for one in self.rows)
        if before is not None and not turned_up:
            same = (
                index
                for index, one in enumerate(self.rows)
                if one.version == before.version and (one.left is None) == (before.left is None)
            )
            at = next(same, 0)
        self.set_rows(len(self.rows), cursor=at)

    @property
    def chosen(self) -> RunRow | None:
        """The chosen row."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def choose(self, version: str) -> None:
        """Choose the row of a migration."""
        at = next((index for index, one in enumerate(self.rows) if one.version == version), None)
        if at is not None:
            self.cursor = at

    def line_content(self, index: int, width: int) -> Content | None:
        """One row."""
        return run_row(self.rows[index], self._session, width=width, glyphs=self._glyphs)
