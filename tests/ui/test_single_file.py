"""One SQL file of no project: Review shows it, and what cannot be done with it says so in its place."""

from __future__ import annotations

import shlex
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.config import Settings
from confiture_tui.errors import UsageError
from confiture_tui.service import MigrationService
from confiture_tui.service.named_paths import project_of, with_files
from confiture_tui.ui.app import ConfitureApp
from confiture_tui.ui.reopening import on_files
from confiture_tui.ui.session import Phase
from tests.ui.driving import Driver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from confiture_tui.database.dsn import Dsn

SQL = "ALTER TABLE jam ADD COLUMN note text;\nCREATE INDEX ON jam (note);\n"


@pytest.fixture(autouse=True)
def _no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFITURE_DATABASE_URL", "DATABASE_URL", "PGHOST", "PGSERVICE", "PGDATABASE", "PGPORT", "PGUSER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file whose name no tool would take."""
    path = tmp_path / "change [red].sql"
    path.write_text(SQL)
    return path


@asynccontextmanager
async def opened(file: Path, size: tuple[int, int] = (120, 36), **given: Any) -> AsyncIterator[Driver]:
    settings = with_files(Settings.load(project=file.parent, environ={}, **given), file)
    service = MigrationService(settings)
    app = ConfitureApp(service)
    async with app.run_test(size=size) as pilot:
        driver = Driver(app, pilot, service)  # type: ignore[arg-type]
        await driver.until(lambda: app.session.phase is not Phase.OPENING)
        yield driver


def command(driver: Driver) -> list[str]:
    line = driver.app.screen.command_line()  # type: ignore[attr-defined]
    return shlex.split(line) if line is not None else []


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (160, 45)])
async def test_it_is_reviewed_without_a_project_or_a_database(file: Path, size: tuple[int, int]) -> None:
    async with opened(file, size) as driver:
        await driver.until_text("critical 9")
        assert "change [red]" in driver.text
        assert "by itself: no ledger knows it" in driver.text
        assert "pending" not in driver.text
        assert command(driver) == ["confiture-tui", "assess", str(file), "--project", str(file.parent)]
        if size[0] < 160:
            await driver.press("right_square_bracket")
        await driver.until_text("create-index-not-concurrent")


async def test_nothing_of_it_is_run_and_the_screens_say_why(file: Path) -> None:
    async with opened(file) as driver:
        await driver.until_text("critical 9")
        await driver.press("4")
        await driver.until_text("belongs to no project")
        assert "001_change [red].up.sql" in driver.text
        assert command(driver) == []
        await driver.press("5")
        await driver.until_text("the journal could not be read")
        assert "0 runs" not in driver.text


async def test_what_it_works_on_is_nowhere_so_it_is_neither_tried_nor_linted(file: Path) -> None:
    async with opened(file) as driver:
        await driver.until_text("critical 9")
        await driver.press("d")
        await driver.until_text("no dry run")
        assert "there is no database that has it" in driver.text
        assert driver.app.session.assessments["change [red]"].score < 100
        await driver.press("3")
        await driver.until_text("it cannot be tried")
        assert "Nothing is wrong" not in driver.text


async def test_what_makes_everything_itself_is_tried_on_nothing(file: Path) -> None:
    file.write_text("CREATE TABLE jam (id int PRIMARY KEY);\n" + SQL)
    async with opened(file) as driver:
        await driver.until(lambda: driver.app.session.assessments)
        await driver.press("d")
        await driver.until(lambda: driver.app.session.results)
        assert driver.app.session.results["change [red]"].verdict == "ok"


async def test_a_database_says_more_of_it(file: Path, database_from: Callable[[str], Dsn]) -> None:
    dsn = database_from("CREATE TABLE jam (id int PRIMARY KEY);")
    async with opened(file, dsn=dsn.conninfo()) as driver:
        await driver.until(lambda: driver.app.session.assessments)
        assert driver.app.session.assessments["change [red]"].statements[0].basis == "catalog"
        assert command(driver)[-2] == "--dsn"
        await driver.press("d")
        await driver.until(lambda: driver.app.session.results)
        assert driver.app.session.results["change [red]"].verdict == "ok"
        await driver.press("3")
        await driver.until(lambda: driver.app.session.lint.result)
        assert driver.app.session.lint.error is None
        assert command(driver) == []


async def test_a_migration_is_shown_among_its_own_and_chosen(tmp_path: Path) -> None:
    migrations = tmp_path / "db/migrations"
    migrations.mkdir(parents=True)
    for number in (1, 2, 3):
        (migrations / f"00{number}_x.up.sql").write_text("SELECT 1;\n")
    async with opened(migrations / "002_x.up.sql") as driver:
        await driver.until_text("3 pending")
        assert driver.review.chosen is not None
        assert driver.review.chosen.version == "002"


def test_whose_project_a_path_is(tmp_path: Path) -> None:
    migrations = tmp_path / "db/migrations"
    migrations.mkdir(parents=True)
    for path in (migrations / "001_x.up.sql", tmp_path / "x.sql", tmp_path / "sql/x.sql"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert project_of(tmp_path) == project_of(tmp_path / "x.sql") == project_of(migrations / "001_x.up.sql") == tmp_path
    assert project_of(tmp_path / "sql/x.sql") is None
    assert project_of(migrations) is None


def test_what_is_no_sql_file_and_what_is_not_there_are_told_apart(tmp_path: Path) -> None:
    here = Settings(project_dir=tmp_path, migrations_dir=tmp_path)
    (tmp_path / "notes.txt").touch()
    for name, said in (("notes.txt", "is no SQL file"), ("gone.sql", "There is no")):
        with pytest.raises(UsageError, match=said):
            with_files(here, tmp_path / name)


def test_a_file_of_another_project_has_that_ones_settings(tmp_path: Path) -> None:
    (tmp_path / "other/db/migrations").mkdir(parents=True)
    (tmp_path / "other/confiture.yaml").write_text("runner: loose\n")
    (tmp_path / "other/x.sql").touch()
    here = Settings(project_dir=tmp_path, migrations_dir=tmp_path / "db/migrations")
    settings = on_files(here, tmp_path / "other/x.sql").settings
    assert (settings.runner, settings.file) == ("loose", tmp_path / "other/x.sql")
