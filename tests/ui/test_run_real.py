"""The wizard on the real service and a real server: apply, look, take back; stop one that waits for a lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.config import Settings
from confiture_tui.database.connection import connect
from confiture_tui.service import MigrationService
from confiture_tui.ui.app import ConfitureApp
from confiture_tui.ui.run_state import RunPhase
from tests.support.restartable import RestartableServer
from tests.ui.driving import Driver

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import psycopg

    from confiture_tui.database.dsn import Dsn


@pytest.fixture
def project(tmp_path: Path) -> Path:
    migrations = tmp_path / "db/migrations"
    migrations.mkdir(parents=True)
    (migrations / "001_note.up.sql").write_text("ALTER TABLE jar ADD COLUMN note text;\n")
    (migrations / "001_note.down.sql").write_text("ALTER TABLE jar DROP COLUMN note;\n")
    return tmp_path


def app_on(project: Path, dsn: Dsn) -> ConfitureApp:
    return ConfitureApp(MigrationService(Settings.load(project=project, dsn=dsn.secret.reveal(), environ={})))


def columns(conn: psycopg.Connection[Any]) -> list[str]:
    query = (
        "SELECT attname::text FROM pg_attribute WHERE attrelid = 'jar'::regclass AND attnum > 0 AND NOT attisdropped"
    )
    return [row[0] for row in conn.execute(query).fetchall()]


def phase_is(app: ConfitureApp, phase: RunPhase) -> Callable[[], bool]:
    return lambda: app.session.run.phase is phase


async def test_apply_look_and_take_back(project: Path, database: Dsn, conn: psycopg.Connection[Any]) -> None:
    conn.execute("CREATE TABLE jar (id int)")
    app = app_on(project, database)
    async with app.run_test(size=(120, 36)) as pilot:
        driver = Driver(app, pilot, None)  # type: ignore[arg-type]
        await driver.until_text("001_note")
        await driver.press("4")
        await driver.until(phase_is(app, RunPhase.PLANNED))
        await driver.press("a", "tab", "enter")
        await driver.until_text("1 applied")
        assert columns(conn) == ["id", "note"]
        await driver.press("5")
        await driver.until_text("1 run in the journal")
        await driver.press("3")
        await driver.until(lambda: app.session.lint.result is not None)
        await driver.press("4", "b")
        await driver.until_text("takes back 1 migration from")
        await driver.until(phase_is(app, RunPhase.PLANNED))
        await driver.press("a", "right", "enter")
        await driver.until_text("1 taken back")
        assert columns(conn) == ["id"]


async def test_one_that_waits_for_a_lock_is_stopped(
    project: Path, database: Dsn, conn: psycopg.Connection[Any]
) -> None:
    conn.execute("CREATE TABLE jar (id int)")
    app = app_on(project, database)
    async with app.run_test(size=(120, 36)) as pilot:
        driver = Driver(app, pilot, None)  # type: ignore[arg-type]
        await driver.until_text("001_note")
        conn.execute("BEGIN")
        conn.execute("LOCK TABLE jar IN ACCESS SHARE MODE")
        await driver.press("4")
        await driver.until(phase_is(app, RunPhase.PLANNED))
        await driver.press("a", "tab", "enter")
        await driver.until_text("Waiting for")
        await driver.press("escape")
        await driver.until(phase_is(app, RunPhase.ENDED))
        await driver.until_text("cancelled")
        conn.execute("ROLLBACK")
        assert columns(conn) == ["id"]


async def test_quitting_in_the_middle_leaves_word_of_what_stands(
    project: Path, database: Dsn, conn: psycopg.Connection[Any]
) -> None:
    conn.execute("CREATE TABLE jar (id int)")
    (project / "db/migrations/002_slow.up.sql").write_text("SELECT pg_sleep(60);\n")
    app = app_on(project, database)
    async with app.run_test(size=(80, 24)) as pilot:
        driver = Driver(app, pilot, None)  # type: ignore[arg-type]
        await driver.until_text("002_slow")
        await driver.press("4")
        await driver.until(phase_is(app, RunPhase.PLANNED))
        await driver.press("a", "tab", "enter")
        await driver.until_text("002_slow: statement 1 of 1")
        await driver.press("ctrl+q")
    told, _, more = app.last_words
    assert told == f"The run on {conn.info.dbname} was stopped by quitting: 1 applied, 1 stopped and undone."
    assert more.startswith("  confiture-tui status --project ")
    assert "--dsn" in more
    assert app.return_code == 130
    assert columns(conn) == ["id", "note"]


async def test_what_came_of_a_run_is_seen_though_the_database_is_gone(project: Path) -> None:
    (project / "db/migrations/002_slow.up.sql").write_text("ALTER TABLE jar ADD COLUMN b int;\nSELECT pg_sleep(60);\n")
    with RestartableServer() as server:
        dsn = server.fresh("shop")
        with connect(dsn) as conn:
            conn.execute("CREATE TABLE jar (id int)")
        app = app_on(project, dsn)
        async with app.run_test(size=(120, 36)) as pilot:
            driver = Driver(app, pilot, None)  # type: ignore[arg-type]
            await driver.until_text("002_slow")
            await driver.press("4")
            await driver.until(phase_is(app, RunPhase.PLANNED))
            await driver.press("a", "tab", "enter")
            await driver.until_text("statement 2 of 2")
            server.kill()
            await driver.until_text("1 failed: all of it undone")
            await driver.until_text("nothing can be read")
            assert "1 applied" in driver.text
            assert "of it stands." in driver.text
            assert "not reached" in driver.text
            await driver.press("1")
            await driver.until_text("This cannot be read any more")
            assert "4 shows it" in driver.text
            server.start_again()
            await driver.press("4", "r")
            await driver.until_text("r plans anew")
            assert "not reached" not in driver.text
            await driver.press("5")
            await driver.until_text("2 runs in the journal")
            assert "half-way" not in driver.text
            assert "running" not in driver.text
            assert "not known how long" in driver.text
