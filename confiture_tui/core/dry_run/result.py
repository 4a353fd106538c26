"""What a dry run saw: one result per migration, one observation per statement, and the proof that nothing stayed.

The keys are a public contract (``dry-run --format json`` prints them): add, never rename.
"""

from __future__ import annotations

from enum import StrEnum

from confiture_tui.core.catalog.diff import SchemaDiff
from confiture_tui.core.effects.comparison import Mismatch
from confiture_tui.core.effects.model import Failure, FrozenModel, StatementEffects
from confiture_tui.core.hooks.result import HookResult


class On(StrEnum):
    """Where a dry run ran."""

    SHADOW = "shadow"
    TARGET = "target"


class Rows(StrEnum):
    """What data the database of a dry run holds: it decides what an observation may claim."""

    NONE = "none"
    SYNTHETIC = "synthetic"
    FULL = "full"


class Verdict(StrEnum):
    """How the migration as a whole ended, wrapped as its runner would wrap it."""

    OK = "ok"
    FAILS = "fails"
    INCONCLUSIVE = "inconclusive"


class Outcome(StrEnum):
    """What became of one statement in a dry run."""

    RAN = "ran"
    FAILED = "failed"
    NOT_RUN = "not_run"
    """Never tried: an earlier one failed, or it cannot run where the dry run runs."""
    NOT_EXERCISED = "not_exercised"
    """It reaches something that the shadow does not have."""


class StatementObservation(StatementEffects):
    """What was seen of one statement.

    Attributes:
        outcome: what became of it.
        reason: why it was not run or not exercised; ``None`` otherwise.
        elapsed_ms: wall-clock milliseconds of the statement alone; ``None`` when it did not run.
        rows: rows inserted, updated or deleted by it, in functions and cascades too; ``None`` when it did not run.
        wal_bytes: write-ahead log written by it; ``None`` when it did not run or cannot be told apart.
        error: the server's error; ``None`` when it succeeded.
        cumulative: its locks could only be seen together with those of the statements before it.
        mismatch: names of the fields in which prediction and observation differ; ``None`` when nothing was predicted.
        differences: the same with what was predicted and what was seen instead.
        notices: the server's notices while it ran; of a CASCADE they name what it dropped.
        evidence: what the server explained of the work it took (its ``debug1`` messages).
        schema_diff: what it did to the schema; ``None`` when that was not looked at.
    """

    outcome: Outcome
    reason: str | None = None
    elapsed_ms: float | None = None
    rows: int | None = None
    wal_bytes: int | None = None
    error: Failure | None = None
    cumulative: bool = False
    mismatch: tuple[str, ...] | None = None
    notices: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    schema_diff: SchemaDiff | None = None
    differences: tuple[Mismatch, ...] = ()


class Proof(FrozenModel):
    """That nothing of the dry run stayed on the target.

    Attributes:
        nothing_persisted: true when every check below held; false when one did not; ``None`` when not checkable.
        checks: what was checked, one sentence each.
        exceptions: what PostgreSQL never rolls back and therefore did stay (a sequence that moved, from and to; …).
    """

    nothing_persisted: bool | None
    checks: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()


class DataAfter(StrEnum):
    """What becomes of the rows that were there before, on the way up and back."""

    KEPT = "kept"
    LOST = "lost"
    UNKNOWN = "unknown"


class RoundTrip(FrozenModel):
    """Up, down, compare, up again: whether the way back brings the schema back.

    Attributes:
        schema_proved: the schema after up and down is the one before, but for the order of columns; ``None``: it could
            not be tried to the end.
        differences: in words, one for each object or attribute that differs, by kind; or what failed.
        lesser: tables whose columns came back in another order: their ``SELECT *`` and ``INSERT`` without names differ.
        data: of the rows that were there before. Rows written between up and down are not meant.
        again: the migration could be applied once more afterwards, and left the same schema as the first time;
            ``None``: not tried.
    """

    schema_proved: bool | None
    differences: tuple[str, ...] = ()
    lesser: tuple[str, ...] = ()
    data: DataAfter = DataAfter.UNKNOWN
    again: bool | None = None


class DerivedDown(FrozenModel):
    """A way back that was derived for a migration without one.

    Attributes:
        sql: the statements, one a line or more.
        round_trip: what trying it has shown: what does not come back is among its differences.
    """

    sql: str
    round_trip: RoundTrip

    @property
    def is_proved(self) -> bool:
        """Whether it brings the schema back, and the migration can be applied once more after it."""
        return self.round_trip.schema_proved is True and self.round_trip.again is not False


class DryRunResult(FrozenModel):
    """A dry run of one migration.

    Attributes:
        version: of the migration.
        name: of the migration.
        on: where it ran.
        rows: what data was there.
        ok: the verdict is ``ok``.
        verdict: how the migration ended, wrapped as its runner would wrap it.
        wrapping: how the verdict pass wrapped it: ``transaction``, ``own`` (the file's BEGIN/COMMIT) or ``none``.
        elapsed_ms: the verdict pass from first to last statement.
        statements: one observation for each statement of the migration, in order.
        failure: the error that decided the verdict.
        schema_diff: what the migration did to the schema; ``None`` when it failed and left nothing.
        proof: that nothing stayed.
        round_trip: up, down, compare; ``None`` when not tried.
        derived_down: a way back that was derived, where there is none; ``None``: there is one, or nothing to derive.
        hooks: what came of each hook of the migration; those that were not exercised say why.
        notes: what the reader must know to read this right, one sentence each.
        checksum: that of the migration as it was tried.
    """

    version: str
    name: str
    on: On
    rows: Rows
    ok: bool
    verdict: Verdict
    wrapping: str
    elapsed_ms: float | None
    statements: tuple[StatementObservation, ...]
    failure: Failure | None = None
    schema_diff: SchemaDiff | None = None
    proof: Proof
    round_trip: RoundTrip | None = None
    derived_down: DerivedDown | None = None
    hooks: tuple[HookResult, ...] = ()
    notes: tuple[str, ...] = ()
    checksum: str | None = None
