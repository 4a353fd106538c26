"""A target that goes away in the middle: a sentence, exit code 3, and nothing left."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.core.dry_run.executor import DryRunExecutor
from confiture_tui.core.migrations.model import Migration
from confiture_tui.database.connection import connect
from confiture_tui.database.embedded import EmbeddedServer
from confiture_tui.errors import ConnectError
from confiture_tui.events import Event, EventName
from tests.support.processes import until

if TYPE_CHECKING:
    from tests.support.in_place import Target

STATEMENTS = "CREATE TABLE leak (id int);\nSELECT pg_sleep(60);\nSELECT 3;"


def test_a_session_that_is_ended_while_a_statement_runs(in_place: Target) -> None:
    events: list[Event] = []

    def end() -> None:
        running = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND query LIKE 'SELECT pg_sleep%%'"
        pid = in_place.conn.info.backend_pid
        until(lambda: in_place.admin.execute(running, (pid,)).fetchone() is not None, "it sleeps")
        in_place.admin.execute("SELECT pg_terminate_backend(%s)", (pid,))

    thread = threading.Thread(target=end)
    thread.start()
    with pytest.raises(ConnectError, match=r"lost while statement 2 \(line 2\) ran") as raised:
        DryRunExecutor(sink=events.append).run(in_place.conn, Migration.from_sql(STATEMENTS))
    thread.join()
    assert raised.value.exit_code == 3
    assert "Nothing of it was committed" in raised.value.hint
    assert events[-1].name is EventName.DRY_RUN_FAILED
    assert in_place.admin.execute("SELECT to_regclass('leak')").fetchone() == (None,)


def test_a_session_limit_that_ends_it_is_said_with_the_servers_words(in_place: Target) -> None:
    if in_place.conn.info.server_version < 170000:
        pytest.skip("transaction_timeout came with 17")
    with pytest.raises(ConnectError, match="transaction timeout"):
        DryRunExecutor().run(
            in_place.conn, Migration.from_sql("SET transaction_timeout = '200ms';\nSELECT pg_sleep(60);")
        )


@pytest.fixture
def mortal() -> Iterator[EmbeddedServer]:
    """A server that a test may stop."""
    with EmbeddedServer.start() as server:
        server.create_login("plain")
        yield server


@pytest.mark.parametrize("how", ["shut down", "crash of a backend"])
def test_a_server_that_stops_while_a_statement_runs(mortal: EmbeddedServer, how: str) -> None:
    with psycopg.connect(mortal.dsn("postgres", "plain").conninfo(), autocommit=True) as conn:

        def stop() -> None:
            with connect(mortal.dsn()) as admin:
                running = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
                until(lambda: admin.execute(running).fetchone() is not None, "it sleeps")
                row = admin.execute(running).fetchone()
                assert row is not None
            if how == "shut down":
                mortal.stop()
            else:
                os.kill(row[0], signal.SIGKILL)

        thread = threading.Thread(target=stop)
        thread.start()
        with pytest.raises(ConnectError) as raised:
            DryRunExecutor().run(conn, Migration.from_sql("CREATE TEMP TABLE leak (id int);\nSELECT pg_sleep(60);"))
        thread.join()
    assert raised.value.exit_code == 3
    assert "lost" in raised.value.message


@pytest.mark.parametrize("moment", ["begins", "between statements"])
def test_a_server_that_is_gone_at_another_moment(mortal: EmbeddedServer, moment: str) -> None:
    wanted = EventName.DRY_RUN_START if moment == "begins" else EventName.STATEMENT_COMPLETED

    def stop(event: Event) -> None:
        if event.name is wanted:
            mortal.stop()

    with psycopg.connect(mortal.dsn("postgres", "plain").conninfo(), autocommit=True) as conn:
        with pytest.raises(ConnectError):
            DryRunExecutor(sink=stop).run(conn, Migration.from_sql("SELECT 1;\nSELECT 2;"))
        with pytest.raises(ConnectError):
            DryRunExecutor().run(conn, Migration.from_sql("SELECT 1;"))
