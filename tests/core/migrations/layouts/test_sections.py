"""Files with both directions: which lines divide them, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.migrations.layouts import LAYOUTS

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_tui.core.migrations.model import Migration

GOOSE_FUNCTION = """-- +goose Up
{begin}
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  RETURN 1;
END $$;
{end}
"""


def only(tmp_path: Path, layout: str, text: str) -> Migration:
    (tmp_path / "001_a.sql").write_bytes(text.encode())
    (migration,) = LAYOUTS[layout].discover(tmp_path).migrations
    return migration


def codes(migration: Migration) -> list[str]:
    return [one.code for one in migration.findings]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("layout", "up", "down"),
    [
        ("goose", "-- +goose Up", "-- +goose Down"),
        ("goose", "--+goose UP", "  -- +goose down  "),
        ("dbmate", "-- migrate:up", "-- migrate:down transaction:false"),
        ("node-pg-migrate", "-- Up Migration", "-- Down Migration"),
        ("node-pg-migrate", "---- up migration: first", "-- DOWN MIGRATION"),
    ],
)
def test_lines_that_divide(tmp_path: Path, layout: str, up: str, down: str, end: str) -> None:
    text = end.join([up, "SELECT 1;", "", down, "SELECT 2;", "SELECT 3;", ""])
    migration = only(tmp_path, layout, text)
    assert migration.down is not None
    assert [(one.sql, one.line, one.column) for one in migration.up.statements] == [("SELECT 1", 2, 1)]
    assert [(one.sql, one.line) for one in migration.down.statements] == [("SELECT 2", 5), ("SELECT 3", 6)]
    assert codes(migration) == []
    assert migration.down.transactional is (False if "false" in down else None)
    assert migration.up.transactional is None


def test_the_way_back_may_come_first(tmp_path: Path) -> None:
    migration = only(tmp_path, "dbmate", "-- migrate:down\nSELECT 2;\n-- migrate:up\nSELECT 1;\n")
    assert [one.sql for one in migration.up.statements] == ["SELECT 1"]


@pytest.mark.parametrize("layout", ["goose", "dbmate"])
def test_a_file_without_a_way_up_is_an_error_and_does_nothing(tmp_path: Path, layout: str) -> None:
    migration = only(tmp_path, layout, "DROP TABLE everything;\n")
    assert codes(migration) == ["no-up-section", "missing-down"]
    assert migration.has_errors
    assert migration.up.is_blank


def test_node_pg_migrate_takes_a_file_without_marks_for_a_way_up(tmp_path: Path) -> None:
    migration = only(tmp_path, "node-pg-migrate", "SELECT 1;\n")
    assert [one.sql for one in migration.up.statements] == ["SELECT 1"]
    assert codes(migration) == ["missing-down"]


def test_a_second_way_up_is_an_error_with_its_line(tmp_path: Path) -> None:
    migration = only(tmp_path, "goose", "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n-- +goose Up\nSELECT 3;\n")
    (finding,) = migration.findings
    assert (finding.code, finding.level, finding.line) == ("section-twice", "error", 5)


@pytest.mark.parametrize("text", ["-- +goose Up\n", "-- +goose Up\n-- nothing\n-- +goose Down\nSELECT 1;\n"])
def test_a_way_up_of_nothing_is_a_warning(tmp_path: Path, text: str) -> None:
    assert "empty-file" in codes(only(tmp_path, "goose", text))


def test_a_function_without_a_statement_block_is_torn_apart(tmp_path: Path) -> None:
    migration = only(tmp_path, "goose", GOOSE_FUNCTION.format(begin="", end=""))
    finding = next(one for one in migration.findings if one.code == "statement-torn")
    assert (finding.level, finding.line) == ("error", 5)
    assert "StatementBegin" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        GOOSE_FUNCTION.format(begin="-- +goose StatementBegin", end="-- +goose StatementEnd"),
        "-- +goose Up\n-- a comment;\nSELECT 1; -- done;\n-- another;\nSELECT ';' ;\nSELECT 2",
        "-- +goose Up\nSELECT 1; SELECT 2;\n",
    ],
)
def test_what_goose_reads_as_it_is_meant(tmp_path: Path, text: str) -> None:
    assert codes(only(tmp_path, "goose", text)) == ["missing-down"]


def test_what_goose_fills_in_is_told(tmp_path: Path) -> None:
    text = "-- +goose ENVSUB ON\n-- +goose Up\nCREATE TABLE a (\n  id int DEFAULT ${FIRST_ID});\n"
    finding = next(one for one in only(tmp_path, "goose", text).findings if one.code == "environment-variable")
    assert finding.line == 4
    assert "environment-variable" not in codes(only(tmp_path, "goose", text.replace("ON", "OFF")))
