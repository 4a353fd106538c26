"""What a layout is: who names migration files how, and in which order they are applied."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from confiture_tui.core.migrations.model import Finding, Migration
from confiture_tui.errors import UsageError


class OpaqueMigration(BaseModel):
    """A migration that is a program: it has a place in the order and in the ledger, but nothing that could be read.

    Attributes:
        version: what orders it and what the ledger knows it by.
        name: what it is called, without the version.
        path: its file.
        checksum: SHA-256 of the file's bytes in hexadecimal; empty when it could not be read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    name: str
    path: Path
    checksum: str


class MigrationSet(BaseModel):
    """All the migrations of a project, in the order in which they are applied.

    Attributes:
        migrations: those in SQL.
        opaque: those that are programs; each also has a finding.
        findings: what is to be said of the directory and its files; those of a migration are in the migration.
        directory: where they are; ``None`` for single files.
        layout: the layout's name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    migrations: tuple[Migration, ...]
    opaque: tuple[OpaqueMigration, ...] = ()
    findings: tuple[Finding, ...] = ()
    directory: Path | None
    layout: str = "confiture"

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """The findings of the set and of each of its migrations; what concerns several of them once."""
        return tuple(dict.fromkeys((*self.findings, *(finding for one in self.migrations for finding in one.findings))))

    def get(self, version: str) -> Migration | None:
        """The migration of that version, the first one where several have it; ``None`` without one."""
        return next((one for one in self.migrations if one.version == version), None)


class Layout(Protocol):
    """A tool's way of naming its files."""

    name: str

    def discover(self, directory: Path) -> MigrationSet:
        """The migrations in a directory. Reads the files, but parses none.

        Raises:
            UsageError: there is no such directory, or it cannot be listed.
        """


def list_files(directory: Path) -> list[Path]:
    """The entries of a directory, sorted by name as text.

    Raises:
        UsageError: there is no such directory, or it cannot be listed.
    """
    try:
        return sorted(directory.iterdir(), key=lambda path: path.name)
    except FileNotFoundError:
        raise UsageError(
            f"There is no directory {directory}.",
            hint="Make it, or name the directory of your migrations with --migrations-dir or in confiture.yaml.",
        ) from None
    except NotADirectoryError:
        raise UsageError(f"{directory} is not a directory.", hint="Name the directory that holds the files.") from None
    except OSError as error:
        raise UsageError(
            f"The directory {directory} cannot be listed: {error.strerror or error}.", hint="Check its permissions."
        ) from error


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key by which ``9_`` comes before ``10_``: runs of digits compare as numbers, of any length."""
    return tuple(
        (0, len(part.lstrip("0")), part.lstrip("0")) if part.isascii() and part.isdigit() else (1, 0, part)
        for part in re.findall(r"[0-9]+|[^0-9]+", text)
    )
