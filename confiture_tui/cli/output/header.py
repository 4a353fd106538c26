"""The lines that every result begins with: which project, which environment, which database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.cli.output.page import Page, Style

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confiture_tui.core.migrations.model import Finding
    from confiture_tui.service.places import ProjectInfo, TargetInfo

_FINDING_STYLES = {"error": Style.BAD, "warning": Style.CAREFUL, "note": Style.QUIET}


def write_header(page: Page, project: ProjectInfo | None, target: TargetInfo | None) -> None:
    """Project and environment on one line, the database on the next, or that there is none."""
    if project is not None:
        word = project.environment.upper() if project.is_production else project.environment
        if project.is_production and "PROD" not in word:
            word = f"PRODUCTION ({word})"
        style = Style.BAD_TITLE if project.is_production else Style.TITLE
        page.line(page.styled(project.name, Style.TITLE), f" {page.glyphs.dot} ", page.styled(word, style))
    if target is None:
        page.line(page.styled("no database", Style.QUIET))
    else:
        facts = [target.database, target.host or "local socket", f"PostgreSQL {target.server_version}"]
        facts += [f"as {target.role}{', a superuser' if target.is_superuser else ''}"]
        facts += ["standby"] if target.in_recovery else []
        facts += ["read-only"] if target.read_only else []
        page.paragraph(page.joined(*facts), style=Style.QUIET)


def write_findings(page: Page, findings: Iterable[Finding]) -> None:
    """What is wrong with the files, the level as a word; the messages name file and line themselves.

    Errors come first, and what concerns many files alike is said once.
    """
    from confiture_tui.core.migrations.findings import condensed

    for finding in condensed(findings):
        style = _FINDING_STYLES.get(finding.level, Style.PLAIN)
        page.paragraph(f"{finding.level}: {finding.message}", indent=2, first="  ", style=style)
