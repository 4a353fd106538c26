"""A proxy that cuts a connection to the server at a chosen word, or all of them at a chosen message."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Literal

from tests.support.beside_server import BesideServer

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_tui.database.dsn import Dsn


class CuttingProxy(BesideServer):
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
        super().__init__(server, directory)
        self._word = word
        self._when = when
        self._left = after_messages
        self.cuts = 0

    def serve(self, client: socket.socket) -> None:
        """Hand on what it sends, and what it is answered."""
        server = self.reach_server()
        threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()
        self._pump(client, server, True)

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
