"""How many rows an UPDATE or DELETE changes: counted, where its condition can be put to the database as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.engine import RiskAssessmentEngine
from confiture_tui.core.risk.model import Category, Probe, RiskAssessment
from confiture_tui.database.connection import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_tui.database.dsn import Dsn

Connection = psycopg.Connection[tuple[object, ...]]

TABLES = """
CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('sour', 'sweet');
CREATE TABLE jars (
  id int PRIMARY KEY, "Label" text, weight numeric(6, 2), filled timestamptz, taste mood, brand citext, left_at date,
  right_at date
);
INSERT INTO jars SELECT i, 'jar ' || i % 7, i % 90, now() - i * interval '1 minute', 'sour', 'Brand', NULL, now()
  FROM generate_series(1, 30000) i;
CREATE TABLE big_jars () INHERITS (jars);
INSERT INTO big_jars SELECT i, 'big', 1 FROM generate_series(1, 500) i;
CREATE FUNCTION judge(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''called''; END';
CREATE FUNCTION lower(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE TABLE lids AS SELECT 1 AS size;
ANALYZE;
"""


@pytest.fixture
def conn(database_from: Callable[[str], Dsn]) -> Iterator[Connection]:
    with connect(database_from(TABLES)) as conn:
        yield conn


def assessed(conn: Connection, sql: str, probe_seconds: float = 10.0) -> RiskAssessment:
    engine = RiskAssessmentEngine(connection=conn, traffic_seconds=0, probe_seconds=probe_seconds)
    return engine.assess(Migration.from_sql(sql))


def counted(assessment: RiskAssessment) -> list[Probe]:
    return [each for each in assessment.probes if not each.sqlstate]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE jars SET weight = 1 WHERE id % 10 = 0",
        "UPDATE ONLY jars SET weight = 1 WHERE id % 10 = 0 -- and nothing else",
        'UPDATE jars AS j SET weight = 2 WHERE j."Label" = $$jar 3$$ AND weight > 12.5',
        "UPDATE public.jars SET weight = 2 WHERE public.jars.taste = 'sour' /* WHERE */ AND filled < now()",
        "UPDATE jars SET \"Label\" = ' where false' WHERE (id BETWEEN 7 AND 27) RETURNING id, weight;",
        "DELETE FROM jars WHERE weight IN (3, 4, 5)",
        "DELETE FROM jars j WHERE j.left_at IS NOT NULL",
    ],
)
def test_as_many_as_the_server_then_changes(conn: Connection, sql: str) -> None:
    (probe,) = counted(assessed(conn, sql))
    with conn.transaction(force_rollback=True):
        changes = conn.execute(sql.encode()).rowcount
    assert (probe.rows, probe.found, probe.rows_at_least) == (changes, changes > 0, False)


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE jars SET weight = 1 WHERE judge(id)", "the user's own function would be called"),
        ("UPDATE jars SET weight = 1 WHERE lower(id) = 3", "a function of that name is the user's"),
        ("UPDATE jars SET weight = 1 WHERE brand = 'BRAND'", "citext is compared by an operator of its own"),
        ("UPDATE jars SET weight = 1 WHERE random() < 0.5", "each time others are chosen"),
        ("UPDATE jars SET weight = 1 WHERE id IN (SELECT id FROM big_jars)", "another table decides"),
        ("UPDATE jars SET weight = 1 FROM big_jars b WHERE b.id = jars.id", "another table decides"),
        ("UPDATE jars SET weight = 1", "there is no condition"),
        ("UPDATE jars SET id = id + 1; DELETE FROM jars WHERE id = 3", "the values change before"),
        (
            "ALTER TABLE jars RENAME left_at TO x; ALTER TABLE jars RENAME right_at TO left_at;"
            "UPDATE jars SET weight = 1 WHERE left_at IS NULL",
            "the name means another column then",
        ),
        ("ALTER TABLE jars ADD fresh int; UPDATE jars SET weight = 1 WHERE fresh IS NULL", "the column is new"),
    ],
)
def test_what_cannot_be_asked_is_not(conn: Connection, sql: str, why: str) -> None:
    found = assessed(conn, sql)
    assert not counted(found), why
    assert all(each.basis is not None for each in found.statements)


def test_a_table_under_its_new_name(conn: Connection) -> None:
    sql = "ALTER TABLE jars RENAME TO pots; UPDATE pots SET weight = 1 WHERE pots.id <= 40"
    (probe,) = counted(assessed(conn, sql))
    assert (probe.rows, probe.question) == (80, "rows of public.pots that its condition chooses")


def test_the_count_is_what_is_judged(conn: Connection) -> None:
    some = assessed(conn, "UPDATE jars SET weight = 1 WHERE id % 2 = 0")
    few = assessed(conn, "UPDATE jars SET weight = 1 WHERE id % 100 = 0")
    assert few.categories[Category.PERFORMANCE] == 0
    assert some.categories[Category.PERFORMANCE] >= 30
    assert few.estimate.expected_ms < some.estimate.expected_ms
    (risk,) = [each for each in some.risks if each.rule == "backfill-in-migration"]
    assert "About 15,250 rows" in risk.message
    assert "A probe found 15,250 rows of public.jars that its condition chooses." in risk.evidence


def test_who_chooses_no_row_loses_none(conn: Connection) -> None:
    none = assessed(conn, "DELETE FROM jars WHERE weight > 1000")
    one = assessed(conn, "DELETE FROM jars WHERE weight = 89 AND id = 89")
    assert none.categories[Category.DATA_LOSS] == 10
    assert one.categories[Category.DATA_LOSS] == 95


def test_without_the_time_to_count_all_rows_are_taken(conn: Connection) -> None:
    sql = "UPDATE jars SET weight = 1 WHERE id % 100 = 0"
    late = assessed(conn, sql, probe_seconds=0.01)
    (probe,) = counted(late)
    assert (probe.found, probe.rows, probe.why_not) == (None, None, "the time for probes is used up")
    assert late.categories[Category.PERFORMANCE] >= 30
    assert late.score > assessed(conn, sql).score


def test_what_may_fail_is_asked_before_anything_is_counted(conn: Connection) -> None:
    slow = 'length(repeat("Label", 200000)) < 0'
    sql = f"UPDATE jars SET weight = 1 WHERE {slow}; ALTER TABLE lids ADD CHECK (size > 0)"
    count, check = assessed(conn, sql, probe_seconds=0.4).probes
    assert (count.statement, count.found) == (1, None)
    assert (check.statement, check.found) == (2, False)
