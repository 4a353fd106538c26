"""A target that goes away, comes back, is reached through a pooler, or lets its role do little."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.config import Settings
from confiture_tui.core.migrations.status import MigrationState
from confiture_tui.database.connection import connect
from confiture_tui.database.embedded import EmbeddedServer
from confiture_tui.errors import ConfitureError, ConnectError, UsageError
from confiture_tui.secret import Secret
from confiture_tui.service import MigrationService
from tests.support.pooler import TransactionPooler
from tests.support.processes import until

if TYPE_CHECKING:
    from confiture_tui.database.dsn import Dsn
    from tests.support.databases import Databases

Made = Callable[[str], MigrationService]

LEDGER = """
CREATE TABLE tb_confiture (version text, name text, applied_at timestamptz DEFAULT now());
INSERT INTO tb_confiture (version, name) VALUES ('001', 'jar');
CREATE TABLE jar (id int);
"""


@pytest.fixture
async def service_on(tmp_path: Path) -> AsyncIterator[Made]:
    """``service_on(conninfo)`` is a service on a project with two migrations; it is closed after the test."""
    migrations = tmp_path / "db/migrations"
    migrations.mkdir(parents=True)
    for name in ("001_jar", "002_lid"):
        (migrations / f"{name}.up.sql").write_text(f"CREATE TABLE t_{name} (id int);\n")
        (migrations / f"{name}.down.sql").write_text(f"DROP TABLE t_{name};\n")
    made: list[MigrationService] = []

    def make(conninfo: str) -> MigrationService:
        settings = Settings(project_dir=tmp_path, migrations_dir=migrations, dsn=Secret(conninfo))
        made.append(MigrationService(settings))
        return made[-1]

    yield make
    for service in made:
        await service.close()


@pytest.fixture
def own_server() -> Iterator[EmbeddedServer]:
    """A server that the test may treat badly."""
    with EmbeddedServer.start() as server:
        yield server


async def states(service: MigrationService) -> list[MigrationState]:
    return [one.state for one in await service.status()]


BOTH = [MigrationState.APPLIED, MigrationState.PENDING]


async def test_a_server_that_stops_is_a_sentence(service_on: Made, own_server: EmbeddedServer) -> None:
    with connect(own_server.dsn()) as conn:
        conn.execute(LEDGER.encode())
    service = service_on(own_server.dsn().conninfo())
    await service.open()
    assert await states(service) == BOTH
    own_server.stop()
    with pytest.raises(ConnectError, match=r"No server has its socket|Nobody listens") as caught:
        await service.status()
    assert "Check that the server runs" in caught.value.hint


async def test_a_server_that_restarts_is_used_again(service_on: Made, own_server: EmbeddedServer) -> None:
    """One backend is killed: the server ends every session, recovers, and lets people in again."""
    with connect(own_server.dsn()) as conn:
        conn.execute(LEDGER.encode())
        # The embedded server confirms a COMMIT before it is on the disk.
        conn.execute("CHECKPOINT")
    service = service_on(own_server.dsn().conninfo())
    await service.open()
    victim = connect(own_server.dsn())
    os.kill(victim.info.backend_pid, signal.SIGKILL)
    with pytest.raises(psycopg.OperationalError):
        victim.execute("SELECT pg_sleep(60)")
    victim.close()

    def back() -> bool:
        try:
            connect(own_server.dsn()).close()
        except ConnectError:
            return False
        return True

    await asyncio.to_thread(until, back, "the server lets people in again")
    assert await states(service) == BOTH
    assert (await service.dry_run("002")).ok


async def test_a_session_that_is_ended_in_the_middle_is_a_sentence(
    service_on: Made, database_from: Callable[[str], Dsn]
) -> None:
    dsn = database_from(LEDGER)
    service = service_on(dsn.conninfo())
    await service.open()
    with connect(dsn) as holder, connect(dsn) as killer:
        holder.execute("BEGIN; LOCK TABLE tb_confiture")
        reading = asyncio.ensure_future(service.status())
        waiting = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'"
        )
        await asyncio.to_thread(until, lambda: killer.execute(waiting).fetchone() == (True,), "it waits, and is ended")
        with pytest.raises(ConfitureError, match=r"terminating connection|connection was lost"):
            await reading
        holder.execute("ROLLBACK")
    assert await states(service) == BOTH


async def test_a_pooler_is_read_through_and_nothing_is_left_in_its_sessions(
    service_on: Made, database_from: Callable[[str], Dsn], tmp_path_factory: pytest.TempPathFactory
) -> None:
    dsn = database_from(LEDGER)
    with TransactionPooler(dsn, tmp_path_factory.mktemp("pool")) as pooler:
        service = service_on(pooler.conninfo)
        await service.open()
        for _ in range(3):
            assert await states(service) == BOTH
        assert (await service.dry_run("002")).ok
        with psycopg.connect(pooler.conninfo, autocommit=True) as client:
            assert client.execute("SHOW default_transaction_read_only").fetchone() == ("off",)
            assert client.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
            client.execute("INSERT INTO jar VALUES (1)")


async def test_a_role_that_may_not_read_the_ledger_is_told_what_to_ask_for(
    service_on: Made, databases: Databases, database_from: Callable[[str], Dsn]
) -> None:
    databases.server.create_login("jam_guest")
    dsn = database_from(LEDGER)
    service = service_on(databases.server.dsn(dsn.parameters()["dbname"], "jam_guest").conninfo())
    await service.open()
    with pytest.raises(UsageError, match=r"jam_guest may not read public\.tb_confiture") as caught:
        await service.status()
    assert "grant SELECT on public.tb_confiture" in caught.value.hint


async def test_a_role_that_may_not_read_a_table_gets_a_shadow_made_of_the_history(
    service_on: Made, databases: Databases, database_from: Callable[[str], Dsn]
) -> None:
    databases.server.create_login("jam_guest")
    dsn = database_from(LEDGER)
    with connect(dsn) as conn:
        conn.execute("GRANT SELECT ON tb_confiture TO jam_guest")
    service = service_on(databases.server.dsn(dsn.parameters()["dbname"], "jam_guest").conninfo())
    await service.open()
    assert await states(service) == BOTH
    result = await service.dry_run("002")
    assert result.ok, result.failure
    assert any("permission denied for table jar" in note and "1 migrations" in note for note in result.notes)


async def test_the_session_refuses_to_write(service_on: Made, database_from: Callable[[str], Dsn]) -> None:
    service = service_on(database_from(LEDGER).conninfo())
    await service.open()

    def write(scope: Any) -> None:
        with service._workspace().reaching.connected(scope) as conn:
            conn.execute("INSERT INTO jar VALUES (1)")

    with pytest.raises(ConfitureError, match="read-only"):
        await service.jobs.start("Writing", write)
