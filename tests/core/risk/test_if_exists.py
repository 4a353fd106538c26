"""IF EXISTS and IF NOT EXISTS: what they rule out is not told of as a way to fail."""

from __future__ import annotations

import pytest

from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.engine import RiskAssessmentEngine


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
