"""What goes wrong while a shadow is made or used: told in a sentence, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.dry_run import dump
from confiture_tui.core.dry_run.result import DryRunResult, Outcome, Rows, Verdict
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.migrations.model import Migration
from confiture_tui.database.embedded import EmbeddedServer
from confiture_tui.database.embedded.workspace import sweep
from confiture_tui.errors import ConfitureError
from tests.support.dsn import name_of
from tests.support.processes import PythonProcess, is_alive, programs_of, until
from tests.support.small_disk import TABLESPACE, small_disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from confiture_tui.database.dsn import Dsn

SCHEMA = "CREATE TABLE jam (id int PRIMARY KEY, sugar int);"
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'"


@pytest.fixture
def target() -> Iterator[EmbeddedServer]:
    """A server with the database ``shop``, that the test may treat badly."""
    with EmbeddedServer.start() as server:
        server.create_database("shop")
        with psycopg.connect(server.dsn("shop").conninfo(), autocommit=True) as conn:
            conn.execute(SCHEMA)
        yield server


def ours_on(server: EmbeddedServer) -> list[Any]:
    """Databases, roles and sessions of dry runs on a server."""
    with psycopg.connect(server.dsn().conninfo()) as conn:
        return conn.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'confiture%' UNION ALL"
            " SELECT rolname FROM pg_roles WHERE rolname LIKE 'confiture%' UNION ALL"
            " SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'confiture-tui dry run%'"
        ).fetchall()


def making(target: EmbeddedServer, server: EmbeddedServer) -> tuple[threading.Thread, list[BaseException]]:
    """A thread that makes a shadow of ``shop``, and what that raises."""
    raised: list[BaseException] = []

    def work() -> None:
        try:
            with psycopg.connect(target.dsn("shop").conninfo(), autocommit=True) as conn:
                Shadow.of(conn, server=server).close()
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, raised


def test_a_target_that_goes_away_during_the_dump_is_a_sentence(target: EmbeddedServer) -> None:
    holder = psycopg.connect(target.dsn("shop").conninfo())
    with EmbeddedServer.start() as server:
        holder.execute("LOCK TABLE jam IN ACCESS EXCLUSIVE MODE")
        thread, raised = making(target, server)
        with psycopg.connect(target.dsn().conninfo(), autocommit=True) as watcher:
            until(lambda: watcher.execute(WAITS).fetchone() == (1,), "pg_dump waits for the lock")
            os.kill(target.pid, signal.SIGQUIT)
            thread.join(30)
            watcher.close()
        holder.close()
        assert len(raised) == 1
        assert isinstance(raised[0], ConfitureError)
        assert ours_on(server) == []


def test_a_table_that_somebody_holds_ends_the_dump_soon_and_nobody_waits_behind_it(
    target: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dump, "LOCK_WAIT", "100ms")
    with EmbeddedServer.start() as server, psycopg.connect(target.dsn("shop").conninfo()) as holder:
        holder.execute("LOCK TABLE jam IN ACCESS EXCLUSIVE MODE")
        thread, raised = making(target, server)
        thread.join(30)
        assert len(raised) == 1
        assert isinstance(raised[0], ConfitureError)
        assert "no ACCESS EXCLUSIVE lock" in raised[0].hint
        assert ours_on(server) == []
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        with psycopg.connect(target.dsn().conninfo()) as watcher:
            assert watcher.execute(waiting).fetchone() == (0,)


def test_a_shadow_whose_disk_is_full_says_nothing_of_the_target_and_leaves_nothing() -> None:
    with (
        EmbeddedServer.start() as server,
        small_disk(server, 64),
        psycopg.connect(server.dsn().conninfo(), autocommit=True) as admin,
    ):
        admin.execute(f"CREATE DATABASE little TABLESPACE {TABLESPACE}".encode())
        # Clones are made where their template is.
        shadow = Shadow.from_template(server, "little", owner="postgres", rows=Rows.NONE)
        result = shadow.dry_run(
            Migration.from_sql("CREATE TABLE a AS SELECT repeat('x', 1000) FROM generate_series(1, 200000);")
        )
        assert result.failure is not None
        assert result.failure.sqlstate == "53100"
        assert result.verdict is Verdict.INCONCLUSIVE
        assert any("the shadow's own server" in note for note in result.notes)
        assert result.proof.nothing_persisted
        assert shadow.dry_run(Migration.from_sql("CREATE TABLE a (id int);")).ok, "there is room again"
        assert ours_on(server) == []
        admin.execute("DROP DATABASE little")


def test_a_shadow_without_room_for_a_clone_is_a_sentence() -> None:
    with (
        EmbeddedServer.start() as server,
        small_disk(server, 12),
        psycopg.connect(server.dsn().conninfo(), autocommit=True) as admin,
    ):
        admin.execute(f"CREATE DATABASE little TABLESPACE {TABLESPACE}".encode())
        shadow = Shadow.from_template(server, "little", owner="postgres", rows=Rows.NONE)
        with pytest.raises(ConfitureError, match="No space left on device"):
            shadow.dry_run(Migration.from_sql("CREATE TABLE a (id int);"))
        assert ours_on(server) == []
        admin.execute("DROP DATABASE little")


def test_a_limit_of_the_shadows_server_says_nothing_of_the_target() -> None:
    with EmbeddedServer.start(settings={"temp_file_limit": "64kB"}) as server:
        with Shadow.empty(server=server) as shadow:
            sql = "CREATE TABLE a AS SELECT n FROM generate_series(1, 2000000) n ORDER BY random();"
            result = shadow.dry_run(Migration.from_sql(sql))
        assert result.failure is not None
        assert (result.failure.sqlstate, result.verdict) == ("53400", Verdict.INCONCLUSIVE)
        assert result.proof.nothing_persisted
        assert ours_on(server) == []


def test_two_dry_runs_at_once_see_each_their_own(server: EmbeddedServer, database_from: Callable[[str], Dsn]) -> None:
    shadow = Shadow.from_template(server, name_of(database_from(SCHEMA)), owner="postgres", rows=Rows.NONE)
    shadow.catalog()
    results: dict[int, DryRunResult] = {}
    meet = threading.Barrier(2)

    def work(number: int) -> None:
        meet.wait()
        sql = f"ALTER TABLE jam ADD COLUMN c{number} int; SELECT pg_sleep(0.2);"
        results[number] = shadow.dry_run(Migration.from_sql(sql, version=str(number)))

    threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for number, result in results.items():
        assert result.ok
        assert result.proof.nothing_persisted
        assert result.schema_diff is not None
        assert [change.name for change in result.schema_diff.changes] == [f"public.jam.c{number}"]
    assert len(results) == 2


def test_a_migration_of_a_thousand_statements_is_seen_to_its_end(
    server: EmbeddedServer, database_from: Callable[[str], Dsn]
) -> None:
    shadow = Shadow.from_template(server, name_of(database_from(SCHEMA)), owner="postgres", rows=Rows.NONE)
    sql = "\n".join(f"COMMENT ON COLUMN jam.sugar IS '{number}';" for number in range(1000))
    result = shadow.dry_run(Migration.from_sql(sql))
    assert result.ok
    assert len(result.statements) == 1000
    assert {one.outcome for one in result.statements} == {Outcome.RAN}
    assert all(one.locks and one.locks[0].relation == "public.jam" for one in result.statements)
    assert any("too many" in note for note in result.notes)


_KILLED = """
import sys, psycopg
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.migrations.model import Migration
from confiture_tui.database.embedded import EmbeddedServer
with psycopg.connect(sys.argv[1], autocommit=True) as conn:
    server = EmbeddedServer.shared()
    shadow = Shadow.of(conn, server=server)
    print(server.pid, server.directory, conn.info.backend_pid, flush=True)
    shadow.dry_run(Migration.from_sql("ALTER TABLE jam ADD COLUMN x int; SELECT pg_sleep(60);"))
"""


def test_kill_9_leaves_no_server_no_directory_and_no_session_on_the_target(
    target: EmbeddedServer, tmp_path: Path
) -> None:
    from pathlib import Path

    with PythonProcess(_KILLED, target.dsn("shop").conninfo()) as process:
        pid, directory, backend = process.line().split()
        place = Path(directory)
        until(lambda: any("SELECT" in line for line in programs_of_clones(place)), "the dry run sleeps")
        process.process.kill()
        process.process.wait()
        until(lambda: not is_alive(int(pid)), "the server has ended")
        sweep()
        assert not place.exists()
        with psycopg.connect(target.dsn("shop").conninfo(), autocommit=True) as conn:
            there = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
            until(lambda: conn.execute(there, (int(backend),)).fetchone() == (0,), "its session has ended")
            assert conn.execute("SELECT count(*) FROM pg_attribute WHERE attname = 'x'").fetchone() == (0,)
            assert conn.execute("SELECT count(*) FROM pg_prepared_xacts").fetchone() == (0,)


def programs_of_clones(directory: Path) -> list[str]:
    """The backends that work in clones, as the process list shows them, if the server in that directory runs."""
    import subprocess

    if not programs_of(directory):
        return []
    listing = subprocess.run(["ps", "-ww", "-eo", "args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines() if "confiture_clone" in line]
