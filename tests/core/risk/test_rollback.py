"""The way back, and what it brings back."""

from __future__ import annotations

import pytest

from confiture_tui.core.effects.simulation import simulate
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.rollback import has_way_back, strategy_of
from confiture_tui.core.sql.script import Script
from tests.core.risk.forecasts import Failure, forecast, simulation

NOTHING = simulation([])
PLAIN = simulation([forecast(1)])


def test_a_down_file_that_can_run_is_a_way_back() -> None:
    assert has_way_back(PLAIN, PLAIN)
    assert strategy_of(PLAIN, PLAIN).strategy == "down_file"
    assert strategy_of(PLAIN, PLAIN).data == "kept"


def test_no_file_an_empty_one_and_one_that_fails_are_none() -> None:
    failing = simulation([forecast(1, fails=Failure(sqlstate="42P01", message="no"))])
    assert not has_way_back(PLAIN, None)
    assert not has_way_back(PLAIN, NOTHING)
    assert not has_way_back(PLAIN, failing)
    assert strategy_of(PLAIN, None).strategy == "none"
    assert strategy_of(PLAIN, None).schema_proved is None


def test_nothing_done_needs_no_way_back() -> None:
    assert has_way_back(NOTHING, None)


@pytest.mark.parametrize(
    ("sql", "needed"),
    [
        ("UPDATE t SET a = 1; DELETE FROM t WHERE a = 2", False),
        ("VACUUM FULL t", False),
        ("SET lock_timeout = '1s'; REINDEX TABLE t", False),
        ("SELECT a INTO made FROM t", True),
        ("UPDATE t SET a = 1; ALTER TABLE t ALTER a SET NOT NULL", True),
        ("DO $$ BEGIN EXECUTE (SELECT a FROM t); END $$", True),
    ],
)
def test_only_what_changes_definitions_needs_a_way_back_for_the_schema(sql: str, needed: bool) -> None:
    assert has_way_back(simulate(Migration.from_sql(sql)), None) is not needed


def test_what_becomes_of_the_data() -> None:
    lost, unknown = simulation([forecast(1, destroys_data=True)]), simulation([forecast(1, destroys_data=None)])
    changed = simulation([forecast(1, changes_data=True)])
    assert strategy_of(lost, PLAIN).data == "lost"
    assert strategy_of(unknown, PLAIN).data == "unknown"
    assert strategy_of(changed, PLAIN).data == "unknown"
    assert (
        strategy_of(simulation([forecast(1, destroys_data=None), forecast(2, destroys_data=True)]), PLAIN).data
        == "lost"
    )
    assert "Statement 1" in strategy_of(lost, PLAIN).why


def test_a_way_back_that_fails_is_told_with_its_line() -> None:
    up = simulate(Migration.from_sql("CREATE TABLE made (id int)"))
    migration = Migration.from_sql("CREATE TABLE made (id int)").model_copy(
        update={"down": Script.from_text("SELECT 1;\nALTER TABLE made DROP COLUMN other;")}
    )
    back = simulate(migration, start=up.after, direction="down")
    assert not has_way_back(up, back)
    assert strategy_of(up, back).why.startswith("Line 2 of the down file fails with 42703: ")
    failing = simulation([forecast(1, fails=Failure(sqlstate="42P01", message="no"))])
    assert strategy_of(failing, back).why.startswith("The migration itself fails, and on what that leaves line 2")


def there_and_back(up: str, down: str) -> str:
    migration = Migration.from_sql(up).model_copy(update={"down": Script.from_text(down)})
    there = simulate(migration)
    return strategy_of(there, simulate(migration, start=there.after, direction="down")).data


def test_dropping_what_the_migration_made_loses_nothing_of_before() -> None:
    assert there_and_back("CREATE TABLE made (id int)", "DROP TABLE made") == "kept"
    assert there_and_back("ALTER TABLE t ADD c int, ADD d int", "ALTER TABLE t DROP c, DROP COLUMN d") == "kept"
    assert there_and_back("ALTER TABLE t ADD c int", "ALTER TABLE t DROP c, DROP older") != "kept"
    assert there_and_back("CREATE TABLE made (id int)", "DROP TABLE made, older") != "kept"


def test_a_way_back_that_destroys_what_was_there_loses_it() -> None:
    assert strategy_of(PLAIN, simulation([forecast(1, destroys_data=True)])).data == "lost"
    assert strategy_of(PLAIN, simulation([forecast(1, destroys_data=None)])).data == "unknown"
