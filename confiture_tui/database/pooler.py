"""Whether a transaction pooler stands between us and the server.

A pooler that lends its server connections for one transaction at a time (PgBouncer with ``pool_mode = transaction``)
gives two of our transactions two different sessions: settings, advisory locks, temporary tables and prepared statements
of one are not there in the next, and somebody else has them. No server tells; two connections that share a backend do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_WHO = "SELECT pg_catalog.pg_backend_pid()"
_ROUNDS = 4
"""A pooler that hands its connections out in turn needs two rounds to show itself; one that is busy may need more."""


def backend_pid(conn: psycopg.Connection[Any]) -> int:
    """The process that answers, as the server calls it: with a pooler between, not what the connection was told."""
    from psycopg.rows import tuple_row

    with conn.cursor(row_factory=tuple_row) as cursor:
        # Unprepared: what is prepared through a pooler is there in one session and not in the next.
        row = cursor.execute(_WHO, prepare=False).fetchone()
    if row is None:
        raise AssertionError("a SELECT of constants has one row")
    return int(row[0])


def is_transaction_pooled(conn: psycopg.Connection[Any], other: psycopg.Connection[Any]) -> bool:
    """Whether these two connections get their server sessions for a transaction at a time.

    Both must be idle, in autocommit mode, and made from the same connection string. While one is inside a transaction
    the other asks who answers it; a session of one's own is always the same, and never the other's.

    Raises:
        psycopg.Error: a question failed.
    """
    mine: set[int] = set()
    others: set[int] = set()
    # A pooler tells its clients a process id that it has made up; where the server's own was told, one look is enough.
    for turn in range(1 if conn.info.backend_pid == backend_pid(conn) else _ROUNDS):
        # One or two questions: a pooler that hands out two in turn would give the same one after each pair.
        mine.update(backend_pid(conn) for _question in range(1 + turn % 2))
        other.execute("BEGIN")
        try:
            others.add(backend_pid(other))
            mine.add(backend_pid(conn))
        finally:
            other.execute("ROLLBACK")
    return len(mine) > 1 or len(others) > 1 or bool(mine & others)
