"""What has been applied, what is pending, and what does not fit together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from confiture_tui.core.migrations.layouts.base import MigrationSet, OpaqueMigration
from confiture_tui.core.migrations.model import Migration

if TYPE_CHECKING:
    from confiture_tui.core.migrations.ledger import AppliedMigration, Ledger


class MigrationState(StrEnum):
    """Where a migration stands. The words are a public contract."""

    APPLIED = "applied"
    PENDING = "pending"
    INTERRUPTED = "interrupted"
    """A run of it began and neither finished nor was rolled back."""
    CHANGED = "changed"
    """Applied, but the file is no longer the one that was applied."""
    MISSING = "missing"
    """Applied, but there is no file."""


class MigrationStatus(BaseModel):
    """One migration and where it stands.

    Attributes:
        version: what the ledger knows it by.
        name: of the file; of the ledger when there is no file.
        state: where it stands.
        applied_at: when it was applied, with its time zone; ``None`` when it was not, or the ledger does not say.
        path: its file; ``None`` when there is none.
        migration: what the file says; ``None`` when there is no file or it is a program.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    version: str
    name: str
    state: MigrationState
    applied_at: datetime | None = None
    path: Path | None = None
    migration: Migration | None = None


def status_of(migrations: MigrationSet | Iterable[Migration], ledger: Ledger | None) -> tuple[MigrationStatus, ...]:
    """Where each migration stands, in the order of ``migrations``; without a ledger all are pending.

    Versions are compared as text, as ``confiture`` does. What is only in the ledger stands before the first migration
    with a greater version. A ledger row without a checksum proves no change.
    """
    known: list[Migration | OpaqueMigration]
    if isinstance(migrations, MigrationSet):
        known = sorted([*migrations.migrations, *migrations.opaque], key=lambda one: one.version)
        if migrations.layout != "confiture":
            known = [*migrations.migrations, *migrations.opaque]
    else:
        known = list(migrations)
    applied = {} if ledger is None else {one.version: one for one in ledger.migrations}
    versions = {one.version for one in known}
    missing = sorted((one for one in applied.values() if one.version not in versions), key=lambda one: one.version)
    result: list[MigrationStatus] = []
    for one in known:
        while missing and missing[0].version < one.version:
            result.append(_missing(missing.pop(0)))
        result.append(_known(one, applied.get(one.version)))
    return (*result, *map(_missing, missing))


def _missing(row: AppliedMigration) -> MigrationStatus:
    return MigrationStatus(version=row.version, name=row.name, state=MigrationState.MISSING, applied_at=row.applied_at)


def _known(one: Migration | OpaqueMigration, row: AppliedMigration | None) -> MigrationStatus:
    if row is None:
        state = MigrationState.PENDING
    elif row.checksum and row.checksum.strip().lower() != one.checksum:
        state = MigrationState.CHANGED
    else:
        state = MigrationState.APPLIED
    return MigrationStatus(
        version=one.version,
        name=one.name,
        state=state,
        applied_at=row.applied_at if row else None,
        path=one.path,
        migration=one if isinstance(one, Migration) else None,
    )
