"""A real standby: a server that has been stopped and is started again to wait for a primary that never comes."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from confiture_tui.database.dsn import Dsn
from confiture_tui.database.embedded.binaries import find_binaries
from confiture_tui.database.embedded.cluster import PORT, Cluster
from confiture_tui.database.embedded.launcher import Launcher
from confiture_tui.database.embedded.workspace import data_base
from tests.support.processes import until

_STOP = ((signal.SIGINT, 10.0), (signal.SIGKILL, 5.0))


@contextmanager
def standby() -> Iterator[Dsn]:
    """How to log in to it, as its superuser, while the block runs."""
    launcher = Launcher()
    cluster = Cluster.make(find_binaries(None), launcher, data_base())
    try:
        cluster.run(launcher, {}).stop(_STOP)
        (cluster.data / "standby.signal").touch()
        child = cluster._start(launcher, str(cluster.binaries.postgres), "-D", str(cluster.data))
        parameters = {"host": str(cluster.socket_directory), "port": str(PORT), "dbname": "postgres"}
        dsn = Dsn.of_parameters(parameters | {"user": "postgres", "sslmode": "disable"}, source="the standby")

        def answers() -> bool:
            try:
                psycopg.connect(dsn.conninfo()).close()
            except psycopg.OperationalError:
                return False
            return True

        try:
            until(answers, "the standby lets clients in")
            yield dsn
        finally:
            child.stop(_STOP)
    finally:
        cluster.remove()
