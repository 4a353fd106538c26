"""``preview`` as text: what a migration contains, statement by statement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.cli.output.effects import write_effects, write_failure
from confiture_tui.cli.output.header import write_findings
from confiture_tui.cli.output.page import Page, Style
from confiture_tui.cli.output.units import plural

if TYPE_CHECKING:
    from confiture_tui.service.models import MigrationPreview

_WRAPPING = {
    "transaction": "the runner wraps it in one transaction",
    "own": "the file's own BEGIN and COMMIT wrap it",
    "none": "nothing wraps it: each statement commits by itself",
}
_MOST_LINES = 200
"""Of a statement that are shown; as JSON, all of it is there."""
_LONGEST_LINE = 2_000
"""Characters of a line that are shown."""


def write_preview(page: Page, preview: MigrationPreview) -> None:
    """The statements with their SQL, what is known of their effects, and how much of it was analysed."""
    label = "_".join(part for part in (preview.version, preview.name) if part)
    page.line(page.styled(label, Style.TITLE))
    if preview.path is not None:
        here = Path.cwd()
        path = preview.path.relative_to(here) if preview.path.is_relative_to(here) else preview.path
        page.line("  ", page.styled(str(path), Style.QUIET))
    back = "has a way back" if preview.has_down else "no way back"
    page.paragraph(page.joined(_WRAPPING.get(preview.wrapping, preview.wrapping), back), indent=2, first="  ")
    write_findings(page, preview.findings)
    for hook in preview.hooks:
        facts = (hook.phase or "", {"both": "in both directions"}.get(hook.direction, hook.direction))
        page.paragraph(page.joined(f"hook {hook.hook}", *facts), indent=2, first="  ")
    for statement in preview.statements:
        page.blank()
        page.line(
            page.cell(f"{statement.index}", 4, right=True),
            page.cell(f"  line {statement.line}", 12, Style.QUIET),
            page.styled(statement.tag, Style.TITLE),
        )
        _write_sql(page, statement.sql)
        if statement.fails is not None:
            write_failure(page, statement, statement.fails, indent=6)
        write_effects(page, statement, indent=6)
    analysed, total = preview.analysed
    page.blank()
    page.line("  ", page.styled(f"{analysed} of {plural(total, 'statement')} analysed", Style.TITLE))


def _write_sql(page: Page, sql: str) -> None:
    """The statement as it is, to be copied; of one that is mostly data, its beginning."""
    lines = sql.splitlines()
    shown = [line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + page.glyphs.cut for line in lines]
    page.verbatim(shown[:_MOST_LINES], indent=6)
    if len(lines) > _MOST_LINES:
        page.line(" " * 6, page.styled(f"{page.glyphs.cut} {len(lines) - _MOST_LINES:,} lines more", Style.QUIET))
