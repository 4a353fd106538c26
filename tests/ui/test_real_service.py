"""The app on the real service: files on a disk, and no database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.config import Settings
from confiture_tui.service import MigrationService
from confiture_tui.ui.app import ConfitureApp
from confiture_tui.ui.session import Phase
from tests.ui.driving import Driver, screen_text

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE_NAME = "001_x [red]y[_red] [@click=app.quit]q \x1b[2J \u202e.up.sql"
HOSTILE_SQL = "-- \x1b]0;retitled\x07 [/foo] \x9b2J\nSELECT '[/foo]' AS \"a[b]\";\n"


def project(directory: Path, files: dict[str, str]) -> MigrationService:
    migrations = directory / "db" / "migrations"
    migrations.mkdir(parents=True)
    for name, text in files.items():
        (migrations / name).write_text(text, encoding="utf-8")
    return MigrationService(Settings.load(project=directory, environ={}))


@pytest.fixture(autouse=True)
def _no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFITURE_DATABASE_URL", "DATABASE_URL", "PGHOST", "PGSERVICE", "PGDATABASE", "PGPORT", "PGUSER"):
        monkeypatch.delenv(name, raising=False)


async def opened(app: ConfitureApp, driver: Driver) -> None:
    await driver.until(lambda: app.session.phase is not Phase.OPENING)


async def test_hostile_files_show_and_do_nothing(tmp_path: Path) -> None:
    service = project(tmp_path, {HOSTILE_NAME: HOSTILE_SQL, "002_fine.up.sql": "SELECT 1;\n"})
    app = ConfitureApp(service)
    async with app.run_test(size=(160, 45)) as pilot:
        driver = Driver(app, pilot, service)  # type: ignore[arg-type]
        await opened(app, driver)
        await driver.until_text("2 pending")
        await driver.press("right_square_bracket")
        await driver.until_text("SELECT '[/foo]' AS \"a[b]\"")
        assert "no database" in driver.text
        assert "\x1b" not in screen_text(app)
        assert "\u202e" not in screen_text(app)
        assert "[@click=app.quit]q" in driver.text
        await driver.press("j")
        await driver.until_text("002_fine · ○ pending · 1 statement")


async def test_a_project_without_migrations(tmp_path: Path) -> None:
    service = project(tmp_path, {})
    app = ConfitureApp(service)
    async with app.run_test(size=(80, 24)) as pilot:
        driver = Driver(app, pilot, service)  # type: ignore[arg-type]
        await opened(app, driver)
        await driver.until_text("There are no migrations yet.")


async def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "db" / "migrations").mkdir(parents=True)
    dsn = f"host={tmp_path} dbname=shop user=shop password=hunter2-of-the-database"
    service = MigrationService(Settings.load(project=tmp_path, dsn=dsn, environ={}))
    app = ConfitureApp(service)
    async with app.run_test(size=(120, 36)) as pilot:
        driver = Driver(app, pilot, service)  # type: ignore[arg-type]
        await opened(app, driver)
        await driver.until_text("This could not be opened.")
        assert "hunter2" not in driver.text
        assert all("hunter2" not in app.event_log[n].message for n in range(app.event_log.first, app.event_log.end))


async def test_after_a_dry_run_the_risk_is_told_by_what_was_seen(tmp_path: Path) -> None:
    files = {
        "001_jars.up.sql": "CREATE TABLE jars (id int PRIMARY KEY);\n",
        "001_jars.down.sql": "DROP TABLE jars;\n",
    }
    service = project(tmp_path, files)
    app = ConfitureApp(service)
    async with app.run_test(size=(160, 45)) as pilot:
        driver = Driver(app, pilot, service)  # type: ignore[arg-type]
        await opened(app, driver)
        await driver.until(lambda: "001" in app.session.assessments and not app.session.assessing)
        assert app.session.assessments["001"].predicted_score is None
        await driver.press("d")
        await driver.until(lambda: app.session.assessments["001"].predicted_score is not None)
        await driver.until_text("by what the dry run has seen; as predicted")
        await driver.until_text("by its down file, proved")
    await service.close()
