"""The layout of golang-migrate: ``000001_name.up.sql`` with ``000001_name.down.sql`` beside it.

Source: its parser (v4), ``^([0-9]+)_(.*)\\.(down|up)\\.(.*)$``, versions compared as numbers; its PostgreSQL driver
sends a file as one query.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.layouts.base import Sign, Strength
from confiture_tui.core.migrations.layouts.layout import Layout
from confiture_tui.core.migrations.layouts.pairs import read_pairs

if TYPE_CHECKING:
    from confiture_tui.core.migrations.layouts.layout import Contents
    from confiture_tui.core.migrations.layouts.listing import Listing

_UP = re.compile(r"(?P<version>[0-9]+)_(?P<name>.*)\.up\.sql")


class GolangMigrateLayout(Layout):
    """``000001_name.up.sql`` and ``000001_name.down.sql``."""

    name = "golang-migrate"
    naming = "000001_add_column.up.sql"
    ledgers = ("golang-migrate",)
    apply_command = 'migrate -path {directory} -database "$DATABASE_URL" up'
    rollback_command = 'migrate -path {directory} -database "$DATABASE_URL" down 1'

    def sign(self, listing: Listing) -> Sign | None:
        """Numbered pairs in a project in Go."""
        found = listing.named(_UP)
        if found is None:
            return None
        if listing.above("go.mod") is not None:
            return Sign(Strength.PLACE, f"it has files like {found.name} and is in a Go module")
        return Sign(Strength.NAMES, f"it has files like {found.name}")

    def read(self, listing: Listing) -> Contents:
        """Its pairs."""
        return read_pairs(listing, _UP, stray=self._stray)
