"""Something that stands between clients and a server, on a private socket of its own."""

from __future__ import annotations

import socket
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from confiture_tui.database.dsn import Dsn

_PORT = 7432


class BesideServer(ABC):
    """Listens while the block runs; what becomes of a client is ``serve``'s business, on a thread of its own.

    Args:
        server: the server, by its private socket.
        directory: where the socket is made.
    """

    def __init__(self, server: Dsn, directory: Path) -> None:
        self._parameters = server.parameters()
        self._directory = directory
        self._listener = socket.socket(socket.AF_UNIX)
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()

    @property
    def conninfo(self) -> str:
        """How to connect through it."""
        name, user = self._parameters["dbname"], self._parameters["user"]
        return f"host={self._directory} port={_PORT} dbname={name} user={user} sslmode=disable gssencmode=disable"

    @abstractmethod
    def serve(self, client: socket.socket) -> None:
        """Be there for a client that has just connected."""

    def reach_server(self) -> socket.socket:
        """A new connection to the server; it is closed with the block."""
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(Path(self._parameters["host"]) / f".s.PGSQL.{self._parameters['port']}"))
        with self._lock:
            self._sockets.append(server)
        return server

    def __enter__(self) -> Self:
        self._listener.bind(str(self._directory / f".s.PGSQL.{_PORT}"))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_details: object) -> None:
        # A thread that waits in `accept` is not woken by a close alone.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for one in self._sockets:
                one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._sockets.append(client)
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()
