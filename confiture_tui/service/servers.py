"""The embedded servers of one workspace: started on any thread, and none of them outlives it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from confiture_tui.database.embedded import EmbeddedServer, find_binaries
from confiture_tui.database.embedded.image import DamagedImageError
from confiture_tui.errors import Cancelled, ConfitureError
from confiture_tui.events import Event, EventName, Level, Sink

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_tui.core.dry_run.cache import KeptEntry, ShadowCache
    from confiture_tui.database.cancellation import CancelScope
    from confiture_tui.database.embedded import Binaries
    from confiture_tui.database.embedded.cluster import Fill

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

    def binaries(self, major: int | None) -> Binaries:
        """The programs that they are made of, of this major version where there is a choice.

        Raises:
            ConfitureError: there are none.
        """
        return find_binaries(self._pg_bin, major=major)

    def start(self, sink: Sink, *, major: int | None = None, fill: Fill | None = None) -> EmbeddedServer:
        """Start one; takes about half a second.

        Args:
            sink: where its events go.
            major: the major version that is wanted, where there is a choice.
            fill: puts files that were kept into its empty data directory.

        Raises:
            DamagedImageError, OSError: whatever ``fill`` raises.
            Cancelled: everything was stopped before or while it started.
            ConfitureError: it cannot be started.
        """
        with self._lock:
            era = self._era
            self._check_open()
        server = EmbeddedServer.start(pg_bin=self._pg_bin, major=major, fill=fill, sink=sink)
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


class Wanted:
    """How a shadow's server should be, should it have to be started.

    Args:
        major: the target's major version.
        cache: where shadows are kept; ``None``: not to be asked.
        key: of the shadow that it should begin with.
    """

    def __init__(self, *, major: int | None = None, cache: ShadowCache | None = None, key: str | None = None) -> None:
        self.major = major
        self.cache = cache
        self.key = key

    def find(self) -> KeptEntry | None:
        """The shadow to begin with, if it is kept."""
        return self.cache.find(self.key) if self.cache is not None and self.key is not None else None


class ShadowServer:
    """The server that shadows are made on: started ahead or at first use, and once more when it is found dead.

    It is started and prepared on a thread of its own, so that whoever waits for it can be cancelled, and what was
    begun for him serves the next one.

    Args:
        servers: who starts and stops it.
        sink: where it is told that it is waited for, or could not be made.
        server_sink: where the server's own events go.
        prepare: what is done with a new one before anybody gets it.
        afterwards: what is done with it besides, on the same thread, when somebody has what he needs of it: until then
            nothing else may be on it, for what he has made is kept with all that is there; it raises nothing.
    """

    def __init__(
        self,
        servers: Servers,
        *,
        sink: Sink,
        server_sink: Sink,
        prepare: Callable[[EmbeddedServer], None],
        afterwards: Callable[[EmbeddedServer], None],
    ) -> None:
        self._servers = servers
        self._sink = sink
        self._server_sink = server_sink
        self._prepare = prepare
        self._afterwards = afterwards
        self._lock = threading.Lock()
        self._made: Future[EmbeddedServer] | None = None
        self._brought: tuple[EmbeddedServer, str, Mapping[str, Any]] | None = None
        self._idle = threading.Event()
        self._idle.set()
        self._served = threading.Event()

    def begin(self) -> None:
        """Start it ahead, unless that has been done, and return at once."""
        self._current(Wanted())

    def forget(self) -> None:
        """The next one who asks gets another: this one has been stopped."""
        self._served.set()
        with self._lock:
            self._made = None

    def served(self) -> None:
        """Somebody has what he needs: what else there is to do with the server may begin."""
        self._served.set()

    def brought(self, server: EmbeddedServer, key: str | None) -> Mapping[str, Any] | None:
        """The description of the shadow that the server was started with, for whoever asks first; ``None``: none.

        From then on it is his, to drop when it is no longer needed.
        """
        with self._lock:
            if self._brought is None or self._brought[:2] != (server, key):
                return None
            description = self._brought[2]
            self._brought = None
            return description

    def get(self, scope: CancelScope, wanted: Wanted | None = None) -> EmbeddedServer:
        """The server, as soon as it can be used; one that runs is taken as it is, whatever is wanted.

        Raises:
            Cancelled: the scope was cancelled, or everything was stopped.
            ConfitureError: it could not be started or prepared; asking again tries again.
        """
        told = False
        while True:
            made = self._current(wanted or Wanted())
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

    def wait_until_idle(self, scope: CancelScope) -> None:
        """Wait for what is done with the server besides; at once where there is none.

        Raises:
            Cancelled: the scope was cancelled.
        """
        while not self._idle.wait(_LOOK_S):
            scope.check()

    def _current(self, wanted: Wanted) -> Future[EmbeddedServer]:
        with self._lock:
            if self._made is None:
                self._made = Future()
                self._idle.clear()
                work = (self._made, wanted)
                threading.Thread(target=self._make, args=work, name="shadow-server", daemon=True).start()
            return self._made

    def _give_up(self, made: Future[EmbeddedServer]) -> None:
        with self._lock:
            if self._made is made:
                self._made = None

    def _make(self, made: Future[EmbeddedServer], wanted: Wanted) -> None:
        try:
            made.set_result(self._prepared(wanted))
        except Cancelled as error:
            made.set_exception(error)
        except BaseException as error:  # noqa: BLE001 - it is raised where the server is asked for
            message = f"There is no server to try migrations on: {error}"
            self._sink(Event(name=EventName.SHADOW_INCOMPLETE, message=message, level=Level.ERROR))
            made.set_exception(error)
        else:
            self._served.wait()
            self._afterwards(made.result())
        finally:
            self._idle.set()

    def _prepared(self, wanted: Wanted) -> EmbeddedServer:
        server = self._begun_with_what_is_kept(wanted) or self._servers.start(self._server_sink, major=wanted.major)
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

    def _begun_with_what_is_kept(self, wanted: Wanted) -> EmbeddedServer | None:
        """A server that holds the wanted shadow already; ``None`` when that is not kept, or cannot be used."""
        entry = wanted.find()
        if entry is None or wanted.cache is None or wanted.key is None:
            return None
        try:
            server = self._servers.start(self._server_sink, major=wanted.major, fill=entry.fill)
        except Cancelled:
            raise
        except (DamagedImageError, OSError, ConfitureError) as error:
            wanted.cache.discard(entry.path, str(error).splitlines()[0])
            return None
        finally:
            entry.close()
        with self._lock:
            self._brought = (server, wanted.key, entry.description)
        return server
