"""One run at a time: the advisory lock that the ``confiture`` command takes too."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from confiture_tui.core.traffic.model import session_label
from confiture_tui.errors import ConfitureError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

NAMESPACE = 1751936052
"""The first key of the lock, as confiture's own ``core/locking.py`` has it (release 1.29)."""

_TRY = "SELECT pg_catalog.pg_try_advisory_lock(%s, %s)"
_RELEASE = "SELECT pg_catalog.pg_advisory_unlock(%s, %s)"
_HOLDER = """
SELECT l.pid, a.usename::text, coalesce(a.application_name, '')
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_database d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objid = %s AND l.objsubid = 2 AND l.granted
"""


class LockHeld(ConfitureError):
    """Another run holds the lock (exit code 6)."""

    exit_code = 6


def object_key(database: str) -> int:
    """The second key of the lock: of the database's name, so that each database has a lock of its own."""
    return int.from_bytes(hashlib.sha256(database.encode()).digest()[:4], "big") & 0x7FFFFFFF


def take(conn: psycopg.Connection[Any], database: str) -> None:
    """Take the lock for this session, or say who has it. It goes with the session at the latest.

    Raises:
        LockHeld: another session has it.
    """
    key = (NAMESPACE, object_key(database))
    row = conn.execute(_TRY, key).fetchone()
    if row is not None and row[0]:
        return
    holder = conn.execute(_HOLDER, key).fetchone()
    who = session_label(*holder) if holder is not None else "another session"
    raise LockHeld(
        f"Another run holds the migration lock of the database {database}: {who}.",
        hint="Wait until it is done, and look at the status again. Nothing was changed.",
    )


def release(conn: psycopg.Connection[Any], database: str) -> None:
    """Give the lock back."""
    conn.execute(_RELEASE, (NAMESPACE, object_key(database)))


@contextmanager
def held(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """The lock of the connection's database, while the block runs.

    Raises:
        LockHeld: another session has it.
    """
    database = conn.info.dbname
    take(conn, database)
    try:
        yield
    finally:
        release(conn, database)
