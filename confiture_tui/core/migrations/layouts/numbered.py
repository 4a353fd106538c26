"""Layouts of one flat directory of SQL files with a number in front, without a way back: Supabase and Atlas.

Sources: their documentation. Supabase applies ``supabase/migrations/20240101000000_name.sql``; since its release 2.109
a statement that cannot run in a transaction runs by itself. Atlas keeps the hashes of its files in ``atlas.sum``, runs
each in a transaction, and leaves one with ``-- atlas:txmode none`` out of it.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.layouts.base import Sign, Strength
from confiture_tui.core.migrations.layouts.building import pair
from confiture_tui.core.migrations.layouts.layout import Contents, Layout

if TYPE_CHECKING:
    from confiture_tui.core.migrations.layouts.listing import Listing

_NAME = re.compile(r"(?P<version>[0-9]+)(?:_(?P<name>.*))?\.sql")
_SUM = "atlas.sum"
_TXMODE_NONE = re.compile(r"^--[ \t]*atlas:txmode[ \t]+none[ \t]*\r?$", re.MULTILINE)
_PAIRED = re.compile(r".*\.(?:up|down)\.sql")


class _NumberedFiles(Layout):
    """A number, ``_``, a name."""

    naming = "20240101000000_add_column.sql"

    @abstractmethod
    def sign(self, listing: Listing) -> Sign | None:
        """Whose directory it is cannot be seen from such names alone."""

    def read(self, listing: Listing) -> Contents:
        """Its files."""
        migrations, findings = [], []
        for path in listing.entries:
            named = _NAME.fullmatch(path.name)
            if named is not None:
                migration = pair(named["version"], named["name"] or "", path, None)
                if self._alone(migration.up.text):
                    migration = migration.model_copy(update={"up": migration.up.part(transactional=False)})
                migrations.append(migration)
            elif path.name.endswith(".sql"):
                findings.append(self._stray(path))
        return Contents(migrations, findings=findings)

    def _alone(self, _text: str) -> bool:
        """Whether a mark in a file says that it is to run outside a transaction."""
        return False


class SupabaseLayout(_NumberedFiles):
    """``supabase/migrations/20240101000000_name.sql``."""

    name = "supabase"
    ledgers = ("supabase",)
    apply_command = "supabase db push"

    def sign(self, listing: Listing) -> Sign | None:
        """Where it lies."""
        if listing.lies_in("supabase", "migrations"):
            return Sign(Strength.MARK, "it is supabase/migrations")
        return None


class AtlasLayout(_NumberedFiles):
    """``20240101000000_name.sql`` with ``atlas.sum``."""

    name = "atlas"
    ledgers = ("atlas",)
    apply_command = 'atlas migrate apply --dir "file://{directory}" --url "$DATABASE_URL"'
    rollback_command = 'atlas migrate down --dir "file://{directory}" --url "$DATABASE_URL"'

    def sign(self, listing: Listing) -> Sign | None:
        """Its file of hashes; Atlas also keeps one for files that other tools run, which are in pairs."""
        if _SUM not in listing.names or listing.named(_PAIRED) is not None:
            return None
        return Sign(Strength.PLACE, f"it holds {_SUM}")

    def _alone(self, text: str) -> bool:
        return _TXMODE_NONE.search(text) is not None
