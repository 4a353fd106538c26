"""What the panes of the chosen migration show, or why they have nothing to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content

from confiture_tui.ui.actions import key_of
from confiture_tui.ui.presenters.facts import facts
from confiture_tui.ui.presenters.migrations import is_applied, is_interrupted, settled_by
from confiture_tui.ui.presenters.schema_diff import diff_summary
from confiture_tui.ui.presenters.statements import not_looked
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.presenters.verdict import error_text, report
from confiture_tui.ui.progress import Mark
from confiture_tui.ui.safe_text import safe_line, safe_text

if TYPE_CHECKING:
    from confiture_tui.core.catalog.diff import SchemaDiff
    from confiture_tui.core.dry_run.result import StatementObservation
    from confiture_tui.core.effects.model import StatementEffects
    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.errors import ConfitureError
    from confiture_tui.service.models import MigrationPreview
    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.progress import Progress
    from confiture_tui.ui.session import Session

_NEWEST: Final = 20
"""Statements that are listed while a dry run is under way."""
_LONGEST_TEXT: Final = 4_000_000
"""Characters of a file that are shown: laying out more would hold up a key."""


def facts_pane(
    statement: StatementEffects | None,
    observed: StatementObservation | None,
    preview: MigrationPreview | None,
    error: ConfitureError | None,
    glyphs: Glyphs,
    unseen: str | None = None,
    *,
    done: bool = False,
) -> Content:
    """The chosen statement, after what is wrong with the file.

    ``unseen`` stands where nobody has looked at it; ``done``: a run that stopped half-way has done it.
    """
    if error is not None:
        return error_text(error)
    if preview is None:
        return Content.styled("reading the file", style("quiet"))
    blocks = [_finding(finding.level, finding.message, finding.line, glyphs) for finding in preview.findings]
    if statement is not None:
        blocks.append(facts(statement, observed, glyphs, unseen, done=done))
    elif not preview.statements:
        blocks.append(Content.styled("The file has no statements.", style("quiet")))
    return Content("\n").join(blocks)


def _finding(level: str, message: str, line: int | None, glyphs: Glyphs) -> Content:
    word = level if level in ("error", "warning") else "info"
    where = f" (line {line})" if line is not None and f"line {line}" not in message else ""
    return Content.assemble(
        (f"{getattr(glyphs, word)} {safe_line(level)} ", style(f"severity-{word}")), f"{safe_text(message)}{where}"
    )


def unseen(version: str, session: Session) -> str:
    """What stands where a statement's effects are not known."""
    if is_applied(version, session):
        return "applied already: not looked at"
    if session.assessing and version not in session.assessments:
        return "being assessed"
    return not_looked()


def report_pane(version: str, session: Session, glyphs: Glyphs) -> Content:
    """The last dry run of a migration, or how to get one."""
    failure = session.failures.get(version)
    if failure is not None:
        return Content.assemble(("The dry run could not be made.\n\n", style("heading")), error_text(failure))
    result = session.results.get(version)
    if result is not None:
        return report(result, glyphs)
    if session.progress is not None and session.progress.version == version:
        return under_way(session.progress, glyphs)
    if is_interrupted(version, session):
        return Content.assemble(
            ("A run of it stopped half-way.\n\n", style("state-attention")),
            "What is left of it comes first: ",
            settled_by(),
            ".",
        )
    if is_applied(version, session):
        return Content.styled("It is applied already: there is nothing to try.", style("quiet"))
    where = (
        "an empty database, after the migrations before it" if session.target is None else "a shadow of the database"
    )
    return Content.assemble(
        ("Not tried yet. Press ", style("quiet")),
        (key_of("dry_run"), style("key")),
        (f" to try it on {where}. Nothing of it stays.", style("quiet")),
    )


def under_way(progress: Progress, glyphs: Glyphs) -> Content:
    """How far a dry run has come: the pass, and what became of the last statements in it, the newest first."""
    signs = {Mark.RUNNING: glyphs.running, Mark.RAN: glyphs.ok, Mark.FAILED: glyphs.fails}
    newest = sorted(progress.marks, reverse=True)[:_NEWEST]
    lines = [Content.styled(f"The dry run is under way: {safe_line(progress.step)}.", style("quiet"))]
    lines += [
        Content(f"{signs[progress.marks[index]]} statement {index} {progress.marks[index].value}")
        for index in newest
        if progress.marks[index] in signs
    ]
    return Content("\n").join(lines)


def diff_of(version: str, session: Session, preview: MigrationPreview | None) -> SchemaDiff | None:
    """The difference that the last dry run of a migration has shown."""
    result = session.results.get(version)
    return result.schema_diff if result is not None else preview.schema_diff if preview is not None else None


def schema_pane(version: str, session: Session, diff: SchemaDiff | None) -> Content:
    """How much of the schema the migration changes, as far as a dry run has shown it."""
    result = session.results.get(version)
    if diff is not None and result is not None and result.verdict == "fails":
        left = (
            "The migration fails. What it leaves behind all the same:\n" if diff.changes else "The migration fails.\n"
        )
        return Content.assemble((left, style("severity-error")), diff_summary(diff))
    if diff is not None:
        return diff_summary(diff)
    if result is not None and result.verdict == "fails":
        return Content.styled("The migration failed, so there is no schema after it to compare.", style("quiet"))
    return Content.styled(
        "Not compared." if result is not None else "Not looked at yet: a dry run shows it.", style("quiet")
    )


def source_text(status: MigrationStatus, *, backward: bool = False) -> str:
    """The SQL of a migration, or of its way back; where there is none, a comment that says why.

    Not safe yet: the SQL view sees to it.
    """
    if status.migration is not None:
        script = status.migration.down if backward else status.migration.up
        text = script.text if script is not None else "-- There is no way back."
        if len(text) <= _LONGEST_TEXT:
            return text
        return f"{text[:_LONGEST_TEXT]}\n-- … {len(text) - _LONGEST_TEXT:,} more characters are not shown here."
    if status.path is not None:
        return f"-- {status.path.name} is a program: what SQL it runs is not known."
    return "-- There is no file: only the ledger knows this migration."
