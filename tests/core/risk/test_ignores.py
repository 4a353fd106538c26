"""Consent in comments."""

from __future__ import annotations

import pytest

from confiture_tui.core.risk.consent import Consent
from confiture_tui.core.risk.ignores import SQUAWK_RULES, ignores_of
from confiture_tui.core.risk.model import Category, Risk, Severity
from confiture_tui.core.sql.script import Script


def found(sql: str) -> list[tuple[str, int | None, int, str | None]]:
    return [(each.rule, each.statement, each.line, each.reason) for each in ignores_of(Script.from_text(sql))]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("-- risk: ignore a-b: why not\nSELECT 1;", [("a-b", 1, 1, "why not")]),
        ("SELECT 1;\n-- risk:ignore a,b\nSELECT 2;", [("a", 2, 2, None), ("b", 2, 2, None)]),
        ("SELECT 1; -- risk: ignore a: same line\nSELECT 2;", [("a", 1, 1, "same line")]),
        ("SELECT\n1 -- risk: ignore a\n;SELECT 2;", [("a", 1, 2, None)]),
        ("/* risk: ignore a: block */ SELECT 1", [("a", 1, 1, "block")]),
        ("SELECT 1;\n-- risk: ignore a: after all\n", [("a", 1, 2, "after all")]),
        ("-- squawk-ignore ban-drop-column\nSELECT 1;", [("ban-drop-column", 1, 1, None)]),
        ("-- squawk-ignore-file ban-drop-column, prefer-repack\nSELECT 1;", None),
        ("SELECT '-- risk: ignore a';", []),
        ("SELECT $x$\n-- risk: ignore a\n$x$;", []),
        ('SELECT "/* risk: ignore a */";', []),
        ("SELECT E'\\'-- risk: ignore a';", []),
        ("-- risk: ignored by all\nSELECT 1;", []),
        ("-- please risk: ignore a\nSELECT 1;", []),
        ("-- risk: ignore a", []),
        ("", []),
    ],
)
def test_comments(sql: str, expected: list[tuple[str, int | None, int, str | None]] | None) -> None:
    if expected is None:
        expected = [("ban-drop-column", None, 1, None), ("prefer-repack", None, 1, None)]
    assert found(sql) == expected


def test_squawks_names_stand_for_ours() -> None:
    (one,) = ignores_of(Script.from_text("-- squawk-ignore renaming-column\nSELECT 1;"))
    assert one.rules == {"rename-column"}
    assert one.foreign
    assert all(SQUAWK_RULES.values())


def risk(rule: str, statement: int | None, points: int = 50) -> Risk:
    return Risk(
        rule=rule,
        category=Category.LOCKING,
        severity=Severity.MEDIUM,
        statement=statement,
        message=rule,
        points=points,
    )


SQL = "-- risk: ignore one: agreed\nSELECT 1;\nSELECT 2;\nSELECT 3;"


def consent(sql: str = SQL, allow: frozenset[str] = frozenset()) -> Consent:
    return Consent(Script.from_text(sql), allow, frozenset({"one", "two"}))


def test_what_is_ignored_does_not_count_and_is_kept() -> None:
    counted, ignored = consent().apply([risk("one", 1), risk("one", 2), risk("two", 1)])
    assert [(each.rule, each.statement) for each in counted] == [("two", 1), ("one", 2)]
    (only,) = ignored
    assert (only.risk.rule, only.by, only.reason, only.line) == ("one", "comment", "agreed", 1)


def test_what_concerns_the_whole_migration_can_be_ignored_anywhere() -> None:
    assert consent().apply([risk("one", None)])[0] == ()


def test_an_ignore_that_nothing_needs_is_told() -> None:
    ((unused,), _) = consent().apply([])
    assert (unused.rule, unused.points, unused.statement) == ("unused-ignore", 0, 1)
    assert "nothing of the kind" in unused.message
    ((unknown,), _) = consent("-- risk: ignore nine\nSELECT 1;").apply([])
    assert "no such rule" in unknown.message
    assert consent("-- squawk-ignore ban-char-field\nSELECT 1;").apply([]) == ((), ())


def test_rules_can_be_allowed_by_name() -> None:
    counted, ignored = consent("SELECT 1", frozenset({"two"})).apply([risk("one", 1), risk("two", 1)])
    assert [each.rule for each in counted] == ["one"]
    assert [(each.risk.rule, each.by) for each in ignored] == [("two", "allowed")]


def test_the_worst_comes_first() -> None:
    counted, _ = consent("SELECT 1").apply([risk("one", 2, 10), risk("one", 1, 10), risk("two", 3, 90)])
    assert [(each.points, each.statement) for each in counted] == [(90, 3), (10, 1), (10, 2)]
