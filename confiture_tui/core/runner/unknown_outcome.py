"""The connection was lost while COMMIT was under way: what became of it.

``pg_xact_status`` tells, as long as the transaction's id is recent enough (documentation, "Transaction ID and Snapshot
Information Functions").
"""

from __future__ import annotations

import threading
import time
from enum import Enum
from typing import TYPE_CHECKING, Any

from confiture_tui.errors import ConnectError

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

_STATUS = "SELECT pg_catalog.pg_xact_status(%s::text::pg_catalog.xid8)"
_POLL_S = 0.2


class Settled(Enum):
    """How a transaction ended."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"
    """The server could not be asked, does not know any more, or the transaction has still not ended."""


def outcome_of(conn: psycopg.Connection[Any], transaction_id: str) -> Settled | None:
    """How a transaction ended; ``None`` while it goes on.

    Raises:
        psycopg.Error: the question failed.
    """
    import psycopg

    try:
        row = conn.execute(_STATUS, (transaction_id,)).fetchone()
    except psycopg.errors.InvalidParameterValue:
        # An id from the future: another server, or one that was restored from an older backup.
        return Settled.UNKNOWN
    match row[0] if row else None:
        case "committed":
            return Settled.COMMITTED
        case "aborted":
            return Settled.ABORTED
        case "in progress":
            return None
        case _:
            return Settled.UNKNOWN


def settle(
    connect: Callable[[], psycopg.Connection[Any]],
    transaction_id: str,
    *,
    wait_s: float,
    pause: Callable[[float], None] | None = None,
) -> Settled:
    """Ask the server, over new connections, until it knows or the time is over."""
    import psycopg

    rest = pause or threading.Event().wait
    deadline = time.monotonic() + wait_s
    while True:
        try:
            with connect() as conn:
                outcome = outcome_of(conn, transaction_id)
        except (psycopg.Error, ConnectError):
            # The server restarts, or the network is down: it is asked again until the time is over.
            outcome = None
        if outcome is not None:
            return outcome
        if time.monotonic() >= deadline:
            return Settled.UNKNOWN
        rest(_POLL_S)
