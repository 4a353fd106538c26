"""What is said of one statement, and of a whole migration, before it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from confiture_tui.core.records import quickly_made

if TYPE_CHECKING:
    from confiture_tui.core.effects.held_locks import HeldLocks
    from confiture_tui.core.effects.lock_modes import LockMode
    from confiture_tui.core.effects.model import StatementEffects
    from confiture_tui.core.effects.schema import Schema
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.migrations.profiles import Wrapping
    from confiture_tui.core.sql.statement import Statement


class WorkKind(StrEnum):
    """What takes time."""

    __hash__ = str.__hash__  # this is asked for at every look-up

    REWRITE = "rewrite"
    """A table's, materialized view's or sequence's storage is written anew."""
    SCAN = "scan"
    """A table is read from end to end."""
    BUILD = "build"
    """An index is built."""
    REBUILD = "rebuild"
    """An existing index is built anew."""
    WRITE = "write"
    """Rows are inserted, updated or deleted."""


class Lock(NamedTuple):
    """A lock that a statement takes on a relation that existed before the migration.

    Attributes:
        relation: qualified, quoted name.
        mode: of the lock.
        why: a phrase for a user.
        command: 0-based ALTER TABLE sub-command; ``None`` for the statement as a whole.
    """

    relation: str
    mode: LockMode
    why: str
    command: int | None = None


@quickly_made
@dataclass(frozen=True, slots=True)
class Work:
    """Work on a relation that existed before the migration.

    Attributes:
        kind: of the work.
        relation: qualified, quoted name of the table (of an index: its table).
        index: of builds and rebuilds; else ``None``.
        why: a phrase for a user.
        command: 0-based ALTER TABLE sub-command; ``None`` for the statement as a whole.
    """

    kind: WorkKind
    relation: str
    index: str | None
    why: str
    command: int | None = None


@quickly_made
@dataclass(frozen=True, slots=True)
class Forecast:
    """What one statement is expected to do, and in which circumstances.

    Attributes:
        statement: of the migration.
        effects: the contract's fields.
        locks: every lock on a relation that existed before the migration, with its reason.
        works: what takes time, on relations that existed before the migration.
        before, after: the simulated schema around the statement.
        transaction: statements with the same number share a transaction; ``None``: it runs outside one.
        held: what that transaction already holds when the statement starts, in the order in which it was taken; a
            relation is there once for each mode that was stronger than those before.
        settings: settings in force, by lower-case name, values as text with the unit as written.
        notes: what could not be read, in words.
        done: an earlier run has done it already: it does nothing any more.
        measured_ms, measured_rows, measured_wal: how long it took, the rows it changed and the write-ahead log it wrote
            where it was tried on data like the target's; ``None`` otherwise.
    """

    statement: Statement
    effects: StatementEffects
    locks: tuple[Lock, ...]
    works: tuple[Work, ...]
    before: Schema
    after: Schema
    transaction: int | None
    held: HeldLocks
    settings: Mapping[str, str]
    notes: tuple[str, ...]
    measured_ms: float | None = None
    measured_rows: int | None = None
    measured_wal: int | None = None
    done: bool = False


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a migration is expected to do, statement by statement.

    Attributes:
        migration: the one simulated.
        forecasts: one a statement, in order.
        wrapping: what its runner wraps it in.
        after: the schema that it leaves.
        notes: what could not be read, in words, with the statements' lines.
    """

    migration: Migration
    forecasts: tuple[Forecast, ...]
    wrapping: Wrapping
    after: Schema
    notes: tuple[str, ...]

    @property
    def opaque(self) -> bool:
        """Whether a statement runs code whose effects could not be read, or was not analysed."""
        return any(one.effects.basis is None or one.effects.opaque is not False for one in self.forecasts)
