"""What a migration's text tells before anything is run, and how many findings are told as one."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confiture_tui.core.migrations import findings as module
from confiture_tui.core.migrations.findings import condensed, script_findings, too_large
from confiture_tui.core.migrations.model import Finding, Migration
from confiture_tui.core.migrations.profiles import PROFILES, Wrapping

PATH = Path("/shop/db/migrations/007_jars.up.sql")


def said(sql: str, wrapping: Wrapping | None = None) -> list[tuple[str, str, int | None]]:
    return [(one.code, one.level, one.line) for one in found(sql, wrapping)]


def found(sql: str, wrapping: Wrapping | None = None) -> tuple[Finding, ...]:
    migration = Migration.from_sql(sql, version="007", name="jars", path=PATH)
    return script_findings(migration, wrapping or PROFILES["confiture"].wrapping_of(migration.up))


def test_a_plain_migration_has_nothing_to_be_said() -> None:
    assert said("CREATE TABLE jar (id int);\nSELECT '{{ not a template }}', '${nor} this', ':nor_that';\n") == []


def test_a_mistake_is_told_with_file_line_and_statement() -> None:
    (one,) = found("SELECT 1;\nALTER TABLE jar\n  ADD COLUM lid text;\nSELECT 2;\n")
    assert (one.code, one.level, one.line, one.path) == ("syntax-error", "error", 3, PATH)
    assert one.message.startswith("007_jars.up.sql, line 3: PostgreSQL cannot read this ALTER TABLE (syntax error")


@pytest.mark.parametrize(
    ("sql", "placeholder"),
    [
        ("CREATE TABLE {{ schema }}.jar (id int)", "{{ schema }}"),
        ('ALTER TABLE {{ index .Options "Namespace" }}.jar ADD x int', '{{ index .Options "Namespace" }}'),
        ("{% if big %}\nSELECT 1", "{% if big %}"),
        ("ALTER TABLE ${schema}.jar ADD x int", "${schema}"),
        ("ALTER TABLE ${flyway:defaultSchema}.jar ADD x int", "${flyway:defaultSchema}"),
        ("SELECT <%= jars %>", "<%= jars %>"),
        ("INSERT INTO jar VALUES (:id)", ":id"),
        ("INSERT INTO jar VALUES (:'name')", ":'name'"),
        ('SELECT * FROM :"table"', ':"table"'),
    ],
)
def test_a_template_is_told_by_its_placeholder(sql: str, placeholder: str) -> None:
    (one,) = found(f"SELECT 1;\n{sql};\n")
    assert (one.code, one.level) == ("template", "error")
    assert one.message.startswith(f"007_jars.up.sql, line {one.line}: {placeholder} is to be filled in")


def test_a_cast_beside_a_mistake_is_no_placeholder() -> None:
    assert said("SELECT now()::date FORM jar WHERE;") == [("syntax-error", "error", 1)]


@pytest.mark.parametrize(
    "word", ["COMMIT", "END", "ROLLBACK", "COMMIT AND CHAIN", "PREPARE TRANSACTION 'jam'", "ABORT"]
)
def test_transaction_control_is_an_error_where_the_runner_wraps(word: str) -> None:
    sql = f"SELECT 1;\n{word};\nSELECT 2;\n"
    assert said(sql, Wrapping.TRANSACTION) == [("transaction-control", "error", 2)]
    assert said(sql, Wrapping.NONE) == [("transaction-control", "note", 2)]
    assert "007_jars.up.sql, line 2" in found(sql)[0].message


def test_savepoints_are_nobodys_business() -> None:
    assert said("SAVEPOINT a; SELECT 1; ROLLBACK TO a; RELEASE a;", Wrapping.TRANSACTION) == []


def test_the_files_own_pair_is_noted_with_both_lines() -> None:
    (one,) = found("-- jam\nBEGIN;\nSELECT 1;\nCOMMIT;\n")
    assert (one.code, one.level, one.line) == ("own-transaction", "note", 2)
    assert "lines 2 and 4" in one.message


def test_psqls_commands_are_told_once() -> None:
    (one,) = found("\\set ON_ERROR_STOP on\n\\i other.sql\nSELECT 1;\n\\echo a\n\\echo b\n\\echo c\n")
    assert (one.code, one.level, one.line) == ("psql-meta-command", "warning", 1)
    assert "lines 1, 2, 4 and 2 more" in one.message
    assert "\\echo, \\i, \\set are commands of psql" in one.message


def test_rows_in_the_file_are_noted() -> None:
    assert said("SELECT 1;\nCOPY jar FROM stdin;\n1\n2\n\\.\nSELECT 2;\n") == [("copy-data", "note", 2)]


def test_what_is_not_utf8_is_told_by_the_file_alone() -> None:
    assert said(b"SELECT '\xff';".decode(errors="surrogateescape")) == []


def test_findings_stand_in_the_order_of_the_file() -> None:
    sql = "\\echo a\nSELEC 1;\nCOMMIT;\nINSERT INTO {{ jar }};\n"
    lines = [line for _code, _level, line in said(sql, Wrapping.TRANSACTION)]
    assert lines == [1, 2, 3, 4]


def test_a_script_that_is_too_large_is_not_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SQL_CHARACTERS", 100)
    small = Migration.from_sql("SELECT 1;\n" * 5, path=PATH)
    large = Migration.from_sql("SELECT 1;\n" * 50, path=PATH)
    data = Migration.from_sql("COPY jar FROM stdin;\n" + "1\n" * 500 + "\\.\n", path=PATH)
    assert too_large(small) is None
    assert too_large(data) is None
    finding = too_large(large)
    assert finding is not None
    assert (finding.code, finding.level) == ("too-large", "error")
    assert "007_jars.up.sql" in finding.message


LEVELS: list[Literal["error", "warning", "note"]] = ["error", "warning", "note"]


def note(number: int, code: str = "missing-down", level: Literal["error", "warning", "note"] = "note") -> Finding:
    return Finding(code=code, message=f"{number}: no way back.", path=Path(f"/m/{number:03}.up.sql"), level=level)


def test_many_of_a_kind_are_told_as_one_after_what_is_worse() -> None:
    findings = [*(note(number) for number in range(1, 1001)), note(7, "duplicate-version", "error")]
    error, rest = condensed(findings)
    assert error.code == "duplicate-version"
    assert rest.message == "1: no way back. And 999 more like it: 002.up.sql … 1000.up.sql."


def test_errors_are_all_told() -> None:
    assert len(condensed(note(number, "x", "error") for number in range(50))) == 50


@settings(max_examples=30)
@given(st.lists(st.builds(note, st.integers(1, 30), st.sampled_from("abc"), st.sampled_from(LEVELS))))
def test_condensing_loses_no_kind_and_invents_none(findings: list[Finding]) -> None:
    shown = condensed(findings)
    assert {(one.code, one.level) for one in shown} == {(one.code, one.level) for one in findings}
    levels = [LEVELS.index(one.level) for one in shown]
    assert levels == sorted(levels)
    assert condensed(shown) == shown
