"""Predicted beside observed: a contradiction is marked, told and logged; what an empty shadow cannot show is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.dry_run.prediction import beside_prediction, predict
from confiture_tui.core.dry_run.result import Rows
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.profiles import PROFILES
from confiture_tui.events import Event, EventName, Level, discard
from tests.support.dsn import name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

SCHEMA = """
CREATE TABLE t (id int PRIMARY KEY, a int, b text);
CREATE TABLE p (id int PRIMARY KEY);
"""
_ROWS = "INSERT INTO t VALUES (1, 1, 'x'), (2, 1, NULL); INSERT INTO p VALUES (1);"


def tried(server: EmbeddedServer, target: Dsn, sql: str, rows: Rows, sink: Any = discard) -> DryRunResult:
    with Shadow.from_template(server, name_of(target), owner="postgres", rows=rows, sink=sink) as shadow:
        return shadow.dry_run(Migration.from_sql(sql, version="007", name="test"))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE t SET a = 2;",
        "ALTER TABLE t ADD UNIQUE (a);",
        "ALTER TABLE t DROP COLUMN b;",
        "ALTER TABLE t ALTER b SET NOT NULL;",
        "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p;",
        "DELETE FROM t;",
        "TRUNCATE t;",
        "DROP TABLE t;",
        "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a);",
        "SELECT * FROM t JOIN p USING (id);",
    ],
)
def test_what_an_empty_shadow_cannot_show_contradicts_nothing(
    server: EmbeddedServer, database_from: Callable[[str], Dsn], sql: str
) -> None:
    result = tried(server, database_from(SCHEMA), sql, Rows.NONE)
    assert result.ok, result.failure
    assert [one.mismatch for one in result.statements] == [()]
    assert not any("prediction" in note for note in result.notes)


def test_all_that_was_seen_with_all_rows_is_as_predicted(
    server: EmbeddedServer, database_from: Callable[[str], Dsn]
) -> None:
    sql = "ALTER TABLE t ADD c uuid DEFAULT gen_random_uuid();\nCREATE INDEX t_a ON t (a);\nUPDATE t SET a = 3;"
    result = tried(server, database_from(SCHEMA + _ROWS), sql, Rows.FULL)
    assert [one.mismatch for one in result.statements] == [(), (), ()]


def test_a_statement_that_was_not_run_has_no_comparison(
    server: EmbeddedServer, database_from: Callable[[str], Dsn]
) -> None:
    result = tried(server, database_from(SCHEMA), "DROP TABLE nowhere;\nDROP TABLE t;", Rows.NONE)
    assert [one.mismatch for one in result.statements] == [(), None]


def test_a_contradiction_is_marked_told_and_logged(
    server: EmbeddedServer, database_from: Callable[[str], Dsn], conn: psycopg.Connection[tuple[Any, ...]]
) -> None:
    """A prediction for another schema than the one on which it is tried: there the table has the column already."""
    migration = Migration.from_sql("ALTER TABLE t ADD COLUMN c int;", version="007", name="test")
    target = database_from(SCHEMA)
    conn.execute(SCHEMA + "ALTER TABLE t ADD COLUMN c int;")
    simulation = predict(migration, Catalog.load(conn), PROFILES["confiture"])
    seen: list[Event] = []
    result = tried(server, target, "ALTER TABLE t ADD COLUMN c int;", Rows.NONE)
    marked = beside_prediction(result, simulation, plain_for_superuser=False, sink=seen.append)
    assert marked.statements[0].mismatch == ("fails",)
    assert marked.notes[-2:] == (
        "The prediction and what was seen differ in 1 place.",
        "Line 1, ALTER TABLE: fails: predicted 42701, observed nothing of the kind.",
    )
    (event,) = seen
    assert (event.name, event.level, event.statement) == (EventName.PREDICTION_MISMATCH, Level.WARNING, 1)


def test_a_right_that_only_the_shadows_plain_role_lacks_is_no_contradiction(
    server: EmbeddedServer, database_from: Callable[[str], Dsn]
) -> None:
    server.create_login("plain")
    migration = Migration.from_sql("ALTER TABLE t ADD COLUMN c int;")
    with Shadow.from_template(server, name_of(database_from(SCHEMA)), owner="plain", rows=Rows.NONE) as shadow:
        result = shadow.dry_run(migration)
        simulation = predict(migration, shadow.catalog(), PROFILES["confiture"])
    assert result.failure is not None
    assert result.failure.sqlstate == "42501"
    marked = beside_prediction(result, simulation, plain_for_superuser=True, sink=discard)
    assert marked.statements[0].mismatch == ()
