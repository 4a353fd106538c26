"""Reads a catalog from a server: a few round trips, one snapshot, and the connection left as it was found."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.catalog import Catalog
from confiture_tui.core.catalog.models.session import NotVisible
from confiture_tui.core.catalog.reading import (
    columns,
    constraints,
    context,
    indexes,
    objects,
    others,
    relations,
    routines,
    sequences,
    triggers,
    types,
)
from confiture_tui.core.catalog.reading.assembly import Assembly
from confiture_tui.core.catalog.reading.bulk import collector_paused
from confiture_tui.core.catalog.reading.failures import (
    INSUFFICIENT_PRIVILEGE,
    INTERNAL_ERROR,
    LOCK_NOT_AVAILABLE,
    ChangedMeanwhile,
    errors_as_sentences,
)
from confiture_tui.core.catalog.reading.last_values import read_last_values
from confiture_tui.core.catalog.reading.transaction import (
    Cursor,
    attempt,
    cursor_of,
    in_transaction,
    reading,
    record_session,
    settle,
)
from confiture_tui.errors import ConfitureError

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.catalog.reading.query import Query, Rows, Target

OLDEST_SERVER = 140000
"""The oldest server that the queries are written for."""

_ATTEMPTS = 5

COLUMNS: tuple[Query, ...] = (*objects.QUERIES, *context.QUERIES, *relations.QUERIES, *columns.QUERIES)
OF_COLUMNS: tuple[Query, ...] = columns.DETAILS
KEYS: tuple[Query, ...] = (*indexes.QUERIES, *constraints.QUERIES)
MEASURES: tuple[Query, ...] = (*relations.MEASURES, *indexes.STATISTICS_TARGETS)
THE_REST: tuple[Query, ...] = (
    *context.DEPENDENCIES,
    *triggers.QUERIES,
    *sequences.QUERIES,
    *types.QUERIES,
    *routines.QUERIES,
    *others.QUERIES,
)
QUERIES = COLUMNS + OF_COLUMNS + KEYS + MEASURES + THE_REST
# In lots: while we make objects of the rows of one, the server works on the next.

_FORGIVEN = {"sizes": (INSUFFICIENT_PRIVILEGE, LOCK_NOT_AVAILABLE, INTERNAL_ERROR)}
# Measuring waits for a lock on every relation; a table locked meanwhile must cost its size, not the catalog.


def load(conn: psycopg.Connection[Any]) -> Catalog:
    """The catalog of the database that ``conn`` is connected to; see ``Catalog.load``."""
    inside = in_transaction(conn)
    for remaining in reversed(range(_ATTEMPTS)):
        with errors_as_sentences(conn), collector_paused():
            try:
                return _load_once(conn, inside=inside)
            except ChangedMeanwhile as error:
                if not remaining:
                    raise ConfitureError(
                        f"The catalog kept changing while it was read: {error}",
                        hint="Try again when no other session changes the schema.",
                    ) from error
    raise AssertionError("the last attempt returns or raises")


def _load_once(conn: psycopg.Connection[Any], *, inside: bool) -> Catalog:
    not_visible: list[NotVisible] = []
    with reading(conn) as cursor:
        session, target, version, database = record_session(cursor, inside=inside)
        if target.version < OLDEST_SERVER:
            raise ConfitureError(
                f"The server is PostgreSQL {version}; the oldest that is supported is {OLDEST_SERVER // 10000}.",
                hint="Upgrade the server, or use a tool made for that version.",
            )
        settle(cursor, target.version)
        assembly = _read(conn, cursor, target, not_visible)
    rows = assembly.rows
    last_values = read_last_values(conn, rows, not_visible, inside=inside, meanwhile=assembly.make_relations)
    if hidden := tuple(name for (name,) in rows.get("hidden_statistics", ())):
        not_visible.append(
            NotVisible(
                "column statistics",
                "pg_stats shows them only to roles that may SELECT from the table and see all of its rows.",
                hidden,
            )
        )
    if sizeless := _without_size(assembly):
        not_visible.append(
            NotVisible("sizes", "Another session holds, or waits for, an exclusive lock on them.", sizeless)
        )
    return Catalog(
        server_version_num=target.version,
        server_version=version,
        database=database,
        session=session,
        not_visible=tuple(not_visible),
        **assembly.finish(last_values),
    )


def _read(conn: psycopg.Connection[Any], cursor: Cursor, target: Target, not_visible: list[NotVisible]) -> Assembly:
    """All rows, and of some of them already what they make.

    In one pipeline, or one by one when the role lacks a right for one of them, or a lock does.
    """
    import psycopg

    try:
        with attempt(conn, cursor):
            return _pipeline(conn, target)
    except psycopg.Error as error:
        if error.sqlstate == INTERNAL_ERROR:
            raise ChangedMeanwhile(error.diag.message_primary or "") from error
        if error.sqlstate not in (INSUFFICIENT_PRIVILEGE, LOCK_NOT_AVAILABLE):
            raise
    rows: Rows = {}
    for query in QUERIES:
        _read_one(conn, cursor, query, target, rows, not_visible)
    assembly = Assembly(rows, take_in=conn.pgconn.consume_input)
    assembly.make_columns()
    assembly.make_constraints()
    _read_one(conn, cursor, assembly.last_query(), target, rows, not_visible)
    assembly.make_indexes()
    _check(rows, (*QUERIES, assembly.last_query()))
    return assembly


def _pipeline(conn: psycopg.Connection[Any], target: Target) -> Assembly:
    import psycopg

    assembly = Assembly({}, take_in=conn.pgconn.consume_input)
    with conn.pipeline() as pipeline:
        try:
            _exchange(conn, pipeline, assembly, target)
        except psycopg.Error:
            # What was sent after the failure is aborted; taking that in here keeps psycopg from warning about it.
            with suppress(psycopg.Error):
                pipeline.sync()
            raise
    _check(assembly.rows, (*QUERIES, assembly.last_query()))
    return assembly


def _exchange(conn: psycopg.Connection[Any], pipeline: psycopg.Pipeline, assembly: Assembly, target: Target) -> None:
    """Sends each lot before the rows of the one before it are looked at; ``sync`` waits for all that was sent."""
    rows = assembly.rows
    lot = _send(conn, COLUMNS, target)
    pipeline.sync()
    lot, following = _send(conn, OF_COLUMNS, target), lot
    _receive(following, rows)
    pipeline.sync()
    following = _send(conn, KEYS, target)
    _receive(lot, rows)
    assembly.make_columns()
    pipeline.sync()
    lot, following = following, _send(conn, MEASURES, target)
    _receive(lot, rows)
    following |= _send(conn, (assembly.last_query(),), target)
    assembly.make_constraints()
    pipeline.sync()
    lot, following = following, _send(conn, THE_REST, target)
    _receive(lot, rows)
    assembly.make_indexes()
    pipeline.sync()
    _receive(following, rows)


def _send(conn: psycopg.Connection[Any], queries: Sequence[Query], target: Target) -> dict[str, Cursor]:
    """Sends queries without waiting for anything."""
    return {query.name: cursor_of(conn).execute(query.text(target), prepare=False) for query in queries}


def _receive(cursors: dict[str, Cursor], rows: Rows) -> None:
    """Takes over the rows of queries that the server is done with."""
    for name, cursor in cursors.items():
        rows[name] = cursor.fetchall()


def _check(rows: Rows, queries: Sequence[Query]) -> None:
    for query in queries:
        for column in query.required:
            if any(row[column] is None for row in rows.get(query.name, ())):
                raise ChangedMeanwhile(f"one of the {query.what} was dropped.")


def _read_one(
    conn: psycopg.Connection[Any],
    cursor: Cursor,
    query: Query,
    target: Target,
    rows: Rows,
    not_visible: list[NotVisible],
) -> None:
    import psycopg

    try:
        with attempt(conn, cursor):
            rows[query.name] = cursor.execute(query.text(target), prepare=False).fetchall()
    except psycopg.Error as error:
        if error.sqlstate not in _FORGIVEN.get(query.name, (INSUFFICIENT_PRIVILEGE,)):
            raise
        not_visible.append(NotVisible(query.what, error.diag.message_primary or str(error)))


def _without_size(assembly: Assembly) -> tuple[str, ...]:
    """Names of the tables, materialized views and indexes that were not measured although the others were."""
    rows = assembly.rows
    if "sizes" not in rows:
        return ()
    measured = assembly.sizes
    names = {row[0]: row[3] for row in rows.get("relations", ()) if row[4] in "rm"}
    names.update({row[0]: row[3] for row in rows.get("indexes", ()) if row[6] == "i"})
    return tuple(sorted(name for oid, name in names.items() if oid not in measured))
