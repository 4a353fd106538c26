"""The list of findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.ui.presenters.findings import Grouping, chosen_findings, finding_row, finding_rows
from confiture_tui.ui.widgets.row_list import RowList

if TYPE_CHECKING:
    from textual.content import Content

    from confiture_tui.core.lint.model import Violation
    from confiture_tui.service.linting import LintResult
    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.presenters.findings import FindingRow


class FindingList(RowList):
    """Findings under the headings of their groups; what is shown of them is decided by ``show``."""

    def __init__(self, glyphs: Glyphs, *, id: str) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._result: LintResult | None = None
        self._grouping = Grouping.SEVERITY
        self._rows: tuple[FindingRow, ...] = ()
        self.violations: tuple[Violation, ...] = ()

    def show(self, result: LintResult | None, words: str, *, only_added: bool, grouping: Grouping) -> None:
        """Show these findings; the chosen one stays chosen, else the first one is."""
        before = self.chosen
        self._result, self._grouping = result, grouping
        found = chosen_findings(result, words, only_added=only_added) if result is not None else ()
        self.violations = found
        self._rows = finding_rows(found, grouping)
        # The first row is a heading.
        at = min(1, len(self._rows) - 1)
        if before is not None and before.violation is not None:
            key = before.violation.key
            at = next((n for n, one in enumerate(self._rows) if one.violation and one.violation.key == key), at)
        self.set_rows(len(self._rows), cursor=at)

    @property
    def shown(self) -> int:
        """How many findings are shown."""
        return len(self.violations)

    @property
    def chosen(self) -> FindingRow | None:
        """The chosen row."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def line_content(self, index: int, width: int) -> Content | None:
        """One row."""
        if self._result is None:
            return None
        return finding_row(self._rows[index], self._result, self._grouping, width=width, glyphs=self._glyphs)
