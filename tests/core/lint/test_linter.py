"""The linter: which rules run, with which severity; what is exempt, skipped, hidden; and what never changes a key."""

from __future__ import annotations

from datetime import date
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from pydantic import ValidationError

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.lint import plugins
from confiture_tui.core.lint.comparison import compare_reports, with_figures_of
from confiture_tui.core.lint.config import CustomRule, Exemption, LintConfig, RuleSettings
from confiture_tui.core.lint.linter import SchemaLinter
from confiture_tui.core.lint.model import Fix, FixStep, LintReport, Safety, Severity, Suppressed, Violation
from confiture_tui.core.lint.rule import LintRule, RuleOptions
from confiture_tui.errors import UsageError
from tests.support import lint_plugins

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.database.dsn import Dsn

SHOP = """
CREATE TABLE customer (id bigint PRIMARY KEY);
CREATE TABLE purchase (id bigint PRIMARY KEY, customer_id bigint REFERENCES customer, paid boolean);
CREATE TABLE diary (entry text);
COMMENT ON TABLE diary IS 'Notes. @lint-ignore primary-key: only ever appended to';
CREATE SCHEMA old;
CREATE TABLE old.diary (entry text);
"""
IN_SHOP = ("primary-key", "missing-index", "nullable-boolean")


@pytest.fixture
def shop(database_from: Callable[[str], Dsn]) -> Catalog:
    with psycopg.connect(database_from(SHOP).conninfo(), autocommit=True) as conn:
        return Catalog.load(conn)


def lint(catalog: Catalog, **settings: Any) -> LintReport:
    return SchemaLinter(LintConfig(**{"select": IN_SHOP, **settings})).run(catalog)


def found(report: LintReport) -> set[tuple[str, str]]:
    return {(one.rule, one.object) for one in report.violations}


def test_what_is_found_comes_worst_first_with_counts(shop: Catalog) -> None:
    report = lint(shop)
    assert [one.severity.rank for one in report.violations] == sorted(
        (one.severity.rank for one in report.violations), reverse=True
    )
    assert found(report) == {
        ("primary-key", "old.diary"),
        ("missing-index", "public.purchase.purchase_customer_id_fkey"),
        ("nullable-boolean", "public.purchase.paid"),
    }
    assert report.checked["tables"] == 4
    assert report.checked["schemas"] == 2
    assert report.counts() == {Severity.ERROR: 1, Severity.WARNING: 1, Severity.INFO: 1}
    assert {one.rule for one in report.at_least(Severity.WARNING)} == {"primary-key", "missing-index"}


def test_a_tag_in_a_comment_lets_pass_with_its_reason(shop: Catalog) -> None:
    (passed,) = lint(shop).suppressed
    assert (passed.violation.object, passed.by, passed.reason) == (
        "public.diary",
        "comment",
        "only ever appended to",
    )


def test_schemas_are_chosen_and_left_out(shop: Catalog) -> None:
    assert found(lint(shop, schemas=("o*",))) == {("primary-key", "old.diary")}
    assert ("primary-key", "old.diary") not in found(lint(shop, exclude_schemas=("old",)))


@pytest.mark.parametrize("glob", ["old.diary", "diary", "old.*", "*.diary"])
def test_an_exemption_names_objects_with_and_without_schema(shop: Catalog, glob: str) -> None:
    report = lint(shop, exemptions=(Exemption(object=glob, reason="old"),))
    assert ("primary-key", "old.diary") not in found(report)
    assert "old" in {one.reason for one in report.suppressed}


def test_exemptions_of_a_rule_end_and_are_told_when_they_are_of_no_use(shop: Catalog) -> None:
    exemptions = (
        Exemption(object="old.diary", until=date(2026, 1, 31)),
        Exemption(object="nothing.like_that"),
    )
    rules = {"primary-key": RuleSettings(exemptions=exemptions)}
    before = lint(shop, rules=rules, today=date(2026, 1, 31))
    after = lint(shop, rules=rules, today=date(2026, 2, 1))
    assert ("primary-key", "old.diary") not in found(before)
    assert ("primary-key", "old.diary") in found(after)
    assert any("old.diary ended on 2026-01-31: its findings are back" in note for note in after.notes)
    assert any("nothing.like_that lets nothing pass" in note for note in after.notes)
    # What belongs to a table goes with it.
    of_table = {"nullable-boolean": RuleSettings(exemptions=(Exemption(object="public.purchase"),))}
    assert "nullable-boolean" not in {rule for rule, _ in found(lint(shop, rules=of_table))}


def test_a_severity_of_the_settings_wins_but_for_lesser_findings(conn: psycopg.Connection[Any]) -> None:
    conn.execute(
        "CREATE TABLE a (id bigint PRIMARY KEY); CREATE TABLE b (id bigint PRIMARY KEY, a_id bigint REFERENCES a);"
        "CREATE TABLE c (id bigint PRIMARY KEY, a_id bigint REFERENCES a); ANALYZE b"
    )
    catalog = Catalog.load(conn)
    rules = {"missing-index": RuleSettings(severity=Severity.ERROR)}
    severities = {one.relation: one.severity for one in lint(catalog, rules=rules).violations}
    # An empty table is known to be empty: info all the same. Of the other nobody knows.
    assert severities == {"public.b": Severity.INFO, "public.c": Severity.ERROR}


def test_rules_are_chosen_by_id_by_category_and_by_the_settings() -> None:
    def ran(**settings: Any) -> set[str]:
        return {rule.id for rule in SchemaLinter(LintConfig(**settings)).rules}

    assert ran(select=("rls-disabled",)) == {"rls-disabled"}
    assert "missing-index" in ran(select=("performance",))
    assert "naming" not in ran(select=("performance",))
    assert "rls-disabled" not in ran()
    assert "rls-disabled" in ran(rules={"rls-disabled": RuleSettings(severity=Severity.ERROR)})
    assert "naming" not in ran(rules={"naming": RuleSettings(enabled=False)})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"select": ("nmaing",)}, "Did you mean 'naming'?"),
        ({"rules": {"nmaing": RuleSettings()}}, "Did you mean 'naming'?"),
        ({"rules": {"naming": RuleSettings(options={"tabels": "any"})}}, "Did you mean 'tables'?"),
        ({"custom_rules": (CustomRule(name="naming", patterns=("x",)),)}, "called like another rule"),
    ],
)
def test_mistakes_in_code_are_told_too(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        SchemaLinter(LintConfig(**settings))


def test_custom_rules_need_no_code(shop: Catalog) -> None:
    rules = (
        CustomRule(name="sides", patterns=("^w_", "^r_", "^cust"), severity=Severity.ERROR),
        CustomRule(name="keys", patterns=("_fkey$", "_pkey$"), kinds=("constraints",), schemas=("public",)),
        CustomRule(name="flags", patterns=("^is_",), kinds=("columns",), objects=("purchase.p*",), message="Say is_."),
    )
    report = lint(shop, custom_rules=rules, select=("sides", "keys", "flags"), exclude_schemas=("old",))
    assert {(one.rule, one.object, one.severity) for one in report.violations} == {
        ("sides", "public.purchase", Severity.ERROR),
        ("sides", "public.diary", Severity.ERROR),
        ("flags", "public.purchase.paid", Severity.WARNING),
    }
    assert {one.message for one in report.violations if one.rule == "flags"} == {"Say is_."}


def test_rules_that_need_figures_are_skipped_where_there_are_none(shop: Catalog) -> None:
    report = SchemaLinter().run(shop, live=False)
    skipped = {one.rule for one in report.skipped}
    assert {"unused-index", "xid-age", "never-analyzed"} <= skipped
    assert not skipped & set(report.rules)


def test_what_a_role_may_not_see_is_said(conn: psycopg.Connection[Any], database: Dsn) -> None:
    conn.execute(
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);"
        "CREATE SCHEMA hidden; CREATE TABLE hidden.t (a text); CREATE ROLE lint_visitor LOGIN"
    )
    try:
        with psycopg.connect(database.conninfo(), autocommit=True) as visitor:
            visitor.execute("SET ROLE lint_visitor")
            report = SchemaLinter().run(Catalog.load(visitor))
        skipped = {one.rule: one for one in report.skipped}
        assert "public.t_id_seq" in skipped["sequence-exhaustion"].objects
        assert any("last values of sequences" in note for note in report.notes)
        # Definitions are for everybody to see: also those of a schema that the role may not use.
        assert ("primary-key", "hidden.t") in found(report)
    finally:
        conn.execute("DROP ROLE lint_visitor")


def test_keys_rest_on_the_object_alone(conn: psycopg.Connection[Any]) -> None:
    conn.execute("CREATE TABLE a (x text); CREATE TABLE b (x text)")
    before = lint(Catalog.load(conn), select=("primary-key",))
    conn.execute("ALTER TABLE a RENAME TO z; ALTER TABLE b ADD y int; ALTER TABLE b RENAME x TO xx; ANALYZE b")
    after = lint(
        Catalog.load(conn),
        select=("primary-key",),
        rules={"primary-key": RuleSettings(severity=Severity.INFO)},
    )
    compared = compare_reports(before, after)
    assert [one.object for one in compared.unchanged] == ["public.b"]
    assert [one.object for one in compared.added] == ["public.z"]
    assert [one.object for one in compared.fixed] == ["public.a"]


def test_figures_are_carried_over_to_a_shadow_by_name(conn: psycopg.Connection[Any], databases: Any) -> None:
    sql = "CREATE TABLE a (id bigint PRIMARY KEY); CREATE TABLE b (id bigint PRIMARY KEY, a_id bigint REFERENCES a)"
    conn.execute(sql.encode())
    conn.execute("ANALYZE b")
    live = Catalog.load(conn)
    with psycopg.connect(databases.fresh().conninfo(), autocommit=True) as other:
        other.execute(sql.encode())
        shadow = Catalog.load(other)
    (bare,) = lint(shadow, select=("missing-index",)).violations
    (weighed,) = lint(with_figures_of(shadow, live), select=("missing-index",)).violations
    assert (bare.severity, weighed.severity) == (Severity.WARNING, Severity.INFO)
    assert with_figures_of(shadow, live).fingerprint == shadow.fingerprint


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages with rules, as if they were installed."""
    points = [
        EntryPoint(name, f"{lint_plugins.__name__}:{attribute}", plugins.GROUP)
        for name, attribute in (("good", "GOOD"), ("broken", "NOTHING"), ("wrong", "WRONG"), ("twice", "Twice"))
    ]
    points.append(EntryPoint("missing", "no_such_module_at_all:Rule", plugins.GROUP))
    points.append(EntryPoint("exits", "tests.support.exiting:Rule", plugins.GROUP))
    monkeypatch.setattr(plugins, "entry_points", lambda group: [one for one in points if one.group == group])


@pytest.mark.usefixtures("foreign")
def test_rules_of_other_packages_run_and_their_mistakes_stop_nobody(shop: Catalog) -> None:
    linter = SchemaLinter(LintConfig(rules={"no-diaries": RuleSettings(options={"word": "diary"})}))
    report = linter.run(shop)
    assert ("no-diaries", "old.diary") in found(report)
    assert ("primary-key", "old.diary") in found(report)
    skipped = {one.rule: one.why for one in report.skipped}
    assert "AttributeError" in skipped["broken"]
    assert "no subclass of LintRule" in skipped["wrong"]
    assert "'primary-key' is taken by confiture-tui" in skipped["twice"]
    assert "ModuleNotFoundError" in skipped["missing"]
    assert "SystemExit: not today" in skipped["exits"]
    assert "package" in skipped["missing"]
    # One that fails while it runs is told, and what it found until then stays.
    assert "ZeroDivisionError" in skipped["fails-late"]
    assert ("fails-late", "public.customer") in found(report)


@pytest.mark.usefixtures("foreign")
def test_rules_of_other_packages_can_be_left_out() -> None:
    assert "no-diaries" not in SchemaLinter(LintConfig(plugins=False)).known
    assert "no-diaries" not in SchemaLinter(LintConfig(plugins=("another-package",))).known


def test_a_rule_of_ones_own_takes_five_lines(shop: Catalog) -> None:
    class NoTable(LintRule):
        """No table at all."""

        id, category, severity = "no-table", "house", Severity.ERROR
        title, why = "There is a table.", "We want none."

        def check(self, catalog: Catalog, options: RuleOptions) -> Any:
            return (self.on(one, "A table.") for one in catalog.relations.values())

    report = SchemaLinter(LintConfig(plugins=False), rules=[NoTable]).run(shop)
    assert len(report.violations) == 4


def test_a_report_comes_back_from_json_as_it_was_and_unknown_keys_do_not() -> None:
    step = FixStep(up="DROP INDEX CONCURRENTLY a;\n", down="CREATE INDEX a ON t (a);\n", transactional=False)
    one = Violation(
        rule="duplicate-index",
        category="performance",
        severity=Severity.WARNING,
        object="public.a",
        kind="index",
        relation="public.t",
        schema_name="public",
        message="It is there twice.",
        fix=Fix(steps=(step,), safety=Safety.SAFE, note="Look first."),
        key="k",
    )
    report = LintReport(violations=(one,), suppressed=(Suppressed(violation=one, by="comment"),))
    assert LintReport.model_validate_json(report.model_dump_json()) == report
    with pytest.raises(ValidationError, match="unexpected"):
        LintReport.model_validate({"violations": [{**report.model_dump()["violations"][0], "color": "red"}]})
