"""What has been applied, what is pending, and what does not fit together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from confiture_tui.core.migrations.files import read_bytes
from confiture_tui.core.migrations.layouts.base import MigrationSet, OpaqueMigration
from confiture_tui.core.migrations.model import Finding, Migration
from confiture_tui.core.migrations.versions import VersionOrder

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


APPLIED = frozenset({MigrationState.APPLIED, MigrationState.CHANGED, MigrationState.MISSING})
"""The states of a migration whose change the database has."""


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

    @property
    def label(self) -> str:
        """How it is shown: ``007_add_segment``, or only its name or version when that is all there is."""
        return "_".join(part for part in (self.version, self.name) if part)


def status_of(migrations: MigrationSet | Iterable[Migration], ledger: Ledger | None) -> tuple[MigrationStatus, ...]:
    """Where each migration stands, in the order of ``migrations``; without a ledger all are pending.

    Versions are compared as the layout does; without one as text, as ``confiture`` does. What is only in the ledger
    stands before the first migration with a greater version. A ledger row without a checksum proves no change.
    """
    if isinstance(migrations, MigrationSet):
        known, order = list(migrations.members), migrations.order
    else:
        known, order = list(migrations), VersionOrder.TEXT
    book = _Book(ledger, order)
    matched = [(one, book.row_of(one)) for one in known]
    taken = {row.version for _one, row in matched if row is not None}
    missing = sorted((one for one in book.rows if one.version not in taken), key=lambda one: order.key(one.version))
    result: list[MigrationStatus] = []
    for one, row in matched:
        while missing and order.key(missing[0].version) < order.key(one.version):
            result.append(_missing(missing.pop(0)))
        result.append(_known(one, row, book))
    return (*result, *map(_missing, missing))


class _Book:
    """A ledger, its rows by what a layout compares versions by."""

    def __init__(self, ledger: Ledger | None, order: VersionOrder) -> None:
        self.rows = () if ledger is None else ledger.migrations
        self.checksum_of = None if ledger is None else ledger.checksum_of
        self._order = order
        self._by_key = {order.key(one.version): one for one in self.rows}
        self._up_to = max((order.key(one.version) for one in self.rows if one.and_before), default=None)

    def row_of(self, one: Migration | OpaqueMigration) -> AppliedMigration | None:
        """The row of a migration, which some tools record by its version, others by its whole name."""
        return self._by_key.get(self._order.key(one.version)) or self._by_key.get(self._order.key(one.label))

    def covers(self, one: Migration | OpaqueMigration) -> bool:
        """Whether a later row stands for it."""
        return self._up_to is not None and self._order.key(one.version) <= self._up_to


def ledger_findings(statuses: Iterable[MigrationStatus], ledger: Ledger | None) -> tuple[Finding, ...]:
    """What the ledger and the files together tell: its notes, and migrations that come too late for their place."""
    notes = [] if ledger is None else [Finding(code="ledger", message=note, level="warning") for note in ledger.notes]
    return (*notes, *(_too_late(one, newest) for one, newest in out_of_order(statuses)))


def out_of_order(statuses: Iterable[MigrationStatus]) -> tuple[tuple[MigrationStatus, MigrationStatus], ...]:
    """The pending migrations that come before an applied one, each with the newest applied one."""
    ordered = [one for one in statuses if one.migration is None or not one.migration.repeatable]
    newest = max((number for number, one in enumerate(ordered) if one.state in APPLIED), default=-1)
    return tuple((one, ordered[newest]) for one in ordered[: max(newest, 0)] if one.state is MigrationState.PENDING)


def _too_late(one: MigrationStatus, newest: MigrationStatus) -> Finding:
    message = f"{one.label} is pending and comes before {newest.label}, which is applied already."
    return Finding(code="out-of-order", message=message, path=one.path, level="warning")


def _missing(row: AppliedMigration) -> MigrationStatus:
    return MigrationStatus(version=row.version, name=row.name, state=MigrationState.MISSING, applied_at=row.applied_at)


def _known(one: Migration | OpaqueMigration, row: AppliedMigration | None, book: _Book) -> MigrationStatus:
    return MigrationStatus(
        version=one.version,
        name=one.name,
        state=_state(one, row, book),
        applied_at=row.applied_at if row else None,
        path=one.path,
        migration=one if isinstance(one, Migration) else None,
    )


def _state(one: Migration | OpaqueMigration, row: AppliedMigration | None, book: _Book) -> MigrationState:
    if row is None:
        return MigrationState.APPLIED if book.covers(one) else MigrationState.PENDING
    if row.failure is not None:
        return MigrationState.INTERRUPTED
    if row.checksum is None or row.checksum.strip().lower() == _checksum(one, book):
        return MigrationState.APPLIED
    repeatable = isinstance(one, Migration) and one.repeatable
    return MigrationState.PENDING if repeatable else MigrationState.CHANGED


def _checksum(one: Migration | OpaqueMigration, book: _Book) -> str:
    """The checksum of a migration's file as the ledger's tool makes it; empty when the file cannot be read."""
    if book.checksum_of is None or one.path is None:
        return one.checksum
    content, _unreadable = read_bytes(one.path)
    return "" if content is None else book.checksum_of(content)
