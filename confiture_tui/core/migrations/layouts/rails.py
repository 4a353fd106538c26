"""The layout of Rails: ``db/migrate/20240101000000_name.rb``. All of them are programs; only their order is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.layouts.base import Sign, Strength
from confiture_tui.core.migrations.layouts.building import opaque
from confiture_tui.core.migrations.layouts.layout import Contents, Layout

if TYPE_CHECKING:
    from confiture_tui.core.migrations.layouts.listing import Listing

_NAME = re.compile(r"(?P<version>[0-9]+)_(?P<name>.+)\.rb")


class RailsLayout(Layout):
    """``20240101000000_name.rb``."""

    name = "rails"
    naming = "20240101000000_add_column.rb"
    ledgers = ("dbmate",)
    apply_command = "bin/rails db:migrate"
    rollback_command = "bin/rails db:rollback"

    def sign(self, listing: Listing) -> Sign | None:
        """A numbered program in Ruby."""
        found = listing.named(_NAME)
        return Sign(Strength.MARK, f"it has files like {found.name}") if found else None

    def read(self, listing: Listing) -> Contents:
        """Its programs."""
        return Contents(
            programs=[
                opaque(named["version"], named["name"], path, "a Ruby program", "Rails")
                for path in listing.entries
                if (named := _NAME.fullmatch(path.name)) is not None
            ]
        )
