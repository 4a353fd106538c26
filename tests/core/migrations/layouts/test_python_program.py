"""confiture's Python migrations: read where nothing but plain SQL is executed, never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.migrations.layouts.base import OpaqueMigration
from confiture_tui.core.migrations.layouts.python_program import read_program
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.profiles import PROFILES, Wrapping

if TYPE_CHECKING:
    from pathlib import Path

EXECUTED = '''"""Adds a column."""
from confiture.models.migration import Migration

ADD = """
ALTER TABLE orders
    ADD COLUMN ünicode text;
"""


class Add(Migration):
    version = "003"
    name = "add"

    def up(self) -> None:
        """Up."""
        self.execute(ADD)
        self.execute("CREATE INDEX ON orders (x)"); self.execute(r'SELECT 1')

    def down(self) -> None:
        self.execute("ALTER TABLE orders DROP COLUMN ünicode")
'''
DECLARED = """import confiture

class Add(confiture.SQLMigration):
    transactional: bool = False
    up_sql = 'CREATE INDEX CONCURRENTLY ON a (b)'
    down_sql = '''
      DROP INDEX CONCURRENTLY a_b_idx'''
"""


def read(tmp_path: Path, text: str) -> tuple[Migration | OpaqueMigration, str]:
    path = tmp_path / "003_add.py"
    path.write_bytes(text.encode())
    program, finding = read_program(path)
    assert "only by confiture itself" in finding.message
    assert (program.version, program.name, program.path) == ("003", "add", path)
    return program, finding.message


def body(code: str) -> str:
    lines = "".join(f"        {line}\n" for line in code.splitlines())
    return f"from confiture import Migration\nclass A(Migration):\n    SQL = 'SELECT 1'\n    def up(self):\n{lines}"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_is_executed_has_its_place_in_the_file(tmp_path: Path, end: str) -> None:
    text = EXECUTED.replace("\n", end)
    program, _message = read(tmp_path, text)
    assert isinstance(program, Migration)
    assert program.program
    assert [(one.tag, one.line, one.column) for one in program.up.statements] == [
        ("ALTER TABLE", 5, 1),
        ("CREATE INDEX", 17, 23),
        ("SELECT", 17, 68),
    ]
    assert program.down is not None
    assert [(one.tag, one.line) for one in program.down.statements] == [("ALTER TABLE", 20)]
    assert program.up.text == text, "the whole program is what is shown"
    assert not program.up.problems


def test_what_is_declared_is_read_with_its_mark(tmp_path: Path) -> None:
    program, _message = read(tmp_path, DECLARED)
    assert isinstance(program, Migration)
    assert [one.tag for one in program.up.statements] == ["CREATE INDEX"]
    assert program.down is not None
    assert [(one.tag, one.line) for one in program.down.statements] == [("DROP INDEX", 7)]
    assert PROFILES["confiture"].wrapping_of(program.up) is Wrapping.NONE


@pytest.mark.parametrize("code", ["self.execute(self.SQL)", "pass", "'''Nothing.'''\nself.execute('SELECT 1')"])
def test_plain_bodies_are_read(tmp_path: Path, code: str) -> None:
    assert isinstance(read(tmp_path, body(code))[0], Migration)


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("self.execute(f'DROP TABLE {self.name}')", 5),
        ("self.execute('DROP TABLE %s' % x)", 5),
        ("self.execute('SELECT 1'\n  ' FROM a')", 5),
        ("self.execute('SELECT \\'a\\'')", 5),
        ("pass\nfor t in tables:\n    self.execute('SELECT 1')", 6),
        ("if self.x: self.execute('SELECT 1')", 5),
        ("self.connection.execute('SELECT 1')", 5),
        ("self.execute('SELECT %s', [1])", 5),
        ("self.execute(OTHER)", 5),
        ("import os; os.system('x')", 5),
        ("return self.execute('SELECT 1')", 5),
        ("...", 5),
        ("self.execute('SELECT 2')\nself.execute(self.SQL)", 6),
    ],
)
def test_what_does_more_is_not_analysed_and_the_line_is_named(tmp_path: Path, code: str, line: int) -> None:
    program, message = read(tmp_path, body(code))
    if code == "...":
        assert isinstance(program, Migration)
        return
    assert isinstance(program, OpaqueMigration)
    assert f"not analysed: line {line}" in message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "class A: pass",
        "def up(:",
        "class A(Migration):\n  pass",
        "class A(SQLMigration):\n  pass",
        "class A(Migration): pass\nclass B(Migration): pass",
        "\x00",
        "x = " + "(" * 3000,
        "raise SystemExit",
    ],
)
def test_what_is_no_migration_is_opaque_and_never_run(tmp_path: Path, text: str) -> None:
    assert isinstance(read(tmp_path, text)[0], OpaqueMigration)


def test_bytes_outside_utf_8_are_opaque(tmp_path: Path) -> None:
    path = tmp_path / "001_a.py"
    path.write_bytes(b"# -*- coding: latin-1 -*-\nx = '\xe9'\n")
    program, finding = read_program(path)
    assert isinstance(program, OpaqueMigration)
    assert "UTF-8" in finding.message
