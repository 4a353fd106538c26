"""The layout of dbmate: ``20240101000000_name.sql`` with both directions in one file.

Source: its documentation and parser (v2): a version is the digits at the front of the name and compared as text;
options of a section (``transaction:false``) stand in the line that begins it. The text of a section is sent as one
query.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.layouts.base import Sign, Strength
from confiture_tui.core.migrations.layouts.building import Divided, divided
from confiture_tui.core.migrations.layouts.layout import Contents, Layout
from confiture_tui.core.migrations.layouts.sections import divide_at
from confiture_tui.core.migrations.versions import VersionOrder

if TYPE_CHECKING:
    from confiture_tui.core.migrations.files import SqlFile
    from confiture_tui.core.migrations.layouts.listing import Listing

_NAME = re.compile(r"(?P<version>[0-9]+)_?(?P<name>.*)\.sql")
UP = re.compile(r"^--[ \t]*migrate:up\b[^\n]*$", re.MULTILINE)
_DOWN = re.compile(r"^--[ \t]*migrate:down\b[^\n]*$", re.MULTILINE)
_NO_TRANSACTION = re.compile(r"\btransaction:false\b")


class DbmateLayout(Layout):
    """``20240101000000_name.sql``, with ``-- migrate:up`` and ``-- migrate:down`` in it."""

    name = "dbmate"
    order = VersionOrder.TEXT
    naming = "20240101000000_add_column.sql"
    ledgers = ("dbmate",)
    apply_command = "dbmate --migrations-dir {directory} up"
    rollback_command = "dbmate --migrations-dir {directory} rollback"

    def sign(self, listing: Listing) -> Sign | None:
        """A line ``-- migrate:up``."""
        found = listing.containing(UP)
        return Sign(Strength.MARK, f"{found.name} has a line -- migrate:up") if found else None

    def read(self, listing: Listing) -> Contents:
        """Its files."""
        migrations, findings = [], []
        for path in listing.entries:
            named = _NAME.fullmatch(path.name)
            if named is not None:
                migrations.append(divided(named["version"], named["name"], path, divide))
            elif path.name.endswith(".sql"):
                findings.append(self._stray(path))
        return Contents(migrations, findings=findings)


def divide(file: SqlFile, path: Path) -> Divided:
    """The sections of a file."""
    return divide_at(file, path, UP, _DOWN, no_transaction=_NO_TRANSACTION)
