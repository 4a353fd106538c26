"""What may go wrong while a catalog is read, as sentences."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.reading.transaction import LOCK_TIMEOUT_MS, STATEMENT_TIMEOUT_MS, reading, settle
from confiture_tui.errors import ConfitureError, ConnectError

if TYPE_CHECKING:
    import psycopg

INSUFFICIENT_PRIVILEGE = "42501"
LOCK_NOT_AVAILABLE = "55P03"
QUERY_CANCELED = "57014"
INTERNAL_ERROR = "XX000"
# SQLSTATEs: PostgreSQL documentation, appendix A.


class ChangedMeanwhile(Exception):
    """Another session dropped an object between the snapshot and the moment its definition was asked for."""


@contextmanager
def errors_as_sentences(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """The server's errors as sentences; a cancellation stays what it is."""
    import psycopg

    started = time.monotonic()
    try:
        yield
    except psycopg.Error as error:
        detail = error.diag.message_primary or str(error)
        if conn.closed:
            raise ConnectError(
                f"The connection was lost while the catalog was being read: {detail}", hint="Connect again."
            ) from error
        if error.sqlstate == LOCK_NOT_AVAILABLE:
            locked = _locked_by_others(conn)
            which = f" on {', '.join(locked)}" if locked else ""
            raise ConfitureError(
                f"The catalog could not be read within {LOCK_TIMEOUT_MS / 1000:g} s: another session holds, or waits "
                f"for, an exclusive lock{which}.",
                hint="Try again when that session has ended; pg_locks and pg_stat_activity show it.",
            ) from error
        if error.sqlstate == QUERY_CANCELED:
            if time.monotonic() - started < STATEMENT_TIMEOUT_MS / 1000:
                raise
            raise ConfitureError(
                f"The catalog could not be read: a query of it took more than {STATEMENT_TIMEOUT_MS / 1000:g} s.",
                hint="Try again when the server is less busy.",
            ) from error
        raise ConfitureError(f"The catalog could not be read: {detail}", hint="The server's log has more.") from error


def _locked_by_others(conn: psycopg.Connection[Any]) -> list[str]:
    """Relations of this database that other sessions hold, or wait for, exclusively."""
    with reading(conn) as cursor:
        settle(cursor, conn.info.server_version)
        found = cursor.execute(
            """SELECT DISTINCT l.relation::regclass::text || ' (pid ' || l.pid || ')' FROM pg_locks l
               WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_backend_pid()
                 AND l.relation >= 16384
                 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
               ORDER BY 1 LIMIT 5"""
        ).fetchall()
    return [name for (name,) in found]
