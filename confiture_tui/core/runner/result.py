"""What came of a run."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import takewhile

from confiture_tui.core.effects.model import Failure, FrozenModel
from confiture_tui.core.hooks.result import HookResult


class RunOutcome(StrEnum):
    """What became of one migration. The words are a public contract."""

    APPLIED = "applied"
    ROLLED_BACK = "rolled_back"
    """It was taken back, as was asked for."""
    FAILED = "failed"
    """It failed, and all of it was undone."""
    SKIPPED = "skipped"
    """It was not begun, since one before it stopped the run, or nothing was left to do."""
    INTERRUPTED = "interrupted"
    """It stopped half-way: part of it stands."""

    @property
    def words(self) -> str:
        """The same for a person: a transaction is rolled back, a migration is taken back."""
        return {"rolled_back": "taken back", "skipped": "not begun"}.get(self.value, self.value)


class MigrationRun(FrozenModel):
    """What became of one migration.

    Attributes:
        version, name: of the migration.
        outcome: what became of it.
        elapsed_ms: how long it took, with its pauses and hooks, in milliseconds.
        statements_ms: how long its statements took, in milliseconds, in the attempt that went through and without
            pauses and hooks: what an estimate speaks of. ``None`` where not all of them were run here.
        attempts: how often it was begun; 0 for one that was skipped.
        hooks: what its hooks did, in their order.
        error: what went wrong, what state the database is in now, and what to do, as sentences.
        failure: the server's error, where a statement failed.
        statement: the 1-based number of that statement.
    """

    version: str
    name: str
    outcome: RunOutcome
    elapsed_ms: float = 0.0
    statements_ms: float | None = None
    attempts: int = 0
    hooks: tuple[HookResult, ...] = ()
    error: str | None = None
    failure: Failure | None = None
    statement: int | None = None


class RunResult(FrozenModel):
    """What came of a run.

    Attributes:
        migrations: one for each migration of the plan, in the order of the plan.
        undo: the command lines that take back what was done, to be run in this order; as far as there is a way back.
        cancelled: somebody asked for a stop, and it was heard.
    """

    migrations: tuple[MigrationRun, ...]
    undo: tuple[str, ...] = ()
    cancelled: bool = False

    @classmethod
    def joined(cls, results: Sequence[RunResult]) -> RunResult:
        """The result of runs that followed each other; the last is taken back first, and one that cannot be taken back
        keeps those before it from it."""
        done = [result for result in results if result.has_done_something]
        undoable = takewhile(lambda result: result.undo, reversed(done))
        return cls(
            migrations=tuple(one for result in results for one in result.migrations),
            undo=tuple(command for result in undoable for command in result.undo),
            cancelled=any(result.cancelled for result in results),
        )

    @property
    def has_done_something(self) -> bool:
        """Whether a migration was applied or taken back."""
        return any(one.outcome in (RunOutcome.APPLIED, RunOutcome.ROLLED_BACK) for one in self.migrations)

    @property
    def ok(self) -> bool:
        """Whether all that was to be done was done."""
        return self.exit_code == 0

    @property
    def exit_code(self) -> int:
        """What the command line exits with: 0, 4 (failed, and everything of it undone), 5 (stopped half-way) or 130
        (cancelled, and everything of it undone)."""
        outcomes = {one.outcome for one in self.migrations}
        if RunOutcome.INTERRUPTED in outcomes:
            return 5
        if self.cancelled:
            return 130
        return 4 if RunOutcome.FAILED in outcomes else 0
