"""The layout of graphile-migrate: ``committed/000001-name.sql``, each with the hash of the one before it.

Source: its documentation and code: the headers ``--! Previous:`` and ``--! Hash:`` make a chain;
``--! no-transaction`` leaves a file, which then holds one statement, out of the transaction; ``current.sql`` is what is
being worked on. There is no way back.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.files import is_directory
from confiture_tui.core.migrations.layouts.base import Sign, Strength, list_files
from confiture_tui.core.migrations.layouts.building import pair
from confiture_tui.core.migrations.layouts.layout import Contents, Layout
from confiture_tui.core.migrations.model import Finding

if TYPE_CHECKING:
    from confiture_tui.core.migrations.layouts.listing import Listing

_NAME = re.compile(r"(?P<version>[0-9]+)(?:-(?P<name>.*))?\.sql")
_HEADER = re.compile(r"^--![ \t]*(?P<key>Previous|Hash):[ \t]*(?P<value>\S+)", re.MULTILINE)
_NO_TRANSACTION = re.compile(r"^--![ \t]*no-transaction\b", re.MULTILINE)
_COMMITTED, _CURRENT = "committed", "current.sql"


class GraphileMigrateLayout(Layout):
    """``committed/000001-name.sql``."""

    name = "graphile-migrate"
    naming = "committed/000001-add-column.sql"
    ledgers = ("graphile-migrate",)
    apply_command = "npx graphile-migrate migrate"

    def sign(self, listing: Listing) -> Sign | None:
        """The directory of what is committed, beside what is not yet."""
        if is_directory(listing.directory / _COMMITTED) and (_CURRENT in listing.names or "current" in listing.names):
            return Sign(Strength.MARK, f"it holds {_COMMITTED}/ and {_CURRENT}")
        return None

    def read(self, listing: Listing) -> Contents:
        """What is committed, and whether the chain of hashes holds."""
        migrations, findings = [], []
        previous: str | None = None
        for path in list_files(listing.directory / _COMMITTED):
            named = _NAME.fullmatch(path.name)
            if named is None:
                if path.name.endswith(".sql"):
                    findings.append(self._stray(path))
                continue
            migration = pair(named["version"], named["name"] or "", path, None)
            text = migration.up.text
            if _NO_TRANSACTION.search(text):
                migration = migration.model_copy(update={"up": migration.up.part(transactional=False)})
            headers = {found["key"]: found["value"] for found in _HEADER.finditer(text)}
            if previous is not None and headers.get("Previous") != previous:
                findings.append(_broken_chain(path))
            previous = headers.get("Hash")
            migrations.append(migration)
        return Contents(migrations, findings=findings)


def _broken_chain(path: Path) -> Finding:
    message = (
        f"{path.name}: its --! Previous is not the --! Hash of the file before it, so graphile-migrate refuses it. "
        f"Commit it again after that file."
    )
    return Finding(code="broken-chain", message=message, path=path, line=1, level="error")
