"""Whatever a file holds: never a traceback, never a wrong silence."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.engine import RiskAssessmentEngine
from confiture_tui.core.risk.model import Category, Level, RiskAssessment
from tests.support.truth import Form, forms


def assess(sql: str) -> RiskAssessment:
    found = RiskAssessmentEngine(runner="confiture").assess(Migration.from_sql(sql))
    broken = [note for note in found.notes if "was left out" in note]
    assert not broken, broken
    assert RiskAssessment.model_validate_json(found.model_dump_json()) == found
    return found


@pytest.mark.parametrize("form", forms(), ids=lambda form: form.id)
def test_every_known_form(form: Form) -> None:
    found = assess(form.sql)
    assert 0 <= found.score <= 100
    assert found.analysed[0] == found.analysed[1] > 0
    for each in found.statements:
        assert each.estimate is not None
        assert each.estimate.low_ms <= each.estimate.expected_ms <= each.estimate.high_ms


@pytest.mark.parametrize(
    "sql",
    [
        "",
        ";;;",
        "-- nothing",
        "\\connect x",
        "SELECT",
        "ALTER TABLE",
        "ALTER TABLE t ADD c int DEFAULT {{ value }}",
        "BEGIN; ALTER TABLE t ADD c int; COMMIT; ALTER TABLE t DROP c;",
        "COMMIT; COMMIT; BEGIN; BEGIN;",
        "SAVEPOINT a; ALTER TABLE t ADD c int; ROLLBACK TO a; RELEASE a",
        "SET search_path = nowhere; ALTER TABLE t ADD c int",
        "SET lock_timeout = 'nonsense'; ALTER TABLE t ADD c int",
        "CREATE TEMP TABLE t (id int); ALTER TABLE t ADD c int NOT NULL; UPDATE t SET c = 1",
        'ALTER TABLE "a.b"."c""d" ADD "ü ï" int; ALTER TABLE "a.b"."c""d" RENAME TO "[/foo]\x1b"',
        "SELECT " + " + ".join(["1"] * 20_000),
        "ALTER TABLE t ADD CHECK (" + " AND ".join(["a > 1"] * 5_000) + ")",
        "DO $$ BEGIN EXECUTE 'DROP TABLE ' || x; END $$",
        "COPY t FROM stdin;\n1\n\\.\n",
        "SELECT '\x00'",
        "\udcff",
    ],
)
def test_odd_files(sql: str) -> None:
    found = assess(sql)
    if found.analysed[0] < found.analysed[1]:
        assert found.level is Level.CRITICAL


@given(st.lists(st.sampled_from([form.sql for form in forms()]), min_size=2, max_size=5))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_forms_together(listed: list[str]) -> None:
    found = assess(";\n".join(listed))
    assert set(found.categories) == set(Category)


def test_five_hundred_statements_in_one_transaction() -> None:
    found = assess(";\n".join(f"ALTER TABLE t{number} ADD c int" for number in range(500)))
    assert found.analysed == (500, 500)
    assert len(found.exposure) == 500
