"""Running one statement of a migration, and saying what came of it.

Statements run by the extended query protocol, which takes exactly one command: a ``; COMMIT;`` that a splitter missed
is then an error (42601) and never a silent commit.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.model import Failure
from confiture_tui.errors import Cancelled, ConnectError

if TYPE_CHECKING:
    import psycopg
    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGconn, PGresult

    from confiture_tui.core.sql.statement import Statement
    from confiture_tui.database.cancellation import CancelScope

QUERY_CANCELED = "57014"
ACTIVE_SQL_TRANSACTION = "25001"
INVALID_TRANSACTION_TERMINATION = "2D000"

MOST_NOTICES = 1_000
"""Notices of one statement that are kept: a loop may raise millions."""
_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one statement.

    Attributes:
        elapsed_ms: wall-clock milliseconds.
        notices: the server's notices.
        failure: its error; ``None`` when it did not fail.
        skipped: why it was not tried at all; ``None`` when it was.
        status: the server's command tag with its counts (``INSERT 0 5``); ``None`` when it failed.
    """

    elapsed_ms: float
    notices: tuple[str, ...]
    failure: Failure | None
    skipped: str | None = None
    status: str | None = None

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.failure is None


_DEBUG = "DEBUG: "
_EXPLAINS = (
    "verifying table",
    "rewriting table",
    "building index",
    "existing constraints on",
    "partition constraint",
    "updated partition constraint",
    "validating foreign key",
    "ALTER TABLE",
    "CREATE TABLE",
)
"""How the ``debug1`` messages begin that say what a command does to tables; others are about the server's caches."""


def explanations(ran: Ran) -> tuple[str, ...]:
    """What the server said at ``debug1`` of the work that a statement took."""
    said = (one.removeprefix(_DEBUG).strip() for one in ran.notices if one.startswith(_DEBUG))
    return tuple(dict.fromkeys(text for text in said if text.startswith(_EXPLAINS)))


def failure_of(error: psycopg.Error, statement: Statement | None = None) -> Failure:
    """The server's error as a model; with the statement, its position becomes a line of the file."""
    diag = error.diag
    position = int(diag.statement_position) if diag.statement_position else None
    line = None
    if statement is not None:
        line = statement.line
        if position is not None:
            line += statement.sql.count("\n", 0, position - 1)
    return Failure(
        # Without a SQLSTATE the error is the driver's own: 58000 is PostgreSQL's class for what lies outside it.
        sqlstate=error.sqlstate or "58000",
        message=diag.message_primary or str(error).strip() or type(error).__name__,
        detail=diag.message_detail,
        hint=diag.message_hint,
        position=position,
        line=line,
    )


@contextmanager
def collecting_notices(conn: psycopg.Connection[Any]) -> Iterator[list[str]]:
    """The server's notices while the block runs, one text each: ``NOTICE: …``; of very many only the first."""
    notices: list[str] = []
    total = 0

    def collect(diagnostic: psycopg.errors.Diagnostic) -> None:
        nonlocal total
        total += 1
        if total <= MOST_NOTICES:
            text = f"{diagnostic.severity_nonlocalized}: {diagnostic.message_primary}"
            if diagnostic.message_detail:
                # What a CASCADE drops is named here, one object a line.
                text += f": {'; '.join(diagnostic.message_detail.splitlines())}"
            notices.append(text)

    conn.add_notice_handler(collect)
    try:
        yield notices
    finally:
        conn.remove_notice_handler(collect)
        if total > MOST_NOTICES:
            notices.append(f"… and {total - MOST_NOTICES} more notices.")


def run_statement(conn: psycopg.Connection[Any], statement: Statement, *, scope: CancelScope | None = None) -> Ran:
    """Run one statement and time it; its rows are read and thrown away.

    Args:
        conn: where; in autocommit mode.
        statement: what.
        scope: who may cancel it. A statement that was cancelled (57014) while the scope asks for a stop was cancelled
            by it; any other fails, whoever or whatever cancelled it. The server's text, which may be in any language,
            is not looked at.

    Raises:
        Cancelled: the scope cancelled it.
        ConnectError: the connection was lost while it ran.
    """
    import psycopg

    from confiture_tui.database.connection_errors import connection_was_lost

    failure: Failure | None = None
    status: str | None = None
    with collecting_notices(conn) as notices:
        started = time.perf_counter()
        try:
            status = _execute(conn, statement)
        except psycopg.Error as error:
            elapsed_ms = (time.perf_counter() - started) * 1000
            # The server's last words may be there before the driver notices that the connection has been closed.
            if conn.closed or connection_was_lost(error):
                words = (error.diag.message_primary or str(error)).strip() or type(error).__name__
                lost = f"The connection was lost while statement {statement.index} (line {statement.line}) ran"
                raise ConnectError(
                    f"{lost}: {words.splitlines()[0].rstrip('.')}.",
                    hint="Nothing of it was committed. Check the server's log and try again.",
                ) from None
            if error.sqlstate == QUERY_CANCELED and scope is not None and scope.requested:
                raise Cancelled(f"Statement {statement.index} (line {statement.line}) was cancelled.") from None
            failure = failure_of(error, statement)
        else:
            elapsed_ms = (time.perf_counter() - started) * 1000
    return Ran(elapsed_ms, tuple(notices), failure, status=status)


def _execute(conn: psycopg.Connection[Any], statement: Statement) -> str | None:
    """Run it and leave its rows unread; the command tag."""
    import psycopg
    from psycopg.pq import PipelineStatus

    # As bytes: the text is the user's, `%` in it is not a placeholder.
    text = statement.sql.encode()
    if not _is_copy_from_client(statement):
        if conn.pgconn.pipeline_status == PipelineStatus.OFF:
            with conn.lock:
                return conn.wait(_run_and_discard(conn.pgconn, text, conn.info.encoding))
        # `binary` asks for the extended protocol, which takes one command only.
        with psycopg.Cursor(conn) as cursor:
            return cursor.execute(text, binary=True).statusmessage
    with psycopg.Cursor(conn) as cursor:
        with cursor.copy(text) as copy:
            copy.write(statement.copy_data or "")
        return cursor.statusmessage


def _run_and_discard(pgconn: PGconn, text: bytes, encoding: str) -> PQGen[str | None]:
    """Run one command by the extended protocol, a few rows in memory at a time: a result may be bigger than it.

    The driver's own streaming refuses commands that return no rows, and does not tell their command tag.

    Raises:
        psycopg.Error: it failed.
    """
    from psycopg import capabilities, errors
    from psycopg.generators import copy_end, copy_from, fetch, send
    from psycopg.pq import ExecStatus

    good = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK, ExecStatus.SINGLE_TUPLE, ExecStatus.TUPLES_CHUNK)
    pgconn.send_query_params(text, None, result_format=1)
    if capabilities.has_stream_chunked():
        pgconn.set_chunked_rows_mode(_ROWS_AT_ONCE)
    else:
        pgconn.set_single_row_mode()
    yield from send(pgconn)
    tag: str | None = None
    failed: PGresult | None = None
    while (result := (yield from fetch(pgconn))) is not None:
        if result.status == ExecStatus.COPY_OUT:
            while isinstance(result, memoryview) or result.status == ExecStatus.COPY_OUT:
                result = yield from copy_from(pgconn)
        elif result.status == ExecStatus.COPY_IN:
            # One that our grammar did not read: an older server's, for instance.
            result = yield from copy_end(pgconn, b"the dry run has no data for it")
        if result.status not in good:
            failed = failed or result
        # The last rows or what comes after them, whichever libpq found it with.
        tag = (result.command_status or b"").decode() or tag
    if failed is not None:
        raise errors.error_from_result(failed, encoding=encoding)
    return tag


def _is_copy_from_client(statement: Statement) -> bool:
    """``COPY … FROM STDIN``, with or without data: it needs the driver's COPY mode."""
    if statement.copy_data is not None:
        return True
    node = statement.node
    return (
        statement.node_kind == "CopyStmt"
        and node is not None
        and bool(node.get("is_from"))
        and not node.get("filename")
    )
