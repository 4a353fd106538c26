"""Fixes become migrations: how they are put together, named, and what has to wait."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from confiture_tui.core.lint.fixing import NOTHING_BACK, next_version, plan_fixes
from confiture_tui.core.lint.model import Fix, FixStep, Safety, Severity, Violation, key_of
from confiture_tui.core.sql.script import Script

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)


def violation(
    rule: str, name: str, *steps: FixStep, safety: Safety = Safety.SAFE, message: str = "Wrong.", relation: str = ""
) -> Violation:
    return Violation(
        rule=rule,
        category="x",
        severity=Severity.WARNING,
        object=name,
        kind="table",
        relation=relation or name,
        schema_name="public",
        message=message,
        fix=Fix(steps=steps, safety=safety) if steps else None,
        key=key_of(rule, "table", name),
    )


def step(text: str, *, transactional: bool = True) -> FixStep:
    return FixStep(up=f"SELECT '{text}';\n", down=f"SELECT 'no {text}';\n", transactional=transactional)


@pytest.mark.parametrize(
    ("versions", "following"),
    [
        ([], "001"),
        (["001", "002"], "003"),
        (["009"], "010"),
        (["099", "100"], "101"),
        (["999"], "1000"),
        (["9", "10"], "11"),
        (["0001", "draft"], "0002"),
        (["20260101120000"], "20261124103000"),
        (["20991231235959"], "20991231235960"),
    ],
)
def test_the_next_version_has_the_form_of_those_before(versions: list[str], following: str) -> None:
    assert next_version(versions, NOW) == following


def test_what_needs_a_transaction_of_its_own_gets_a_migration_of_its_own() -> None:
    plan = plan_fixes(
        [
            violation("a", "public.t", step("t1"), step("t2")),
            violation("a", "public.u", step("u1")),
            violation("b", "public.v", step("index", transactional=False)),
            violation("c", "public.w"),
        ],
        after=["007"],
        review=False,
        now=NOW,
    )
    assert [(one.version, one.name) for one in plan.migrations] == [
        ("008", "lint_fixes_1"),
        ("009", "lint_fixes_2"),
        ("010", "lint_fixes_3"),
    ]
    ups = [[statement.sql for statement in Script.from_text(one.up).statements] for one in plan.migrations]
    assert ups == [["SELECT 't1'", "SELECT 'u1'"], ["SELECT 'index'"], ["SELECT 't2'"]]
    downs = [statement.sql for statement in Script.from_text(plan.migrations[0].down).statements]
    assert downs == ["SELECT 'no u1'", "SELECT 'no t1'"]
    assert {one.object for one in plan.fixed} == {"public.t", "public.u", "public.v"}


def test_only_what_is_safe_unless_the_others_are_asked_for() -> None:
    violations = [
        violation("a", "public.t", step("t"), safety=Safety.REVIEW),
        violation("a", "public.u", step("u"), safety=Safety.MANUAL),
        violation("a", "public.v", FixStep(up="SELECT 'v';\n")),
    ]
    plan = plan_fixes(violations, after=[], review=False, now=NOW)
    assert [one.object for one in plan.fixed] == ["public.v"]
    assert plan.migrations[0].down == NOTHING_BACK
    assert {one.object for one in plan_fixes(violations, after=[], review=True, now=NOW).fixed} == {
        "public.t",
        "public.v",
    }


def test_what_changes_the_same_object_waits() -> None:
    rename = FixStep(up='ALTER TABLE public."T" RENAME TO t;\n', down='ALTER TABLE public.t RENAME TO "T";\n')
    drop = step("drop index")
    violations = [
        violation("naming", 'public."T"', rename),
        violation("missing", 'public."T".fk', step("index"), relation='public."T"'),
        violation("duplicate", "public.i", drop),
        violation("unused", "public.i", step("drop again")),
    ]
    plan = plan_fixes(violations, after=[], review=False, now=NOW)
    assert [one.rule for one in plan.fixed] == ["missing", "duplicate"]
    assert [one.rule for one in plan.left] == ["unused", "naming"]


def test_the_same_statement_is_written_once() -> None:
    same = [violation("a", "public.t.x", step("index")), violation("b", "public.t.y", step("index"))]
    plan = plan_fixes(same, after=[], review=False, now=NOW)
    assert len(plan.fixed) == 2
    assert plan.migrations[0].up.count("SELECT") == 1


def test_a_message_cannot_end_its_comment() -> None:
    hostile = violation("a", "public.t", step("t"), message="x\n; DROP TABLE t; \r\u2028 -- ")
    (migration,) = plan_fixes([hostile], after=[], review=False, now=NOW).migrations
    assert [statement.sql for statement in Script.from_text(migration.up).statements] == ["SELECT 't'"]
