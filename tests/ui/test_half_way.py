"""A migration of which a run stopped half-way: what is done already is told, and only the rest counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.config import Settings
from confiture_tui.core.migrations.layouts import discover
from confiture_tui.core.runner.runner import MigrationRunner
from confiture_tui.service import MigrationService
from confiture_tui.ui.app import ConfitureApp
from tests.ui.driving import Driver

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from confiture_tui.database.dsn import Dsn

SQL = """\
CREATE INDEX CONCURRENTLY jar_a ON jar (a);
CREATE INDEX CONCURRENTLY jar_b ON jar (b);
CREATE INDEX CONCURRENTLY jar_c ON jar (c);
"""
TABLE = "CREATE TABLE jar (id int PRIMARY KEY, a int, b int, c int); CREATE INDEX jar_b ON jar (a, b);"


@pytest.fixture
def half_way(tmp_path: Path, database_from: Callable[[str], Dsn]) -> MigrationService:
    """The second index could not be built, because there was another of that name, which is gone now."""
    migrations = tmp_path / "db/migrations"
    migrations.mkdir(parents=True)
    (migrations / "007_index.up.sql").write_text(SQL)
    dsn = database_from(TABLE)
    with psycopg.connect(dsn.conninfo(), autocommit=True) as conn:
        result = MigrationRunner(conn).apply(discover(migrations).migrations)
        assert result.exit_code == 5
        conn.execute("DROP INDEX jar_b")
    return MigrationService(Settings.load(project=tmp_path, dsn=dsn.conninfo(), environ={}))


async def test_only_what_is_left_of_it_counts(half_way: MigrationService) -> None:
    app = ConfitureApp(half_way)
    async with app.run_test(size=(120, 40)) as pilot:
        driver = Driver(app, pilot, half_way)  # type: ignore[arg-type]
        await driver.until(lambda: "007" in app.session.assessments)
        await driver.until_text("✓ 1 L1   CREATE INDEX done already")
        await driver.until_text("It is done already, by the run that stopped half-way")
        one = app.session.assessments["007"]
        assert one.done == 1
        assert [bool(each.builds) for each in one.statements] == [False, True, True]
        assert all(each.fails is None for each in one.statements)
        await driver.press("right_square_bracket")
        await driver.until_text("statement 1 is done already, of 3: only the rest counts")
        await driver.press("d")
        await driver.until_text("no dry run")
        assert "stopped half-way" in driver.text
