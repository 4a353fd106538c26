"""Up, down, compare, up again: what a way back forgets is found, and what it brings back is proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.dry_run.result import DataAfter, RoundTrip, Rows
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.sql.script import Script
from confiture_tui.events import Event, EventName, Level
from tests.support.dsn import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

SCHEMA = """
CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT 7, b text);
INSERT INTO t SELECT i, i, 'b' || i FROM generate_series(1, 100) i;
CREATE INDEX t_a ON t (a);
COMMENT ON COLUMN t.a IS 'how many';
GRANT SELECT ON t TO PUBLIC;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t_quiet BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();
ALTER TABLE t DISABLE TRIGGER t_quiet;
"""


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def shadow(server: EmbeddedServer, database_from: Callable[[str], Dsn], events: list[Event]) -> Iterator[Shadow]:
    """A full shadow of the schema above."""
    with Shadow.from_template(
        server, name_of(database_from(SCHEMA)), owner="postgres", rows=Rows.FULL, sink=events.append
    ) as shadow:
        yield shadow


def there_and_back(shadow: Shadow, up: str, down: str | None) -> DryRunResult:
    migration = Migration.from_sql(up, version="007", name="test")
    return shadow.dry_run(migration.model_copy(update={"down": None if down is None else Script.from_text(down)}))


def trip_of(shadow: Shadow, up: str, down: str) -> RoundTrip:
    result = there_and_back(shadow, up, down)
    assert result.round_trip is not None, result.failure
    return result.round_trip


def test_a_way_back_that_brings_all_back_is_proved(shadow: Shadow, events: list[Event]) -> None:
    trip = trip_of(
        shadow,
        "CREATE TABLE n (id int PRIMARY KEY);\nALTER TABLE t ADD COLUMN x int DEFAULT 5;",
        "ALTER TABLE t DROP COLUMN x;\nDROP TABLE n;",
    )
    assert trip == RoundTrip(schema_proved=True, data=DataAfter.KEPT, again=True)
    (told,) = (event for event in events if event.name is EventName.ROUND_TRIP_COMPLETED)
    assert (told.level, told.migration) == (Level.INFO, "007")


@pytest.mark.parametrize(
    ("up", "down", "difference"),
    [
        ("DROP INDEX t_a;", "SELECT 1;", "index public.t_a does not come back"),
        ("CREATE INDEX t_b ON t (b);", "SELECT 1;", "index public.t_b stays"),
        ("ALTER TABLE t ALTER a DROP DEFAULT;", "SELECT 1;", "column public.t.a: default was 7, is absent afterwards"),
        (
            "COMMENT ON COLUMN t.a IS 'new';",
            "COMMENT ON COLUMN t.a IS NULL;",
            "column public.t.a: comment was how many",
        ),
        ("REVOKE SELECT ON t FROM PUBLIC;", "SELECT 1;", "table public.t: "),
        ("ALTER TABLE t ENABLE TRIGGER t_quiet;", "SELECT 1;", "trigger public.t.t_quiet: "),
        (
            "DROP TRIGGER t_quiet ON t;",
            "CREATE TRIGGER t_quiet BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();",
            "trigger public.t.t_quiet: ",
        ),
    ],
    ids=["index", "index-stays", "default", "comment", "grant", "trigger-state", "trigger-made-anew"],
)
def test_what_it_forgets_is_found(shadow: Shadow, up: str, down: str, difference: str) -> None:
    trip = trip_of(shadow, up, down)
    assert trip.schema_proved is False
    assert trip.differences[0].startswith(difference)
    assert trip.lesser == ()


def test_the_order_of_columns_is_told_apart(shadow: Shadow) -> None:
    trip = trip_of(
        shadow,
        "ALTER TABLE t DROP COLUMN b CASCADE;\nALTER TABLE t ADD COLUMN z int;",
        "ALTER TABLE t DROP COLUMN z;\nALTER TABLE t DROP COLUMN a;\n"
        "ALTER TABLE t ADD COLUMN b text;\nALTER TABLE t ADD COLUMN a int DEFAULT 7;\n"
        "COMMENT ON COLUMN t.a IS 'how many';\nCREATE INDEX t_a ON t (a);",
    )
    assert trip.schema_proved is True
    assert trip.differences == ()
    (order,) = trip.lesser
    assert order == "table public.t: column order was id, a, b, is id, b, a afterwards"
    assert trip.data is DataAfter.LOST


def test_a_column_that_is_made_anew_has_lost_its_data(shadow: Shadow) -> None:
    trip = trip_of(shadow, "ALTER TABLE t DROP COLUMN b;", "ALTER TABLE t ADD COLUMN b text;")
    assert (trip.schema_proved, trip.data) == (True, DataAfter.LOST)


def test_values_that_were_changed_are_unknown(shadow: Shadow) -> None:
    trip = trip_of(shadow, "UPDATE t SET a = a + 1;", "UPDATE t SET a = a - 1;")
    assert (trip.schema_proved, trip.data) == (True, DataAfter.UNKNOWN)


def test_a_way_back_that_fails_proves_that_there_is_none(shadow: Shadow, events: list[Event]) -> None:
    trip = trip_of(shadow, "ALTER TABLE t ADD COLUMN x int;", "SELECT 1;\nALTER TABLE t DROP COLUMN y;")
    assert trip.schema_proved is False
    assert trip.differences == ('The way back fails on line 2 with 42703: column "y" of relation "t" does not exist',)
    assert any(one.name is EventName.ROUND_TRIP_COMPLETED and one.level is Level.WARNING for one in events)


def test_one_that_can_be_applied_only_once_is_told(shadow: Shadow) -> None:
    trip = trip_of(shadow, "INSERT INTO t VALUES (1000);", "SELECT 1;")
    assert (trip.schema_proved, trip.again) == (True, False)
    assert trip.differences[0].startswith("Applied once more, it fails on line 1 with 23505")


def test_what_cannot_be_tried_on_a_shadow_is_not_judged(shadow: Shadow) -> None:
    trip = trip_of(shadow, "CREATE TABLE n (id int);", "DROP TABLE n;\nALTER SYSTEM SET work_mem = '8MB';")
    assert trip.schema_proved is None
    assert trip.differences[0].startswith("The way back could not be tried to the end: ")


def test_without_a_way_back_or_a_way_there_is_no_round_trip(shadow: Shadow) -> None:
    assert there_and_back(shadow, "CREATE TABLE n (id int);", None).round_trip is None
    assert there_and_back(shadow, "CREATE TABLE t (id int);", "DROP TABLE t;").round_trip is None


def test_it_works_for_statements_outside_a_transaction_and_leaves_no_clone(shadow: Shadow) -> None:
    result = there_and_back(shadow, "CREATE INDEX CONCURRENTLY t_b ON t (b);", "DROP INDEX CONCURRENTLY t_b;")
    assert result.round_trip == RoundTrip(schema_proved=True, data=DataAfter.KEPT, again=True)
    assert result.proof.nothing_persisted


def test_on_an_empty_shadow_a_table_made_anew_has_lost_its_rows_all_the_same(
    server: EmbeddedServer, database_from: Callable[[str], Dsn]
) -> None:
    template = name_of(database_from("CREATE TABLE t (id int);"))
    with Shadow.from_template(server, template, owner="postgres", rows=Rows.NONE) as shadow:
        trip = trip_of(shadow, "DROP TABLE t;", "CREATE TABLE t (id int);")
    assert (trip.schema_proved, trip.data) == (True, DataAfter.LOST)
