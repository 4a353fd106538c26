"""Whose directory it is where the files leave room, and where a project's migrations are looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.migrations.layouts import discover, locate, recognise
from confiture_tui.errors import UsageError
from tests.core.migrations.layouts.test_tools import write

if TYPE_CHECKING:
    from pathlib import Path

PAIR = {"001_a.up.sql": "SELECT 1;", "001_a.down.sql": "SELECT 1;"}


def test_pairs_that_nothing_tells_apart_are_this_programs_own_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    recognised = recognise(write(tmp_path / "sql", PAIR))
    assert (recognised.layout.name, recognised.is_certain) == ("confiture", False)
    finding = recognised.finding
    assert finding is not None
    assert finding.level == "note"
    assert all(word in finding.message for word in ("confiture", "golang-migrate", "--layout"))


@pytest.mark.parametrize(
    ("directory", "beside", "layout"),
    [
        ("db/migrations", None, "confiture"),
        ("db/migrations", "go.mod", "golang-migrate"),
        ("db/migrations", "Cargo.toml", "sqlx"),
        ("sql", "confiture.yaml", "confiture"),
        ("sql", "go.mod", "golang-migrate"),
    ],
)
def test_the_project_around_it_tells(tmp_path: Path, directory: str, beside: str | None, layout: str) -> None:
    (tmp_path / ".git").mkdir()
    if beside is not None:
        (tmp_path / beside).write_text("")
    recognised = recognise(write(tmp_path / directory, PAIR))
    assert (recognised.layout.name, recognised.is_certain) == (layout, True)
    assert discover(tmp_path / directory).layout == layout


def test_settings_of_ours_beside_a_go_module_are_for_reviewing(tmp_path: Path) -> None:
    """Who reviews another tool's project writes our settings into it; its ledger must not become ours by that."""
    (tmp_path / ".git").mkdir()
    write(tmp_path, {"go.mod": "", "confiture.yaml": "", "db/environments/local.yaml": ""})
    assert recognise(write(tmp_path / "db/migrations", PAIR)).layout.name == "golang-migrate"


def test_programs_alone_are_a_sign_in_the_usual_place(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path / "db/migrations", {"001_a.py": ""})
    write(tmp_path / "migrations", PAIR)
    assert locate(tmp_path)[0] == tmp_path / "db/migrations"


def test_what_is_above_the_checkout_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("")
    (tmp_path / "project" / ".git").mkdir(parents=True)
    assert recognise(write(tmp_path / "project" / "sql", PAIR)).layout.name == "confiture"


def test_two_tools_marks_are_a_warning_that_names_both(tmp_path: Path) -> None:
    write(tmp_path, {"001_a.sql": "-- +goose Up\nSELECT 1;", "002_b.sql": "-- migrate:up\nSELECT 1;"})
    recognised = recognise(tmp_path)
    finding = recognised.finding
    assert recognised.layout.name == "goose"
    assert finding is not None
    assert finding.level == "warning"
    assert "002_b.sql has a line -- migrate:up" in finding.message


def test_a_layout_that_is_given_is_taken_whatever_the_files(tmp_path: Path) -> None:
    recognised = recognise(write(tmp_path, PAIR), given="golang-migrate")
    assert recognised.layout.name == "golang-migrate"
    assert recognised.finding is None
    with pytest.raises(UsageError, match="no layout 'golang'") as raised:
        recognise(tmp_path, given="golang")
    assert "golang-migrate" in str(raised.value.hint)


def test_the_ledger_decides_where_files_do_not(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    recognised = recognise(write(tmp_path / "db" / "migrations", PAIR))
    assert recognised.layout.name == "confiture"
    settled = recognised.settled_by({"golang-migrate": "public.schema_migrations"})
    assert settled.layout.name == "golang-migrate"
    assert settled.finding is not None
    assert "its ledger, public.schema_migrations" in settled.finding.message
    both = {"golang-migrate": "public.schema_migrations", "confiture": "public.tb_confiture"}
    assert recognised.settled_by(both) is recognised
    assert recognised.settled_by({"flyway": "public.flyway_schema_history"}) is recognised
    write(tmp_path / "db" / "migrations", {"001_a.hooks.yaml": ""})
    certain = recognise(tmp_path / "db" / "migrations")
    assert certain.settled_by({"golang-migrate": "public.schema_migrations"}) is certain


def test_migrations_are_looked_for_in_the_usual_places(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert locate(tmp_path) == (tmp_path / "db/migrations", None)
    write(tmp_path / "prisma/migrations", {"migration_lock.toml": ""})
    assert locate(tmp_path) == (tmp_path / "prisma/migrations", None)
    (tmp_path / "db/migrations").mkdir(parents=True)
    assert locate(tmp_path)[0] == tmp_path / "prisma/migrations", "an empty directory is no place"
    write(tmp_path / "db/migrations", PAIR)
    chosen, note = locate(tmp_path)
    assert chosen == tmp_path / "db/migrations"
    assert note is not None
    assert "prisma/migrations, too" in note.message


def test_a_project_of_sqitch_is_at_its_top(tmp_path: Path) -> None:
    write(tmp_path, {"sqitch.plan": ""})
    assert locate(tmp_path) == (tmp_path, None)
