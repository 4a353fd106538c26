"""The layout of sqlx: ``20240101000000_name.sql``, or ``.up.sql`` with ``.down.sql``.

Source: its code (0.8): versions are numbers; ``-- no-transaction`` at the very beginning of a file leaves it out of the
transaction. A file is sent as one query.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.files import read_bytes
from confiture_tui.core.migrations.layouts.base import Sign, Strength
from confiture_tui.core.migrations.layouts.building import pair
from confiture_tui.core.migrations.layouts.layout import Contents, Layout
from confiture_tui.core.migrations.layouts.pairs import read_pairs

if TYPE_CHECKING:
    from confiture_tui.core.migrations.layouts.listing import Listing

_UP = re.compile(r"(?P<version>[0-9]+)_(?P<name>.*)\.up\.sql")
_SIMPLE = re.compile(r"(?P<version>[0-9]+)_(?P<name>.*)\.sql")
_MARK = b"-- no-transaction"


class SqlxLayout(Layout):
    """``20240101000000_name.sql``, or a pair of files."""

    name = "sqlx"
    naming = "20240101000000_add_column.sql"
    ledgers = ("sqlx",)
    apply_command = "sqlx migrate run --source {directory}"
    rollback_command = "sqlx migrate revert --source {directory}"

    def sign(self, listing: Listing) -> Sign | None:
        """Numbered files in a project in Rust."""
        found = listing.named(_SIMPLE)
        if found is None or listing.above("Cargo.toml") is None:
            return None
        return Sign(Strength.PLACE, f"it has files like {found.name} and is in a Rust project")

    def read(self, listing: Listing) -> Contents:
        """Its files, single or in pairs."""
        paired = read_pairs(listing, _UP, stray=self._stray, transactional=_mark)
        single = [
            pair(named["version"], named["name"], path, None, transactional=_mark(path))
            for path in listing.entries
            if (named := _SIMPLE.fullmatch(path.name)) and not path.name.endswith((".up.sql", ".down.sql"))
        ]
        taken = {one.path for one in single}
        findings = [finding for finding in paired.findings if finding.path not in taken]
        return Contents([*paired.migrations, *single], findings=findings)


def _mark(path: Path) -> bool | None:
    content, _unreadable = read_bytes(path)
    return False if content is not None and content.startswith(_MARK) else None
