"""Layouts: who names migration files how."""

from __future__ import annotations

from pathlib import Path

from confiture_tui.core.migrations.layouts.base import Layout, MigrationSet, OpaqueMigration
from confiture_tui.core.migrations.layouts.confiture import ConfitureLayout
from confiture_tui.core.migrations.layouts.loose import LooseFiles

__all__ = ["ConfitureLayout", "Layout", "LooseFiles", "MigrationSet", "OpaqueMigration", "discover"]


def discover(directory: Path) -> MigrationSet:
    """The migrations in a project's directory of migrations, named as ``confiture`` names them.

    Reads the files, but parses none. A directory without a migration has a finding that says so.

    Raises:
        UsageError: there is no such directory, or it cannot be listed.
    """
    return ConfitureLayout().discover(directory)
