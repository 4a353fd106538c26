"""One migration that is to be run: which script, in which direction, with which hooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from confiture_tui.core.hooks.order import AFTER_STATEMENTS, phases_after_commit
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.migrations.profiles import PROFILES, Wrapping
from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from confiture_tui.core.hooks.hook import Hook
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.runner.journal import ExpectedTime
    from confiture_tui.core.sql.script import Script

PROFILE = PROFILES["confiture-tui"]
"""How this runner wraps: in one transaction, unless a statement cannot run in one."""

_SAVEPOINTS = frozenset({"TRANS_STMT_SAVEPOINT", "TRANS_STMT_RELEASE", "TRANS_STMT_ROLLBACK_TO"})


@dataclass(frozen=True, slots=True)
class MigrationJob:
    """A migration, the direction in which it is run, its hooks in the order in which they run, and how long its
    statements are expected to take, where somebody has worked that out."""

    migration: Migration
    direction: Literal["forward", "backward"] = "forward"
    hooks: tuple[Hook, ...] = field(default=())
    expected: ExpectedTime | None = None

    @property
    def script(self) -> Script:
        """What is run.

        Raises:
            UsageError: it is to be taken back, and has no way back.
        """
        if self.direction == "forward":
            return self.migration.up
        if self.migration.down is None:
            raise UsageError(
                f"{self.migration.label} has no way back: there is no file that takes it back.",
                hint="Write the .down.sql file beside it, or go forward with a new migration.",
            )
        return self.migration.down

    @property
    def transactional(self) -> bool:
        """Whether all its statements run in one transaction."""
        return PROFILE.wrapping_of(self.script) is not Wrapping.NONE

    @property
    def phases_after_commit(self) -> tuple[HookPhase, ...]:
        """The phases whose hooks run after the commit, since one of theirs makes transactions of its own.

        Raises:
            UsageError: a hook that makes transactions of its own is to run in BEFORE_DDL, where nothing is committed.
        """
        for hook in self.hooks:
            if not hook.transactional and hook.runs_in is HookPhase.BEFORE_DDL and self.transactional:
                raise UsageError(
                    f"{self.migration.label}: the hook {hook.hook_name()} makes transactions of its own, "
                    "so it cannot run in BEFORE_DDL, inside the migration's.",
                    hint="Let it run in BEFORE_VALIDATION or AFTER_DDL.",
                )
        return phases_after_commit(self.hooks, transactional=self.transactional)

    @property
    def phases_in_transaction(self) -> tuple[HookPhase, ...]:
        """The phases after the statements whose hooks run before the commit."""
        return tuple(phase for phase in AFTER_STATEMENTS if phase not in self.phases_after_commit)

    @property
    def has_hooks_after_commit(self) -> bool:
        """Whether a hook of AFTER_DDL or AFTER_VALIDATION runs after the commit."""
        return self.has_hooks(*self.phases_after_commit)

    def has_hooks(self, *phases: HookPhase) -> bool:
        """Whether a hook runs in one of these phases."""
        return any(hook.runs_in in phases for hook in self.hooks)

    def check(self) -> None:
        """Refuse what cannot be run as it is written.

        Raises:
            UsageError: the file cannot be trusted, holds what is no SQL, or controls transactions itself; or the
                migration has no version.
        """
        label = self.migration.label
        if not self.migration.version:
            raise UsageError(
                f"{label or 'The migration'} has no version, by which the ledger would know it.",
                hint="Give it one: Migration.from_sql(text, version=…, name=…).",
            )
        for finding in self.migration.findings:
            if finding.level == "error":
                raise UsageError(finding.message)
        for statement in self.script.problems:
            problem = statement.problem
            assert problem is not None  # that is what `problems` are
            raise UsageError(
                f"{label}, line {problem.line}: {problem.message}.", hint="Nothing was run. Mend the statement."
            )
        for command in self.script.meta_commands:
            raise UsageError(
                f"{label}, line {command.line}: {command.text.split()[0]} is a command of psql's, not of the server's.",
                hint="Remove it, or run the file with psql.",
            )
        for statement in self.script.transaction_control:
            if (statement.node or {}).get("kind") in _SAVEPOINTS and self.transactional:
                continue
            raise UsageError(
                f"{label}, line {statement.line}: {statement.tag} would end the runner's transaction.",
                hint="Remove it; a BEGIN and a COMMIT around the whole file are fine.",
            )
        _ = self.phases_after_commit
