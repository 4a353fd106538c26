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

    from confiture_tui.core.sql.statement import Statement

QUERY_CANCELED = "57014"
ACTIVE_SQL_TRANSACTION = "25001"
INVALID_TRANSACTION_TERMINATION = "2D000"


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
    """The server's notices while the block runs, one text each: ``NOTICE: …``."""
    notices: list[str] = []

    def collect(diagnostic: psycopg.errors.Diagnostic) -> None:
        notices.append(f"{diagnostic.severity_nonlocalized}: {diagnostic.message_primary}")

    conn.add_notice_handler(collect)
    try:
        yield notices
    finally:
        conn.remove_notice_handler(collect)


def run_statement(conn: psycopg.Connection[Any], statement: Statement) -> Ran:
    """Run one statement and time it.

    Raises:
        Cancelled: somebody cancelled it (57014 that no time-out explains).
        ConnectError: the connection was lost while it ran.
    """
    import psycopg

    failure: Failure | None = None
    status: str | None = None
    with collecting_notices(conn) as notices:
        started = time.perf_counter()
        try:
            status = _execute(conn, statement)
        except psycopg.Error as error:
            elapsed_ms = (time.perf_counter() - started) * 1000
            if conn.closed:
                raise ConnectError(
                    f"The connection was lost while statement {statement.index} (line {statement.line}) ran: "
                    f"{str(error).strip().splitlines()[0]}.",
                    hint="Nothing of it was committed. Check the server's log and try again.",
                ) from error
            if error.sqlstate == QUERY_CANCELED and "user request" in (error.diag.message_primary or ""):
                raise Cancelled(f"Statement {statement.index} (line {statement.line}) was cancelled.") from error
            failure = failure_of(error, statement)
        else:
            elapsed_ms = (time.perf_counter() - started) * 1000
    return Ran(elapsed_ms, tuple(notices), failure, status=status)


def _execute(conn: psycopg.Connection[Any], statement: Statement) -> str | None:
    """Run it and leave its rows unread; the command tag."""
    import psycopg

    # Cursors of psycopg's own kind, whatever kind the caller's connection makes: `binary` asks for the extended
    # protocol, which takes one command only. As bytes: the text is the user's, `%` in it is not a placeholder.
    text = statement.sql.encode()
    with psycopg.Cursor(conn) as cursor:
        if statement.copy_data is not None:
            with cursor.copy(text) as copy:
                copy.write(statement.copy_data)
        elif _is_copy_to_client(statement):
            with cursor.copy(text) as copy:
                for _row in copy:
                    pass
        else:
            cursor.execute(text, binary=True)
        return cursor.statusmessage


def _is_copy_to_client(statement: Statement) -> bool:
    """``COPY … TO STDOUT``, and ``COPY … FROM STDIN`` without data: both need the driver's COPY mode."""
    node = statement.node
    return statement.node_kind == "CopyStmt" and node is not None and not node.get("filename")
