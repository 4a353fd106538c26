"""Opening connections, and asking a server who it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from confiture_tui.database.connection_errors import refused
from confiture_tui.errors import ConfitureError, UsageError

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.database.dsn import Dsn

_KEEPALIVES: Final = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""Seconds and probes after which a silent network counts as broken: a minute, not the two hours of most systems.
A string that sets one of its own keeps it."""


def connect(
    dsn: Dsn,
    *,
    autocommit: bool = True,
    application_name: str = "confiture-tui",
    connect_timeout: int = 10,
) -> psycopg.Connection[tuple[Any, ...]]:
    """Open a connection.

    The session speaks UTF-8 whatever ``PGCLIENTENCODING`` says, so that any text of the database can be read.

    Args:
        dsn: where and as whom.
        autocommit: psycopg's; a connection without it begins a transaction with its first statement.
        application_name: how the session is called in ``pg_stat_activity``: runs find sessions of their own by it.
        connect_timeout: seconds for each host, if the string sets none itself.

    Raises:
        UsageError: libpq cannot read the string, or an option in it has an impossible value.
        ConnectError: no connection; the sentence says what was tried, what the server said and what to do.
    """
    import psycopg

    given = dsn.parameters().keys()
    options: dict[str, Any] = {"application_name": application_name, "client_encoding": "UTF8"}
    options |= {name: value for name, value in _KEEPALIVES.items() if name not in given}
    if "connect_timeout" not in given:
        options["connect_timeout"] = connect_timeout
    failure: ConfitureError
    try:
        return psycopg.connect(dsn.conninfo(), autocommit=autocommit, **options)
    except psycopg.ProgrammingError:
        failure = UsageError(
            f"The connection string from {dsn.source} cannot be used: an option in it has a value that libpq refuses.",
            hint="Check its options against the documentation of libpq, 'Parameter Key Words'.",
        )
    except (psycopg.Error, ValueError) as error:  # ValueError: a host name that cannot be a host name, a NUL byte.
        failure = refused(error, dsn)
    # Raised outside the `except`, so that psycopg's exception is not kept as this one's context: the frames of its
    # traceback hold the password in their variables.
    raise failure


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """Who answers at the other end of a connection.

    Attributes:
        server_version_num: ``180006`` for 18.6.
        server_version: ``18.6``, without what a distribution adds to it.
        database: the database's name.
        role: the role that statements run as now (``current_user``).
        is_superuser: whether that role is a superuser.
        in_recovery: whether the server is a standby, which cannot be written to.
    """

    server_version_num: int
    server_version: str
    database: str
    role: str
    is_superuser: bool
    in_recovery: bool


_IDENTITY: Final = """
SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4,
       pg_catalog.current_setting('server_version'),
       pg_catalog.current_database()::pg_catalog.text,
       current_user::pg_catalog.text,
       pg_catalog.current_setting('is_superuser') = 'on',
       pg_catalog.pg_is_in_recovery()
"""


def identify(conn: psycopg.Connection[Any]) -> ServerIdentity:
    """Ask the server who it is. An idle connection is idle again afterwards.

    Raises:
        psycopg.Error: the question failed; ``connection_errors.connection_was_lost`` tells whether the server went.
    """
    from psycopg.pq import TransactionStatus
    from psycopg.rows import tuple_row

    was_idle = conn.info.transaction_status == TransactionStatus.IDLE
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(_IDENTITY).fetchone()
    if was_idle and conn.info.transaction_status == TransactionStatus.INTRANS:
        conn.rollback()
    assert row is not None  # a SELECT without FROM gives one row
    number, version, database, role, is_superuser, in_recovery = row
    return ServerIdentity(number, version.split()[0], database, role, is_superuser, in_recovery)


def connect_beside(
    conn: psycopg.Connection[Any], *, application_name: str = "confiture-tui control", connect_timeout: int = 5
) -> psycopg.Connection[tuple[Any, ...]]:
    """Another connection, in autocommit mode, to the very server and as the very role of one that is open.

    Args:
        conn: the open connection; it is not used.
        application_name: how the new session is called in ``pg_stat_activity``.
        connect_timeout: seconds.

    Raises:
        ConnectError: no second connection; the sentence says what the server said.
    """
    import psycopg

    from confiture_tui.database.dsn import Dsn

    info = conn.info
    # Of several hosts that the string names, the one that was reached.
    place: dict[str, Any] = {"host": info.host, "port": info.port}
    if info.get_parameters().get("hostaddr"):
        place["hostaddr"] = info.hostaddr
    failure: ConfitureError
    try:
        return psycopg.connect(
            info.dsn,
            password=info.password or None,
            autocommit=True,
            application_name=application_name,
            client_encoding="UTF8",
            connect_timeout=connect_timeout,
            **place,
        )
    except (psycopg.Error, ValueError) as error:
        failure = refused(error, Dsn.of(info.dsn, source="the connection that is open"))
    # Raised outside the `except`, as above: the driver's frames hold the password.
    raise failure
