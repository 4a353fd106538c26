"""The list of migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.ui.presenters.migrations import ordered, row
from confiture_tui.ui.widgets.row_list import RowList

if TYPE_CHECKING:
    from pathlib import Path

    from textual.content import Content

    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.session import Session


class MigrationList(RowList):
    """Every migration with its state and what a dry run said of it; what needs attention and pending ones first."""

    def __init__(self, session: Session, glyphs: Glyphs, *, id: str) -> None:
        super().__init__(id=id)
        self._session = session
        self._glyphs = glyphs
        self._statuses: tuple[MigrationStatus, ...] = ()
        self.worst_first = False

    def reload(self) -> None:
        """Take the migrations from the session; the chosen one stays chosen if it is still there."""
        chosen = self.chosen
        self._statuses = ordered(self._session.statuses, self._session.assessments if self.worst_first else None)
        versions = [status.version for status in self._statuses]
        at = versions.index(chosen.version) if chosen is not None and chosen.version in versions else 0
        self.set_rows(len(versions), cursor=at)

    @property
    def chosen(self) -> MigrationStatus | None:
        """The chosen migration."""
        return self._statuses[self.cursor] if self.cursor < len(self._statuses) else None

    def choose(self, version: str) -> bool:
        """Choose the migration with this version; false if there is none."""
        for index, status in enumerate(self._statuses):
            if status.version == version:
                self.cursor = index
                return True
        return False

    def choose_file(self, file: Path | None) -> None:
        """Choose the migration of this file, if it is one: whoever has opened a file wants to see that one."""
        versions = [status.version for status in self._statuses if file is not None and status.path == file]
        if versions:
            self.choose(versions[0])

    def line_content(self, index: int, width: int) -> Content | None:
        """One migration."""
        return row(self._statuses[index], self._session, width=width, glyphs=self._glyphs)
