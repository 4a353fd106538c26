"""The layout of diesel: a directory for each migration, with ``up.sql``, ``down.sql`` and perhaps ``metadata.toml``.

Source: its code (2.x): the version is the directory's name up to the first ``_`` without dashes, compared as text;
``run_in_transaction = false`` is of both directions. A file is sent as one query.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.files import is_directory, is_file
from confiture_tui.core.migrations.layouts.base import Sign, Strength
from confiture_tui.core.migrations.layouts.building import pair
from confiture_tui.core.migrations.layouts.layout import Contents, Layout
from confiture_tui.core.migrations.model import Finding, file_label
from confiture_tui.core.migrations.versions import VersionOrder

if TYPE_CHECKING:
    from confiture_tui.core.migrations.layouts.listing import Listing

_UP, _DOWN, _METADATA = "up.sql", "down.sql", "metadata.toml"


class DieselLayout(Layout):
    """``2024-01-01-000000_name/up.sql`` and ``down.sql``."""

    name = "diesel"
    order = VersionOrder.TEXT
    naming = "2024-01-01-000000_add_column/up.sql"
    ledgers = ("diesel",)
    apply_command = "diesel migration run --migration-dir {directory}"
    rollback_command = "diesel migration revert --migration-dir {directory}"

    def sign(self, listing: Listing) -> Sign | None:
        """A directory with ``up.sql``."""
        found = listing.holding(_UP)
        return Sign(Strength.MARK, f"it has directories like {found.parent.name} with {_UP}") if found else None

    def read(self, listing: Listing) -> Contents:
        """Its directories."""
        migrations, findings = [], []
        for path in listing.entries:
            if path.name.endswith(".sql"):
                findings.append(self._stray(path))
            if not is_directory(path) or path.name.startswith("."):
                continue
            up, down = path / _UP, path / _DOWN
            if not is_file(up):
                findings.append(_without_up(path))
                continue
            version, _, name = path.name.partition("_")
            transactional, wrong = _metadata(path / _METADATA)
            findings += wrong
            migrations.append(
                pair(
                    version.replace("-", ""),
                    name,
                    up,
                    down if is_file(down) else None,
                    transactional=transactional,
                    down_transactional=transactional,
                    expected_down=f"{path.name}/{_DOWN}",
                )
            )
        return Contents(migrations, findings=findings)


def _without_up(path: Path) -> Finding:
    message = f"The directory {path.name} has no {_UP}, so that it is no migration of diesel."
    return Finding(code="no-statements-file", message=message, path=path, level="warning")


def _metadata(path: Path) -> tuple[bool | None, list[Finding]]:
    """What ``metadata.toml`` says of running the migration in a transaction, and what is wrong with it."""
    if not is_file(path):
        return None, []
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{file_label(path)} cannot be read ({error}), so diesel refuses the migration. Mend it."
        return None, [Finding(code="unreadable-metadata", message=message, path=path, level="error")]
    return (False if values.get("run_in_transaction") is False else None), []
