"""Layouts: who names migration files how."""

from __future__ import annotations

from confiture_tui.core.migrations.layouts.base import MigrationSet, OpaqueMigration
from confiture_tui.core.migrations.layouts.confiture import ConfitureLayout
from confiture_tui.core.migrations.layouts.layout import Layout
from confiture_tui.core.migrations.layouts.loose import LooseFiles, SingleFile
from confiture_tui.core.migrations.layouts.recognition import LAYOUTS, Recognised, discover, locate, recognise

__all__ = [
    "LAYOUTS",
    "ConfitureLayout",
    "Layout",
    "LooseFiles",
    "MigrationSet",
    "OpaqueMigration",
    "Recognised",
    "SingleFile",
    "discover",
    "locate",
    "recognise",
]
