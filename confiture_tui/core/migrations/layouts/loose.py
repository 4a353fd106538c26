"""Single SQL files, and directories of them, that belong to no tool."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.files import read_sql_file
from confiture_tui.core.migrations.layouts.base import MigrationSet, Sign, list_files
from confiture_tui.core.migrations.layouts.layout import Contents, Layout
from confiture_tui.core.migrations.model import Finding, Migration
from confiture_tui.core.migrations.versions import VersionOrder, natural_key
from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from confiture_tui.core.migrations.layouts.listing import Listing

_NUMBERED = re.compile(r"(?P<version>[0-9][0-9A-Za-z.-]*)_(?P<name>.+)")


class LooseFiles:
    """SQL files by path. A file ``x.down.sql`` beside ``x.up.sql`` or ``x.sql`` is its way back, not a migration."""

    name = "loose"

    def discover(self, directory: Path) -> MigrationSet:
        """The SQL files in a directory, not in those below it, in natural order (``9_`` before ``10_``).

        Raises:
            UsageError: there is no such directory, or it cannot be listed.
        """
        files = [path for path in list_files(directory) if path.name.lower().endswith(".sql")]
        findings = []
        if not files:
            message = f"There is no SQL file in {directory}."
            findings.append(Finding(code="no-migrations", message=message, path=directory, level="warning"))
        return MigrationSet(
            migrations=tuple(_migration(path) for path in sorted(_without_ways_back(files), key=_natural_name)),
            findings=tuple(findings),
            directory=directory,
            layout=self.name,
            order=VersionOrder.LISTED,
        )

    def of_paths(self, paths: Sequence[Path]) -> MigrationSet:
        """The files named, in that order; a directory stands for the SQL files in it.

        Raises:
            UsageError: a path does not exist, or a directory cannot be listed.
        """
        migrations: list[Migration] = []
        findings: list[Finding] = []
        for path in paths:
            if path.is_dir():
                found = self.discover(path)
                migrations += found.migrations
                findings += found.findings
            elif path.exists():
                migrations.append(_migration(path))
            else:
                raise UsageError(f"There is no file {path}.", hint="Check the path.")
        return MigrationSet(
            migrations=tuple(migrations),
            findings=tuple(findings),
            directory=None,
            layout=self.name,
            order=VersionOrder.LISTED,
        )


class SingleFile(Layout):
    """One SQL file that is looked at by itself: nothing orders it, and no ledger knows it.

    Attributes:
        path: the file.
    """

    name = LooseFiles.name
    order = VersionOrder.LISTED
    naming = "in any way"
    apply_command = "psql -f FILE"

    def __init__(self, path: Path) -> None:
        self.path = path

    def sign(self, listing: Listing) -> Sign | None:
        """None: nothing in a directory says that it is looked at by itself."""
        return None

    def read(self, listing: Listing) -> Contents:
        """The file, whatever else is there."""
        return Contents(self.discover(listing.directory).migrations)

    def discover(self, directory: Path) -> MigrationSet:
        """The file; without a number, its name is what it is known by.

        Raises:
            UsageError: it is no more there.
        """
        found = LooseFiles().of_paths([self.path])
        named = tuple(
            one if one.version else one.model_copy(update={"version": one.name, "name": ""}) for one in found.migrations
        )
        return found.model_copy(update={"migrations": named, "directory": directory})


def _natural_name(path: Path) -> tuple[tuple[tuple[int, int, str], ...], str]:
    return natural_key(path.name), path.name


def _without_ways_back(files: list[Path]) -> list[Path]:
    names = {path.name for path in files}
    ways_back = {way_back.name for path in files if (way_back := _way_back(path)) and way_back.name in names}
    return [path for path in files if path.name not in ways_back]


def _way_back(path: Path) -> Path | None:
    """Where the way back of a file would be; ``None`` for one that is a way back itself."""
    lower = path.name.lower()
    if lower.endswith(".down.sql"):
        return None
    stem = path.name[: -len(".up.sql")] if lower.endswith(".up.sql") else path.stem
    return path.with_name(f"{stem}.down.sql")


def _migration(path: Path) -> Migration:
    up = read_sql_file(path)
    findings = list(up.findings)
    down_path = _way_back(path)
    down = read_sql_file(down_path) if down_path is not None and down_path.is_file() else None
    if down is not None:
        findings += down.findings
    stem = re.sub(r"(?i)(\.up)?\.sql$", "", path.name)
    numbered = _NUMBERED.fullmatch(stem)
    return Migration(
        version=numbered["version"] if numbered else "",
        name=numbered["name"] if numbered else stem,
        up=up.script,
        down=down.script if down else None,
        path=path,
        down_path=down_path if down else None,
        checksum=up.checksum,
        findings=tuple(findings),
    )
