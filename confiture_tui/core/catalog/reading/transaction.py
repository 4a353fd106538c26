"""The transaction that a catalog is read in: a connection is left exactly as it was found, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.session import Session
from confiture_tui.core.catalog.reading.query import Target
from confiture_tui.errors import ConfitureError, ConnectError

if TYPE_CHECKING:
    import psycopg

LOCK_TIMEOUT_MS = 2_000
"""How long reading waits for a lock: the server takes some while it writes a definition out as SQL."""

STATEMENT_TIMEOUT_MS = 60_000
"""How long one query of the catalogs may take."""

SAVEPOINT = "confiture_catalog"
BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"

Cursor = Any
"""A ``psycopg.Cursor`` that returns tuples. (Any: the rows of catalogs have no types that a checker could know.)"""


def cursor_of(conn: psycopg.Connection[Any]) -> Cursor:
    """A plain cursor that returns tuples, whatever cursor and row factories the connection has."""
    import psycopg
    from psycopg.rows import tuple_row

    return psycopg.Cursor(conn, row_factory=tuple_row)


def in_transaction(conn: psycopg.Connection[Any]) -> bool:
    """Whether the connection is inside a transaction.

    Raises:
        ConnectError: it is closed.
        ConfitureError: nothing can be read with it as it is: a failed transaction, a query or a pipeline under way.
    """
    from psycopg import pq

    if conn.closed:
        raise ConnectError("The catalog cannot be read: the connection is closed.", hint="Connect again.")
    if conn.pgconn.pipeline_status != pq.PipelineStatus.OFF:
        raise ConfitureError(
            "The catalog cannot be read while the connection is in pipeline mode.", hint="Leave the pipeline first."
        )
    status = conn.info.transaction_status
    if status == pq.TransactionStatus.INERROR:
        raise ConfitureError(
            "The catalog cannot be read: the connection's transaction has failed.", hint="Roll it back first."
        )
    if status == pq.TransactionStatus.INTRANS:
        return True
    if status != pq.TransactionStatus.IDLE:
        raise ConfitureError(
            "The catalog cannot be read: the connection is busy with a query.", hint="Wait for it, or cancel it."
        )
    return False


@contextmanager
def reading(conn: psycopg.Connection[Any]) -> Iterator[Cursor]:
    """A snapshot to read in, of the caller's own transaction if there is one; undone at the end.

    Idle: a transaction REPEATABLE READ READ ONLY of its own, rolled back. Inside a transaction: a savepoint that is
    always rolled back to, which gives back the locks and the settings too.
    """
    cursor = cursor_of(conn)
    if in_transaction(conn):
        with _savepoint(conn, cursor):
            yield cursor
        return
    with in_autocommit(conn):
        cursor.execute(BEGIN)
        try:
            yield cursor
        finally:
            if not conn.closed:
                cursor_of(conn).execute("ROLLBACK")


@contextmanager
def in_autocommit(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """Else psycopg would put a BEGIN of its own, with its own isolation level, before ours. ``conn`` is idle."""
    autocommit = conn.autocommit
    if not autocommit:
        conn.autocommit = True
    try:
        yield
    finally:
        if not autocommit and not conn.closed:
            conn.autocommit = False


@contextmanager
def _savepoint(conn: psycopg.Connection[Any], cursor: Cursor, name: str = SAVEPOINT) -> Iterator[None]:
    cursor.execute(f"SAVEPOINT {name}")
    try:
        yield
    finally:
        if not conn.closed:
            back = cursor_of(conn)
            back.execute(f"ROLLBACK TO SAVEPOINT {name}")
            back.execute(f"RELEASE SAVEPOINT {name}")


@contextmanager
def attempt(conn: psycopg.Connection[Any], cursor: Cursor) -> Iterator[None]:
    """A part of the reading that may fail without spoiling the rest: a savepoint, always rolled back to."""
    with _savepoint(conn, cursor, f"{SAVEPOINT}_attempt"):
        yield


def record_session(cursor: Cursor, *, inside: bool) -> tuple[Session, Target, str, str]:
    """What the session looks like before anything is set; and the target, server_version, database.

    Every name is qualified, and every operator: the session's own search_path is still in force.
    """
    row = cursor.execute(
        """SELECT pg_catalog.current_setting('search_path'), pg_catalog.current_setting('TimeZone'),
               current_user, session_user,
               (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) current_user),
               (SELECT s.setting FROM pg_catalog.pg_settings s
                WHERE s.name OPERATOR(pg_catalog.=) 'lock_timeout'::pg_catalog.text),
               (SELECT s.setting FROM pg_catalog.pg_settings s
                WHERE s.name OPERATOR(pg_catalog.=) 'statement_timeout'::pg_catalog.text),
               pg_catalog.current_setting('server_version_num'), pg_catalog.current_setting('server_version'),
               pg_catalog.current_database(),
               pg_catalog.has_table_privilege('pg_catalog.pg_statistic', 'SELECT'),
               ARRAY(SELECT r.rolname::pg_catalog.text FROM pg_catalog.pg_roles r
                     WHERE pg_catalog.pg_has_role(current_user, r.oid, 'USAGE')
                       AND r.rolname OPERATOR(pg_catalog.<>) current_user
                       AND NOT (SELECT me.rolsuper FROM pg_catalog.pg_roles me
                                WHERE me.rolname OPERATOR(pg_catalog.=) current_user))"""
    ).fetchone()
    (
        search_path,
        time_zone,
        role,
        session_role,
        superuser,
        lock_timeout,
        statement_timeout,
        number,
        version,
        db,
        all_statistics,
        acts_for,
    ) = row
    session = Session(
        search_path=search_path,
        time_zone=time_zone,
        role=role,
        session_role=session_role,
        is_superuser=bool(superuser),
        lock_timeout_ms=int(lock_timeout),
        statement_timeout_ms=int(statement_timeout),
        in_transaction=inside,
        acts_for=tuple(sorted(acts_for)),
    )
    return session, Target(int(number), all_statistics), version, db


def settle(cursor: Cursor, server_version_num: int) -> None:
    """Sets, for this transaction or savepoint, all that the server's way of writing a definition depends on.

    The search_path holds nothing of the user's: pg_catalog alone, with the temporary schema named last, because it
    is searched first when it is not named, and a temporary table may be called pg_class.
    """
    settings = {
        "search_path": "pg_catalog, pg_temp",
        "TimeZone": "UTC",
        "DateStyle": "ISO, YMD",
        "IntervalStyle": "postgres",
        "client_encoding": "UTF8",
        "extra_float_digits": "1",
        "bytea_output": "hex",
        "lc_monetary": "C",
        "quote_all_identifiers": "off",
        "standard_conforming_strings": "on",
        "lock_timeout": str(LOCK_TIMEOUT_MS),
        "statement_timeout": str(STATEMENT_TIMEOUT_MS),
        # One short look at many small tables: neither compiling nor workers are worth their start.
        "jit": "off",
        # What is sorted and hashed has tens of thousands of rows at most, and need not go through files.
        "work_mem": "32MB",
        "max_parallel_workers_per_gather": "0",
    }
    if server_version_num >= 150000:
        # Else the counters that are read here stay what the caller's transaction sees to its end.
        settings["stats_fetch_consistency"] = "none"
    calls = ", ".join(f"pg_catalog.set_config('{name}', '{value}', true)" for name, value in settings.items())
    cursor.execute(f"SELECT {calls}")
