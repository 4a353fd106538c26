"""A transaction pooler in miniature: each transaction of a client runs on whichever server connection is free.

It speaks the protocol as a pooler does: it logs clients in itself, tells them a process id that it made up, and lends
them a server connection from their first message until the server says that no transaction is open.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

from tests.support.beside_server import BesideServer

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_tui.database.dsn import Dsn

_MADE_UP = 4_000_000


def _exactly(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _message(sock: socket.socket) -> tuple[bytes, bytes]:
    """One message: its type, and all of it."""
    head = _exactly(sock, 5)
    return head[:1], head + _exactly(sock, struct.unpack("!I", head[1:])[0] - 4)


class TransactionPooler(BesideServer):
    """Listens on a socket of its own while the block runs.

    Args:
        server: the server, by its private socket.
        directory: where the socket is made.
        session: lend a server connection for as long as the client stays, as a session pooler does.
        in_turn: lend the one that has been free for the longest, not the one that came back last.
    """

    def __init__(self, server: Dsn, directory: Path, *, session: bool = False, in_turn: bool = False) -> None:
        super().__init__(server, directory)
        self._session = session
        self._in_turn = in_turn
        self._free: list[socket.socket] = []
        self._greeting = b""
        self._clients = 0

    def serve(self, client: socket.socket) -> None:
        """Log a client in, and lend it a server connection whenever it says something."""
        lent: socket.socket | None = None
        try:
            self._log_in(client)
            while True:
                kind, message = _message(client)
                if kind == b"X":
                    return
                lent = lent or self._lend()
                lent.sendall(message)
                # Simple queries, and what an extended one ends with: now the server has its say.
                if kind in (b"Q", b"S"):
                    ready = self._answer(lent, client)
                    if ready[5:] == b"I" and not self._session:
                        # Before the client hears of it: his next message finds it free.
                        with self._lock:
                            self._free.insert(0 if self._in_turn else len(self._free), lent)
                        lent = None
                    client.sendall(ready)
        except (EOFError, OSError):
            return
        finally:
            client.close()
            if lent is not None:
                lent.close()

    def _log_in(self, client: socket.socket) -> None:
        length = struct.unpack("!I", _exactly(client, 4))[0]
        _exactly(client, length - 4)
        first = self._lend()
        with self._lock:
            self._clients += 1
            key = struct.pack("!III", 12, _MADE_UP + self._clients, 1)
            self._free.append(first)
        client.sendall(b"R" + struct.pack("!II", 8, 0) + self._greeting + b"K" + key + b"Z\0\0\0\5I")

    def _lend(self) -> socket.socket:
        with self._lock:
            if self._free:
                return self._free.pop()
        server = self.reach_server()
        words = ("user", self._parameters["user"], "database", self._parameters["dbname"], "client_encoding", "UTF8")
        body = struct.pack("!I", 196608) + b"".join(word.encode() + b"\0" for word in words) + b"\0"
        server.sendall(struct.pack("!I", len(body) + 4) + body)
        greeting = b""
        while True:
            kind, message = _message(server)
            if kind == b"S":
                greeting += message
            if kind == b"E":
                raise EOFError
            if kind == b"Z":
                break
        with self._lock:
            self._greeting = greeting
        return server

    @staticmethod
    def _answer(server: socket.socket, client: socket.socket) -> bytes:
        """Hand the server's answer on, but for its last message, which says that it is ready."""
        while True:
            kind, message = _message(server)
            if kind == b"Z":
                return message
            client.sendall(message)
