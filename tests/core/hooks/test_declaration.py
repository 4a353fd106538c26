"""A mistake in a declaration is told with its file and line, and blocks the migration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.hooks.declaration import make_hooks, read_declaration
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.registry import HookRegistry
from confiture_tui.core.migrations.model import Migration
from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
hooks:
  - hook: capture_statistics
    phase: before_ddl
    direction: both
    options:
      tables: [w_order]
  - hook: analyze_tables
    options: {tables: [w_order, r_order]}
"""


@pytest.fixture
def migration(tmp_path: Path) -> Migration:
    return Migration.from_sql("SELECT 1", version="007", name="x", path=tmp_path / "007_x.up.sql")


def declare(migration: Migration, text: str) -> None:
    assert migration.path is not None
    (migration.path.parent / "007_x.hooks.yaml").write_text(text)


def test_without_a_file_there_are_no_hooks(migration: Migration) -> None:
    assert read_declaration(migration) == ()
    assert read_declaration(Migration.from_sql("SELECT 1")) == ()


def test_hooks_are_made_in_their_order(migration: Migration) -> None:
    declare(migration, GOOD)
    first, second = make_hooks(migration, HookRegistry())
    assert (first.hook_name(), first.runs_in) == ("capture_statistics", HookPhase.BEFORE_DDL)
    assert second.options.tables == ("w_order", "r_order")
    (only,) = make_hooks(migration, HookRegistry(), direction="backward")
    assert only.hook_name() == "capture_statistics"


@pytest.mark.parametrize("text", ["", "hooks:\n", "hooks: []\n"])
def test_an_empty_declaration_declares_nothing(migration: Migration, text: str) -> None:
    declare(migration, text)
    assert make_hooks(migration, HookRegistry()) == ()


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("hook:\n", 1, "did you mean 'hooks'"),
        ("hooks: 3\n", 1, "not a list"),
        ("hooks:\n  - phase: AFTER_DDL\n", 2, "names no hook"),
        ("hooks:\n  - hook: analyze_tables\n    phases: X\n", 3, "did you mean 'phase'"),
        ("hooks:\n  - hook: analyze_tables\n    phase: AFTER_DDDL\n", 3, "did you mean 'after_ddl'"),
        ("hooks:\n  - hook: analyze_tables\n    direction: up\n", 3, "no direction"),
        ("hooks:\n  - hook: analyze_tables\n    options: [1]\n", 3, "not a mapping"),
        ("hooks:\n  - hook: analyse_tables\n", 2, "did you mean 'analyze_tables'"),
        ("hooks:\n  - hook: analyze_tables\n", 2, "needs the option 'tables'"),
        ("hooks:\n\n  - hook: analyze_tables\n    options:\n      tables: []\n", 5, "'tables'"),
        ("hooks:\n  - hook: analyze_tables\n    options:\n      tables: [a]\n      table: a\n", 5, "no option 'table'"),
        ("hooks:\n  - hook: analyze_tables\n    phase: ON_ERROR\n    options: {tables: [a]}\n", 2, "cannot run in"),
    ],
)
def test_mistakes_are_told_with_their_line(migration: Migration, text: str, line: int, why: str) -> None:
    declare(migration, text)
    with pytest.raises(UsageError) as caught:
        make_hooks(migration, HookRegistry())
    assert f"007_x.hooks.yaml, line {line}:" in caught.value.message
    assert why.lower() in str(caught.value).lower()


def test_a_hook_that_cannot_be_had_blocks_the_migration(migration: Migration) -> None:
    declare(migration, "hooks:\n  - hook: acme_count\n")
    with pytest.raises(UsageError, match="007_x is blocked"):
        make_hooks(migration, HookRegistry())
