"""What a statement does besides the work on relations of before takes its time too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.engine import RiskAssessmentEngine
from confiture_tui.database.connection import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.database.dsn import Dsn

TABLES = """
CREATE TABLE few AS SELECT i, i % 10 AS k, 'text ' || i AS v FROM generate_series(1, 2000) i;
CREATE TABLE many AS SELECT i, i % 10 AS k, 'text ' || i AS v FROM generate_series(1, 40000) i;
CREATE MATERIALIZED VIEW few_again AS SELECT i, v FROM few;
CREATE MATERIALIZED VIEW many_again AS SELECT i, v FROM many;
CREATE UNIQUE INDEX ON few_again (i);
CREATE UNIQUE INDEX ON many_again (i);
ANALYZE;
"""


@pytest.fixture
def expected_ms(database_from: Callable[[str], Dsn]) -> Callable[[str], float]:
    with connect(database_from(TABLES)) as conn:
        catalog = Catalog.load(conn)
    engine = RiskAssessmentEngine(catalog, rules=())
    return lambda sql: engine.assess(Migration.from_sql(sql)).estimate.expected_ms


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ("CREATE TABLE c AS SELECT * FROM many", "SELECT count(v) FROM many"),
        ("CREATE TABLE c AS SELECT * FROM many", "CREATE TABLE c AS SELECT k, count(*) FROM many GROUP BY k"),
        ("CREATE TABLE c AS SELECT * FROM many", "CREATE TABLE c AS SELECT * FROM many WHERE k = 1"),
        ("CREATE TABLE c AS SELECT * FROM many", "CREATE TABLE c AS SELECT * FROM many WITH NO DATA"),
        ("SELECT * INTO c FROM many", "SELECT * INTO c FROM many LIMIT 5"),
        ("CREATE MATERIALIZED VIEW c AS SELECT * FROM many", "CREATE VIEW c AS SELECT * FROM many"),
        (
            "CREATE TABLE c (LIKE many); INSERT INTO c SELECT * FROM many",
            "CREATE TABLE c (LIKE many); INSERT INTO c SELECT DISTINCT * FROM many",
        ),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY many_again", "REFRESH MATERIALIZED VIEW many_again"),
        ("REFRESH MATERIALIZED VIEW many_again", "REFRESH MATERIALIZED VIEW many_again WITH NO DATA"),
        ("ANALYZE many", "COMMENT ON TABLE many IS 'x'"),
        ("VACUUM (ANALYZE) many", "VACUUM many"),
        ("VACUUM many", "VACUUM few"),
        ("ANALYZE", "ANALYZE many"),
    ],
)
def test_takes_longer(expected_ms: Callable[[str], float], more: str, less: str) -> None:
    assert expected_ms(more) > expected_ms(less)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE c AS SELECT * FROM {}",
        "SELECT * INTO c FROM {}",
        "CREATE MATERIALIZED VIEW c AS SELECT * FROM {}",
        "CREATE TABLE c (LIKE {0}); INSERT INTO c SELECT * FROM {0} WHERE k > 3",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY {}_again",
        "ANALYZE {}",
        "VACUUM {}",
    ],
)
def test_longer_for_more_rows(expected_ms: Callable[[str], float], sql: str) -> None:
    assert expected_ms(sql.format("many")) > expected_ms(sql.format("few")) > expected_ms("SELECT 1")


def test_the_rows_of_a_new_table_are_written_while_the_lock_is_held(database_from: Callable[[str], Dsn]) -> None:
    with connect(database_from(TABLES)) as conn:
        engine = RiskAssessmentEngine(Catalog.load(conn), runner="confiture", rules=())
    held = [
        engine.assess(Migration.from_sql(f"ALTER TABLE few ADD n int; {sql}")).exposure[0].held_ms
        for sql in ("SELECT count(*) FROM many", "CREATE TABLE c AS SELECT * FROM many")
    ]
    assert held[1] > held[0]
