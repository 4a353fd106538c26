"""The session in which migrations run: a connection of its own, clean for each of them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from confiture_tui.database.pooler import backend_pid
from confiture_tui.errors import Cancelled, ConnectError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import psycopg

    from confiture_tui.core.runner.policy import RunPolicy
    from confiture_tui.database.cancellation import CancelScope

APPLICATION_NAME = "confiture-tui run"
"""How the sessions of a run are called in ``pg_stat_activity``."""

_CHECK_INTERVAL = "SELECT pg_catalog.set_config('client_connection_check_interval', '1s', false)"
"""The server looks every second whether we are still there, and stops a statement of somebody who is gone (from 14)."""


_DURABLE = """
SELECT pg_catalog.set_config('synchronous_commit', 'on', false)
WHERE pg_catalog.current_setting('synchronous_commit') = 'off'
"""
"""What we say is done must outlast a crash of the server, also for a role whose commits need not."""


def make_durable(conn: psycopg.Connection[Any]) -> None:
    """Have commits of this session wait for the disk, if they do not."""
    conn.execute(_DURABLE)


class RunSession:
    """A connection that is opened when it is needed, and again after it was lost."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        self._connect = connect
        self._conn: psycopg.Connection[Any] | None = None

    @property
    def connection(self) -> psycopg.Connection[Any]:
        """The connection, opened if need be.

        Raises:
            ConnectError: there is none to be had.
        """
        if self._conn is None or self._conn.closed:
            self._conn = self._connect()
        return self._conn

    def clean(self) -> psycopg.Connection[Any]:
        """The connection, idle, as after logging in: no setting, temporary table or prepared statement of before.

        Raises:
            ConnectError: there is none to be had.
        """
        import psycopg

        conn = self.connection
        try:
            self.come_to_rest()
            conn.execute("DISCARD ALL")
        except psycopg.OperationalError:
            self.close()
            conn = self.connection
        make_durable(conn)
        # Not to be had on every platform of the server's (it needs POLLRDHUP): then the server notices later.
        with contextlib.suppress(psycopg.errors.InvalidParameterValue):
            conn.execute(_CHECK_INTERVAL)
        return conn

    def come_to_rest(self) -> None:
        """Roll back what is open. A connection that is gone is at rest."""
        import psycopg
        from psycopg.pq import TransactionStatus

        conn = self._conn
        if conn is None or conn.closed:
            return
        if conn.info.transaction_status is TransactionStatus.IDLE:
            return
        try:
            conn.execute("ROLLBACK")
        except psycopg.OperationalError:
            self.close()

    def close(self) -> None:
        """Close the connection; the server rolls back what is open."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    @property
    def pid(self) -> int:
        """The process of the session, as the server calls it."""
        return backend_pid(self.connection)


def set_timeouts(
    conn: psycopg.Connection[Any],
    policy: RunPolicy,
    *,
    local: bool,
    concurrent: bool = False,
    but: Collection[str] = (),
) -> None:
    """Set the time-outs of the policy, for the transaction or for the session.

    Args:
        concurrent: the statement that follows holds up nobody while it waits.
        but: settings that the migration's own file has set, which win.
    """
    lock = policy.concurrent_lock_timeout_ms if concurrent else policy.lock_timeout_ms
    for name, value in (("lock_timeout", lock), ("statement_timeout", policy.statement_timeout_ms)):
        if name not in but:
            conn.execute("SELECT pg_catalog.set_config(%s, %s, %s)", (name, f"{value}ms", local))


def check(scope: CancelScope | None) -> None:
    """Stop here if somebody asked for it.

    Raises:
        Cancelled: somebody did.
    """
    if scope is not None and scope.requested:
        raise Cancelled("Cancelled.")


def is_lost(error: BaseException, conn: psycopg.Connection[Any]) -> bool:
    """Whether an error means that the connection is gone."""
    import psycopg

    from confiture_tui.database.connection_errors import connection_was_lost

    if isinstance(error, ConnectError):
        return True
    return isinstance(error, psycopg.Error) and (conn.closed or connection_was_lost(error))
