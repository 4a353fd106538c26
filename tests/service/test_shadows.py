"""Where the shadow comes from: what was kept, a server of the user's own, a clone with its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.config import Settings
from confiture_tui.core.dry_run.cache import ShadowCache
from confiture_tui.core.dry_run.result import DryRunResult, Rows, Verdict
from confiture_tui.core.hooks.result import HookOutcome
from confiture_tui.database.borrowed import BorrowedServer
from confiture_tui.database.disposable import unique_name
from confiture_tui.database.embedded import EmbeddedServer
from confiture_tui.errors import ConfitureError, UsageError
from confiture_tui.events import Event, EventName
from confiture_tui.secret import Secret
from confiture_tui.service import MigrationService

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from confiture_tui.database.dsn import Dsn

TARGET = "CREATE TABLE jar (id int PRIMARY KEY, label text);"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    migrations = tmp_path / "db" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "002_label.up.sql").write_text("ALTER TABLE jar ALTER COLUMN label SET NOT NULL;\n")
    return tmp_path


@pytest.fixture(scope="module")
def other() -> Iterator[EmbeddedServer]:
    """A server of the user's own: ``maker`` may create databases there, ``reader`` may not."""
    with EmbeddedServer.start() as server:
        with psycopg.connect(server.dsn().conninfo(), autocommit=True) as conn:
            conn.execute("CREATE ROLE maker LOGIN CREATEDB")
            conn.execute("CREATE ROLE reader LOGIN")
            conn.execute("CREATE ROLE clerk LOGIN CREATEDB CREATEROLE")
            conn.execute("CREATE ROLE runner LOGIN CREATEDB IN ROLE pg_execute_server_program")
            conn.execute("CREATE DATABASE clone OWNER maker")
        with psycopg.connect(server.dsn("clone", "maker").conninfo(), autocommit=True) as conn:
            conn.execute(TARGET + "INSERT INTO jar SELECT n, CASE WHEN n > 1 THEN 'x' END FROM generate_series(1, 9) n")
        yield server


def databases_on(server: EmbeddedServer) -> set[str]:
    with psycopg.connect(server.dsn().conninfo()) as conn:
        return {row[0] for row in conn.execute("SELECT datname FROM pg_database WHERE NOT datistemplate")}


@pytest.fixture
async def service_on(project: Path) -> AsyncIterator[Callable[..., MigrationService]]:
    made: list[MigrationService] = []

    def make(dsn: Dsn, events: list[Event] | None = None, **settings: Any) -> MigrationService:
        more: dict[str, Any] = {
            key: Secret(value) if key.endswith("_dsn") else value for key, value in settings.items()
        }
        given = Settings(
            project_dir=project,
            migrations_dir=project / "db" / "migrations",
            dsn=Secret(dsn.conninfo()),
            **more,
        )
        made.append(MigrationService(given))
        if events is not None:
            made[-1].events.subscribe(events.append)
        return made[-1]

    yield make
    for service in made:
        await service.close()


async def tried(service: MigrationService) -> DryRunResult:
    await service.open()
    return await service.dry_run("002")


async def test_the_second_dry_run_begins_with_the_shadow_of_the_first(
    service_on: Callable[..., MigrationService], database_from: Callable[[str], Dsn]
) -> None:
    ShadowCache().clear()
    dsn, events = database_from(TARGET), list[Event]()
    first = await tried(service_on(dsn))
    second = await tried(service_on(dsn, events))
    assert first.model_copy(update={"elapsed_ms": 0, "statements": ()}) == second.model_copy(
        update={"elapsed_ms": 0, "statements": ()}
    )
    assert [one.locks for one in first.statements] == [one.locks for one in second.statements]
    assert any("since it was kept" in event.message for event in events if event.name is EventName.SHADOW_READY)
    with psycopg.connect(dsn.conninfo(), autocommit=True) as conn:
        conn.execute("ALTER TABLE jar DROP COLUMN label")
    third = await tried(service_on(dsn))
    assert third.failure is not None
    assert third.failure.sqlstate == "42703"


async def test_a_kept_shadow_that_is_damaged_is_made_anew(
    service_on: Callable[..., MigrationService], database_from: Callable[[str], Dsn]
) -> None:
    dsn, events = database_from(TARGET), list[Event]()
    await tried(service_on(dsn))
    for path in ShadowCache().directory.glob("*.shadow"):
        path.write_bytes(path.read_bytes()[:-100])
    assert (await tried(service_on(dsn, events))).ok
    assert [event.message for event in events if event.name is EventName.SHADOW_CACHE and "made anew" in event.message]


async def test_without_the_cache_nothing_is_kept(
    service_on: Callable[..., MigrationService], database_from: Callable[[str], Dsn]
) -> None:
    ShadowCache().clear()
    assert (await tried(service_on(database_from(TARGET), shadow_cache=False))).ok
    assert ShadowCache().listed() == ()


async def test_on_a_server_of_the_users_own_databases_come_and_go_and_nothing_else(
    service_on: Callable[..., MigrationService], database_from: Callable[[str], Dsn], other: EmbeddedServer
) -> None:
    before = databases_on(other)
    service = service_on(database_from(TARGET), shadow_dsn=other.dsn("postgres", "maker").conninfo())
    result = await tried(service)
    assert result.ok, result.failure
    assert result.statements[0].scans == ("public.jar",)
    assert len(databases_on(other) - before) == 1
    await service.close()
    assert databases_on(other) == before
    with psycopg.connect(other.dsn().conninfo()) as conn:
        assert conn.execute("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'confiture%'").fetchone() == (0,)


async def test_what_a_killed_process_left_there_is_dropped_and_nothing_of_the_living(other: EmbeddedServer) -> None:
    dsn = other.dsn("postgres", "maker")
    living = BorrowedServer(dsn, bin_dir=other.bin_dir)
    living.create_database("confiture_base_000000000000_1")  # as if a process that is gone had made it
    ours = unique_name("base")
    living.create_database(ours)
    again = BorrowedServer(dsn, bin_dir=other.bin_dir)
    left = databases_on(other)
    again.close()
    living.close()
    assert ours in left
    assert "confiture_base_000000000000_1" not in left
    assert not {name for name in databases_on(other) if name.startswith("confiture_")}


@pytest.mark.parametrize(
    ("role", "says"),
    [
        ("reader", r"may not create databases \(CREATEDB\)"),
        ("postgres", "is a superuser"),
        ("clerk", "more than its own databases, with CREATEROLE"),
        ("runner", "more than its own databases, as a member of pg_execute_server_program"),
    ],
)
async def test_a_role_that_may_too_little_or_too_much_is_told(
    service_on: Callable[..., MigrationService],
    database_from: Callable[[str], Dsn],
    other: EmbeddedServer,
    role: str,
    says: str,
) -> None:
    service = service_on(database_from(TARGET), shadow_dsn=other.dsn("postgres", role).conninfo())
    with pytest.raises(UsageError, match=says) as caught:
        await tried(service)
    assert "CREATE ROLE confiture_shadow LOGIN CREATEDB" in caught.value.hint


async def test_the_targets_own_server_is_refused(
    service_on: Callable[..., MigrationService], other: EmbeddedServer
) -> None:
    service = service_on(other.dsn("clone", "maker"), shadow_dsn=other.dsn("postgres", "maker").conninfo())
    with pytest.raises(UsageError, match="the target's own server"):
        await tried(service)


async def test_a_clone_brings_its_rows_and_stays_as_it_is(
    service_on: Callable[..., MigrationService], database_from: Callable[[str], Dsn], other: EmbeddedServer
) -> None:
    before = databases_on(other)
    clone = other.dsn("clone", "maker")
    service = service_on(database_from(TARGET), clone_dsn=clone.conninfo())
    result = await tried(service)
    assert result.rows is Rows.FULL
    assert result.verdict is Verdict.FAILS
    assert result.failure is not None
    assert result.failure.sqlstate == "23502"
    await service.close()
    assert databases_on(other) == before
    with psycopg.connect(clone.conninfo()) as conn:
        assert conn.execute("SELECT count(*), count(label) FROM jar").fetchone() == (9, 8)


async def test_a_clone_that_somebody_uses_is_a_sentence(
    service_on: Callable[..., MigrationService], database_from: Callable[[str], Dsn], other: EmbeddedServer
) -> None:
    clone = other.dsn("clone", "maker")
    service = service_on(database_from(TARGET), clone_dsn=clone.conninfo())
    with psycopg.connect(clone.conninfo()), pytest.raises(ConfitureError, match="being accessed by other users"):
        await tried(service)


async def test_hooks_run_with_it_phase_by_phase_and_those_that_cannot_be_had_are_told(
    service_on: Callable[..., MigrationService], database_from: Callable[[str], Dsn], project: Path
) -> None:
    hooks = project / "db" / "migrations" / "002_label.hooks.yaml"
    hooks.write_text("hooks:\n  - hook: analyze_tables\n    options: {tables: [public.jar]}\n")
    service = service_on(database_from(TARGET))
    result = await tried(service)
    assert [(one.hook, one.outcome) for one in result.hooks] == [("analyze_tables", HookOutcome.OK)]
    hooks.write_text("hooks: [nobody_has_it]\n")
    result = await tried(service)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert any("nobody_has_it" in note for note in result.notes)


async def test_a_way_back_is_written_only_when_it_is_asked_for_and_never_over_another(
    service_on: Callable[..., MigrationService], database_from: Callable[[str], Dsn], project: Path
) -> None:
    down = project / "db" / "migrations" / "002_label.down.sql"
    service = service_on(database_from(TARGET))
    result = await tried(service)
    assert result.derived_down is not None
    assert not down.exists()
    assert await service.write_derived_down("002") == down
    assert "DROP NOT NULL" in down.read_text()
    with pytest.raises(UsageError, match="never overwritten"):
        await service.write_derived_down("002")
    proved = await tried(service)
    assert proved.round_trip is not None
    assert proved.round_trip.schema_proved is True
