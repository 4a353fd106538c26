"""A socket that answers like a server in a state that a real one cannot be put into at will."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SSL_REQUEST = 80877103
"""The code of an SSLRequest (PostgreSQL's documentation, "Message Formats")."""


def error_response(sqlstate: str, message: str) -> bytes:
    """An ErrorResponse with severity FATAL."""
    fields = b"".join(
        kind + value.encode() + b"\0"
        for kind, value in ((b"S", "FATAL"), (b"V", "FATAL"), (b"C", sqlstate), (b"M", message))
    )
    return b"E" + struct.pack("!i", len(fields) + 5) + fields + b"\0"


@contextmanager
def fake_server(directory: Path, answer: bytes | None) -> Iterator[Path]:
    """Listens on a Unix socket as port 5432 would, says no to TLS, and answers each login with the given bytes.

    With ``None`` it never answers. It yields the directory, which is libpq's ``host``.
    """
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(directory / ".s.PGSQL.5432"))
    listener.listen()
    open_sockets = [listener]

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            open_sockets.append(client)
            if answer is not None:
                _answer(client, answer)
                client.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield directory
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for one in open_sockets:
            one.close()


@contextmanager
def fake_tcp_server() -> Iterator[int]:
    """Listens on a port of this machine and says no to TLS; yields the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                _answer(client, b"")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


def _answer(client: socket.socket, answer: bytes) -> None:
    """Read the request; TLS is answered with N, for no, and the login that follows with the given bytes."""
    length, code = struct.unpack("!ii", _exactly(client, 8))
    _exactly(client, length - 8)
    if code == SSL_REQUEST:
        client.sendall(b"N")
        if answer:
            _answer(client, answer)
    else:
        client.sendall(answer)


def _exactly(client: socket.socket, count: int) -> bytes:
    """That many bytes, or zeros if the client leaves."""
    content = b""
    while len(content) < count:
        part = client.recv(count - len(content))
        if not part:
            return bytes(count)
        content += part
    return content
