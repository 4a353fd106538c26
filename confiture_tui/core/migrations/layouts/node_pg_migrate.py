"""The layout of node-pg-migrate: programs in JavaScript, and SQL files with both directions.

Source: its documentation and code: a line ``-- Up Migration`` or ``-- Down Migration`` begins a section; a file without
them is a way up; pairs of ``.up.sql`` and ``.down.sql`` are taken, too.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.layouts.base import Sign, Strength
from confiture_tui.core.migrations.layouts.building import Divided, divided, opaque
from confiture_tui.core.migrations.layouts.layout import Contents, Layout
from confiture_tui.core.migrations.layouts.pairs import read_pairs
from confiture_tui.core.migrations.layouts.sections import divide_at

if TYPE_CHECKING:
    from confiture_tui.core.migrations.files import SqlFile
    from confiture_tui.core.migrations.layouts.listing import Listing

_NAME = re.compile(r"(?P<version>[0-9]+)[_-](?P<name>.+)\.(?P<kind>sql|js|cjs|mjs|ts)")
_PAIR = re.compile(r"(?P<version>[0-9]+)[_-](?P<name>.+)\.up\.sql")
UP = re.compile(r"^\s*--[\s-]*up\s+migration\b[^\n]*$", re.IGNORECASE | re.MULTILINE)
_DOWN = re.compile(r"^\s*--[\s-]*down\s+migration\b[^\n]*$", re.IGNORECASE | re.MULTILINE)


class NodePgMigrateLayout(Layout):
    """``1700000000000_name.js`` and ``1700000000000_name.sql``."""

    name = "node-pg-migrate"
    naming = "1700000000000_add_column.sql"
    ledgers = ("node-pg-migrate",)
    apply_command = "npx node-pg-migrate -m {directory} up"
    rollback_command = "npx node-pg-migrate -m {directory} down"

    def sign(self, listing: Listing) -> Sign | None:
        """A line ``-- Up Migration``."""
        found = listing.containing(UP)
        return Sign(Strength.MARK, f"{found.name} has a line -- Up Migration") if found else None

    def read(self, listing: Listing) -> Contents:
        """Its files in SQL, single or in pairs, and its programs."""
        paired = read_pairs(listing, _PAIR, stray=self._stray)
        single, programs = [], []
        for path in listing.entries:
            named = _NAME.fullmatch(path.name)
            if named is None or path.name.endswith((".up.sql", ".down.sql", ".d.ts")):
                continue
            if named["kind"] == "sql":
                single.append(divided(named["version"], named["name"], path, divide))
            else:
                programs.append(opaque(named["version"], named["name"], path, "a program", "node-pg-migrate"))
        taken = {one.path for one in single}
        findings = [finding for finding in paired.findings if finding.path not in taken]
        return Contents([*paired.migrations, *single], programs, findings)


def divide(file: SqlFile, path: Path) -> Divided:
    """The sections of a file."""
    return divide_at(file, path, UP, _DOWN, whole_without_marks=True)
