"""Faults at random moments: not between two events, where everything is at rest, but whenever it happens to be."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.runner.runner import MigrationRunner
from confiture_tui.database.connection import connect
from confiture_tui.errors import ConfitureError
from tests.faults.running import (
    MIGRATIONS,
    POLICY,
    bring_to_an_end,
    check_that_all_is_done,
    hooks_of,
    migrations,
    sessions_are_gone,
)
from tests.support.cutting_proxy import CuttingProxy
from tests.support.processes import PythonProcess, until
from tests.support.restartable import RestartableServer

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.conftest import Tried

UNSTOPPED = """
import sys
import psycopg
from confiture_tui.core.runner.runner import MigrationRunner
from tests.faults.running import hooks_of, migrations

with psycopg.connect(sys.argv[1], autocommit=True) as conn:
    chosen = migrations(sys.argv[2])
    print("ready", flush=True)
    sys.stdin.readline()
    MigrationRunner(conn).apply(chosen, hooks=hooks_of(chosen))
"""
LONGEST_S = 0.5
"""A run takes less than this, on an idle machine."""


@pytest.mark.parametrize("kind", list(MIGRATIONS))
def test_kill_9_at_a_random_moment(databases: Any, kind: str, chances: random.Random, tries: int, tried: Tried) -> None:
    for _ in range(tries):
        place = databases.fresh()
        with connect(place) as conn, PythonProcess(UNSTOPPED, place.conninfo(), kind) as child:
            assert child.line() == "ready"
            child.go_on()
            threading.Event().wait(chances.uniform(0, LONGEST_S))
            os.kill(child.process.pid, signal.SIGKILL)
            tried("our process killed by SIGKILL, at a random moment")
            child.process.wait()
            until(partial(sessions_are_gone, conn), "the server noticed that the process is gone")
            bring_to_an_end(conn, kind)
            check_that_all_is_done(conn, kind)


@pytest.mark.parametrize("kind", list(MIGRATIONS))
def test_every_connection_is_cut_after_a_random_message(
    databases: Any, tmp_path: Path, kind: str, chances: random.Random, tries: int, tried: Tried
) -> None:
    for number in range(tries):
        place = databases.fresh()
        directory = tmp_path / str(number)
        directory.mkdir()
        with (
            connect(place) as conn,
            CuttingProxy(place, directory, after_messages=chances.randint(5, 120)) as proxy,
            psycopg.connect(proxy.conninfo, autocommit=True) as through,
        ):
            chosen = migrations(kind)
            # Raised before the run had begun; later on whatever happens is in the result.
            with contextlib.suppress(ConfitureError, psycopg.OperationalError):
                MigrationRunner(through, policy=POLICY).apply(chosen, hooks=hooks_of(chosen))
            tried("every connection cut at once, at a random message")
            until(partial(sessions_are_gone, conn), "the server noticed that nobody is there")
            bring_to_an_end(conn, kind)
            check_that_all_is_done(conn, kind)


@pytest.fixture(scope="module")
def restartable() -> Iterator[RestartableServer]:
    with RestartableServer() as server:
        yield server


@pytest.mark.parametrize("kind", list(MIGRATIONS))
def test_the_server_is_killed_and_started_again_at_a_random_event(
    restartable: RestartableServer, kind: str, chances: random.Random, tries: int, tried: Tried
) -> None:
    for number in range(tries):
        place = restartable.fresh(f"{kind}_{number}")
        seen: list[str] = []
        moment = chances.randint(2, 14)

        def sink(event: Any, seen: list[str] = seen, moment: int = moment) -> None:
            seen.append(event.name)
            if len(seen) == moment:
                restartable.crash()
                tried("the server killed by SIGKILL and started again, at a random event")

        chosen = migrations(kind)
        with connect(place) as conn, contextlib.suppress(ConfitureError, psycopg.OperationalError):
            MigrationRunner(conn, policy=POLICY, sink=sink).apply(chosen, hooks=hooks_of(chosen))
        assert len(seen) >= moment
        with connect(place) as conn:
            bring_to_an_end(conn, kind)
            check_that_all_is_done(conn, kind)
