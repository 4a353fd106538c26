"""The service on projects: with files only, with a database, and with what goes wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.config import Settings
from confiture_tui.core.dry_run.result import Rows
from confiture_tui.core.migrations.stamp import stamp_of
from confiture_tui.core.migrations.status import MigrationState
from confiture_tui.database.cancellation import CancelScope
from confiture_tui.errors import Cancelled, ConnectError, UsageError
from confiture_tui.events import Event, EventName
from confiture_tui.secret import Secret
from confiture_tui.service import MigrationService, project_files
from confiture_tui.service.assess_request import AssessRequest
from tests.support.processes import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two migrations."""
    migrations = tmp_path / "db" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "001_start.up.sql").write_text("CREATE TABLE jar (id int PRIMARY KEY, label text);\n")
    (migrations / "001_start.down.sql").write_text("DROP TABLE jar;\n")
    (migrations / "002_label.up.sql").write_text("ALTER TABLE jar ALTER COLUMN label SET NOT NULL;\n")
    (migrations / "002_label.down.sql").write_text("ALTER TABLE jar ALTER COLUMN label DROP NOT NULL;\n")
    return tmp_path


@pytest.fixture
async def service_on(project: Path) -> AsyncIterator[Callable[..., MigrationService]]:
    """``service_on(dsn=…)`` makes a service on the project; it is closed after the test."""
    made: list[MigrationService] = []

    def make(dsn: Dsn | None = None, **settings: Any) -> MigrationService:
        secret = Secret(dsn.conninfo()) if dsn else None
        given = Settings(project_dir=project, migrations_dir=project / "db" / "migrations", dsn=secret, **settings)
        made.append(MigrationService(given))
        return made[-1]

    yield make
    for service in made:
        await service.close()


async def test_files_alone_are_enough_for_a_dry_run(service_on: Callable[..., MigrationService]) -> None:
    service = service_on()
    await service.open()
    assert service.target is None
    assert [one.state for one in await service.status()] == [MigrationState.PENDING] * 2
    result = await service.dry_run("002")
    assert result.ok, result.failure
    assert result.rows is Rows.NONE
    assert [lock.relation for lock in result.statements[0].locks or ()] == ["public.jar"]
    assert any("no database" in note for note in result.notes)


async def test_a_database_is_read_and_not_written(
    service_on: Callable[..., MigrationService], database_from: Callable[[str], Dsn]
) -> None:
    dsn = database_from("CREATE TABLE jar (id int PRIMARY KEY, label text); INSERT INTO jar VALUES (1, NULL)")
    service = service_on(dsn)
    await service.open()
    assert service.target is not None
    assert service.target.database == dsn.parameters()["dbname"]
    result = await service.dry_run("001")
    assert result.failure is not None
    assert result.failure.sqlstate == "42P07", "the table is there already: the shadow has the target's schema"
    with psycopg.connect(dsn.conninfo()) as conn:
        assert conn.execute("SELECT count(*) FROM jar").fetchone() == (1,)
        column = "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'jar'::regclass AND attname = 'label'"
        assert conn.execute(column).fetchone() == (False,)


async def test_the_shadow_follows_the_target(
    service_on: Callable[..., MigrationService], database_from: Callable[[str], Dsn]
) -> None:
    dsn = database_from("CREATE TABLE other ()")
    service = service_on(dsn)
    await service.open()
    assert (await service.dry_run("001")).ok
    with psycopg.connect(dsn.conninfo()) as conn:
        conn.execute("CREATE TABLE jar (id int)")
    result = await service.dry_run("001")
    assert result.failure is not None
    assert result.failure.sqlstate == "42P07"


async def test_a_server_that_is_down_is_a_sentence(
    service_on: Callable[..., MigrationService], server: EmbeddedServer
) -> None:
    service = service_on()
    service.settings = replace(
        service.settings, dsn=Secret("host=127.0.0.1 port=1 user=bob password=s3cret dbname=shop")
    )
    with pytest.raises(ConnectError, match=r"127\.0\.0\.1:1") as caught:
        await service.open()
    assert "s3cret" not in repr(caught.value) + str(caught.value)


async def test_no_migrations_directory_is_a_sentence(tmp_path: Path) -> None:
    service = MigrationService(Settings(project_dir=tmp_path, migrations_dir=tmp_path / "db" / "migrations"))
    with pytest.raises(UsageError, match="no directory"):
        await service.open()
    await service.close()


async def test_an_unknown_runner_is_a_sentence(service_on: Callable[..., MigrationService]) -> None:
    with pytest.raises(UsageError, match="no runner profile 'liquibase'"):
        await service_on(runner="liquibase").open()


async def test_a_syntax_error_is_certain_before_anything_is_tried(
    service_on: Callable[..., MigrationService], project: Path
) -> None:
    path = project / "db" / "migrations" / "003_broken.up.sql"
    path.write_text("SELECT 1;\nALTER TABEL jar ADD x int;\nSELECT 2;\n")
    service = service_on()
    await service.open()
    preview = await service.preview("003")
    assert [one.fails.sqlstate if one.fails else None for one in preview.statements] == [None, "42601", None]
    result = await service.dry_run("003")
    assert result.failure is not None
    assert (result.failure.sqlstate, result.failure.line) == ("42601", 2)


async def test_declared_hooks_are_shown_and_a_mistake_in_their_file_is_a_finding(
    service_on: Callable[..., MigrationService], project: Path
) -> None:
    declared = project / "db/migrations/003_more.hooks.yaml"
    (declared.parent / "003_more.up.sql").write_text("SELECT 1;\n")
    declared.write_text(
        "hooks:\n- hook: analyze_tables\n  phase: cleanup\n- lint_schema\n- {hook: somebodys, direction: both}\n"
    )
    service = service_on()
    await service.open()
    preview = await service.preview("003")
    assert [(one.hook, one.phase, one.direction) for one in preview.hooks] == [
        ("analyze_tables", "CLEANUP", "forward"),
        ("lint_schema", "BEFORE_VALIDATION", "forward"),
        ("somebodys", None, "both"),
    ]
    declared.write_text("hooks:\n- hok: analyze_tables\n")
    preview = await service.preview("003")
    assert preview.hooks == ()
    assert any(one.code == "hooks-file" and "line 2" in one.message for one in preview.findings)


async def test_a_program_among_the_pending_is_told(service_on: Callable[..., MigrationService], project: Path) -> None:
    (project / "db" / "migrations" / "0015_program.py").write_text("class Migration: ...\n")
    service = service_on()
    await service.open()
    result = await service.dry_run("002")
    assert any("0015_program" in note for note in result.notes)


async def test_a_file_that_is_not_utf8_is_not_tried(service_on: Callable[..., MigrationService], project: Path) -> None:
    (project / "db" / "migrations" / "003_latin.up.sql").write_bytes(
        b"SELECT 1;\nCOMMENT ON TABLE jar IS 'g\xfcltig';\n"
    )
    service = service_on()
    await service.open()
    with pytest.raises(UsageError, match="003_latin") as caught:
        await service.dry_run("003")
    assert "UTF-8" in str(caught.value)
    assert (await service.dry_run("002")).ok


async def test_an_edited_file_is_what_is_tried(service_on: Callable[..., MigrationService], project: Path) -> None:
    service = service_on()
    await service.open()
    assert (await service.dry_run("002")).ok
    (project / "db" / "migrations" / "002_label.up.sql").write_text("ALTER TABLE jar DROP COLUMN no_such;\n")
    result = await service.dry_run("002")
    assert result.failure is not None
    assert result.failure.sqlstate == "42703"
    (project / "db" / "migrations" / "004_new.up.sql").write_text("SELECT 1;\n")
    assert "004" in [one.version for one in await service.status()]


def bases_on(server: EmbeddedServer) -> int:
    """How many shadows there are on a server."""
    with psycopg.connect(server.dsn().conninfo()) as conn:
        row = conn.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'confiture_base%'").fetchone()
    return int(row[0]) if row else -1


async def test_a_shadow_stays_while_somebody_works_on_it(
    service_on: Callable[..., MigrationService], database_from: Callable[[str], Dsn]
) -> None:
    """The target changes under a dry run: it ends on the shadow that it began on, which is dropped then."""
    dsn = database_from("CREATE TABLE yet_another ()")
    service = service_on(dsn)
    await service.open()
    between, go_on = threading.Event(), threading.Event()

    def hold(event: Event) -> None:
        if event.name is EventName.PASS_STARTED and event.phase == "observation" and not between.is_set():
            between.set()
            go_on.wait(60)

    service.events.subscribe(hold)
    first = service.dry_run("001")
    assert await asyncio.to_thread(between.wait, 60)
    with psycopg.connect(dsn.conninfo()) as conn:
        conn.execute("CREATE TABLE jar (id int)")
    second = await service.dry_run("001")
    server = service._workspace()._shadow_server.get(CancelScope())
    assert bases_on(server) == 2
    go_on.set()
    assert (await first).ok
    assert second.failure is not None
    assert bases_on(server) == 1


async def test_who_waits_for_the_shadow_can_be_cancelled(
    service_on: Callable[..., MigrationService], database_from: Callable[[str], Dsn]
) -> None:
    service = service_on(database_from("CREATE TABLE jam ()"))
    await service.open()
    making, go_on, waiting = threading.Event(), threading.Event(), threading.Event()

    def hold(event: Event) -> None:
        if event.name is EventName.SHADOW_BUILDING and "Copying" in event.message:
            making.set()
            go_on.wait(60)
        elif event.name is EventName.JOB_STARTED and making.is_set():
            waiting.set()

    service.events.subscribe(hold)
    first = service.dry_run("001")
    assert await asyncio.to_thread(making.wait, 60)
    second = service.dry_run("001")
    assert await asyncio.to_thread(waiting.wait, 60)
    second.cancel()
    with pytest.raises(Cancelled) as caught:
        await second
    assert "abandoned" not in str(caught.value)
    go_on.set()
    assert (await first).ok


async def test_a_dead_shadow_server_is_replaced(
    service_on: Callable[..., MigrationService], database_from: Callable[[str], Dsn]
) -> None:
    service = service_on(database_from("CREATE TABLE cellar ()"))
    await service.open()
    assert (await service.dry_run("002")).ok
    shadow_server = service._workspace()._shadow_server
    server = shadow_server.get(CancelScope())
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: not server.is_running, "the server is gone")
    assert (await service.dry_run("002")).ok
    assert shadow_server.get(CancelScope()).pid != server.pid
    assert not server.directory.exists()


async def test_an_earlier_file_that_cannot_be_used_is_left_out_and_told(
    service_on: Callable[..., MigrationService], project: Path
) -> None:
    (project / "db" / "migrations" / "0015_latin.up.sql").write_bytes(b"CREATE TABLE g\xfcltig ();\n")
    service = service_on()
    await service.open()
    result = await service.dry_run("002")
    assert result.ok
    assert any("0015_latin comes first and was left out" in note for note in result.notes)


async def test_several_earlier_ones_are_applied_once_each(
    service_on: Callable[..., MigrationService], project: Path
) -> None:
    """The shadow for the third grows from that of the second; a failure among them is told from then on."""
    migrations = project / "db" / "migrations"
    (migrations / "003_wrong.up.sql").write_text("ALTER TABLE nowhere ADD x int;\n")
    (migrations / "004_lid.up.sql").write_text("ALTER TABLE jar ADD lid text;\n")
    (migrations / "005_lid.up.sql").write_text("ALTER TABLE jar DROP COLUMN lid;\n")
    service = service_on()
    await service.open()
    for version in ("001", "002", "004", "005"):
        result = await service.dry_run(version)
        assert result.ok, result.failure
        told = [note for note in result.notes if "003_wrong comes first and fails" in note]
        assert len(told) == (1 if version > "003" else 0)


async def test_nothing_is_started_after_the_end(service_on: Callable[..., MigrationService]) -> None:
    service = service_on()
    await service.open()
    await service.close()
    with pytest.raises(Cancelled, match="closed"):
        await service.dry_run("001")


async def test_a_database_given_directly_is_in_no_named_environment(
    service_on: Callable[..., MigrationService], database_from: Callable[[str], Dsn]
) -> None:
    service = service_on(database_from("SELECT 1"))
    await service.open()
    assert service.project is not None
    assert service.project.environment == "unnamed"


async def test_an_applied_migration_is_not_tried_again(
    service_on: Callable[..., MigrationService], database_from: Callable[[str], Dsn]
) -> None:
    ledger = (
        "CREATE TABLE tb_confiture (version text, name text, applied_at timestamptz DEFAULT now());"
        "INSERT INTO tb_confiture (version, name) VALUES ('001', 'start'); CREATE TABLE jar (id int, label text)"
    )
    service = service_on(database_from(ledger))
    await service.open()
    with pytest.raises(UsageError, match="001_start is applied already"):
        await service.dry_run("001")
    assert (await service.dry_run("002")).ok


async def test_files_that_nobody_touches_are_read_once_for_the_list_and_its_assessments(
    service_on: Callable[..., MigrationService], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What was written within the last two seconds is read each time.
    later = time.time_ns() + 60_000_000_000
    monkeypatch.setattr(project_files, "stamp_of", partial(stamp_of, now=later))
    service = service_on()
    await service.open()
    opened = service._workspace()._project_files.migrations
    await service.status()
    await service.assess(AssessRequest())
    assert service._workspace()._project_files.migrations is opened
    (project / "db" / "migrations" / "002_label.up.sql").write_text("ALTER TABLE jar DROP COLUMN label;\n")
    (assessed,) = await service.assess(AssessRequest(versions=("002",)))
    assert [one.tag for one in assessed.assessment.statements] == ["ALTER TABLE"]
    assert assessed.assessment.statements[0].sql.endswith("DROP COLUMN label")


async def test_who_asks_again_has_the_files_read_again(
    service_on: Callable[..., MigrationService], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_files, "stamp_of", lambda _directory: ())  # a file server that says nothing changes
    service = service_on()
    await service.open()
    opened = service._workspace()._project_files.migrations
    await service.status()
    assert service._workspace()._project_files.migrations is opened
    await service.status()
    assert service._workspace()._project_files.migrations is not opened
