"""The embedded servers of one workspace: started on any thread, and none of them outlives it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from confiture_tui.database.embedded import EmbeddedServer
from confiture_tui.errors import Cancelled
from confiture_tui.events import Event, EventName, Level, Sink

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_tui.database.cancellation import CancelScope

_LOOK_S = 0.05
"""How often somebody who waits for a server looks whether he is to stop waiting."""


class Servers:
    """Starts embedded servers, and stops them all, also those that were still starting when it was told to.

    Args:
        pg_bin: the directory of their programs; ``None`` looks for them.
    """

    def __init__(self, pg_bin: Path | None) -> None:
        self._pg_bin = pg_bin
        self._lock = threading.Lock()
        self._running: list[EmbeddedServer] = []
        self._era = 0
        self._closed = False

    def start(self, sink: Sink) -> EmbeddedServer:
        """Start one; takes about half a second.

        Raises:
            Cancelled: everything was stopped before or while it started.
            ConfitureError: it cannot be started.
        """
        with self._lock:
            era = self._era
            self._check_open()
        server = EmbeddedServer.start(pg_bin=self._pg_bin, sink=sink)
        with self._lock:
            wanted = era == self._era
            if wanted:
                self._running.append(server)
        if not wanted:
            server.stop()
            raise Cancelled("The server was stopped while it started.")
        return server

    def has(self, server: EmbeddedServer) -> bool:
        """Whether nobody has stopped it; it may have died."""
        with self._lock:
            return server in self._running

    def stop(self, server: EmbeddedServer) -> None:
        """Stop one of them. Idempotent."""
        with self._lock:
            self._running = [one for one in self._running if one is not server]
        server.stop()

    def stop_all(self) -> None:
        """Stop every one, at the same time; one that is starting is stopped by whoever starts it."""
        with self._lock:
            self._era += 1
            running, self._running = self._running, []
        if running:
            with ThreadPoolExecutor(len(running)) as pool:
                list(pool.map(EmbeddedServer.stop, running))

    def close(self) -> None:
        """Stop every one, and start no more. Idempotent."""
        with self._lock:
            self._closed = True
        self.stop_all()

    def _check_open(self) -> None:
        if self._closed:
            raise Cancelled("The session is closed.")


class ShadowServer:
    """The server that shadows are made on: started ahead or at first use, and once more when it is found dead.

    It is started and prepared on a thread of its own, so that whoever waits for it can be cancelled, and what was
    begun for him serves the next one.

    Args:
        servers: who starts and stops it.
        sink: where it is told that it is waited for, or could not be made.
        server_sink: where the server's own events go.
        prepare: what is done with a new one before anybody gets it.
    """

    def __init__(
        self, servers: Servers, *, sink: Sink, server_sink: Sink, prepare: Callable[[EmbeddedServer], None]
    ) -> None:
        self._servers = servers
        self._sink = sink
        self._server_sink = server_sink
        self._prepare = prepare
        self._lock = threading.Lock()
        self._made: Future[EmbeddedServer] | None = None

    def begin(self) -> None:
        """Start it ahead, unless that has been done, and return at once."""
        self._current()

    def forget(self) -> None:
        """The next one who asks gets another: this one has been stopped."""
        with self._lock:
            self._made = None

    def get(self, scope: CancelScope) -> EmbeddedServer:
        """The server, as soon as it can be used.

        Raises:
            Cancelled: the scope was cancelled, or everything was stopped.
            ConfitureError: it could not be started or prepared; asking again tries again.
        """
        told = False
        while True:
            made = self._current()
            while not wait((made,), _LOOK_S).done:
                scope.check()
                if not told:
                    message = "The shadow's server is being made ready."
                    self._sink(Event(name=EventName.SHADOW_BUILDING, message=message))
                    told = True
            scope.check()
            if made.exception() is not None:
                self._give_up(made)
            server = made.result()
            if server.is_running:
                return server
            self._give_up(made)
            self._servers.stop(server)

    def _current(self) -> Future[EmbeddedServer]:
        with self._lock:
            if self._made is None:
                self._made = Future()
                threading.Thread(target=self._make, args=(self._made,), name="shadow-server", daemon=True).start()
            return self._made

    def _give_up(self, made: Future[EmbeddedServer]) -> None:
        with self._lock:
            if self._made is made:
                self._made = None

    def _make(self, made: Future[EmbeddedServer]) -> None:
        try:
            made.set_result(self._prepared())
        except Cancelled as error:
            made.set_exception(error)
        except BaseException as error:  # noqa: BLE001 - it is raised where the server is asked for
            message = f"There is no server to try migrations on: {error}"
            self._sink(Event(name=EventName.SHADOW_INCOMPLETE, message=message, level=Level.ERROR))
            made.set_exception(error)

    def _prepared(self) -> EmbeddedServer:
        server = self._servers.start(self._server_sink)
        try:
            self._prepare(server)
        except BaseException:
            # What a server that was stopped meanwhile answers with is no failure.
            stopped = not self._servers.has(server)
            self._servers.stop(server)
            if stopped:
                raise Cancelled("The server was stopped while it was made ready.") from None
            raise
        return server
