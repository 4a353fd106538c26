"""What a baseline of risks lets pass, and what not."""

from __future__ import annotations

import pytest

from confiture_tui.core.baselines import Baseline
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.baseline import entries_of, gone, with_baseline, with_keys
from confiture_tui.core.risk.engine import RiskAssessmentEngine
from confiture_tui.core.risk.model import Category, Level, RiskAssessment, Severity

DROP = "DROP TABLE orders;"
INDEX = "CREATE INDEX orders_total ON orders (total);"


def assessed(sql: str, version: str = "007") -> RiskAssessment:
    migration = Migration.from_sql(sql, version=version, name="change")
    return with_keys(RiskAssessmentEngine().assess(migration))


def baseline_of(*assessments: RiskAssessment) -> Baseline:
    return Baseline(command="assess", violations=entries_of(assessments))


def keys(assessment: RiskAssessment) -> set[str]:
    return {risk.key for risk in assessment.risks}


def test_every_risk_has_a_key_of_its_own() -> None:
    one = assessed(f"{INDEX} {DROP} {INDEX}")
    assert len(keys(one)) == len(one.risks) > 5
    assert "" not in keys(one)


@pytest.mark.parametrize(
    "written",
    [
        f"-- why\n{INDEX}\n{DROP}",
        f"CREATE TABLE fresh (id int);\n{INDEX}\n\n{DROP}",
        f"{INDEX.lower()} drop  table orders",
    ],
)
def test_keys_outlast_comments_formatting_and_statements_before(written: str) -> None:
    assert keys(assessed(f"{INDEX} {DROP}")) <= keys(assessed(written))


def test_keys_tell_migrations_and_statements_apart() -> None:
    def of_drop(sql: str, version: str = "007") -> str:
        return next(risk.key for risk in assessed(sql, version).risks if risk.rule == "drop-table")

    assert of_drop(DROP) == of_drop(f"{INDEX} {DROP}")
    assert of_drop(DROP) != of_drop(DROP, version="008")
    assert of_drop(DROP) != of_drop("DROP TABLE customers;")


def test_what_it_has_does_not_count_and_the_rest_does() -> None:
    accepted, now = assessed(DROP), assessed(f"{INDEX} {DROP}")
    left = with_baseline(now, baseline_of(accepted))
    assert "drop-table" not in {risk.rule for risk in left.risks}
    assert "create-index-not-concurrent" in {risk.rule for risk in left.risks}
    assert {each.by for each in left.ignored} == {"baseline"}
    assert left.categories[Category.DATA_LOSS] == 0 < now.categories[Category.DATA_LOSS]
    assert left.score < now.score


def test_all_accepted_is_no_risk_at_all() -> None:
    one = assessed(f"{DROP} {INDEX}")
    left = with_baseline(one, baseline_of(one))
    assert (left.risks, left.score, left.level) == ((), 0, Level.NONE)


def test_a_risk_that_got_worse_counts_again() -> None:
    now = assessed(INDEX)
    worst = now.risks[0]
    milder = worst.model_copy(update={"severity": Severity.LOW})
    left = with_baseline(now, baseline_of(now.model_copy(update={"risks": (milder, *now.risks[1:])})))
    assert left.risks == (worst,)
    assert left.score == worst.points


def test_what_is_found_no_more_is_told_of_the_migrations_that_were_judged_alone() -> None:
    baseline = baseline_of(assessed(DROP), assessed(DROP, version="008"))
    found = gone([assessed("SELECT 1")], baseline)
    assert found
    assert {entry.object for entry in found} == {"007_change"}
    assert gone([assessed(DROP)], baseline) == ()


def test_a_statement_that_cannot_be_read_has_a_key_too() -> None:
    one = assessed("SELEC 1;")
    assert with_baseline(one, baseline_of(one)).risks == ()
