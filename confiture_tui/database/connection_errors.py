"""What went wrong with a connection, as a sentence: what was tried, what the server said, what to do.

libpq gives no SQLSTATE for a connection that was refused, only a text: English where libpq itself wrote it, in the
server's ``lc_messages`` where the server did. A text that is not recognised is shown as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from confiture_tui.database.connection_failures import CASES, OTHERWISE
from confiture_tui.database.secret import MASK
from confiture_tui.errors import ConnectError

if TYPE_CHECKING:
    from confiture_tui.database.dsn import Dsn

_LOST_SQLSTATES: Final = frozenset(
    {
        "57P01",  # admin_shutdown: pg_terminate_backend, or the server stops
        "57P02",  # crash_shutdown
        "57P03",  # cannot_connect_now
        "57P05",  # idle_session_timeout
        "25P03",  # idle_in_transaction_session_timeout
        "25P04",  # transaction_timeout (17 and later)
    }
)
"""Errors after which the server closes the session (documentation, "PostgreSQL Error Codes"); so does class 08."""

_NOT_LOST: Final = "08P01"
"""protocol_violation: of class 08, and the session goes on. A ``$1`` in a statement that is sent without values."""

_LOST_TEXTS: Final = (
    "the connection is lost",
    "the connection is closed",
    "connection socket closed",
    "server closed the connection unexpectedly",
    "terminating connection",
    "could not receive data from server",
    "could not send data to server",
    "no connection to the server",
    "ssl connection has been closed unexpectedly",
    "ssl syscall error",
    "consuming input failed",
)
"""Signs of a lost connection in errors of libpq and psycopg themselves, which have no SQLSTATE."""


def refused(error: BaseException, dsn: Dsn) -> ConnectError:
    """The sentence for a connection that could not be made.

    Args:
        error: what psycopg raised.
        dsn: what was tried; its password is taken out of the server's words, should it be in them.
    """
    text = str(error)
    case = next((one for one in CASES if re.search(one.sign, text, re.IGNORECASE | re.DOTALL)), OTHERWISE)
    tried = _tried(dsn)
    said = _what_was_said(text, dsn)
    return ConnectError(_capitalised(case.says.format(**tried)) + said, hint=case.hint.format(**tried))


def connection_was_lost(error: BaseException) -> bool:
    """Whether an error means that the session is gone: the server stopped, the network broke, somebody ended it.

    A statement's own failure (also a cancelled one, 57014) leaves the session usable and is no loss.
    """
    import psycopg

    if not isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        # transaction_timeout and its like are InternalError in psycopg, told by their SQLSTATE.
        return isinstance(error, psycopg.Error) and error.sqlstate in _LOST_SQLSTATES
    if error.sqlstate is not None:
        lost = error.sqlstate.startswith("08") and error.sqlstate != _NOT_LOST
        return lost or error.sqlstate in _LOST_SQLSTATES
    text = str(error).lower()
    return any(sign in text for sign in _LOST_TEXTS)


def connection_lost(error: BaseException, dsn: Dsn) -> ConnectError:
    """The sentence for a connection that was there and is gone."""
    tried = _tried(dsn)
    says = "The connection to {where} was lost (database {database}, role {role}).".format(**tried)
    return ConnectError(
        says + _what_was_said(str(error), dsn),
        hint="The server has rolled back what was not committed; look into its log, then connect again.",
    )


def _tried(dsn: Dsn) -> dict[str, str]:
    """What was tried, in words; libpq's own variables and defaults are taken into account as libpq does."""
    from psycopg import pq

    known = {one.keyword.decode(): one.val.decode(errors="replace") for one in pq.Conninfo.get_defaults() if one.val}
    known |= {name: value for name, value in dsn.parameters().items() if value}
    role = f'"{known["user"]}"' if "user" in known else "of this operating system user"
    name = known.get("dbname", known.get("user"))
    place = _place(known)
    return {
        "where": place if "service" in known and "host" not in known else f"the server at {place}",
        "place": place,
        "role": role,
        "database": f'"{name}"' if name else "of this operating system user",
        "source": dsn.source,
    }


def _place(parameters: dict[str, str]) -> str:
    """Host and port, or the socket's directory, or the service."""
    if "service" in parameters and "host" not in parameters:
        return f'the server of service "{parameters["service"]}"'
    hosts = parameters.get("host", parameters.get("hostaddr", "")).split(",")
    ports = parameters.get("port", "5432").split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    places = []
    for host, port in zip(hosts, ports, strict=False):
        if not host or host.startswith(("/", "@")):
            places.append(f"the local socket{' in ' + host if host else ''}, port {port}")
        else:
            places.append(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    return " or ".join(places)


def _what_was_said(text: str, dsn: Dsn) -> str:
    """The server's or libpq's own words, on one line, without prefixes and without the password."""
    first_failure = text.split("Multiple connection attempts failed", 1)[0]
    from_server = re.search(r"\b(?:FATAL|PANIC):\s+(.*)", first_failure, re.DOTALL)
    if from_server:
        words = from_server[1]
    else:
        words = re.sub(r"^(?:connection failed: )?(?:connection to server .*? failed: )?", "", first_failure)
        words = words.split("Is the server running")[0]
    words = " ".join(words.split())
    if not words:
        return ""
    speaker = "The server said" if from_server else "The cause"
    return f" {speaker}: {_without_password(words, dsn)}{'' if words.endswith(('.', '!', '?')) else '.'}"


def _without_password(words: str, dsn: Dsn) -> str:
    """The words with the password masked.

    Neither libpq nor the server repeats a password that was read as one; this is a second lock on the door. A password
    that is also the role's, database's or host's name stays: it would mask that name and so tell what the password is.
    """
    parameters = dsn.parameters()
    password = parameters.pop("password", "")
    if len(password) < _SHORTEST_MASKED or password in parameters.values():
        return words
    return words.replace(password, MASK)


_SHORTEST_MASKED: Final = 4
"""A shorter password is found in innocent words too, and masking it there would tell what it is."""


def _capitalised(sentence: str) -> str:
    """The sentence with its first letter, and no other, made a capital."""
    return sentence[:1].upper() + sentence[1:]
