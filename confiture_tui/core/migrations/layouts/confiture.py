"""The layout of the ``confiture`` command line: ``{version}_{name}.up.sql`` and ``.down.sql`` in one flat directory.

Source: its discovery code (0.44): no recursion; the version is the text before the first ``_``; versions are compared
as text; ``.py`` files that do not begin with ``_`` are migrations too; a version may be used once.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

from confiture_tui.core.migrations.files import read_bytes, read_sql_file
from confiture_tui.core.migrations.layouts.base import MigrationSet, OpaqueMigration, list_files, natural_key
from confiture_tui.core.migrations.model import Finding, Migration

_UP = ".up.sql"
_DOWN = ".down.sql"
_VERIFY = ".verify.sql"


class ConfitureLayout:
    """``{version}_{name}.up.sql`` with ``.down.sql`` beside it."""

    name = "confiture"

    def discover(self, directory: Path) -> MigrationSet:
        """The migrations in ``directory``, in the order in which ``confiture`` applies them.

        Raises:
            UsageError: there is no such directory, or it cannot be listed.
        """
        files = list_files(directory)
        names = {path.name for path in files}
        findings: list[Finding] = []
        migrations = [self._migration(path, names) for path in files if path.name.endswith(_UP)]
        opaque = [self._opaque(path, findings) for path in files if _is_program(path)]
        findings += _strays(files, names)
        duplicates = _duplicates([*migrations, *opaque])
        # Whoever looks at one of them alone is told, too: which of them is meant nobody can say.
        migrations = [
            one.model_copy(update={"findings": (duplicates[one.version], *one.findings)})
            if one.version in duplicates
            else one
            for one in migrations
        ]
        findings += duplicates.values()
        findings += _order([*migrations, *opaque])
        if not migrations and not opaque:
            message = (
                f"There is no migration in {directory}: files are named 001_add_column.up.sql, 001_add_column.down.sql."
            )
            findings.append(Finding(code="no-migrations", message=message, path=directory, level="warning"))
        return MigrationSet(
            # Sorting is stable, so that within one version the file's name decides.
            migrations=tuple(sorted(migrations, key=lambda one: one.version)),
            opaque=tuple(sorted(opaque, key=lambda one: one.version)),
            findings=tuple(findings),
            directory=directory,
            layout=self.name,
        )

    def migration_at(self, path: Path) -> Migration | None:
        """The one migration of a directory whose file of statements this is; ``None`` when it is none.

        Of the others only the names are looked at.

        Raises:
            UsageError: its directory cannot be listed.
        """
        if not path.name.endswith(_UP) or not path.is_file():
            return None
        names = {other.name for other in list_files(path.parent)}
        migration = self._migration(path, names)
        same = [name for name in names if name.partition("_")[0] == migration.version and name.endswith((_UP, ".py"))]
        if len(same) < 2 or not migration.version:
            return migration
        duplicate = _duplicate(migration.version, [path.with_name(name) for name in sorted(same)])
        return migration.model_copy(update={"findings": (duplicate, *migration.findings)})

    def _migration(self, path: Path, names: set[str]) -> Migration:
        stem = path.name.removesuffix(_UP)
        version, _, name = stem.partition("_")
        up = read_sql_file(path)
        findings = list(up.findings)
        down_path = path.with_name(stem + _DOWN)
        down = None
        if down_path.name in names:
            down = read_sql_file(down_path)
            findings += down.findings
        else:
            message = f"{path.name} has no way back: there is no {down_path.name} (confiture itself asks for one)."
            findings.append(Finding(code="missing-down", message=message, path=path, level="note"))
        if not version:
            message = f"{path.name} has no version: its name begins with _; rename it to 001{path.name}."
            findings.append(Finding(code="no-version", message=message, path=path, level="error"))
        return Migration(
            version=version,
            name=name,
            up=up.script,
            down=down.script if down else None,
            path=path,
            down_path=down_path if down else None,
            checksum=up.checksum,
            findings=tuple(findings),
        )

    def _opaque(self, path: Path, findings: list[Finding]) -> OpaqueMigration:
        version, _, name = path.name.removesuffix(".py").partition("_")
        content, finding = read_bytes(path)
        if finding:
            findings.append(finding)
        message = f"{path.name} is a Python program: it can be reviewed and applied only by confiture itself."
        findings.append(Finding(code="python-migration", message=message, path=path, level="warning"))
        checksum = "" if content is None else hashlib.sha256(content).hexdigest()
        return OpaqueMigration(version=version, name=name, path=path, checksum=checksum)


def _is_program(path: Path) -> bool:
    return path.name.endswith(".py") and not path.name.startswith("_")


def _strays(files: list[Path], names: set[str]) -> list[Finding]:
    """SQL files that no migration takes up: none is passed over in silence."""
    findings = []
    for path in files:
        if not path.name.lower().endswith(".sql") or path.name.endswith((_UP, _VERIFY)):
            continue
        if path.name.endswith(_DOWN):
            up = path.name.removesuffix(_DOWN) + _UP
            if up not in names:
                message = f"{path.name} takes back nothing: there is no {up}."
                findings.append(Finding(code="down-without-up", message=message, path=path, level="warning"))
            continue
        fixed = path.name[: -len(".sql")].removesuffix(".up").removesuffix(".UP") + _UP
        message = f"{path.name} is not taken for a migration. If it is one, rename it to {fixed}."
        findings.append(Finding(code="orphan-sql-file", message=message, path=path, level="warning"))
    return findings


def _duplicates(found: list[Migration | OpaqueMigration]) -> dict[str, Finding]:
    """A finding for each version that is used more than once."""
    paths: dict[str, list[Path]] = defaultdict(list)
    for one in found:
        if one.path is not None:
            paths[one.version].append(one.path)
    return {version: _duplicate(version, same) for version, same in paths.items() if len(same) > 1}


def _duplicate(version: str, same: list[Path]) -> Finding:
    return Finding(
        code="duplicate-version",
        message=f"Version {version} is used by {' and '.join(path.name for path in same)}; renumber all but one.",
        path=same[-1],
        level="error",
    )


def _order(found: list[Migration | OpaqueMigration]) -> list[Finding]:
    """Where the order as text, which counts, is not the order of the numbers, which a reader expects."""
    versions = sorted({one.version for one in found})
    for earlier, later in pairwise(versions):
        if natural_key(earlier) > natural_key(later):
            message = (
                f"Versions are compared as text, so {earlier} is applied before {later}. "
                f"Give all versions the same number of digits."
            )
            path = next((one.path for one in found if one.version == later), None)
            return [Finding(code="text-order", message=message, path=path, level="warning")]
    return []
