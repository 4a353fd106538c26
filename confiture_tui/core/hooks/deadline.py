"""A hook's time-out: its statement is cancelled when the time is over."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import psycopg

_AGAIN_S = 0.25
"""Seconds between two cancels: one that comes between two statements is lost."""
_REQUEST_TIMEOUT_S = 1.0


class Deadline:
    """Cancels what runs on a connection once the time is over; Python code is only told, by ``passed``.

    A thread cannot be ended from outside, so a hook that computes without end is not stopped: it should look at
    ``HookContext.cancelled`` now and then, which says yes from then on.
    """

    def __init__(self, connection: psycopg.Connection[Any], seconds: float | None) -> None:
        self._connection = connection
        self._seconds = seconds
        self._over = threading.Event()
        self._passed = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def passed(self) -> bool:
        """Whether the time was over while the block ran."""
        return self._passed.is_set()

    def __enter__(self) -> Self:
        if self._seconds is not None:
            self._thread = threading.Thread(target=self._wait, name="hook-deadline", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread is not None:
            # A cancel that is under way must have arrived before the next statement of the run is sent.
            self._thread.join()

    def _wait(self) -> None:
        import psycopg

        if self._over.wait(self._seconds):
            return
        self._passed.set()
        while not self._over.is_set():
            try:
                self._connection.cancel_safe(timeout=_REQUEST_TIMEOUT_S)
            except psycopg.Error:
                # The server does not answer: the run finds that out by its own next statement.
                return
            self._over.wait(_AGAIN_S)
