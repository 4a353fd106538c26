"""The layout of the ``confiture`` command line: ``{version}_{name}.up.sql`` and ``.down.sql`` in one flat directory.

Source: its discovery code (0.44): no recursion; the version is the text before the first ``_``; versions are compared
as text; ``.py`` files that do not begin with ``_`` are migrations too; a version may be used once.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.layouts.base import Sign, Strength, list_files
from confiture_tui.core.migrations.layouts.building import pair
from confiture_tui.core.migrations.layouts.layout import Contents, Layout
from confiture_tui.core.migrations.layouts.pairs import DOWN, UP, orphan_down
from confiture_tui.core.migrations.layouts.python_program import read_program
from confiture_tui.core.migrations.model import Finding, Migration
from confiture_tui.core.migrations.versions import VersionOrder, duplicate

if TYPE_CHECKING:
    from collections.abc import Collection

    from confiture_tui.core.migrations.layouts.base import OpaqueMigration
    from confiture_tui.core.migrations.layouts.listing import Listing

_VERIFY = ".verify.sql"
_PROGRAM = re.compile(r"[^_]+_.*\.py")
_PAIR = re.compile(r"[^_]+_.*\.up\.sql")
_OURS = re.compile(r".*\.(?:verify\.sql|hooks\.ya?ml)")
_CONFIGURATION = "confiture.yaml"


class ConfitureLayout(Layout):
    """``{version}_{name}.up.sql`` with ``.down.sql`` beside it."""

    name = "confiture"
    order = VersionOrder.TEXT
    naming = "001_add_column.up.sql, 001_add_column.down.sql"
    ledgers = ("confiture",)

    def sign(self, listing: Listing) -> Sign | None:
        """Files of this program beside the migrations, its place, or names that several tools share."""
        ours = listing.named(_OURS)
        if ours is not None:
            return Sign(Strength.MARK, f"it holds {ours.name}")
        usual = listing.lies_in("db", "migrations")
        found = listing.named(_PAIR) or (listing.named(_PROGRAM) if usual else None)
        if found is None:
            return None
        why = f"it has files like {found.name}"
        if listing.above("go.mod", "Cargo.toml") is not None:
            # Settings of ours may well stand beside another tool's migrations: they are to be reviewed.
            return Sign(Strength.NAMES, why)
        if usual:
            return Sign(Strength.PLACE, f"it is db/migrations and {why}")
        if listing.above(_CONFIGURATION) is not None:
            return Sign(Strength.PLACE, f"{why} and the project has {_CONFIGURATION}")
        return Sign(Strength.NAMES, why)

    def read(self, listing: Listing) -> Contents:
        """Its pairs, and its programs as far as they can be read."""
        findings = _strays(listing)
        migrations = [_migration(path, listing.names) for path in listing.entries if path.name.endswith(UP)]
        programs: list[tuple[OpaqueMigration, Finding]] = []
        for path in filter(_is_program, listing.entries):
            program, finding = read_program(path)
            if isinstance(program, Migration):
                migrations.append(program)
                findings.append(finding)
            else:
                programs.append((program, finding))
        return Contents(migrations, programs, findings)

    def migration_at(self, path: Path) -> Migration | None:
        """The one migration of a directory whose file of statements this is; ``None`` when it is none.

        Of the others only the names are looked at.

        Raises:
            UsageError: its directory cannot be listed.
        """
        if not path.name.endswith(UP) or not path.is_file():
            return None
        names = {other.name for other in list_files(path.parent)}
        migration = _migration(path, names)
        same = [name for name in names if name.partition("_")[0] == migration.version and name.endswith((UP, ".py"))]
        if len(same) < 2 or not migration.version:
            return migration
        twice = duplicate(migration.version, [path.with_name(name) for name in sorted(same)])
        return migration.model_copy(update={"findings": (twice, *migration.findings)})


def _migration(path: Path, names: Collection[str]) -> Migration:
    stem = path.name.removesuffix(UP)
    version, _, name = stem.partition("_")
    down = path.with_name(stem + DOWN)
    migration = pair(
        version,
        name,
        path,
        down if down.name in names else None,
        expected_down=f"{down.name} (confiture itself asks for one)",
    )
    if version:
        return migration
    message = f"{path.name} has no version: its name begins with _; rename it to 001{path.name}."
    finding = Finding(code="no-version", message=message, path=path, level="error")
    return migration.model_copy(update={"findings": (*migration.findings, finding)})


def _is_program(path: Path) -> bool:
    return path.name.endswith(".py") and not path.name.startswith("_")


def _strays(listing: Listing) -> list[Finding]:
    """SQL files that no migration takes up: none is passed over in silence."""
    findings = []
    for path in listing.entries:
        if not path.name.lower().endswith(".sql") or path.name.endswith((UP, _VERIFY)):
            continue
        if path.name.endswith(DOWN):
            up = path.name.removesuffix(DOWN) + UP
            if up not in listing.names:
                findings.append(orphan_down(path, up))
            continue
        fixed = path.name[: -len(".sql")].removesuffix(".up").removesuffix(".UP") + UP
        message = f"{path.name} is not taken for a migration. If it is one, rename it to {fixed}."
        findings.append(Finding(code="orphan-sql-file", message=message, path=path, level="warning"))
    return findings
