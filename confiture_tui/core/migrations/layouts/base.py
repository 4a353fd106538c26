"""What a layout finds in a directory, and by which signs it knows the directory."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from confiture_tui.core.migrations.model import Finding, Migration
from confiture_tui.core.migrations.versions import VersionOrder
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

    @property
    def label(self) -> str:
        """``007_add_segment``."""
        return "_".join(part for part in (self.version, self.name) if part)


class MigrationSet(BaseModel):
    """All the migrations of a project, in the order in which they are applied.

    Attributes:
        migrations: those in SQL.
        opaque: those that are programs; each also has a finding.
        findings: what is to be said of the directory and its files; those of a migration are in the migration.
        directory: where they are; ``None`` for single files.
        layout: the layout's name.
        order: how versions are compared.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    migrations: tuple[Migration, ...]
    opaque: tuple[OpaqueMigration, ...] = ()
    findings: tuple[Finding, ...] = ()
    directory: Path | None
    layout: str = "confiture"
    order: VersionOrder = VersionOrder.TEXT

    @property
    def members(self) -> tuple[Migration | OpaqueMigration, ...]:
        """All of them, in the order in which they are applied."""
        members: tuple[Migration | OpaqueMigration, ...] = (*self.migrations, *self.opaque)
        if self.order is VersionOrder.LISTED:
            return members
        return tuple(sorted(members, key=lambda one: self.order.key(one.version)))

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """The findings of the set and of each of its migrations; what concerns several of them once."""
        return tuple(dict.fromkeys((*self.findings, *(finding for one in self.migrations for finding in one.findings))))

    def get(self, version: str) -> Migration | None:
        """The migration of that version, the first one where several have it; ``None`` without one."""
        return next((one for one in self.migrations if one.version == version), None)


class Strength(IntEnum):
    """How much a sign says of whose directory it is."""

    NAMES = 1
    """Files are named so, which several tools do."""
    PLACE = 2
    """The directory is where the tool looks, or the project is of the tool's language."""
    MARK = 3
    """A file that only the tool writes, or a directive that only it reads."""


class Sign(NamedTuple):
    """A sign that a directory is a tool's: how much it says, and a clause (``a.sql has a line -- +goose Up``)."""

    strength: Strength
    why: str


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
