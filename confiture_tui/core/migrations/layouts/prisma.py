"""The layout of Prisma: a directory for each migration, with ``migration.sql``; there is no way back.

Source: its documentation, and projects that use it: directories are applied in the order of their names as text; some
projects put a ``migration.ts`` of their own among them for data. A file is sent as one query.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.files import is_file
from confiture_tui.core.migrations.layouts.base import Sign, Strength
from confiture_tui.core.migrations.layouts.building import pair
from confiture_tui.core.migrations.layouts.layout import Contents, Layout
from confiture_tui.core.migrations.model import Finding, file_label
from confiture_tui.core.migrations.versions import VersionOrder

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_tui.core.migrations.layouts.listing import Listing

_SQL, _LOCK = "migration.sql", "migration_lock.toml"
_PROGRAMS = ("migration.ts", "migration.js")


class PrismaLayout(Layout):
    """``20240101000000_name/migration.sql``."""

    name = "prisma"
    order = VersionOrder.TEXT
    naming = "20240101000000_add_column/migration.sql"
    ledgers = ("prisma",)
    apply_command = "npx prisma migrate deploy"

    def sign(self, listing: Listing) -> Sign | None:
        """Its lock file, or a directory with ``migration.sql``."""
        if _LOCK in listing.names:
            return Sign(Strength.MARK, f"it holds {_LOCK}")
        found = listing.holding(_SQL)
        return Sign(Strength.MARK, f"it has directories like {found.parent.name} with {_SQL}") if found else None

    def read(self, listing: Listing) -> Contents:
        """Its directories; a program in one is the project's own, and of no concern to Prisma."""
        migrations, findings = [], []
        directories = [path for path in listing.directories if not path.name.startswith(".")]
        uses = Counter(path.name.partition("_")[0] for path in directories)
        for directory in directories:
            version, _, name = directory.name.partition("_")
            if uses[version] > 1:
                # To Prisma the whole name is the version.
                version, name = directory.name, ""
            programs = [directory / one for one in _PROGRAMS if is_file(directory / one)]
            findings += [_program(program) for program in programs]
            if is_file(directory / _SQL):
                migrations.append(pair(version, name, directory / _SQL, None))
            elif not programs:
                message = f"The directory {directory.name} has no {_SQL}: Prisma stops there. Take it away."
                findings.append(Finding(code="no-statements-file", message=message, path=directory, level="error"))
        findings += [self._stray(path) for path in listing.entries if path.name.endswith(".sql")]
        return Contents(migrations, findings=findings)


def _program(path: Path) -> Finding:
    message = (
        f"{file_label(path)} is a program of the project itself: what it does is not analysed, and Prisma does not "
        f"record it."
    )
    return Finding(code="not-analysed", message=message, path=path, level="warning")
