"""Bytes through TLS without ever blocking: encryption in memory, and the passing on between two sockets.

A socket that is ready to be read need not hold data of the application: a server's session tickets come by themselves
(RFC 8446, 4.6.1). So the encryption works on memory only, and nothing but the sockets themselves is waited for.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from selectors import EVENT_READ, EVENT_WRITE, PollSelector
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_CHUNK: Final = 65536
_WINDOW: Final = 1 << 20
"""Bytes that may wait for one side; while there are more, the other side is not read."""

_HEADER: Final = struct.Struct("!ci")
_SASL: Final = struct.pack("!i", 10)
_LONGEST_OFFER: Final = 4096
_BINDING: Final = b"SCRAM-SHA-256-PLUS"


class OverError(Exception):
    """Whoever waits is to stop: the relay is being closed."""


class Waiting:
    """Waits for sockets, and for the end of everything.

    Args:
        over: becomes readable when everything is to end.
    """

    def __init__(self, over: socket.socket) -> None:
        self._over = over

    def until(self, wanted: Mapping[socket.socket, int], deadline: float | None = None) -> dict[socket.socket, int]:
        """Wait for one of these events; which sockets are ready for what.

        Args:
            wanted: ``EVENT_READ`` and ``EVENT_WRITE`` of each socket.
            deadline: of ``time.monotonic()``.

        Raises:
            OverError: everything is to end.
            TimeoutError: the deadline has passed.
        """
        with PollSelector() as selector:
            selector.register(self._over, EVENT_READ)
            for one, events in wanted.items():
                if events:
                    selector.register(one, events)
            timeout = None if deadline is None else max(deadline - time.monotonic(), 0.0)
            ready = {key.fileobj: events for key, events in selector.select(timeout)}
        if self._over in ready:
            raise OverError
        if not ready and deadline is not None:
            raise TimeoutError
        return {one: ready.get(one, 0) for one in wanted}

    def pause(self, seconds: float) -> None:
        """Wait that long.

        Raises:
            OverError: everything is to end.
        """
        with PollSelector() as selector:
            selector.register(self._over, EVENT_READ)
            if selector.select(seconds):
                raise OverError


class TlsStream:
    """One TLS session as a client, in memory.

    Attributes:
        outgoing: encrypted bytes for the server.
    """

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._received, self._written = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._received, self._written, server_hostname=host or None)
        self.outgoing = bytearray()

    def shake_hands(self, server: socket.socket, waiting: Waiting, deadline: float) -> None:
        """Agree with the server.

        Raises:
            ssl.SSLError: the two do not agree; it is not whom it should be.
            TimeoutError: not before the deadline.
            OverError: everything is to end.
        """
        agreed = False
        while not agreed or self.outgoing:
            if not agreed:
                try:
                    self._tls.do_handshake()
                except ssl.SSLWantReadError:
                    self.outgoing += self._written.read()
                except ssl.SSLError:
                    # It is told why, as far as it still listens.
                    self.outgoing += self._written.read()
                    with contextlib.suppress(OSError):
                        send(server, self.outgoing)
                    raise
                else:
                    agreed = True
                    self.outgoing += self._written.read()
            # What was not sent yet must go first; there is nothing to read before.
            wanted = EVENT_WRITE if self.outgoing else 0 if agreed else EVENT_READ
            if not wanted:
                return
            waiting.until({server: wanted}, deadline)
            if wanted == EVENT_WRITE:
                send(server, self.outgoing)
            else:
                self._receive(server)

    def _receive(self, server: socket.socket) -> None:
        try:
            chunk = server.recv(_CHUNK)
        except BlockingIOError:
            return
        if chunk:
            self._received.write(chunk)
        else:
            self._received.write_eof()

    def read(self, server: socket.socket) -> tuple[bytes, bool]:
        """What the server says now, which may be nothing, and whether that was its end.

        Raises:
            ssl.SSLError: the session broke.
        """
        try:
            self._receive(server)
        except OSError:
            # Reset: what has come before it is still to be read.
            self._received.write_eof()
        said = bytearray()
        try:
            while chunk := self._tls.read(_CHUNK):
                said += chunk
        except ssl.SSLWantReadError:
            return bytes(said), False
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return bytes(said), True
        finally:
            self.outgoing += self._written.read()
        return bytes(said), True

    def write(self, chunk: bytes) -> None:
        """Encrypt something for the server."""
        rest = memoryview(chunk)
        while rest:
            rest = rest[self._tls.write(rest) :]
        self.outgoing += self._written.read()

    def end(self) -> None:
        """Tell the server that nothing more comes; it may go on speaking."""
        # It has not said the same, and may not do so for a while: ours is written.
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        self.outgoing += self._written.read()


class Relayed:
    """One connection of a program, and the one to the server that it stands for."""

    def __init__(self, client: socket.socket, server: socket.socket, stream: TlsStream, waiting: Waiting) -> None:
        self._client, self._server = client, server
        self._stream = stream
        self._waiting = waiting
        self._for_client = bytearray()
        self._offer: bytearray | None = bytearray()
        self._client_ended = self._server_ended = self._told_server = False

    def run(self) -> None:
        """Pass bytes on until the server ends, or nobody hears it any more.

        A program that has said its last word still gets the answer. What the server said last always arrives.

        Raises:
            ssl.SSLError: the session broke.
            OverError: everything is to end.
        """
        while True:
            if self._server_ended and not self._for_client:
                return
            ready = self._waiting.until(
                {
                    self._client: self._wanted_of_client(),
                    self._server: 0 if self._server_ended else self._wanted_of_server(),
                }
            )
            if ready[self._server] & EVENT_READ:
                self._hear_server()
            if ready[self._client] & EVENT_READ and not self._server_ended:
                self._hear_client()
            if self._for_client and not self._send_to_client():
                return
            self._send_to_server()

    def _wanted_of_client(self) -> int:
        listens = not self._client_ended and not self._server_ended and len(self._stream.outgoing) < _WINDOW
        return (EVENT_READ if listens else 0) | (EVENT_WRITE if self._for_client else 0)

    def _wanted_of_server(self) -> int:
        listens = len(self._for_client) < _WINDOW
        return (EVENT_READ if listens else 0) | (EVENT_WRITE if self._stream.outgoing else 0)

    def _hear_server(self) -> None:
        said, self._server_ended = self._stream.read(self._server)
        if self._offer is None:
            self._for_client += said
            return
        self._offer += said
        passed = without_channel_binding(self._offer, ended=self._server_ended)
        if passed is not None:
            self._for_client += passed
            self._offer = None

    def _hear_client(self) -> None:
        try:
            chunk = self._client.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if chunk:
            self._stream.write(chunk)
        else:
            self._client_ended = True
            self._stream.end()

    def _send_to_client(self) -> bool:
        """Whether there is still somebody to send to."""
        try:
            send(self._client, self._for_client)
        except OSError:
            return False
        return True

    def _send_to_server(self) -> None:
        if self._server_ended:
            return
        try:
            if self._stream.outgoing:
                send(self._server, self._stream.outgoing)
            if self._client_ended and not self._stream.outgoing and not self._told_server:
                self._told_server = True
                self._server.shutdown(socket.SHUT_WR)
        except OSError:
            # It listens no more; its last words may still be on their way.
            self._stream.outgoing.clear()
            self._client_ended = self._told_server = True


def send(target: socket.socket, waiting: bytearray) -> None:
    """Send as much as the socket takes now, and keep the rest.

    Raises:
        OSError: the connection is gone.
    """
    try:
        sent = target.send(memoryview(waiting)[:_WINDOW].tobytes())
    except BlockingIOError:
        return
    del waiting[:sent]


def without_channel_binding(said: bytearray, *, ended: bool) -> bytes | None:
    """The server's first words without the offer of SCRAM with channel binding; ``None`` while they are incomplete.

    libpq gives up when it is offered channel binding on a connection without TLS. It does not when the offer is not
    there, and tells the server that it knows no channel binding, which the server accepts.

    Args:
        said: everything that the server has said so far.
        ended: it says nothing more.
    """
    start = 0
    while not ended:
        if len(said) < start + _HEADER.size:
            return None
        kind, length = _HEADER.unpack_from(said, start)
        if kind in {b"N", b"v"} and 4 <= length <= _LONGEST_OFFER:
            # A notice, or the versions of the protocol: the question of who we are is still to come.
            start += 1 + length
            continue
        if kind != b"R" or not 8 <= length <= _LONGEST_OFFER:
            break
        end = start + 1 + length
        if len(said) < end:
            return None
        if said[start + 5 : start + 9] == _SASL:
            names = [name for name in bytes(said[start + 9 : end]).split(b"\0") if name and name != _BINDING]
            body = _SASL + b"".join(name + b"\0" for name in names) + b"\0"
            return bytes(said[:start]) + _HEADER.pack(kind, len(body) + 4) + body + bytes(said[end:])
        break
    return bytes(said)
