"""Migrations that another tool applies: this program reviews them, and leaves their database to that tool."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Literal

from confiture_tui.core.migrations.layouts import SingleFile
from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_tui.core.migrations.layouts import Layout


def refuse_foreign(layout: Layout, directory: Path, direction: Literal["forward", "backward"] = "forward") -> None:
    """Refuse to change a database by another tool's migrations: its ledger is its own.

    Raises:
        UsageError: they are another tool's; with the command that its users type.
    """
    if layout.apply_command is None:
        return
    if isinstance(layout, SingleFile):
        raise UsageError(
            f"{layout.path.name} belongs to no project: no ledger says whether it was run, and none would tell that it "
            "is. Nothing was run.",
            hint=f"To run it from here, make it a migration of a project: db/migrations/001_{layout.path.stem}.up.sql.",
        )
    command = layout.apply_command if direction == "forward" else layout.rollback_command
    said = f"These are migrations of {layout.name}, which applies them and keeps its own ledger. Nothing was run."
    if command is None:
        raise UsageError(said, hint=f"{layout.name} takes nothing back: write a migration that does.")
    raise UsageError(said, hint=f"Run: {command.replace('{directory}', shlex.quote(str(directory)))}")
