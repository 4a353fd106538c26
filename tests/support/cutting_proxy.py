"""A proxy that cuts a connection to the server at a chosen word, or all of them at a chosen message."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from confiture_tui.database.dsn import Dsn

_PORT = 7432


class CuttingProxy:
    """Listens on a socket of its own while the block runs, and hands everything on until a client sends ``word``.

    Args:
        server: the server, by its private socket.
        directory: where the socket is made.
        word: what a client's message must hold for its connection to be cut, once.
        when: ``before`` the server gets the message, or ``after`` it has answered, which the client does not get.
        after_messages: how many times clients may send something before every connection is cut, once.
    """

    def __init__(
        self,
        server: Dsn,
        directory: Path,
        *,
        word: bytes | None = None,
        when: Literal["before", "after"] = "before",
        after_messages: int | None = None,
    ) -> None:
        self._server = server.parameters()
        self._directory = directory
        self._word = word
        self._when = when
        self._left = after_messages
        self._sockets: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self.cuts = 0

    @property
    def conninfo(self) -> str:
        """How to connect through it."""
        name, user = self._server["dbname"], self._server["user"]
        return f"host={self._directory} port={_PORT} dbname={name} user={user} sslmode=disable gssencmode=disable"

    def __enter__(self) -> Self:
        self._listener.bind(str(self._directory / f".s.PGSQL.{_PORT}"))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._sockets:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(Path(self._server["host"]) / f".s.PGSQL.{self._server['port']}"))
            self._sockets += [client, server]
            threading.Thread(target=self._pump, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, from_client: bool) -> None:
        try:
            while data := source.recv(65536):
                if from_client and self._is_last():
                    self.cuts += 1
                    self._cut(self._sockets)
                    return
                if from_client and self._word is not None and not self.cuts and self._word in data:
                    self.cuts += 1
                    if self._when == "after":
                        # From here on nothing reaches the client; the server does what it was told.
                        source.shutdown(socket.SHUT_RDWR)
                        sink.sendall(data)
                        return
                    break
                sink.sendall(data)
        except OSError:
            pass
        self._cut([source, sink])

    def _is_last(self) -> bool:
        if self._left is None:
            return False
        self._left -= 1
        return self._left == 0

    @staticmethod
    def _cut(sockets: list[socket.socket]) -> None:
        for one in tuple(sockets):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
