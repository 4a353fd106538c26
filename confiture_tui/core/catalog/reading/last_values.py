"""Reads the last values of sequences, after everything else.

Reading one leaves a lock on it to the end of the whole transaction, and not only of a savepoint
(src/backend/commands/sequence.c, lock_and_open_sequence). So it is done in short transactions of its own, for few
sequences at a time, lest a database with thousands of them fill the server's lock table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.session import NotVisible
from confiture_tui.core.catalog.reading.failures import QUERY_CANCELED
from confiture_tui.core.catalog.reading.transaction import (
    BEGIN,
    Cursor,
    cursor_of,
    in_autocommit,
    reading,
    settle,
)

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.catalog.reading.query import Rows

LastValues = dict[int, int | None]
"""By the oid of the sequence; ``None`` where nothing was drawn yet."""

_AT_A_TIME = 500
_WHAT = "last values of sequences"


def read_last_values(
    conn: psycopg.Connection[Any],
    rows: Rows,
    not_visible: list[NotVisible],
    *,
    inside: bool,
    meanwhile: Callable[[], None],
) -> LastValues:
    """The last values; what cannot be read is added to ``not_visible``.

    Args:
        conn: idle, or inside the caller's transaction.
        rows: those of all queries.
        not_visible: what could not be read so far.
        inside: the catalog was read in the caller's transaction: then no last value is.
        meanwhile: what may be done, if there is time for it, while the server works.
    """
    sequences = rows.get("sequences", ())
    names: dict[int, str] = {row[0]: row[3] for row in sequences if row[17]}
    if hidden := sorted(row[3] for row in sequences if not row[17]):
        not_visible.append(NotVisible(_WHAT, "It takes USAGE or SELECT on the sequence.", tuple(hidden)))
    if not names:
        return {}
    if inside:
        why = "Reading them would leave locks in the transaction that the catalog was read in."
        not_visible.append(NotVisible(_WHAT, why))
        return {}
    import psycopg

    oids = list(names)
    lots = [oids[start : start + _AT_A_TIME] for start in range(0, len(oids), _AT_A_TIME)]
    try:
        return _all_at_once(conn, lots, meanwhile)
    except psycopg.Error as error:
        if _is_final(conn, error):
            raise
    return _lot_by_lot(conn, lots, names, not_visible)


def _all_at_once(
    conn: psycopg.Connection[Any], lots: Sequence[Sequence[int]], meanwhile: Callable[[], None]
) -> LastValues:
    """Every lot in a transaction of its own, and all of them in one round trip."""
    import psycopg

    cursors: list[Cursor] = []
    with in_autocommit(conn):
        try:
            with conn.pipeline() as pipeline:
                try:
                    for lot in lots:
                        cursor_of(conn).execute(BEGIN)
                        settle(cursor_of(conn), conn.info.server_version)
                        cursors.append(cursor_of(conn).execute(_sql(lot), prepare=False))
                        cursor_of(conn).execute("ROLLBACK")
                    meanwhile()
                    pipeline.sync()
                except psycopg.Error:
                    # The rest is aborted; taking that in here keeps psycopg from warning about it.
                    with suppress(psycopg.Error):
                        pipeline.sync()
                    raise
        finally:
            if not conn.closed and conn.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                cursor_of(conn).execute("ROLLBACK")
    return {oid: value for cursor in cursors for oid, value in cursor.fetchall()}


def _lot_by_lot(
    conn: psycopg.Connection[Any],
    lots: Sequence[Sequence[int]],
    names: Mapping[int, str],
    not_visible: list[NotVisible],
) -> LastValues:
    """The same when something stands in the way: a lot that cannot be read costs its own values only."""
    import psycopg

    values: LastValues = {}
    for lot in lots:
        try:
            with reading(conn) as cursor:
                settle(cursor, conn.info.server_version)
                values.update(cursor.execute(_sql(lot), prepare=False).fetchall())
        except psycopg.Error as error:
            if _is_final(conn, error):
                raise
            why = error.diag.message_primary or str(error)
            not_visible.append(NotVisible(_WHAT, why, tuple(sorted(names[oid] for oid in lot))))
    return values


def _is_final(conn: psycopg.Connection[Any], error: psycopg.Error) -> bool:
    return error.sqlstate in (None, QUERY_CANCELED) or bool(conn.closed)


def _sql(oids: Sequence[int]) -> str:
    listed = ", ".join(str(oid) for oid in oids)
    return f"""SELECT c.oid, CASE WHEN c.relkind = 'S' AND has_sequence_privilege(c.oid, 'SELECT, USAGE')
                THEN pg_sequence_last_value(c.oid) END
        FROM pg_class c WHERE c.oid IN ({listed})"""
