"""The hooks of a migration in a dry run on a shadow: phase by phase, where its runner would run them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.model import Failure
from confiture_tui.core.hooks.context import CancelFlag, HookContext
from confiture_tui.core.hooks.error import HookError
from confiture_tui.core.hooks.executor import HookExecutor
from confiture_tui.core.hooks.order import AFTER_STATEMENTS, phases_after_commit
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookOutcome, HookResult

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.hooks.hook import Hook
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.database.cancellation import CancelScope
    from confiture_tui.events import Sink

RAISED = "P0001"
"""What a failure counts as that has no SQLSTATE: a hook raised it, as a function may (``raise_exception``)."""
OF_DATA = frozenset({"21", "22", "23", "P0"})
"""Classes of SQLSTATE that rows decide: cardinality, data, integrity constraints, RAISE in a body."""


class HookRun:
    """What runs the hooks of one migration, and keeps what came of them.

    Attributes:
        results: one for each hook that ran, or was not exercised.
        failure: what the migration failed with because of a hook; ``None`` as long as none did.
        committed: the migration is committed: a failure since then leaves it standing.
    """

    def __init__(
        self, migration: Migration, hooks: Sequence[Hook], *, transactional: bool, scope: CancelScope, sink: Sink
    ) -> None:
        self._hooks = tuple(hooks)
        self._late = phases_after_commit(hooks, transactional=transactional)
        self._executor = HookExecutor()
        self._context = HookContext(
            migration=migration, dry_run=True, on_shadow=True, sink=sink, cancelled=CancelFlag(lambda: scope.requested)
        )
        self.results: list[HookResult] = []
        self.failure: Failure | None = None
        self.committed = False

    def first(self, conn: psycopg.Connection[Any]) -> bool:
        """Before the migration's transaction, on an idle connection; whether the migration may go on."""
        return self._run(conn, HookPhase.BEFORE_VALIDATION)

    def before_statements(self, conn: psycopg.Connection[Any]) -> bool:
        """Where the first statement is about to run; whether it may."""
        return self._run(conn, HookPhase.BEFORE_DDL)

    def after_statements(self, conn: psycopg.Connection[Any]) -> bool:
        """Where the last statement has run, before the commit; whether that may come."""
        return self._run(conn, *(phase for phase in AFTER_STATEMENTS if phase not in self._late))

    def after_commit(self, conn: psycopg.Connection[Any]) -> None:
        """When the migration is committed: hooks with transactions of their own, and those that tidy up."""
        self.committed = True
        if self._run(conn, *self._late):
            self._run(conn, HookPhase.CLEANUP)
        else:
            self.on_error(conn)

    def on_error(self, conn: psycopg.Connection[Any]) -> None:
        """When the migration has failed and was rolled back."""
        self._run(conn, HookPhase.ON_ERROR)

    def _run(self, conn: psycopg.Connection[Any], *phases: HookPhase) -> bool:
        for phase in phases:
            try:
                self._executor.execute_phase(conn, phase, self._hooks, self._context, done=self.results.append)
            except HookError as error:
                self._failed(error)
                return False
            except ValueError as error:
                # A hook with transactions of its own in BEFORE_DDL: the runner refuses the migration.
                self.failure = Failure(sqlstate=RAISED, message=str(error))
                return False
        return True

    def _failed(self, error: HookError) -> None:
        sqlstate = getattr(error.cause, "sqlstate", None) or RAISED
        self.failure = Failure(sqlstate=sqlstate, message=error.message)
        self.results.append(
            HookResult(hook=error.hook, phase=error.phase, outcome=HookOutcome.FAILED, error=error.message)
        )
        self._context.error = error
