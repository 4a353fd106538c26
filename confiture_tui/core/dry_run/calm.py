"""A transaction of our own, with settings of our own: whatever a session's settings are, our questions are answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_BEGIN = b"""
BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY NOT DEFERRABLE;
SET LOCAL client_encoding = 'UTF8';
SET LOCAL statement_timeout = '60s';
SET LOCAL lock_timeout = '2s';
SET LOCAL idle_in_transaction_session_timeout = '60s'
"""


@contextmanager
def calm_transaction(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """A read-only transaction on an idle connection in autocommit mode, rolled back at the end of the block."""
    from psycopg.pq import TransactionStatus

    try:
        conn.execute(_BEGIN)
        yield
    finally:
        if not conn.closed and conn.info.transaction_status is not TransactionStatus.IDLE:
            # Not `conn.rollback()`: that would send DEALLOCATE ALL when psycopg has prepared something.
            conn.execute("ROLLBACK")
