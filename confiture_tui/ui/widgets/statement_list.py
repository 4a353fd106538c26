"""The table of a migration's statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.ui.presenters.statements import Columns, columns, row
from confiture_tui.ui.progress import Mark
from confiture_tui.ui.widgets.row_list import RowList

if TYPE_CHECKING:
    from textual.content import Content

    from confiture_tui.core.dry_run.result import DryRunResult, StatementObservation
    from confiture_tui.core.effects.model import StatementEffects
    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.progress import Progress


class StatementList(RowList):
    """One row for each statement: what it is, the worst of what it does, time and rows."""

    def __init__(self, glyphs: Glyphs, *, id: str) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._statements: tuple[StatementEffects, ...] = ()
        self._observed: dict[int, StatementObservation] = {}
        self._progress: Progress | None = None
        self._longest_tag = 0
        self._unseen = ""
        self.done = 0

    def show(
        self,
        statements: tuple[StatementEffects, ...],
        result: DryRunResult | None,
        progress: Progress | None,
        *,
        keep: bool,
        unseen: str,
        done: int = 0,
    ) -> None:
        """Show these statements.

        Args:
            statements: as the preview has them.
            result: the last dry run.
            progress: the dry run under way.
            keep: it is the same migration as before: the chosen statement stays chosen.
            unseen: what stands where nobody has looked.
            done: how many of the first ones a run that stopped half-way has done.
        """
        if statements is not self._statements:
            self._longest_tag = max((len(statement.tag) for statement in statements), default=0)
        self._statements = statements
        self._observed = {one.index: one for one in result.statements} if result is not None else {}
        self._progress = progress
        self._unseen = unseen
        self.done = done
        self.set_rows(len(statements), cursor=self.cursor if keep else 0)

    @property
    def chosen(self) -> StatementEffects | None:
        """The chosen statement."""
        return self._statements[self.cursor] if self.cursor < len(self._statements) else None

    def at_line(self, line: int) -> int | None:
        """The row of the statement that is on a line of the file, counted from 1, or that began last before it."""
        before = [number for number, one in enumerate(self._statements) if one.line <= line]
        return before[-1] if before else None

    def observation_of(self, statement: StatementEffects) -> StatementObservation | None:
        """What the last dry run saw of the statement."""
        return self._observed.get(statement.index)

    def layout_in(self, width: int) -> Columns:
        """The columns that fit in ``width`` cells."""
        last = self._statements[-1].line if self._statements else 1
        return columns(width, len(self._statements), last, self._longest_tag)

    def line_content(self, index: int, width: int) -> Content | None:
        """One statement."""
        statement = self._statements[index]
        mark = None
        if self._progress is not None:
            mark = self._progress.marks.get(statement.index, Mark.WAITING)
        return row(
            statement,
            self._observed.get(statement.index),
            self.layout_in(width),
            glyphs=self._glyphs,
            mark=mark,
            unseen=self._unseen,
            done=statement.index <= self.done,
        )
