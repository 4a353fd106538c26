"""The text of a recipe: it can be run as it stands, whatever names and comments it holds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.advice.recipe import Recipe
from confiture_tui.core.risk.engine import RiskAssessmentEngine
from confiture_tui.core.sql.identifiers import quote_identifier
from confiture_tui.core.sql.script import Script
from tests.core.risk.advice.cases import CASES


def _kinds(text: str) -> list[str | None]:
    script = Script.from_text(text)
    return [one.node_kind for one in script.statements]


def test_steps_are_numbered_and_closed() -> None:
    recipe = Recipe().note("Read this.").brief("One.", "SELECT 1", "SELECT 2 -- two").alone("Two.", "VACUUM t")
    text = recipe.later("Later:", "DROP VIEW v").text()
    assert text.startswith("-- Read this.\n\n-- Step 1 of 2. One.\nBEGIN;")
    assert "-- Step 2 of 2. Two. Not inside a transaction." in text
    assert text.endswith("-- Later:\n--     DROP VIEW v;\n")
    assert _kinds(text).count("SelectStmt") == 2
    assert not Script.from_text(text).problems


def test_one_step_has_no_number() -> None:
    assert Recipe().long("All.", "SELECT 1").text().startswith("-- All.\nBEGIN;")


@given(comment=st.text(), name=st.text(min_size=1, max_size=20).filter(lambda one: "\0" not in one))
@settings(max_examples=100)
def test_no_comment_and_no_name_breaks_out(comment: str, name: str) -> None:
    quoted = quote_identifier(name)
    text = Recipe().brief(comment.replace("\0", ""), f"DROP TABLE {quoted}").text()
    if any("\ud800" <= one <= "\udfff" for one in text):
        return
    assert _kinds(text) == ["VariableSetStmt", "VariableSetStmt", "DropStmt"]


_NAMES = st.text(
    alphabet=st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\0"), min_size=1, max_size=12
)


@given(table=_NAMES, column=_NAMES)
@settings(max_examples=60, deadline=None)
def test_safe_sql_without_a_catalog_is_sql_whatever_the_names(table: str, column: str) -> None:
    one, other = quote_identifier(table), quote_identifier(column)
    sql = (
        f"ALTER TABLE {one} ADD COLUMN {other} uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE CHECK ({other} <> '');\n"
        f"ALTER TABLE {one} ALTER COLUMN {other} TYPE bigint USING {other}::bigint /* x */;\n"
        f"ALTER TABLE {one} ALTER {other} SET NOT NULL, ADD CHECK ({other} > 0), ADD UNIQUE ({other});\n"
        f"ALTER TABLE {one} ADD FOREIGN KEY ({other}) REFERENCES {one} ({other});\n"
        f"CREATE INDEX ON {one} ({other} DESC);\nALTER TABLE {one} RENAME {other} TO z;\n"
        f"ALTER TABLE {one} RENAME TO y;"
    )
    assessment = RiskAssessmentEngine(None, runner="loose").assess(Migration.from_sql(sql))
    assert not [note for note in assessment.notes if note.startswith("The rule")], assessment.notes
    told = [risk for risk in assessment.risks if risk.safe_sql is not None]
    assert len(told) > 6
    for risk in told:
        script = Script.from_text(risk.safe_sql or "")
        assert script.statements
        assert not script.problems, (risk.rule, risk.safe_sql)


def test_safe_sql_without_a_catalog_is_sql() -> None:
    for case in CASES:
        assessment = RiskAssessmentEngine(None, runner="loose").assess(Migration.from_sql(case.sql))
        for risk in assessment.risks:
            assert not Script.from_text(risk.safe_sql or "").problems, (case.name, risk.rule, risk.safe_sql)


def test_one_of_several_sub_commands_says_so() -> None:
    sql = "ALTER TABLE t ALTER a SET NOT NULL, ADD CHECK (a > 0)"
    assessment = RiskAssessmentEngine(None, runner="loose").assess(Migration.from_sql(sql))
    texts = {risk.rule: risk.safe_sql or "" for risk in assessment.risks}
    for rule in ("set-not-null-scan", "add-check-without-not-valid"):
        assert texts[rule].startswith("-- In place of this sub-command alone")


def _advice(sql: str, rule: str) -> str:
    found = RiskAssessmentEngine().assess(Migration.from_sql(sql))
    (text,) = {one.safe_sql for one in found.risks if one.rule == rule}
    assert text is not None
    return text


def test_a_validation_after_very_many_statements_has_its_way_too() -> None:
    many = "".join(f"ALTER TABLE t ADD c{number} int;\n" for number in range(150))
    text = _advice(
        f"BEGIN;\n{many}ALTER TABLE t ADD CONSTRAINT k CHECK (c1 > 0) NOT VALID;\n"
        "ALTER TABLE t VALIDATE CONSTRAINT k;\nCOMMIT;",
        "validate-in-same-transaction",
    )
    assert "up to line 152" in text
    assert "BEGIN;" in text
    assert [one.sql for one in Script.from_text(text).statements if one.node_kind == "AlterTableStmt"] == [
        "ALTER TABLE public.t VALIDATE CONSTRAINT k"
    ]


def test_an_index_that_may_well_be_valid_is_looked_at_before_it_is_dropped() -> None:
    text = _advice("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a);", "if-not-exists-hides-invalid-index")
    look, _, rest = text.partition("DROP INDEX CONCURRENTLY IF EXISTS public.i")
    assert "to_regclass('public.i')" in look
    assert "CREATE INDEX CONCURRENTLY i ON public.t (a)" in rest
