"""Cutting the user's text where the syntax tree says."""

from __future__ import annotations

import pytest

from confiture_tui.core.risk.advice.source import Source, with_columns, words_of
from confiture_tui.core.sql.script import Script


def _commands(sql: str) -> list[str]:
    (statement,) = Script.from_text(sql).statements
    source = Source(statement.sql)
    return [source.sql[start:end] for start, end in source.commands(statement.node or {})]


@pytest.mark.parametrize("table", ["t", "s.t", '"a,b"."c""(d"', 'ONLY "ä" ', "IF EXISTS t *", "ONLY (t)", "s . t"])
def test_sub_commands_are_split_at_their_commas(table: str) -> None:
    sql = f"ALTER TABLE {table} ADD a numeric(4,2) DEFAULT 'x,y', /* , */ DROP b, ADD CHECK (f(a, b) > $$,$$) -- ,"
    assert _commands(sql) == [
        "ADD a numeric(4,2) DEFAULT 'x,y'",
        "DROP b",
        "ADD CHECK (f(a, b) > $$,$$)",
    ]


def test_a_column_definition_in_parts() -> None:
    sql = """ALTER TABLE t ADD COLUMN IF NOT EXISTS "Ä" varchar(5) COLLATE "C" NOT NULL DEFAULT 'é' /* d */
        CONSTRAINT k CHECK ("Ä" <> '') REFERENCES p (a) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, DROP x"""
    (statement,) = Script.from_text(sql).statements
    source, node = Source(statement.sql), statement.node or {}
    column = source.column(node["cmds"][0]["AlterTableCmd"]["def"]["ColumnDef"], source.commands(node)[0][1])
    assert column is not None
    assert (column.name, column.type) == ('"Ä"', 'varchar(5) COLLATE "C"')
    assert [text for _, text in column.constraints] == [
        "NOT NULL",
        "DEFAULT 'é'",
        "CONSTRAINT k CHECK (\"Ä\" <> '')",
        "REFERENCES p (a) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
    ]


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        ("a + 1", "NEW.a + 1"),
        ("f(a, 'a', b.a) || \"A\"", "f(NEW.a, 'a', NEW.a) || NEW.\"A\""),
        ("a::text /* a */ || 'é' || a", "NEW.a::text /* a */ || 'é' || NEW.a"),
        ("CASE WHEN a THEN 'a' END -- a", "CASE WHEN NEW.a THEN 'a' END -- a"),
    ],
)
def test_columns_are_written_anew(expression: str, written: str) -> None:
    assert with_columns(expression, lambda name: f'NEW."{name}"' if name == "A" else f"NEW.{name}") == written


@pytest.mark.parametrize("expression", ["a +", "(SELECT max(a) FROM t)", ""])
def test_what_cannot_be_read_is_not_written(expression: str) -> None:
    assert with_columns(expression, lambda name: name) is None


def test_words() -> None:
    assert list(words_of("SELECT a1, \"B c\" FROM t -- x\nWHERE 'y' = $$z$$")) == [
        "SELECT",
        "a1",
        '"B c"',
        "FROM",
        "t",
        "WHERE",
    ]
