"""What the text of a dry run says of the way back and of predictions that did not come true."""

from __future__ import annotations

import pytest

from confiture_tui.cli.output.dry_run import write_result, write_summary
from confiture_tui.cli.output.page import Page
from confiture_tui.core.dry_run.result import DataAfter, RoundTrip
from confiture_tui.core.effects.observing import Replaced
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.engine import RiskAssessmentEngine
from tests.cli.samples import result


def _text(trip: RoundTrip) -> str:
    page = Page(width=160)
    write_result(page, result().model_copy(update={"round_trip": trip}))
    return page.text()


@pytest.mark.parametrize(
    ("trip", "words"),
    [
        (RoundTrip(schema_proved=True, data=DataAfter.KEPT, again=True), "the rows from before are kept"),
        (RoundTrip(schema_proved=True, data=DataAfter.LOST, again=True), "rows or columns from before are lost"),
        (RoundTrip(schema_proved=True, again=True), "whether values are as before is unknown"),
        (RoundTrip(schema_proved=True, lesser=("table public.t: column order",)), "lesser: table public.t: column"),
        (RoundTrip(schema_proved=False, differences=("index public.i does not come back",)), "index public.i does not"),
        (RoundTrip(schema_proved=None, differences=("It holds meta-commands.",)), "It holds meta-commands."),
    ],
)
def test_the_way_back_is_told_with_what_becomes_of_the_rows(trip: RoundTrip, words: str) -> None:
    assert words in _text(trip)


def test_nothing_is_said_of_rows_where_the_way_back_was_not_tried() -> None:
    assert "rows from before" not in _text(RoundTrip(schema_proved=None))


def test_differences_from_the_prediction_are_counted() -> None:
    good = result()
    first = good.statements[0].model_copy(update={"mismatch": ("locks", "scans")})
    page = Page(width=160)
    write_summary(page, [good.model_copy(update={"statements": (first, *good.statements[1:])})])
    expected = sum(len(one.mismatch or ()) for one in good.statements[1:]) + 2
    assert f"{expected} differences from the prediction" in page.text()


def test_the_risk_is_told_by_what_was_seen_beside_what_was_predicted() -> None:
    assessment = RiskAssessmentEngine().assess(
        Migration.from_sql("ALTER TABLE t ADD COLUMN x int;", version="007", name="x")
    )
    replaced = (
        Replaced(statement=1, field="scans", predicted=("public.t",)),
        Replaced(statement=1, field="elapsed_ms", observed=("12",)),
    )
    seen = assessment.model_copy(update={"predicted_score": 99, "replaced": replaced})
    page = Page(width=160)
    write_summary(page, [result()], assessments={"007": seen})
    text = page.text()
    assert f"007_x: {seen.level.value} {seen.score}, where 99 was predicted" in text
    assert "statement 1, scans: nothing of the kind seen, public.t predicted" in text
    assert "elapsed" not in text
