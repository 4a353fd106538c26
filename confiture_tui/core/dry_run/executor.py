"""A dry run in place: on the connection that is given, in one transaction that is always rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from confiture_tui.core.counting import counted
from confiture_tui.core.dry_run.admission import admit, refuse_pooler, refuse_transaction_control
from confiture_tui.core.dry_run.ceiling import Ceiling
from confiture_tui.core.dry_run.escapes import Escapes
from confiture_tui.core.dry_run.leftovers import Leftovers, SessionState
from confiture_tui.core.dry_run.merge import merge_passes
from confiture_tui.core.dry_run.proof import Evidence, prove
from confiture_tui.core.dry_run.result import DryRunResult, On, Rows
from confiture_tui.core.dry_run.target_state import TargetState
from confiture_tui.core.dry_run.time_limits import milliseconds
from confiture_tui.core.dry_run.trial import Trial
from confiture_tui.core.migrations.profiles import Wrapping
from confiture_tui.core.traffic.model import GaveWay, GiveWayLimits
from confiture_tui.core.traffic.watcher import TrafficWatcher
from confiture_tui.database.cancellation import CancelScope
from confiture_tui.database.connection import connect_beside
from confiture_tui.database.connection_errors import connection_was_lost
from confiture_tui.database.failures import in_sentences
from confiture_tui.database.pooler import backend_pid
from confiture_tui.errors import Cancelled, ConfitureError, ConnectError
from confiture_tui.events import Event, EventName, Level, Sink, discard, with_context

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.migrations.model import Migration

DEFAULT_LOCK_TIMEOUT_MS = 1_000
"""While we wait for a lock, everybody else queues behind us: a second is what an application survives."""
DEFAULT_STATEMENT_TIMEOUT_MS = 60_000
"""Others wait for the locks that are held until the rollback."""

DEFAULT_GIVE_WAY = GiveWayLimits()
"""How much others may suffer."""

_CANCEL_TIMEOUT_S = 1.0
_LOOK_FOR_CLIENT = "1s"
_TRIES = 5
"""How often a ROLLBACK is sent that a cancel request keeps meeting."""

# UTF8 because statements are sent as UTF-8, whatever the caller's session is set to.
_BEGIN = b"BEGIN READ WRITE; SET LOCAL client_encoding = 'UTF8'"


class DryRunExecutor:
    """Tries migrations on a live connection and takes everything back.

    Args:
        allow_superuser: run as a superuser, or as a role that can become one or reach beyond the database, who can do
            what no rollback undoes (programs, files, other sessions, other servers).
        lock_timeout: how long a statement may wait for a lock: milliseconds, a text as the server takes it (``2s``), or
            a length of time; 0 is without end.
        statement_timeout: how long a statement may run, likewise.
        lock_timeout_ms: the same in milliseconds, where ``lock_timeout`` is not given.
        statement_timeout_ms: likewise.
        give_way: how long others may wait behind the dry run before it stops; ``None`` lets them wait, and opens no
            second connection to look.
        sink: where events go.

    Raises:
        ValueError: a time-out is none.
    """

    def __init__(
        self,
        *,
        allow_superuser: bool = False,
        lock_timeout: float | str | timedelta | None = None,
        statement_timeout: float | str | timedelta | None = None,
        lock_timeout_ms: int = DEFAULT_LOCK_TIMEOUT_MS,
        statement_timeout_ms: int = DEFAULT_STATEMENT_TIMEOUT_MS,
        give_way: GiveWayLimits | None = DEFAULT_GIVE_WAY,
        sink: Sink = discard,
    ) -> None:
        self._allow_superuser = allow_superuser
        self._lock_timeout_ms = milliseconds(lock_timeout_ms if lock_timeout is None else lock_timeout)
        self._statement_timeout_ms = milliseconds(
            statement_timeout_ms if statement_timeout is None else statement_timeout
        )
        self._give_way = give_way
        self._sink = sink

    def run(
        self, conn: psycopg.Connection[Any], migration: Migration, *, scope: CancelScope | None = None
    ) -> DryRunResult:
        """Run the migration in one transaction and roll it back; the connection is left as it was found.

        Raises:
            ValueError: the connection is not idle.
            UsageError: the migration controls transactions itself, the server is a standby, a transaction pooler is
                in between, or the role lacks a right that is needed or has one that is too much.
            Cancelled: the scope was cancelled; everything was rolled back.
            ConnectError: the connection was lost, and the server rolled everything back; or there is no second one, to
                watch from.
            ConfitureError: the migration ended the transaction behind our back, the dry run had to give way by ending
                its session, or the server refused us.
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
        import psycopg

        admission = admit(conn, allow_superuser=self._allow_superuser)
        watcher = self._watcher(conn, sink)
        escapes = Escapes.read(conn, powerful=admission.powerful)
        sink(
            Event(
                name=EventName.DRY_RUN_START,
                message=f"{migration.label}: dry run in place, {counted(len(migration.up.statements), 'statement')}",
                data={"on": str(On.TARGET)},
            )
        )
        found = SessionState.read(conn)
        left, lost = Leftovers(), False
        try:
            with scope.guard(conn):
                before = TargetState.read(conn)
                with watcher or nullcontext():
                    trial, ceiling = self._try(conn, migration, escapes, watcher, sink, scope)
                _come_to_rest(conn, late=watcher is not None and watcher.gave_way is not None)
                evidence = Evidence.gather(conn, trial.xid, before, trial.traces)
        except (ConnectError, psycopg.Error) as error:
            lost = isinstance(error, ConnectError) or connection_was_lost(error)
            why = watcher.gave_way if watcher is not None else None
            if why is None or why.blind or not lost:
                raise
            raise ConfitureError(
                f"The dry run of {migration.label} gave way, and its session had to be ended: {why.reason}",
                hint="The server rolled everything back. Try again when there is less traffic, or on the shadow.",
            ) from None
        finally:
            # Nobody can cancel this: the guard has ended.
            if not lost and not _is_gone(conn):
                _come_to_rest(conn, late=scope.requested)
                left = found.restore(conn)
        result = merge_passes(
            migration,
            Wrapping.TRANSACTION,
            Rows.FULL,
            trial.results,
            trial.seen,
            {},
            schema_diff=None,
            proof=prove(
                evidence,
                left,
                trial.traces,
                powerful=admission.powerful,
                ran_code=trial.ran_code,
                reached=trial.reached(),
            ),
            on=On.TARGET,
            notes=(*admission.notes, *ceiling.notes, *trial.notes),
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

    def _watcher(self, conn: psycopg.Connection[Any], sink: Sink) -> TrafficWatcher | None:
        """Who will look at what waits behind us; refuses a transaction pooler on the way.

        Raises:
            UsageError: a transaction pooler is in between.
            ConnectError: there is no second connection.
        """
        import psycopg

        if self._give_way is None:
            refuse_pooler(conn, None)
            return None
        try:
            first = connect_beside(conn)
        except ConnectError as error:
            raise ConnectError(
                f"A dry run in place watches from a second connection who waits behind it. {error.message}",
                hint="Give the role room for two connections, or dry-run on the shadow.",
            ) from None
        try:
            refuse_pooler(conn, first)
        except BaseException:
            first.close()
            raise
        unused: list[psycopg.Connection[Any]] = [first]

        def another() -> psycopg.Connection[Any]:
            return unused.pop() if unused else connect_beside(conn)

        def stop_unseen(why: GaveWay) -> None:
            if not why.blind:
                return
            with suppress(psycopg.Error):
                # The server cannot be reached from a second connection, and perhaps not at all: the flag is set.
                conn.cancel_safe(timeout=_CANCEL_TIMEOUT_S)

        return TrafficWatcher(another, backend_pid(conn), self._give_way, on_yield=stop_unseen, sink=sink)

    def _try(
        self,
        conn: psycopg.Connection[Any],
        migration: Migration,
        escapes: Escapes,
        watcher: TrafficWatcher | None,
        sink: Sink,
        scope: CancelScope,
    ) -> tuple[Trial, Ceiling]:
        import psycopg

        try:
            conn.execute(_BEGIN)
            _notice_a_lost_client(conn)
            ceiling = Ceiling(
                conn, lock_timeout_ms=self._lock_timeout_ms, statement_timeout_ms=self._statement_timeout_ms
            )
            ceiling.set()
            trial = Trial(conn, ceiling, escapes, watcher=watcher, sink=sink, scope=scope)
            trial.run(migration.up.statements)
        except BaseException:
            # What went wrong is what counts: that the connection was lost, for instance, is known already.
            with suppress(psycopg.Error):
                _come_to_rest(conn)
            raise
        # At once, before anything else: others may be waiting.
        _come_to_rest(conn)
        return trial, ceiling


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


def _notice_a_lost_client(conn: psycopg.Connection[Any]) -> None:
    """Let the server look, while a statement runs, whether we are still there; not every system can."""
    import psycopg

    conn.execute("SAVEPOINT confiture_look")
    try:
        conn.execute(f"SET LOCAL client_connection_check_interval = '{_LOOK_FOR_CLIENT}'".encode())
    except psycopg.errors.InvalidParameterValue:
        conn.execute("ROLLBACK TO SAVEPOINT confiture_look")
    conn.execute("RELEASE SAVEPOINT confiture_look")


def _is_gone(conn: psycopg.Connection[Any]) -> bool:
    """Whether there is nothing left to say on this connection, whoever knows it already."""
    from psycopg.pq import ConnStatus, TransactionStatus

    return (
        conn.closed or conn.pgconn.status == ConnStatus.BAD or conn.info.transaction_status is TransactionStatus.UNKNOWN
    )


def _come_to_rest(conn: psycopg.Connection[Any], *, late: bool = False) -> None:
    """Roll back, whatever cancel requests meet that.

    Args:
        conn: the connection.
        late: a cancel request may be under way that the server has taken and the backend has not: meet it here,
            before the caller's next statement does.
    """
    from psycopg import errors
    from psycopg.pq import TransactionStatus

    for remaining in reversed(range(_TRIES)):
        try:
            if conn.info.transaction_status is not TransactionStatus.IDLE:
                # Not `conn.rollback()`: that would send DEALLOCATE ALL when psycopg has prepared something.
                conn.execute("ROLLBACK")
            if late:
                conn.execute("SELECT 1")
            return
        except errors.QueryCanceled:
            if not remaining:
                raise
