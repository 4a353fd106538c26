"""Each tool's directory: known by what is in it, in the tool's order, wrapped as the tool does it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.migrations.layouts import LAYOUTS, MigrationSet, recognise
from confiture_tui.core.migrations.profiles import PROFILES, Wrapping

if TYPE_CHECKING:
    from pathlib import Path

UP = "CREATE TABLE a (id int);\nCREATE TABLE b (id int);\n"
DOWN = "DROP TABLE b;\nDROP TABLE a;\n"
CONCURRENTLY = "CREATE INDEX CONCURRENTLY ON a (id);\n"
ALL, ONE, OWN = Wrapping.TRANSACTION, Wrapping.NONE, Wrapping.OWN


@dataclass(frozen=True)
class Case:
    """Files of a directory; the migrations as (version, name, wrapping, statements of the way back)."""

    files: dict[str, str]
    migrations: list[tuple[str, str, Wrapping, int | None]]
    programs: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    directory: str = "migrations"
    beside: str | None = None
    """A file of the project around it."""


CASES = {
    "confiture": Case(
        {"001_a.up.sql": UP, "001_a.down.sql": DOWN, "001_a.hooks.yaml": "", "002_b.up.sql": CONCURRENTLY},
        [("001", "a", ALL, 2), ("002", "b", ONE, None)],
        codes=["missing-down"],
    ),
    "golang-migrate": Case(
        {
            "9_a.up.sql": UP,
            "9_a.down.sql": DOWN,
            "000010_b.up.sql": CONCURRENTLY,
            "000010_b.down.sql": "DROP INDEX x;",
            "000011_c.up.sql": f"BEGIN;\n{UP}COMMIT;\n",
            "000011_c.down.sql": DOWN,
            "seed.sql": UP,
            "12_d.down.sql": DOWN,
        },
        [("9", "a", ALL, 2), ("000010", "b", ONE, 1), ("000011", "c", OWN, 2)],
        codes=["down-without-up", "mixed-widths", "orphan-sql-file"],
        beside="go.mod",
    ),
    "dbmate": Case(
        {
            "20240101000000_a.sql": f"-- migrate:up\n{UP}\n-- migrate:down\n{DOWN}",
            "20240102000000_b.sql": f"-- migrate:up transaction:false\n{CONCURRENTLY}\n-- migrate:down\n",
            "README.sql": "",
        },
        [("20240101000000", "a", ALL, 2), ("20240102000000", "b", ONE, None)],
        codes=["missing-down", "orphan-sql-file"],
    ),
    "goose": Case(
        {
            "00002_b.sql": f"-- +goose NO TRANSACTION\n-- +goose Up\n{CONCURRENTLY}-- +goose Down\nDROP INDEX x;\n",
            "00001_a.sql": f"-- +goose up\n{UP}\n-- +goose down\n{DOWN}",
            "00003_c.go": "package migrations",
            "00003_c_test.go": "package migrations",
        },
        [("00001", "a", ALL, 2), ("00002", "b", ONE, 1)],
        programs=["00003_c"],
        codes=["not-analysed"],
    ),
    "flyway": Case(
        {
            "V1.10__later.sql": UP,
            "V1.9__earlier.sql": UP,
            "U1.9__earlier.sql": DOWN,
            "V2_1__alone.sql": CONCURRENTLY,
            "V3__settings.sql": UP,
            "V3__settings.sql.conf": "executeInTransaction=false\n",
            "R__views.sql": "CREATE OR REPLACE VIEW v AS SELECT 1;",
            "B2__all.sql": UP,
            "below/V4__below.sql": UP,
            "V5__Java.java": "class V5__Java {}",
            "U8__nothing.sql": DOWN,
            "notes.sql": "",
        },
        [
            ("1.9", "earlier", ALL, 2),
            ("1.10", "later", ALL, None),
            ("2.1", "alone", ONE, None),
            ("3", "settings", ONE, None),
            ("4", "below", ALL, None),
            ("R__views", "views", ALL, None),
        ],
        programs=["5_Java"],
        codes=["baseline-script", "down-without-up", "not-analysed", "orphan-sql-file"],
    ),
    "diesel": Case(
        {
            "00000000000000_diesel_initial_setup/up.sql": UP,
            "00000000000000_diesel_initial_setup/down.sql": DOWN,
            "2024-01-02-030405_add it/up.sql": UP,
            "2024-01-02-030405-0000_more/up.sql": CONCURRENTLY,
            "2024-01-02-030405-0000_more/down.sql": "",
            "2024-01-02-030405-0000_more/metadata.toml": "run_in_transaction = false\n",
            "2025-01-01-000000_empty/down.sql": DOWN,
        },
        [
            ("00000000000000", "diesel_initial_setup", ALL, 2),
            ("20240102030405", "add it", ALL, None),
            ("202401020304050000", "more", ONE, 0),
        ],
        codes=["missing-down", "missing-down", "no-statements-file"],
    ),
    "prisma": Case(
        {
            "migration_lock.toml": 'provider = "postgresql"\n',
            "20240101000000_a/migration.sql": UP,
            "20240102000000_b/migration.ts": "",
            "20240103000000_c/migration.sql": CONCURRENTLY,
            "20240104000000_d/migration.sql": "BEGIN;\nSELECT 1;\nCOMMIT;\nBEGIN;\nSELECT 2;\nCOMMIT;\n",
            "20240105000000_e/notes.txt": "",
        },
        [
            ("20240101000000", "a", ALL, None),
            ("20240103000000", "c", ONE, None),
            ("20240104000000", "d", ONE, None),
        ],
        codes=["no-statements-file", "not-analysed"],
    ),
    "supabase": Case(
        {"20240101000000_a.sql": UP, "20240102000000_b.sql": UP + CONCURRENTLY, "20240103000000_c.sql": UP},
        [("20240101000000", "a", ALL, None), ("20240102000000", "b", ONE, None), ("20240103000000", "c", ALL, None)],
        directory="supabase/migrations",
    ),
    "sqlx": Case(
        {
            "20240101_a.sql": UP,
            "20240102_b.up.sql": f"-- no-transaction\n{CONCURRENTLY}",
            "20240102_b.down.sql": "DROP INDEX x;",
        },
        [("20240101", "a", ALL, None), ("20240102", "b", ONE, 1)],
        beside="Cargo.toml",
    ),
    "pop": Case(
        {
            "20240101_a.up.sql": "SELECT 'any';",
            "20240101_a.postgres.up.sql": UP,
            "20240101_a.mysql.up.sql": "nothing of ours",
            "20240101_a.down.sql": DOWN,
            "20240102_b.postgres.autocommit.up.sql": CONCURRENTLY,
            "20240102_b.postgres.autocommit.down.sql": "DROP INDEX x;",
            "20240103_c.sqlite3.up.sql": "nothing of ours",
            "20240104_d.up.fizz": "create_table()",
            "20240105_e.autocommit.up.sql": CONCURRENTLY,
        },
        [("20240101", "a", ALL, 2), ("20240102", "b", ONE, 1), ("20240105", "e", ONE, None)],
        programs=["20240104_d"],
        codes=["missing-down", "not-analysed", "other-dialects"],
    ),
    "node-pg-migrate": Case(
        {
            "1700000000000_a.sql": f"-- Up Migration\n{UP}\n-- Down Migration\n{DOWN}",
            "1700000000001_b.js": "",
            "1700000000002_c.up.sql": UP,
            "1700000000002_c.down.sql": DOWN,
        },
        [("1700000000000", "a", ALL, 2), ("1700000000002", "c", ALL, 2)],
        programs=["1700000000001_b"],
        codes=["not-analysed"],
    ),
    "graphile-migrate": Case(
        {
            "current.sql": "",
            "committed/000001-a.sql": f"--! Previous: -\n--! Hash: sha1:aa\n\n{UP}",
            "committed/000002.sql": f"--! Previous: sha1:aa\n--! Hash: sha1:bb\n--! no-transaction\n\n{CONCURRENTLY}",
            "committed/000003-c.sql": f"--! Previous: sha1:xx\n--! Hash: sha1:cc\n\n{UP}",
        },
        [("000001", "a", ALL, None), ("000002", "", ONE, None), ("000003", "c", ALL, None)],
        codes=["broken-chain"],
    ),
    "atlas": Case(
        {"atlas.sum": "", "20240101000000_a.sql": UP, "20240102000000.sql": f"-- atlas:txmode none\n\n{CONCURRENTLY}"},
        [("20240101000000", "a", ALL, None), ("20240102000000", "", ONE, None)],
    ),
    "sqitch": Case(
        {
            "sqitch.plan": "%syntax-version=1.0.0\n%project=x\n\nzeta 2024-01-01T00:00:00Z A <a@b> # first\n"
            "alpha [zeta] 2024-01-02T00:00:00Z A <a@b> # second\n@v1 2024-01-03T00:00:00Z A <a@b> # tag\n"
            "zeta [zeta@v1] 2024-01-04T00:00:00Z A <a@b> # again\ngone 2024-01-05T00:00:00Z A <a@b> # no script\n",
            "deploy/zeta@v1.sql": f"BEGIN;\n{UP}COMMIT;\n",
            "deploy/alpha.sql": UP,
            "deploy/zeta.sql": CONCURRENTLY,
            "revert/zeta@v1.sql": DOWN,
            "revert/alpha.sql": DOWN,
        },
        [("zeta@v1", "", OWN, 2), ("alpha", "", ONE, 2), ("zeta", "", ONE, None)],
        codes=["missing-down", "no-statements-file"],
    ),
    "rails": Case(
        {"20240101000000_a.rb": "", "20240102000000_b.rb": ""},
        [],
        programs=["20240101000000_a", "20240102000000_b"],
        codes=["not-analysed", "not-analysed"],
        directory="db/migrate",
    ),
}


def write(directory: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory


def found_in(tmp_path: Path, case: Case) -> tuple[str, MigrationSet]:
    (tmp_path / ".git").mkdir()
    if case.beside is not None:
        (tmp_path / case.beside).write_text("")
    recognised = recognise(write(tmp_path / case.directory, case.files))
    assert recognised.is_certain
    return recognised.layout.name, recognised.layout.discover(tmp_path / case.directory)


def test_every_layout_has_its_case_and_its_profile() -> None:
    assert set(CASES) == set(LAYOUTS)
    assert set(LAYOUTS) <= set(PROFILES)


@pytest.mark.parametrize("name", CASES)
def test_a_directory_is_known_and_read_as_its_tool_does(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    layout, found = found_in(tmp_path, case)
    assert (layout, found.layout) == (name, name)
    assert [one.label for one in found.opaque] == case.programs
    assert sorted(one.code for one in found.all_findings) == case.codes
    seen = [
        (
            one.version,
            one.name,
            PROFILES[name].wrapping_of(one.up),
            None if one.down is None else len(one.down.statements),
        )
        for one in found.migrations
    ]
    assert seen == case.migrations


@pytest.mark.parametrize("name", CASES)
def test_what_a_tool_is_given_stays_as_it_was(tmp_path: Path, name: str) -> None:
    """Nothing of a file is lost, also where only a part of it is the way up."""
    for one in found_in(tmp_path, CASES[name])[1].migrations:
        assert one.path is not None
        for script, path in ((one.up, one.path), (one.down, one.down_path)):
            if script is not None and path is not None:
                assert script.text == path.read_text()
                assert "".join(piece.text for piece in script.pieces) == script.text
                lines = script.text.splitlines()
                assert all(
                    lines[each.line - 1][each.column - 1 :].startswith(each.sql.split("\n")[0])
                    for each in script.statements
                )


@pytest.mark.parametrize("name", CASES)
def test_an_empty_directory_is_a_warning(tmp_path: Path, name: str) -> None:
    (tmp_path / "committed").mkdir()
    (tmp_path / "sqitch.plan").write_text("")
    found = LAYOUTS[name].discover(tmp_path)
    (finding,) = [one for one in found.findings if one.code == "no-migrations"]
    assert str(tmp_path) in finding.message


def test_a_version_used_twice_is_told_by_each_of_its_files(tmp_path: Path) -> None:
    text = f"-- +goose Up\n{UP}"
    found = LAYOUTS["goose"].discover(write(tmp_path, {"1_a.sql": text, "001_b.sql": text}))
    assert all(one.has_errors for one in found.migrations)
    assert sum(one.code == "duplicate-version" for one in found.findings) == 1


def test_prisma_tells_migrations_of_one_moment_apart_by_their_whole_name(tmp_path: Path) -> None:
    files = {"20240101_b/migration.sql": UP, "20240101_a/migration.sql": UP, "20240102_c/migration.sql": UP}
    found = LAYOUTS["prisma"].discover(write(tmp_path, files))
    assert [one.version for one in found.migrations] == ["20240101_a", "20240101_b", "20240102"]
    assert found.findings == ()


@pytest.mark.parametrize("text", ["run_in_transaction = maybe", "\xff\xfe"])
def test_metadata_that_cannot_be_read_is_an_error(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"2024_a/up.sql": UP, "2024_a/down.sql": DOWN})
    (tmp_path / "2024_a" / "metadata.toml").write_bytes(text.encode("latin-1"))
    (finding,) = LAYOUTS["diesel"].discover(tmp_path).findings
    assert (finding.code, finding.level) == ("unreadable-metadata", "error")
    assert "2024_a/metadata.toml" in finding.message


def test_a_file_that_every_directory_has_is_named_with_its_directory(tmp_path: Path) -> None:
    found = LAYOUTS["prisma"].discover(write(tmp_path, {"2024_a/migration.sql": "-- nothing\n"}))
    (finding,) = found.all_findings
    assert finding.message.startswith("2024_a/migration.sql holds no statement")
