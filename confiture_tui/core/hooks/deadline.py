"""A hook's time-out: what it runs on the server is cancelled when the time is over, and what does not end is left."""

from __future__ import annotations

import contextvars
import os
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")

_AGAIN_S = 0.25
"""Seconds between two cancels: one that comes between two statements is lost."""
_REQUEST_TIMEOUT_S = 1.0
_GRACE_S = 2.0
"""Seconds that work may take to end after the first cancel, before its connection is cut."""
_LAST_S = 0.5
"""Seconds for work to notice that its connection was cut."""


class Abandoned(Exception):
    """The work did not end, and was left behind with a connection that is closed."""


class Deadline(Generic[T]):
    """Runs work that uses a connection, and stops it when the time is over.

    A thread cannot be ended from outside. Work with a limit has one of its own, so that code which computes or sleeps
    without end holds up nobody: its connection is cut, the server rolls back and lets go of every lock, and the thread
    is left behind. ``HookContext.cancelled`` says yes from the time-out on.
    """

    def __init__(self, connection: psycopg.Connection[Any], seconds: float | None) -> None:
        self._connection = connection
        self._seconds = seconds
        self._ended = threading.Event()
        self._passed = threading.Event()
        self._result: list[T] = []
        self._error: BaseException | None = None

    @property
    def passed(self) -> bool:
        """Whether the time was over while the work ran."""
        return self._passed.is_set()

    def run(self, work: Callable[[], T]) -> T:
        """The work's result.

        Raises:
            Abandoned: it did not end.
            BaseException: whatever the work raises.
        """
        if self._seconds is None:
            return work()
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._work, work), name="hook", daemon=True).start()
        if not self._ended.wait(self._seconds):
            self._passed.set()
            self._press()
        if self._error is not None:
            raise self._error
        return self._result[0]

    def _work(self, work: Callable[[], T]) -> None:
        try:
            self._result.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            self._error = error
        finally:
            self._ended.set()

    def _press(self) -> None:
        """Cancel what runs until the work has ended; cut the connection when it does not."""
        import psycopg

        for _ in range(round(_GRACE_S / _AGAIN_S)):
            try:
                self._connection.cancel_safe(timeout=_REQUEST_TIMEOUT_S)
            except psycopg.Error:
                # The server does not answer: cutting the connection is all that is left.
                break
            if self._ended.wait(_AGAIN_S):
                return
        _cut(self._connection)
        if self._ended.wait(_LAST_S):
            return
        self._connection.close()
        raise Abandoned


def _cut(connection: psycopg.Connection[Any]) -> None:
    """End the connection under whoever uses it: they, and the server, are told by their own system."""
    import psycopg

    try:
        with socket.socket(fileno=os.dup(connection.fileno())) as wire:
            wire.shutdown(socket.SHUT_RDWR)
    except (psycopg.Error, OSError):
        # It is closed already.
        return
