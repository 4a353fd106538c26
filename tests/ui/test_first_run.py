"""Where there is nothing yet: what was looked for, what can be done, and that it is done."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from confiture_tui.config import Settings
from confiture_tui.core.migrations.model import Finding
from confiture_tui.errors import ConnectError, UsageError
from confiture_tui.events import Level
from confiture_tui.secret import Secret
from confiture_tui.ui.reopening import Reopening, on_database, on_files
from confiture_tui.ui.screens.ask_line import LineDialog
from tests.support.fake_service import FakeService
from tests.ui import samples
from tests.ui.driving import SIZES, Driver, running

if TYPE_CHECKING:
    from pathlib import Path


def nothing(tmp_path: Path, **changes: object) -> FakeService:
    settings = Settings(project_dir=tmp_path, migrations_dir=tmp_path / "db/migrations")
    return FakeService(project=samples.project("local"), settings=settings, **changes)  # type: ignore[arg-type]


async def left(driver: Driver) -> Reopening:
    """What the app ends with, to be opened next."""
    await driver.until(lambda: driver.app.return_value is not None)
    assert driver.app.return_value is not None
    return driver.app.return_value


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFITURE_DATABASE_URL", "DATABASE_URL", "PGHOST", "PGDATABASE", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("error", [None, UsageError("There is no directory x.", hint="Make it.")])
async def test_what_can_be_done_is_seen_at_every_size(
    tmp_path: Path, size: tuple[int, int], error: UsageError | None
) -> None:
    async with running(nothing(tmp_path, open_error=error), size=size, wait=False) as driver:
        await driver.press("o")
        await driver.until_text("What you can do")
        for key in ("O  opens other migrations", "T  connects", "E  opens the demo"):
            assert key in driver.text


async def test_what_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app:s3cret@h/x")
    async with running(nothing(tmp_path), size=(200, 50), wait=False) as driver:
        await driver.until_text("Looked for")
        for place in ("db/migrations", "confiture.yaml", "db/environments/local.yaml"):
            assert f"{tmp_path}/{place}" in driver.text
        assert "✓ variables   DATABASE_URL" in driver.text
        assert "s3cret" not in driver.text


async def test_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "loose").mkdir()
    file = tmp_path / "loose" / "001_x.up.sql"
    file.write_text("SELECT 1;")
    async with running(nothing(tmp_path), wait=False) as driver:
        await driver.until_text("What you can do")
        await driver.press("O")
        await driver.until(lambda: driver.on_top(LineDialog))
        await driver.press(*str(tmp_path / "nowhere"), "enter")
        await driver.until_text("There is no")
        await driver.press("O")
        await driver.until(lambda: driver.on_top(LineDialog))
        await driver.press(*str(file), "enter")
        assert (await left(driver)).settings.migrations_dir == tmp_path / "loose"


async def test_what_is_there_and_no_migration_is_told(tmp_path: Path) -> None:
    project = samples.project().model_copy(
        update={"findings": (Finding(code="x", message="notes[/].sql is not taken for a migration.", level="warning"),)}
    )
    async with running(samples.service(statuses=[], project=project)) as driver:
        await driver.until_text("notes[/].sql is not taken for a migration.")
        assert "Any SQL file can be looked at by itself" in " ".join(driver.text.split())
        assert "O Open files" in driver.text
        assert "d Dry run" not in driver.text


def test_what_is_no_sql_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    here = Settings(project_dir=tmp_path, migrations_dir=tmp_path)
    with pytest.raises(UsageError, match=r"notes\.txt is no SQL file"):
        on_files(here, tmp_path / "notes.txt")


async def test_a_database_that_cannot_be_used_keeps_nobody_from_other_files(tmp_path: Path) -> None:
    service = nothing(tmp_path, open_error=ConnectError("No server."))
    (tmp_path / "loose").mkdir()
    service.settings = replace(service.settings, dsn=Secret("dbname=x"), migrations_dir=tmp_path)
    async with running(service, wait=False) as driver:
        await driver.until_text("What you can do")
        await driver.press("O")
        await driver.until(lambda: driver.on_top(LineDialog))
        await driver.press(*str(tmp_path / "loose"), "enter")
        assert (await left(driver)).settings.dsn is None


def test_a_project_is_opened_as_one(tmp_path: Path) -> None:
    (tmp_path / "other/db/migrations").mkdir(parents=True)
    (tmp_path / "other/confiture.yaml").write_text("runner: loose\n")
    here = Settings(project_dir=tmp_path, migrations_dir=tmp_path / "db/migrations")
    opened = on_files(here, tmp_path / "other").settings
    assert opened.project_dir == tmp_path / "other"
    assert opened.runner == "loose"


def test_what_is_opened_next_is_read_only_too(tmp_path: Path) -> None:
    (tmp_path / "other/db/migrations").mkdir(parents=True)
    (tmp_path / "loose").mkdir()
    log = tmp_path / "log.jsonl"
    here = Settings.load(project=tmp_path, read_only=True, log_file=log, log_level="debug", environ={})
    for path in (tmp_path / "other", tmp_path / "loose"):
        opened = on_files(here, path).settings
        assert opened.read_only
        assert (opened.log_file, opened.log_level) == (log, Level.DEBUG)
    assert on_database(here, "dbname=x").settings.read_only


def test_what_the_other_project_says_of_itself_holds(tmp_path: Path) -> None:
    (tmp_path / "other/db/migrations").mkdir(parents=True)
    (tmp_path / "confiture.yaml").write_text("read_only: true\n")
    (tmp_path / "other/confiture.yaml").write_text("read_only: false\n")
    here = Settings.load(project=tmp_path, environ={})
    assert here.read_only
    assert not on_files(here, tmp_path / "other").settings.read_only


async def test_a_database_is_connected_to(tmp_path: Path) -> None:
    async with running(nothing(tmp_path, open_error=ConnectError("No server.")), wait=False) as driver:
        await driver.until_text("What you can do")
        await driver.press("T")
        await driver.until(lambda: driver.on_top(LineDialog))
        await driver.press(*"dbname=x", "enter")
        settings = (await left(driver)).settings
        assert settings.dsn is not None
        assert settings.dsn.get_secret_value() == "dbname=x"


def test_a_password_is_not_shown_by_what_is_reopened(tmp_path: Path) -> None:
    here = Settings(project_dir=tmp_path, migrations_dir=tmp_path)
    assert "s3cret" not in repr(on_database(here, "postgresql://app:s3cret@h/x"))


async def test_the_demo_is_opened(tmp_path: Path) -> None:
    async with running(nothing(tmp_path), wait=False) as driver:
        await driver.until_text("What you can do")
        await driver.press("E")
        assert (await left(driver)).demo


async def test_escape_opens_nothing(tmp_path: Path) -> None:
    async with running(nothing(tmp_path), wait=False) as driver:
        await driver.until_text("What you can do")
        for key in ("O", "T"):
            await driver.press(key)
            await driver.until(lambda: driver.on_top(LineDialog))
            await driver.press("escape")
            await driver.until(lambda: not driver.on_top(LineDialog))
        assert driver.app.return_value is None


async def test_not_while_a_job_runs() -> None:
    async with running(samples.service(hold_dry_run=True)) as driver:
        await driver.press("d", "E")
        await driver.until_text("cancel it first")
        assert driver.app.return_value is None


async def test_a_mistyped_connection_is_offered_again_without_its_password(tmp_path: Path) -> None:
    service = nothing(tmp_path, open_error=ConnectError("No server."))
    service.settings = replace(service.settings, dsn=Secret("postgresql://app:s3cret@bd/x"))
    async with running(service, size=(120, 36), wait=False) as driver:
        await driver.until_text("What you can do")
        await driver.press("T")
        await driver.until_text("postgresql://app:***@bd/x")
        assert "s3cret" not in driver.text
        await driver.press(*["left"] * 2, *["backspace"] * 2, *"db")
        await driver.until_text("postgresql://app:***@db/x")
        await driver.press("enter")
        settings = (await left(driver)).settings
        assert settings.dsn is not None
        assert settings.dsn.get_secret_value() == "postgresql://app:s3cret@db/x"


async def test_a_mask_for_nothing_is_told(tmp_path: Path) -> None:
    async with running(nothing(tmp_path, open_error=ConnectError("No server.")), wait=False) as driver:
        await driver.until_text("What you can do")
        await driver.press("T")
        await driver.until(lambda: driver.on_top(LineDialog))
        await driver.press(*"host=x password=***", "enter")
        await driver.until_text("Type the password")
        assert driver.app.return_value is None
