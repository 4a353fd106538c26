"""A dry run in place: on the connection that is given, in one transaction that is always rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from confiture_tui.core.dry_run.admission import admit, refuse_transaction_control
from confiture_tui.core.dry_run.ceiling import Ceiling
from confiture_tui.core.dry_run.leftovers import Leftovers, SessionState
from confiture_tui.core.dry_run.merge import merge_passes
from confiture_tui.core.dry_run.proof import Evidence, TargetState, prove
from confiture_tui.core.dry_run.result import DryRunResult, On, Rows
from confiture_tui.core.dry_run.trial import Trial
from confiture_tui.core.migrations.profiles import Wrapping
from confiture_tui.database.cancellation import CancelScope
from confiture_tui.database.failures import in_sentences
from confiture_tui.errors import Cancelled, ConnectError
from confiture_tui.events import Event, EventName, Level, Sink, discard, with_context

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.migrations.model import Migration

DEFAULT_LOCK_TIMEOUT_MS = 1_000
"""While we wait for a lock, everybody else queues behind us: a second is what an application survives."""
DEFAULT_STATEMENT_TIMEOUT_MS = 60_000
"""Others wait for the locks that are held until the rollback."""

_TRIES = 5
"""How often a ROLLBACK is sent that a cancel request keeps meeting."""

# UTF8 because statements are sent as UTF-8, whatever the caller's session is set to.
_BEGIN = b"BEGIN READ WRITE; SET LOCAL client_encoding = 'UTF8'"


class DryRunExecutor:
    """Tries migrations on a live connection and takes everything back.

    Args:
        allow_superuser: run as a superuser, or as a role that can become one or reach beyond the database, who can do
            what no rollback undoes (programs, files, other sessions, other servers).
        lock_timeout_ms: how long a statement may wait for a lock.
        statement_timeout_ms: how long a statement may run.
        sink: where events go.
    """

    def __init__(
        self,
        *,
        allow_superuser: bool = False,
        lock_timeout_ms: int = DEFAULT_LOCK_TIMEOUT_MS,
        statement_timeout_ms: int = DEFAULT_STATEMENT_TIMEOUT_MS,
        sink: Sink = discard,
    ) -> None:
        self._allow_superuser = allow_superuser
        self._lock_timeout_ms = lock_timeout_ms
        self._statement_timeout_ms = statement_timeout_ms
        self._sink = sink

    def run(
        self, conn: psycopg.Connection[Any], migration: Migration, *, scope: CancelScope | None = None
    ) -> DryRunResult:
        """Run the migration in one transaction and roll it back; the connection is left as it was found.

        Raises:
            ValueError: the connection is not idle.
            UsageError: the migration controls transactions itself, the server is a standby, or the role lacks a right
                that is needed or has one that is too much.
            Cancelled: the scope was cancelled; everything was rolled back.
            ConnectError: the connection was lost; the server rolled everything back.
            ConfitureError: the migration ended the transaction behind our back, or the server refused us.
        """
        from psycopg.pq import TransactionStatus

        if conn.closed:
            raise ConnectError("The dry run cannot start: the connection is closed.", hint="Connect again.")
        if conn.info.transaction_status is not TransactionStatus.IDLE:
            raise ValueError("the connection is inside a transaction: a dry run in place needs an idle one")
        scope = scope or CancelScope()
        sink = with_context(self._sink, migration=migration.version)
        try:
            with in_sentences(f"The dry run of {migration.label}"), _cancelled_if_asked(scope, migration):
                refuse_transaction_control(migration)
                with _plain(conn):
                    return self._in_place(conn, migration, scope, sink)
        except BaseException as error:
            sink(
                Event(
                    name=EventName.DRY_RUN_FAILED,
                    message=f"{migration.label}: the dry run itself did not finish: {error}",
                    level=Level.WARNING if isinstance(error, Cancelled) else Level.ERROR,
                )
            )
            raise

    def _in_place(
        self, conn: psycopg.Connection[Any], migration: Migration, scope: CancelScope, sink: Sink
    ) -> DryRunResult:
        notes = admit(conn, allow_superuser=self._allow_superuser)
        sink(
            Event(
                name=EventName.DRY_RUN_START,
                message=f"{migration.label}: dry run in place, {len(migration.up.statements)} statement(s)",
            )
        )
        found = SessionState.read(conn)
        left = Leftovers()
        try:
            with scope.guard(conn):
                before = TargetState.read(conn)
                trial, ceiling = self._try(conn, migration, sink, scope)
                evidence = Evidence.gather(conn, trial.xid, before)
        finally:
            # Nobody can cancel this: the guard has ended.
            if not conn.closed:
                _come_to_rest(conn, scope)
                left = found.restore(conn)
        result = merge_passes(
            migration,
            Wrapping.TRANSACTION,
            Rows.FULL,
            trial.results,
            trial.seen,
            {},
            schema_diff=None,
            proof=prove(evidence, left, wrote=trial.wrote),
            on=On.TARGET,
            notes=(*notes, *ceiling.notes),
        )
        sink(
            Event(
                name=EventName.DRY_RUN_COMPLETED,
                message=f"{migration.label}: {result.verdict}, rolled back",
                level=Level.INFO if result.ok else Level.WARNING,
                duration_ms=result.elapsed_ms,
                data={"verdict": str(result.verdict), "on": str(On.TARGET)},
            )
        )
        return result

    def _try(
        self, conn: psycopg.Connection[Any], migration: Migration, sink: Sink, scope: CancelScope
    ) -> tuple[Trial, Ceiling]:
        try:
            conn.execute(_BEGIN)
            ceiling = Ceiling(
                conn, lock_timeout_ms=self._lock_timeout_ms, statement_timeout_ms=self._statement_timeout_ms
            )
            ceiling.set()
            trial = Trial(conn, ceiling, sink, scope)
            trial.run(migration.up.statements)
            return trial, ceiling
        finally:
            _roll_back(conn)


@contextmanager
def _cancelled_if_asked(scope: CancelScope, migration: Migration) -> Iterator[None]:
    """Whatever the driver raises once the scope is cancelled is the cancel: one of our own queries was met by it."""
    import psycopg

    try:
        yield
    except psycopg.Error:
        if not scope.requested:
            raise
    else:
        return
    # Raised outside the `except`: the driver's exception must not stay its context.
    raise Cancelled(f"The dry run of {migration.label} was cancelled; everything was rolled back.")


@contextmanager
def _plain(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """The connection as psycopg makes it, in autocommit mode, while the block runs; as the caller had it afterwards."""
    import psycopg
    from psycopg.rows import tuple_row

    autocommit, threshold = conn.autocommit, conn.prepare_threshold
    row_factory, cursor_factory = conn.row_factory, conn.cursor_factory
    try:
        conn.autocommit = True
        # psycopg's own preparing would send DEALLOCATE ALL and drop what the session had prepared.
        conn.prepare_threshold = None
        conn.row_factory, conn.cursor_factory = tuple_row, psycopg.Cursor
        yield
    finally:
        conn.row_factory, conn.cursor_factory = row_factory, cursor_factory
        if not conn.closed:
            conn.prepare_threshold = threshold
            conn.autocommit = autocommit


def _roll_back(conn: psycopg.Connection[Any]) -> None:
    from psycopg.pq import TransactionStatus

    if not conn.closed and conn.info.transaction_status is not TransactionStatus.IDLE:
        # Not `conn.rollback()`: that would send DEALLOCATE ALL when psycopg has prepared something.
        conn.execute("ROLLBACK")


def _come_to_rest(conn: psycopg.Connection[Any], scope: CancelScope) -> None:
    """Roll back, and meet a cancel request that the server has taken and the backend has not, before others do."""
    from psycopg import errors

    for remaining in reversed(range(_TRIES)):
        try:
            _roll_back(conn)
            if scope.requested:
                conn.execute("SELECT 1")
            return
        except errors.QueryCanceled:
            if not remaining:
                raise
