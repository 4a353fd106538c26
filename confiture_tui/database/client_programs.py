"""PostgreSQL's own programs: ``pg_dump`` against the server of an open connection, ``pg_restore`` on a file."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any, Final

from confiture_tui.database.cancellation import CancelScope
from confiture_tui.database.tls_relay import TlsRelay

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

LOCK_WAIT: Final = "5s"
"""How long pg_dump may wait for an ACCESS SHARE lock: it must not queue behind somebody's ACCESS EXCLUSIVE."""

_PARAMETERS: Final = frozenset(
    {
        "host",
        "hostaddr",
        "port",
        "user",
        "connect_timeout",
        "sslmode",
        "sslcert",
        "sslkey",
        "sslrootcert",
        "sslcrl",
        "krbsrvname",
        "gssencmode",
        "channel_binding",
    }
)
"""What is handed on to a program: words that the libpq of every major from 14 on knows, and no password among them."""

_LOOK_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a program.

    Attributes:
        out: what it wrote to stdout; empty where that went into a file.
        said: the first line of what it said on stderr, or why the way to the server was cut.
        ok: whether it exited with 0.
    """

    out: bytes
    said: str
    ok: bool


def _never() -> bool:
    return False


def run_against(
    conn: psycopg.Connection[Any],
    program: Path,
    arguments: Sequence[str],
    *,
    out: IO[bytes] | None = None,
    scope: CancelScope | None = None,
    cancelled: Callable[[], bool] = _never,
) -> Ran:
    """Run a program on the database of a connection, as its role.

    The password goes through the environment: an argument can be read by everybody on the machine.

    Args:
        conn: the connection; it is not used.
        program: one that takes ``--dbname`` and ``--no-password``.
        arguments: what it is given besides.
        out: where its stdout goes; else it is kept.
        scope: ends it when it is cancelled.
        cancelled: ends it too, as soon as it says yes.

    Raises:
        ConnectError: TLS is asked for in a way that cannot be met.
        OSError: the program cannot be started.
    """
    from psycopg.conninfo import make_conninfo

    with ExitStack() as stack:
        parameters = {key: value for key, value in conn.info.get_parameters().items() if key in _PARAMETERS}
        relay = None
        if conn.pgconn.ssl_in_use:
            # The programs at hand may have been built without TLS, as those of the embedded server are.
            relay = stack.enter_context(TlsRelay.of(conn))
            parameters = {key: value for key, value in parameters.items() if not key.startswith("ssl")}
            parameters |= {"host": str(relay.directory), "hostaddr": "", "port": str(relay.port)}
            parameters |= {"sslmode": "disable", "gssencmode": "disable"}
        parameters["dbname"] = conn.info.dbname
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        if conn.info.password:
            environment["PGPASSWORD"] = conn.info.password
        given = [*arguments, "--no-password", f"--dbname={make_conninfo('', **parameters)}"]
        ran = run_program(program, given, environment=environment, out=out, scope=scope, cancelled=cancelled)
        if not ran.ok and relay is not None and relay.failure is not None:
            return replace(ran, said=relay.failure)
        return ran


def run_program(
    program: Path,
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    out: IO[bytes] | None = None,
    scope: CancelScope | None = None,
    cancelled: Callable[[], bool] = _never,
) -> Ran:
    """Run a program in a session of its own, so that a ctrl+c at the terminal is ours to answer.

    Args:
        program: which one.
        arguments: what it is given.
        environment: all of its environment.
        out: where its stdout goes; else it is kept.
        scope: ends it when it is cancelled.
        cancelled: ends it too, as soon as it says yes.

    Raises:
        OSError: the program cannot be started.
    """
    process = subprocess.Popen(
        [str(program), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if out is None else out,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    with process, (scope or CancelScope()).guard_process(process):
        written, complaint = _wait(process, cancelled)
    # A database in SQL_ASCII may hold names in no encoding at all.
    return Ran(written or b"", complaint.decode(errors="replace").strip().partition("\n")[0], process.returncode == 0)


def _wait(process: subprocess.Popen[bytes], cancelled: Callable[[], bool]) -> tuple[bytes | None, bytes]:
    while True:
        try:
            return process.communicate(timeout=_LOOK_S)
        except subprocess.TimeoutExpired:
            if cancelled():
                process.terminate()
