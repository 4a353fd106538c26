"""A server that can be killed and started again on the same data."""

from __future__ import annotations

import os
import shutil
import signal
from typing import Final, Self

from confiture_tui.database.connection import connect
from confiture_tui.database.dsn import Dsn
from confiture_tui.database.embedded.binaries import find_binaries
from confiture_tui.database.embedded.cluster import PORT, Cluster
from confiture_tui.database.embedded.launcher import Child, Launcher
from confiture_tui.database.embedded.workspace import data_base
from confiture_tui.errors import ConnectError
from tests.support.processes import until


class RestartableServer:
    """Runs while the block does; what is committed survives ``crash``, since it syncs to disk as a real one does."""

    _SETTINGS: Final = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}

    def __init__(self) -> None:
        self._launcher = Launcher()
        self._cluster = Cluster.make(find_binaries(None), self._launcher, data_base())
        self._child: Child = self._cluster.run(self._launcher, self._SETTINGS)

    def dsn(self, name: str = "postgres") -> Dsn:
        """How to log in as its superuser."""
        place = {"host": str(self._cluster.socket_directory), "port": str(PORT), "dbname": name, "user": "postgres"}
        return Dsn.of_parameters(place, source="the test")

    def fresh(self, name: str) -> Dsn:
        """A new, empty database."""
        with connect(self.dsn()) as conn:
            conn.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.dsn(name)

    def crash(self) -> None:
        """Kill the server, as a power cut would, and start it again."""
        self.kill()
        self.start_again()

    def kill(self) -> None:
        """Kill the server, as a power cut would."""
        os.kill(self._child.process.pid, signal.SIGKILL)
        self._child.wait(None)

    def start_again(self) -> None:
        """Start it on what it has written."""
        started: list[Child] = []

        def is_back() -> bool:
            # Made anew at each start.
            shutil.rmtree(self._cluster.directory / "stand_ins", ignore_errors=True)
            try:
                started.append(self._cluster.run(self._launcher, self._SETTINGS))
            except ConnectError:
                return False  # Its backends of before have not all noticed yet.
            return True

        until(is_back, "the server is back")
        self._child = started[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.stop([(signal.SIGINT, 10.0), (signal.SIGKILL, 10.0)])
        self._cluster.remove()
        self._launcher.close()
