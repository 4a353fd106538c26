"""Stopping work on a server from another thread.

Work registers its connections and child processes in a ``CancelScope``; whoever wants it to stop calls ``cancel``
(polite: the running statement is cancelled and the work notices the flag) and, if that does not help because Python
code is what runs, ``terminate`` (the backends are ended from a connection of their own).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from confiture_tui.errors import Cancelled

if TYPE_CHECKING:
    import subprocess

    import psycopg

_REQUEST_TIMEOUT_S = 1.0
"""How long one cancel request may take to reach the server: a frozen backend must not freeze the canceller."""
_CONNECT_TIMEOUT_S = 2
"""How long it may take to connect in order to terminate a backend; less is not possible with libpq."""


class _Guarded:
    """A connection under guard: requests to its server are sent under a lock, and none after the guard has ended."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._ended = False

    def send(self, request: Callable[[psycopg.Connection[Any]], None], *, wait_s: float = 0.0) -> None:
        """Send a request unless the guard has ended, or another request is under way for longer than ``wait_s``."""
        if self._ended or not self._sending.acquire(blocking=wait_s > 0, timeout=wait_s if wait_s > 0 else -1):
            return
        try:
            if not self._ended:
                request(self._connection)
        finally:
            self._sending.release()

    def end(self) -> None:
        """Let no request through any more, and wait for the one that is under way."""
        # The flag first: one who presses again and again must not be able to hold us up for more than one request.
        self._ended = True
        with self._sending:
            pass


class CancelScope:
    """What one job has under way on servers, so that somebody else's thread can stop it. Thread-safe."""

    def __init__(self) -> None:
        self._requested = threading.Event()
        self._lock = threading.Lock()
        self._guarded: list[_Guarded] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def requested(self) -> bool:
        """Whether somebody asked for the work to stop."""
        return self._requested.is_set()

    def check(self) -> None:
        """Stop here if the work is to stop.

        Raises:
            Cancelled: ``cancel`` has been called.
        """
        if self._requested.is_set():
            raise Cancelled("Cancelled.")

    @contextmanager
    def guard(self, connection: psycopg.Connection[Any]) -> Iterator[None]:
        """Let ``cancel`` reach what runs on this connection while the block runs, and not after it.

        Leaving the block waits for a request that is under way, for as long as one may take. A request that the
        server has taken may still be waiting for the backend then: it meets the next statement.
        """
        guarded = _Guarded(connection)
        with self._lock:
            self._guarded.append(guarded)
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._guarded.remove(guarded)
            guarded.end()

    @contextmanager
    def guard_process(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Let ``cancel`` end this child process while the block runs."""
        with self._lock:
            self._processes.append(process)
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._processes.remove(process)

    def request(self) -> None:
        """Set the flag only, without a word to any server: returns at once."""
        self._requested.set()

    def cancel(self) -> None:
        """Ask for a stop: set the flag, cancel the running statements, end the child processes. Never raises.

        May be called again while the work goes on: a cancel request that arrives between two statements is lost.
        """
        self.request()
        with self._lock:
            guarded, processes = tuple(self._guarded), tuple(self._processes)
        for process in processes:
            process.terminate()
        for one in guarded:
            one.send(_cancel)

    def terminate(self) -> None:
        """End the backends of the registered connections, each from a new connection with the same credentials."""
        with self._lock:
            guarded = tuple(self._guarded)
        for one in guarded:
            one.send(_terminate, wait_s=2 * _REQUEST_TIMEOUT_S)


def _cancel(connection: psycopg.Connection[Any]) -> None:
    import psycopg

    try:
        connection.cancel_safe(timeout=_REQUEST_TIMEOUT_S)
    except psycopg.Error:
        # The server is gone or does not answer: there is nothing left to cancel, or `terminate` is next.
        return


def _terminate(connection: psycopg.Connection[Any]) -> None:
    import psycopg

    if connection.closed:
        return
    try:
        info = connection.info
        # The very host that the connection has reached: of several that its string names, each has its own processes.
        place: dict[str, Any] = {"host": info.host, "port": info.port}
        if info.get_parameters().get("hostaddr"):
            place["hostaddr"] = info.hostaddr
        with psycopg.connect(
            info.dsn,
            password=info.password or None,
            autocommit=True,
            connect_timeout=_CONNECT_TIMEOUT_S,
            **place,
        ) as control:
            control.execute("SELECT pg_catalog.pg_terminate_backend(%s)", (info.backend_pid,))
    except psycopg.Error:
        # As above: the server cannot be reached, so its backend cannot be ended from here.
        return
