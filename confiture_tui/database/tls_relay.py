"""A private socket whose other end is a server that speaks TLS: for programs that were built without it.

The ``pg_dump`` of the embedded server's programs has no TLS; most servers worth a dry run ask for it. The relay makes
the TLS connection with the same demands as libpq's ``sslmode``, and passes the bytes on: the password goes through it
in whatever form the server asks for. The one thing that it changes is the server's offer of channel binding, which a
program without TLS takes for a sign that somebody stripped the TLS off.

Sources: PostgreSQL documentation, "SSL Session Encryption" (the SSLRequest message), "SASL Authentication",
"Message Formats".
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import ssl
import struct
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from selectors import EVENT_READ, EVENT_WRITE
from typing import TYPE_CHECKING, Any, Final, Self

from confiture_tui.database.tls_demands import context_of, demands_of
from confiture_tui.database.tls_stream import OverError, Relayed, TlsStream, Waiting
from confiture_tui.errors import ConnectError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    import psycopg

_SSL_REQUEST: Final = struct.pack("!ii", 8, 80877103)
_PORT: Final = 5432
_PATH_LIMIT: Final = 103
"""Bytes that the path of a socket may have on every system (``sun_path``)."""
_BACKLOG: Final = 128
_KEEPALIVE: Final = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""Seconds and probes after which a silent network counts as broken: those of our own connections."""
_FULL_PAUSE_S: Final = 0.1
_JOIN_S: Final = 5.0


@dataclass(slots=True)
class TlsRelay:
    """Listens on a socket of its own and relays each connection to the server of another one. A context manager.

    When it is left, live connections are cut, and its threads and its directory are gone.

    Attributes:
        host: the server's name, which its certificate must bear where that is asked for.
        address: where it is.
        server_port: its port.
        parameters: of the connection, as libpq names them: those that say what TLS must be like.
        timeout_s: seconds that the server has to accept the connection and agree on TLS.
        directory: of the socket, private to this user: what ``host`` is for the program that uses it.
        port: what ``port`` is for it.
    """

    host: str
    address: str
    server_port: int
    parameters: Mapping[str, str] = field(repr=False)  # the password of a key may be among them
    timeout_s: float = 10.0
    directory: Path = field(init=False, repr=False)
    port: int = _PORT
    _listener: socket.socket = field(init=False, repr=False)
    _alive: socket.socket = field(init=False, repr=False)
    _over: socket.socket = field(init=False, repr=False)
    _threads: list[threading.Thread] = field(default_factory=list, repr=False)
    _failure: str | None = None

    @classmethod
    def of(cls, conn: psycopg.Connection[Any]) -> Self:
        """A relay to the server that the connection is to, with the demands of its parameters."""
        info = conn.info
        return cls(info.host or info.hostaddr, info.hostaddr or info.host, info.port, demands_of(conn))

    def __enter__(self) -> Self:
        """Begin to listen.

        Raises:
            ConnectError: there is no place for the socket.
        """
        try:
            self.directory = Path(tempfile.mkdtemp(prefix="confiture-relay-", dir=_base()))
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self._listener.bind(str(self.directory / f".s.PGSQL.{self.port}"))
                self._listener.listen(_BACKLOG)
                self._listener.setblocking(False)
                # Closing one end wakes every thread that waits, whatever else it waits for.
                self._alive, self._over = socket.socketpair()
            except BaseException:
                self._listener.close()
                shutil.rmtree(self.directory, ignore_errors=True)
                raise
        except OSError as error:
            raise ConnectError(
                f"No private socket can be made for a connection with TLS: {error.strerror or error}.",
                hint="Let TMPDIR name a directory that can be written to.",
            ) from None
        self._start(self._accept)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._alive.close()
        # The first thread is the one that adds the others.
        self._threads[0].join(_JOIN_S)
        for thread in self._threads[1:]:
            thread.join(_JOIN_S)
        self._listener.close()
        self._over.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def failure(self) -> str | None:
        """Why a TLS connection could not be made, or broke, once a program has tried."""
        return self._failure

    def _start(self, work: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, name="tls-relay", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        waiting = Waiting(self._over)
        try:
            while True:
                waiting.until({self._listener: EVENT_READ})
                try:
                    client, _address = self._listener.accept()
                except OSError as error:
                    if error.errno not in {errno.EAGAIN, errno.ECONNABORTED, errno.EINTR}:
                        # No descriptors or no memory just now: whoever waits is served when there are some again.
                        self._failure = f"The relay cannot accept a connection: {error.strerror}."
                        waiting.pause(_FULL_PAUSE_S)
                    continue
                self._threads = [self._threads[0], *(one for one in self._threads[1:] if one.is_alive())]
                self._start(self._serve, client)
        except OverError:
            return

    def _serve(self, client: socket.socket) -> None:
        with client:
            waiting = Waiting(self._over)
            try:
                client.setblocking(False)
                server, stream = self._connect(waiting)
                with server:
                    Relayed(client, server, stream, waiting).run()
            except OverError:
                return
            except TimeoutError:
                self._failure = (
                    f"The server at {self.host}:{self.server_port} did not agree on TLS within {self.timeout_s:g} s."
                )
            except ssl.SSLError as error:
                # A server that refuses our certificate may say so only after the handshake.
                self._failure = f"The TLS connection to {self.host}:{self.server_port} failed: {_said_by(error)}."
            except (OSError, ValueError) as error:  # ValueError: a name that no host can have
                self._failure = f"The server at {self.host}:{self.server_port} cannot be reached: {error}."
            except ConnectError as error:
                self._failure = str(error)

    def _connect(self, waiting: Waiting) -> tuple[socket.socket, TlsStream]:
        """A TLS session with the server.

        Raises:
            TimeoutError: not within the time that it has.
            ConnectError: it speaks no TLS, or our demands cannot be met.
            OSError: the network, or the handshake.
        """
        stream = TlsStream(context_of(self.parameters), self.host)
        deadline = time.monotonic() + self.timeout_s
        server = self._dial(waiting, deadline)
        try:
            if self.parameters.get("sslnegotiation") != "direct":
                server.sendall(_SSL_REQUEST)  # eight bytes have room in a new socket
                waiting.until({server: EVENT_READ}, deadline)
                # One byte and no more: what follows must come through TLS.
                answer = server.recv(1)
                if answer != b"S":
                    said = "speaks no TLS" if answer else "hung up when it was asked for TLS"
                    raise ConnectError(f"The server at {self.host}:{self.server_port} {said}.")
            stream.shake_hands(server, waiting, deadline)
        except BaseException:
            server.close()
            raise
        return server, stream

    def _dial(self, waiting: Waiting, deadline: float) -> socket.socket:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            self.address, self.server_port, type=socket.SOCK_STREAM
        )[0]
        server = socket.socket(family, kind, protocol)
        try:
            server.setblocking(False)
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _KEEPALIVE.items():
                if hasattr(socket, option):
                    server.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
            code = server.connect_ex(address)
            if code == errno.EINPROGRESS:
                waiting.until({server: EVENT_WRITE}, deadline)
                code = server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise OSError(code, os.strerror(code))
        except BaseException:
            server.close()
            raise
        return server


def _base() -> Path:
    """Where the socket's directory is made: not where its path would be too long."""
    base = Path(tempfile.gettempdir())
    longest = base / "confiture-relay-12345678" / f".s.PGSQL.{_PORT}"
    return base if len(os.fsencode(longest)) <= _PATH_LIMIT else Path("/tmp")


def _said_by(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}".rstrip(".")
    return (error.reason or str(error)).replace("_", " ").lower()
