"""IF EXISTS, IF NOT EXISTS and ON CONFLICT: what they rule out is not told of as a way to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.engine import RiskAssessmentEngine

if TYPE_CHECKING:
    import psycopg


def _may_fail(sql: str) -> set[str]:
    (statement,) = RiskAssessmentEngine().assess(Migration.from_sql(sql)).statements
    return {one.sqlstate for one in statement.may_fail or ()}


@pytest.mark.parametrize(
    ("sql", "sqlstate"),
    [
        ("DROP SCHEMA {} s CASCADE", "3F000"),
        ("DROP FUNCTION {} f(int)", "42883"),
        ("DROP TRIGGER {} g ON t", "42704"),
        ("DROP POLICY {} p ON t", "42704"),
        ("ALTER TYPE mood ADD VALUE {} 'a'", "42710"),
    ],
)
def test_what_is_ruled_out_is_no_way_to_fail(sql: str, sqlstate: str) -> None:
    words = "IF NOT EXISTS" if "ADD VALUE" in sql else "IF EXISTS"
    assert sqlstate in _may_fail(sql.format(""))
    assert sqlstate not in _may_fail(sql.format(words))


@pytest.mark.parametrize(
    ("sql", "may"),
    [
        ("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", False),
        ("INSERT INTO t VALUES (1) ON CONFLICT (id) DO NOTHING", True),
        ("INSERT INTO t VALUES (1)", True),
        ("INSERT INTO late VALUES (1) ON CONFLICT DO NOTHING", True),
    ],
)
def test_on_conflict_do_nothing_rules_out_the_keys_that_are_checked_at_once(
    conn: psycopg.Connection[Any], sql: str, may: bool
) -> None:
    conn.execute(
        "CREATE TABLE t (id int PRIMARY KEY, n int UNIQUE DEFAULT 1); CREATE TABLE late (id int UNIQUE DEFERRABLE)"
    )
    (statement,) = RiskAssessmentEngine(Catalog.load(conn)).assess(Migration.from_sql(sql)).statements
    assert ("23505" in {one.sqlstate for one in statement.may_fail or ()}) is may
