"""``status`` as text: a line for each migration."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.cells import cell_len

from confiture_tui.cli.output.header import write_findings, write_header
from confiture_tui.cli.output.page import Page, Style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.core.runner.recovery import LeftOver
    from confiture_tui.service.places import ProjectInfo, TargetInfo

_STYLES = {
    "applied": Style.GOOD,
    "pending": Style.TITLE,
    "interrupted": Style.BAD,
    "changed": Style.CAREFUL,
    "missing": Style.CAREFUL,
}


_COMMANDS = {
    "resume": "resume {version}",
    "clean_up": "clean-up {version}",
    "mark_applied": "mark {version} applied",
    "mark_pending": "mark {version} pending",
    "wait": "status",
}
"""The command for each thing that can be done about a migration that stopped half-way."""


def write_status(
    page: Page,
    statuses: Sequence[MigrationStatus],
    project: ProjectInfo | None,
    target: TargetInfo | None,
    left: Sequence[LeftOver] = (),
) -> None:
    """Every migration with its state and when it was applied, what is left half-way, and how many there are of each."""
    write_header(page, project, target)
    page.blank()
    if statuses:
        versions = max(cell_len(status.version) for status in statuses) + 2
        states = max(len(status.state) for status in statuses) + 2
        times = len("2026-01-31 12:34")
        room = max(page.width - versions - states - times - 2, 12)
        names = min(max(cell_len(status.name) for status in statuses), room)
        for status in statuses:
            at = status.applied_at.strftime("%Y-%m-%d %H:%M") if status.applied_at else ""
            page.line(
                page.cell(status.version, versions),
                page.cell(str(status.state), states, _STYLES.get(str(status.state), Style.PLAIN)),
                page.cell(page.shortened(status.name, names), names + 2),
                page.styled(at, Style.QUIET),
            )
        page.blank()
    for one in left:
        page.paragraph(one.sentence, style=Style.BAD)
        commands = (f"confiture-tui {_COMMANDS[action].format(version=one.entry.version)}" for action in one.actions)
        page.paragraph(f"What can be done: {page.joined(*commands)}", indent=2, first="  ")
        page.blank()
    if project is not None:
        write_findings(page, project.findings)
    counts = Counter(str(status.state) for status in statuses)
    summary = ", ".join(f"{counts[state]} {state}" for state in _STYLES if counts[state])
    page.line(page.styled(summary or "There are no migrations.", Style.TITLE))
