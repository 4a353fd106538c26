"""The demo's own files: the project's migrations, which of them the shop has already run, and the shop's history."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

PROJECT_DIR = Path(__file__).parent / "project"
"""The demo's project directory, inside the package: read it, never write to it."""

LAST_APPLIED = "007"
"""The newest migration that the shop has run; those after it are what the demo shows as pending."""

SEEDED_AFTER = "003"
"""The migration after which the shop's history is loaded.

The shop lived with its first three migrations for a while. The later ones found rows when they came, so that foreign
keys are checked once and the read side is filled once, instead of for every row of the history.
"""

_SEED_DIR = Path(__file__).parent / "seed"


@dataclass(frozen=True, slots=True)
class MigrationFile:
    """One migration of the demo's project, as far as building the shop needs to know it.

    Attributes:
        version: what stands before the first underscore of the file's name.
        name: what stands after it, without ``.up.sql``.
        path: the ``.up.sql`` file.
    """

    version: str
    name: str
    path: Path

    @property
    def content(self) -> bytes:
        """The file's bytes, UTF-8."""
        return self.path.read_bytes()

    @property
    def checksum(self) -> str:
        """SHA-256 of the file's bytes as 64 hexadecimal digits: what the ledger remembers of a file."""
        return hashlib.sha256(self.content).hexdigest()


def migration_files() -> tuple[MigrationFile, ...]:
    """All migrations of the demo's project in the order in which they run."""
    found = []
    for path in sorted((PROJECT_DIR / "db" / "migrations").glob("*.up.sql")):
        version, _, name = path.name.removesuffix(".up.sql").partition("_")
        found.append(MigrationFile(version=version, name=name, path=path))
    return tuple(found)


def applied_files() -> tuple[MigrationFile, ...]:
    """The migrations that the shop has already run."""
    return tuple(file for file in migration_files() if file.version <= LAST_APPLIED)


def seed_files() -> tuple[Path, ...]:
    """The SQL scripts of the shop's history, in the order in which they run, on one connection."""
    return tuple(sorted(_SEED_DIR.glob("*.sql")))
