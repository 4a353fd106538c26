"""How far a run has come, read from its events: which migration, statement and hook, who waits, what is tried again."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from confiture_tui.events import Event, EventName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confiture_tui.core.runner.plan import PlannedMigration
    from confiture_tui.core.runner.result import RunOutcome, RunResult


class Stage(StrEnum):
    """Where a migration of a run is. The words are shown."""

    WAITING = "waits"
    RUNNING = "running"
    APPLIED = "applied"
    ROLLED_BACK = "taken back"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    SKIPPED = "not begun"


class HookStage(StrEnum):
    """Where a hook of a run is."""

    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"


_ENDS: Final = {
    EventName.MIGRATION_APPLIED: Stage.APPLIED,
    EventName.MIGRATION_ROLLED_BACK: Stage.ROLLED_BACK,
    EventName.MIGRATION_FAILED: Stage.FAILED,
    EventName.MIGRATION_INTERRUPTED: Stage.INTERRUPTED,
}
_OUTCOMES: Final = {
    "applied": Stage.APPLIED,
    "rolled_back": Stage.ROLLED_BACK,
    "failed": Stage.FAILED,
    "skipped": Stage.SKIPPED,
    "interrupted": Stage.INTERRUPTED,
}
_HOOK_ENDS: Final = {EventName.HOOK_COMPLETED: HookStage.OK, EventName.HOOK_FAILED: HookStage.FAILED}
_LONG_S: Final = 2
"""Seconds from which on it is told how long a statement has been running."""
_DRY_RUN_PHASES: Final = frozenset({"verdict", "observation"})


def stage_of(outcome: RunOutcome) -> Stage:
    """Where a migration is when that became of it."""
    return _OUTCOMES[outcome.value]


@dataclass(slots=True)
class HookProgress:
    """One hook: ``done`` of ``total`` batches or rows as it tells them itself, ``said`` its last words."""

    name: str
    phase: str
    stage: HookStage = HookStage.RUNNING
    done: int | None = None
    total: int | None = None
    rows: int | None = None
    elapsed_ms: float | None = None
    said: str = ""


@dataclass(slots=True)
class MigrationProgress:
    """One migration of a run.

    Attributes:
        version, name: of the migration.
        statements: how many there are.
        stage: where it is.
        statement: the one begun last, from 1; 0 before the first.
        since: when that was, on the monotonic clock, in seconds.
        done: how many statements have ended well in this attempt.
        hooks: those that were begun, in their order.
        lock: what it waits for now, in words.
        behind: who waits behind it now, in words.
        retries: how often it was begun again, and ``retry`` why, in words.
        gave_way: how often others were let through.
        elapsed_ms: how long it took, once it has ended.
        told: what was said at its end.
    """

    version: str
    name: str
    statements: int
    stage: Stage = Stage.WAITING
    statement: int = 0
    since: float = 0.0
    done: int = 0
    hooks: list[HookProgress] = field(default_factory=list)
    lock: str = ""
    behind: str = ""
    retries: int = 0
    retry: str = ""
    gave_way: int = 0
    elapsed_ms: float | None = None
    told: str = ""

    @property
    def place(self) -> str:
        """``statement 2 of 3``, and for how long when that is long enough to be asked: nothing else may move then."""
        where = f"statement {self.statement} of {self.statements}"
        seconds = int(time.monotonic() - self.since)
        if self.statement == self.done or seconds < _LONG_S:
            return where
        return f"{where} for {seconds // 60} min {seconds % 60:02d} s" if seconds >= 60 else f"{where} for {seconds} s"

    def apply(self, event: Event) -> bool:
        """Take an event of this migration into account; returns whether it changed anything."""
        name = event.name
        if name is EventName.MIGRATION_START:
            self.stage = Stage.RUNNING
        elif name in _ENDS:
            self.stage, self.told, self.elapsed_ms = _ENDS[name], event.message, event.duration_ms
            self.lock = self.behind = self.retry = ""
        elif name in (EventName.STATEMENT_START, EventName.STATEMENT_COMPLETED, EventName.STATEMENT_FAILED):
            return self._statement(event)
        elif name is EventName.LOCK_WAIT:
            if event.data.get("waiting") == "ours":
                self.lock = event.message
            else:
                self.behind = event.message
        elif name is EventName.GAVE_WAY:
            self.gave_way += 1
            self.behind = event.message
        elif name is EventName.LOCK_TIMEOUT_RETRY:
            self._begin_again(event.message)
        else:
            return self._hook(event)
        return True

    def _statement(self, event: Event) -> bool:
        # A dry run of the same migration may be under way beside the run.
        if event.statement is None or event.phase in _DRY_RUN_PHASES:
            return False
        self.statement = event.statement
        if event.name is EventName.STATEMENT_START:
            self.since = time.monotonic()
        self.retry = self.lock = ""
        if event.name is EventName.STATEMENT_COMPLETED:
            self.done, self.behind = event.statement, ""
        return True

    def _begin_again(self, why: str) -> None:
        """What was done is undone, and what ran in the transaction runs again."""
        self.retries += 1
        self.retry = why
        self.statement = self.done = 0
        self.lock = self.behind = ""
        self.hooks = [one for one in self.hooks if one.phase == "BEFORE_VALIDATION"]

    def _hook(self, event: Event) -> bool:
        name, phase = event.data.get("hook"), event.phase
        if not isinstance(name, str) or phase is None:
            return event.name is EventName.EXECUTING_HOOKS
        if event.name is EventName.HOOK_START:
            self.hooks.append(HookProgress(name, phase))
            return True
        hook = next((one for one in reversed(self.hooks) if one.name == name and one.phase == phase), None)
        if hook is None:
            return False
        if event.name is EventName.HOOK_PROGRESS:
            hook.done, hook.total, hook.said = _count(event, "done"), _count(event, "total"), event.message
        elif event.name in _HOOK_ENDS:
            hook.stage, hook.said = _HOOK_ENDS[event.name], event.message
            hook.rows, hook.elapsed_ms = event.rows_affected, event.duration_ms
        else:
            return False
        return True


@dataclass(slots=True)
class RunProgress:
    """The run of a plan, as its events tell it; ``current`` is the version of the migration under way."""

    migrations: list[MigrationProgress]
    current: str | None = None

    @classmethod
    def of(cls, planned: Iterable[PlannedMigration]) -> RunProgress:
        """Nothing has been begun yet."""
        return cls([MigrationProgress(one.version, one.name, one.statements) for one in planned])

    def settle(self, result: RunResult) -> None:
        """Take over what became of each migration: nothing tells of those that were not begun."""
        for run in result.migrations:
            one = self.of_version(run.version)
            if one is not None:
                one.stage = stage_of(run.outcome)
                one.elapsed_ms = None if one.stage is Stage.SKIPPED else run.elapsed_ms

    def of_version(self, version: str | None) -> MigrationProgress | None:
        """The migration with this version."""
        return next((one for one in self.migrations if one.version == version), None)

    def apply(self, event: Event) -> bool:
        """Take an event into account; returns whether it changed anything. Those of other migrations do not."""
        one = self.of_version(event.migration)
        if one is None:
            return False
        if event.name is EventName.MIGRATION_START:
            self.current = one.version
        return one.apply(event)


def _count(event: Event, name: str) -> int | None:
    value = event.data.get(name)
    return value if isinstance(value, int) else None
