"""The service on the demo: what the app and the command line get when there is a whole shop to look at."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.config import Settings
from confiture_tui.core.dry_run.result import Rows, Verdict
from confiture_tui.core.migrations.status import MigrationState
from confiture_tui.database.cancellation import CancelScope
from confiture_tui.database.demo import shop
from confiture_tui.database.demo.traffic import CONNECTIONS
from confiture_tui.errors import Cancelled, ConfitureError, UsageError
from confiture_tui.events import Event, EventName
from confiture_tui.service import MigrationService
from confiture_tui.service.running import PlanChanged, RunRequest
from tests.support.processes import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from confiture_tui.core.dry_run.result import DryRunResult, StatementObservation


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return []


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, events: list[Event]) -> Iterator[MigrationService]:
    """The demo, open."""
    service = demo_in(tmp_path_factory.mktemp("nowhere"))
    service.events.subscribe(events.append)
    asyncio.run(service.open())
    yield service
    asyncio.run(service.close())


def demo_in(directory: Path) -> MigrationService:
    """The demo, not open yet."""
    return MigrationService(Settings(project_dir=directory, migrations_dir=directory), demo=True)


def children() -> set[int]:
    """The processes that this one has started and that still run: the servers' among them."""
    listing = subprocess.run(
        ["ps", "-o", "pid=,stat=,comm=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
    ).stdout
    found = (line.split(maxsplit=2) for line in listing.splitlines())
    return {int(pid) for pid, state, name in found if not state.startswith("Z") and name != "ps"}


def locks(statement: StatementObservation) -> dict[str, str]:
    return {lock.relation: str(lock.mode) for lock in statement.locks or ()}


async def test_it_is_open(service: MigrationService) -> None:
    assert service.project is not None
    assert service.target is not None
    assert (service.project.environment, service.project.is_production) == ("demo", False)
    assert (service.target.database, service.target.role, service.target.is_superuser) == ("shop", "shop_owner", False)


async def test_twelve_are_pending(service: MigrationService) -> None:
    states = {one.version: one.state for one in await service.status()}
    pending = [version for version, state in states.items() if state is MigrationState.PENDING]
    assert pending == [f"{number:03}" for number in range(8, 20)]
    assert set(states.values()) == {MigrationState.PENDING, MigrationState.APPLIED}


async def test_a_safe_column_touches_one_table_briefly(service: MigrationService) -> None:
    result = await service.dry_run("008")
    column = next(one for one in result.statements if one.tag == "ALTER TABLE")
    assert result.ok
    assert locks(column) == {"public.w_order": "ACCESS EXCLUSIVE"}
    assert (column.rewrites, column.scans) == ((), ())
    assert result.rows is Rows.FULL


async def test_a_volatile_default_rewrites(service: MigrationService) -> None:
    column = (await service.dry_run("009")).statements[0]
    assert column.rewrites == ("public.w_order_line",)
    assert "public.w_order_line_pkey" in (column.rebuilds or ())
    assert (column.wal_bytes or 0) > 1_000_000


async def test_a_foreign_key_scans_both_sides_under_lock(service: MigrationService) -> None:
    key = (await service.dry_run("010")).statements[0]
    both = {"public.w_order_line": "SHARE ROW EXCLUSIVE", "public.w_batch": "SHARE ROW EXCLUSIVE"}
    assert locks(key) == both
    assert set(key.scans or ()) == set(both)


async def test_an_index_on_duplicates_is_left_invalid(service: MigrationService) -> None:
    result = await service.dry_run("011")
    assert result.failure is not None
    assert result.failure.sqlstate == "23505"
    assert result.statements[0].invalid_indexes == ("public.w_customer_email_key",)
    assert locks(result.statements[0]) == {"public.w_customer": "SHARE UPDATE EXCLUSIVE"}


async def test_a_column_in_use_cannot_go_and_the_failing_one_before_is_told(service: MigrationService) -> None:
    result = await service.dry_run("012")
    assert result.failure is not None
    assert result.failure.sqlstate == "2BP01"
    assert "v_wholesale_contact" in (result.failure.detail or "")
    assert any("011_one_account_per_email" in note for note in result.notes)


FAILING = {"011": "23505", "012": "2BP01", "015": "23502", "017": "55P04"}


@pytest.mark.parametrize("version", [f"{number:03}" for number in range(13, 20)])
async def test_the_others_end_as_the_demo_means_them_to(service: MigrationService, version: str) -> None:
    result = await service.dry_run(version)
    assert (result.failure.sqlstate if result.failure else None) == FAILING.get(version), result.failure
    assert result.proof.nothing_persisted
    told = [note for note in result.notes if "comes first and fails" in note]
    assert len(told) == sum(failing < version for failing in FAILING)


async def test_a_wider_type_rewrites(service: MigrationService) -> None:
    (column,) = (await service.dry_run("013")).statements
    assert "public.w_order_line" in (column.rewrites or ())
    assert locks(column)["public.w_order_line"] == "ACCESS EXCLUSIVE"


async def test_the_proof_is_looked_for_under_a_weak_lock(service: MigrationService) -> None:
    _time_out, validate, not_null, drop = (await service.dry_run("014")).statements
    assert locks(validate) == {"public.w_order": "SHARE UPDATE EXCLUSIVE"}
    assert validate.scans == ("public.w_order",)
    for one in (not_null, drop):
        assert locks(one) == {"public.w_order": "ACCESS EXCLUSIVE"}
        assert one.scans == ()


async def test_a_rename_takes_the_whole_partitioned_table(service: MigrationService) -> None:
    (rename,) = (await service.dry_run("018")).statements
    taken = locks(rename)
    assert len(taken) > 20
    assert set(taken.values()) == {"ACCESS EXCLUSIVE"}


async def test_a_backfill_writes_every_row_and_builds_its_index(service: MigrationService) -> None:
    statements = (await service.dry_run("019")).statements
    update = next(one for one in statements if one.tag == "UPDATE")
    index = next(one for one in statements if one.tag == "CREATE INDEX")
    assert update.rows == 12000
    assert locks(index) == {"public.r_customer_overview": "SHARE"}
    assert index.builds == ("public.r_customer_overview_fruit_idx",)


async def test_the_target_is_as_it_was(service: MigrationService) -> None:
    """Dry runs on the shadow leave the live shop alone: its catalog, and the server's list of databases."""
    workspace = service._workspace()
    dsn = workspace.reaching.dsn
    assert dsn is not None
    for version in ("009", "011"):
        await service.dry_run(version)
    with psycopg.connect(dsn.conninfo()) as conn:
        column = conn.execute(
            "SELECT count(*) FROM pg_attribute WHERE attrelid = 'w_order_line'::regclass AND attname LIKE '%seal%'"
        ).fetchone()
        index = conn.execute("SELECT to_regclass('w_customer_email_key')").fetchone()
        clones = conn.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'confiture_clone%'").fetchone()
    assert (column, index, clones) == ((0,), (None,), (0,))


async def test_the_last_result_is_kept(service: MigrationService) -> None:
    result: DryRunResult = await service.dry_run("008")
    assert service.results["008"] is result
    assert result.verdict is Verdict.OK


async def test_cancelling_leaves_the_service_usable(service: MigrationService, events: list[Event]) -> None:
    job = service.dry_run("009")
    job.cancel()
    with pytest.raises(Cancelled):
        await job
    assert any(event.name is EventName.JOB_CANCELLED for event in events)
    assert (await service.dry_run("008")).ok


async def test_an_unknown_version_is_a_sentence(service: MigrationService) -> None:
    with pytest.raises(UsageError, match="no migration 999"):
        await service.dry_run("999")


async def test_preview_claims_nothing(service: MigrationService) -> None:
    preview = await service.preview("009")
    assert preview.analysed == (0, len(preview.statements))
    assert all(one.locks is None and one.basis is None for one in preview.statements)
    assert preview.has_down


# In pieces, so that nobody who reads it can tell what it will do.
HOSTILE = """
DO $$ BEGIN
    EXECUTE format('COMM' || 'ENT ON DATA' || 'BASE %I IS %L', current_database(), 'tried');
    EXECUTE 'ALTER RO' || 'LE CURRENT_USER SET search_path = nowhere';
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid();
END $$;
"""
BY_NAME = "DO $$ BEGIN EXECUTE 'ALTER DATA' || 'BASE shop SET search_path = nowhere'; END $$;"


async def test_what_is_tried_does_not_reach_the_live_shop(
    service: MigrationService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Comments on databases, settings of roles and sessions are a server's, not a database's: it is another server."""
    workspace = service._workspace()
    assert workspace.reaching.dsn is not None
    migrations = tmp_path / "migrations"
    files = workspace._project_files
    shutil.copytree(files.directory, migrations)
    (migrations / "900_hostile.up.sql").write_text(HOSTILE)
    (migrations / "901_by_name.up.sql").write_text(BY_NAME)
    monkeypatch.setattr(files, "directory", migrations)
    with psycopg.connect(workspace.reaching.dsn.conninfo(), autocommit=True) as session:
        hostile = await service.dry_run("900")
        assert hostile.ok, "it was run"
        by_name = await service.dry_run("901")
        assert by_name.failure is not None, by_name
        assert by_name.failure.sqlstate == "3D000", "there is no live shop where it is tried"
        row = session.execute(
            "SELECT (SELECT array_agg(description) FROM pg_shdescription WHERE description = 'tried'),"
            " (SELECT array_agg(setconfig::text) FROM pg_db_role_setting)"
        ).fetchone()
    assert row == (None, None)
    monkeypatch.undo()
    assert (await service.dry_run("008")).ok


async def test_the_template_is_not_the_owners_to_drop(service: MigrationService) -> None:
    server = service._workspace()._shadow_server.get(CancelScope())
    with psycopg.connect(server.dsn().conninfo()) as conn:
        databases = conn.execute(
            "SELECT datname::text, pg_get_userbyid(datdba)::text, datistemplate, datallowconn FROM pg_database"
            " WHERE datname LIKE 'shop%'"
        ).fetchall()
    assert databases == [("shop_pristine", "postgres", True, False)]


async def test_the_log_tells_one_building_and_one_shadow(service: MigrationService, events: list[Event]) -> None:
    await service.dry_run("008")
    names = [event.name for event in events]
    assert names.count(EventName.DEMO_READY) == 1
    assert names.count(EventName.SHADOW_READY) == 1
    building = [event.data["fraction"] for event in events if event.name is EventName.DEMO_BUILDING]
    assert building == sorted(building)
    assert building[0] == 0


async def test_a_dead_shadow_server_is_replaced(service: MigrationService, events: list[Event]) -> None:
    assert (await service.dry_run("008")).ok
    server = service._workspace()._shadow_server.get(CancelScope())
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: not server.is_running, "the server is gone")
    assert (await service.dry_run("008")).ok
    assert any(event.name is EventName.SERVER_STOPPED and "found dead" in event.message for event in events)


def at(name: EventName, count: int) -> Callable[[Event], bool]:
    """True for the event that is the ``count``-th of this name."""
    left = [count]

    def reached(event: Event) -> bool:
        if event.name is name:
            left[0] -= 1
        return event.name is name and left[0] == 0

    return reached


MOMENTS = {
    "as it begins": (EventName.JOB_STARTED, 1),
    "while the servers start": (EventName.SERVER_STARTING, 1),
    "when the live one has started": (EventName.SERVER_STARTED, 1),
    "while both are filled": (EventName.DEMO_BUILDING, 8),
    "when the live one is ready": (EventName.DEMO_READY, 1),
    "when the shadow is ready": (EventName.SHADOW_READY, 1),
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_closing_leaves_no_server_whenever_it_comes(tmp_path: Path, moment: str) -> None:
    before = children()
    service = demo_in(tmp_path)
    reached, is_moment = threading.Event(), at(*MOMENTS[moment])
    service.events.subscribe(lambda event: reached.set() if is_moment(event) else None)
    opening = asyncio.ensure_future(service.open())
    assert await asyncio.to_thread(reached.wait, 120)
    await service.close()
    await asyncio.gather(opening, return_exceptions=True)
    threads = [one for one in threading.enumerate() if one.name == "shadow-server" or one.name.startswith("job-")]
    for thread in threads:
        await asyncio.to_thread(thread.join, 60)
    assert children() <= before


async def test_an_opening_that_was_cancelled_stops_its_servers_and_can_be_repeated(tmp_path: Path) -> None:
    before = children()
    service = demo_in(tmp_path)
    reached, is_moment = threading.Event(), at(EventName.DEMO_BUILDING, 5)
    service.events.subscribe(lambda event: reached.set() if is_moment(event) else None)
    opening = asyncio.ensure_future(service.open())
    assert await asyncio.to_thread(reached.wait, 120)
    service.jobs.running[0].cancel()
    with pytest.raises(Cancelled):
        await opening
    await asyncio.to_thread(until, lambda: children() <= before, "no server is left", 60)
    await service.open()
    assert (await service.dry_run("008")).ok
    await service.close()
    assert children() <= before


async def test_a_shadow_that_cannot_be_built_is_a_sentence_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = shop.build_pristine

    def fail(*_arguments: object, **_more: object) -> str:
        monkeypatch.setattr(shop, "build_pristine", build)
        raise ConfitureError("The demo shop could not be built: the disk is full.")

    monkeypatch.setattr(shop, "build_pristine", fail)
    service = demo_in(tmp_path)
    await service.open()
    assert len(await service.status()) > 5
    with pytest.raises(ConfitureError, match="the disk is full"):
        await service.dry_run("008")
    assert (await service.dry_run("008")).ok
    await service.close()


async def test_customers_come_only_when_they_are_asked_in_and_leave_with_the_service(
    service: MigrationService, tmp_path: Path
) -> None:
    assert service._workspace()._demo_shop.traffic is None
    before = children()
    busy = MigrationService(Settings(project_dir=tmp_path, migrations_dir=tmp_path), demo=True, traffic=True)
    await busy.open()
    workspace = busy._workspace()
    traffic, dsn = workspace._demo_shop.traffic, workspace.reaching.dsn
    assert traffic is not None
    assert dsn is not None
    await asyncio.to_thread(until, lambda: traffic.transactions > 5, "the customers buy", 60)
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pantry'"
    with psycopg.connect(dsn.conninfo(), autocommit=True) as conn:
        assert conn.execute(sessions.encode()).fetchone() == (CONNECTIONS,)
    result = await busy.dry_run("013")
    assert result.ok
    assert set(locks(result.statements[0])) >= {"public.w_order_line"}
    server = workspace._shadow_server.get(CancelScope())
    with psycopg.connect(server.dsn().conninfo(), autocommit=True) as conn:
        assert conn.execute(sessions.encode()).fetchone() == (0,), "no customer where migrations are tried"
    await busy.close()
    assert children() <= before
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("demo-traffic")]


async def test_what_is_applied_to_the_shop_is_on_its_shadow_too(tmp_path: Path) -> None:
    service = demo_in(tmp_path)
    await service.open()
    try:
        request = RunRequest(to="008")
        prepared = await service.prepare_run(request)
        assert [one.version for one in prepared.plan.migrations] == ["008"]
        result = await service.run(request, prepared.plan.digest)
        assert result.ok, result.migrations[0].error
        states = {one.version: one.state for one in await service.status()}
        assert (states["008"], states["009"]) == ("applied", "pending")
        tried = await service.dry_run("009")
        assert tried.ok, tried.failure
        (again,) = [one for one in await service.history() if one.version == "008"]
        assert again.state == "done"
        back = RunRequest(direction="backward")
        prepared = await service.prepare_run(back)
        assert (await service.run(back, prepared.plan.digest)).ok
        with pytest.raises(PlanChanged):
            await service.run(back, prepared.plan.digest)
    finally:
        await service.close()
