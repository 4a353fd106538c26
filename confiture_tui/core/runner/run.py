"""What the parts of a run share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confiture_tui.core.dry_run.execution import run_statement
from confiture_tui.core.hooks.error import HookError
from confiture_tui.core.hooks.executor import HookExecutor
from confiture_tui.core.runner import advisory_lock
from confiture_tui.core.runner.failures import LetThrough, StatementFailed
from confiture_tui.core.runner.session import check, is_lost
from confiture_tui.core.traffic.watcher import TrafficWatcher
from confiture_tui.errors import ConnectError
from confiture_tui.events import Event, EventName, Level, Sink

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from confiture_tui.core.runner.job import MigrationJob
    from confiture_tui.core.runner.journal import Journal
    from confiture_tui.core.runner.policy import RunPolicy
    from confiture_tui.core.runner.session import RunSession
    from confiture_tui.core.sql.statement import Statement
    from confiture_tui.database.cancellation import CancelScope
    from confiture_tui.database.ledger_table import LedgerTable


@dataclass
class Run:
    """A working object: the connections, tables and limits of one run.

    Attributes:
        control: the connection that holds the advisory lock and writes the journal, in autocommit mode.
        session: where the migrations run.
        connect: opens another connection like these.
        ledger, journal: the two tables.
        policy: the limits.
        sink: where events go.
        scope: who may cancel.
        settings_file: the project's ``confiture.yaml``.
        executor: runs hooks.
        worked_ms: what the statements that went well have taken since it was last set to nothing.
    """

    control: psycopg.Connection[Any]
    session: RunSession
    connect: Callable[[], psycopg.Connection[Any]]
    ledger: LedgerTable
    journal: Journal
    policy: RunPolicy
    sink: Sink
    scope: CancelScope | None = None
    settings_file: Path | None = None
    executor: HookExecutor = field(default_factory=HookExecutor)
    worked_ms: float = 0.0

    def living_control(self) -> psycopg.Connection[Any]:
        """The control connection, opened again if it was lost, with the advisory lock taken again.

        Raises:
            ConnectError: there is none to be had.
            LockHeld: another run has begun meanwhile.
        """
        import psycopg

        try:
            self.control.execute("SELECT 1")
        except psycopg.OperationalError:
            self.control.close()
            self.control = self.connect()
            advisory_lock.take(self.control, self.control.info.dbname)
        return self.control

    def emit(self, name: EventName, message: str, *, level: Level = Level.INFO, **fields: Any) -> None:
        """Tell of something."""
        self.sink(Event(name=name, message=message, level=level, **fields))

    @contextmanager
    def watched(self, migration: str) -> Iterator[TrafficWatcher | None]:
        """Let others through while the block runs; leaving it, nobody cancels any more.

        Raises:
            LetThrough: instead of any failure of the block that giving way explains.
        """
        if self.policy.give_way is None:
            yield None
            return
        watcher = TrafficWatcher(
            self.connect,
            self.session.pid,
            self.policy.give_way,
            sink=lambda event: self.sink(event if event.migration else _of(event, migration)),
        )
        import psycopg

        try:
            with watcher:
                yield watcher
        except (StatementFailed, HookError, ConnectError, psycopg.Error) as error:
            # What a hook has committed by itself stands, whoever waited: that must be told.
            stands = isinstance(error, HookError) and error.committed
            if watcher.gave_way is not None and not stands:
                raise LetThrough(watcher.gave_way) from error
            raise
        if watcher.gave_way is not None:
            raise LetThrough(watcher.gave_way)

    def guarded(self) -> Any:
        """A block in which a cancel reaches the session."""
        return self.scope.guard(self.session.connection) if self.scope is not None else nullcontext()

    def statement(self, job: MigrationJob, statement: Statement, watcher: TrafficWatcher | None) -> None:
        """Run one statement.

        Raises:
            StatementFailed: it failed.
            LetThrough: others waited behind us for too long.
            ConnectError: the connection was lost.
            Cancelled: somebody asked for a stop.
        """
        check(self.scope)
        if watcher is not None and watcher.gave_way is not None:
            raise LetThrough(watcher.gave_way)
        version = job.migration.version
        known: dict[str, Any] = {"migration": version, "statement": statement.index}
        self.emit(EventName.STATEMENT_START, f"Statement {statement.index}: {statement.tag}.", **known)
        try:
            ran = run_statement(self.session.connection, statement, scope=self.scope)
        except ConnectError as error:
            # What stands is said by whoever knows how the statements are wrapped.
            raise ConnectError(error.message, hint="Check the server's log and try again.") from None
        for notice in ran.notices:
            self.emit(EventName.SERVER_NOTICE, notice, level=Level.DEBUG, **known)
        if ran.failure is not None:
            self.emit(
                EventName.STATEMENT_FAILED,
                f"Statement {statement.index} failed: {ran.failure.message}",
                level=Level.ERROR,
                duration_ms=ran.elapsed_ms,
                data={"sqlstate": ran.failure.sqlstate},
                **known,
            )
            raise StatementFailed(ran.failure, statement, waited_for=watcher.waited_for if watcher else None)
        self.worked_ms += ran.elapsed_ms
        self.emit(
            EventName.STATEMENT_COMPLETED,
            f"Statement {statement.index}: {ran.status or statement.tag}.",
            duration_ms=ran.elapsed_ms,
            rows_affected=_rows(ran.status),
            **known,
        )

    def lost(self, error: BaseException) -> bool:
        """Whether an error means that the session is gone."""
        return is_lost(error, self.session.connection)


def _of(event: Event, migration: str) -> Event:
    import dataclasses

    return dataclasses.replace(event, migration=migration)


def _rows(status: str | None) -> int | None:
    """The count in a command tag such as ``UPDATE 5``."""
    words = (status or "").split()
    counted = words[:1] in (["INSERT"], ["UPDATE"], ["DELETE"], ["MERGE"], ["COPY"], ["SELECT"])
    return int(words[-1]) if counted and words[-1].isdigit() else None
