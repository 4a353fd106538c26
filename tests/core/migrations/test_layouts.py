"""Finding migrations: who names files how, and what is said of files that are not as they should be."""

from __future__ import annotations

import hashlib
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confiture_tui.core.migrations.layouts import ConfitureLayout, LooseFiles, MigrationSet, discover
from confiture_tui.core.migrations.model import Finding, Migration
from confiture_tui.core.migrations.versions import natural_key
from confiture_tui.core.sql import parser
from confiture_tui.errors import UsageError


def write(directory: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        (directory / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return directory


def codes(found: MigrationSet) -> list[tuple[str, str]]:
    return [(one.level, one.code) for one in found.all_findings]


def only(found: MigrationSet, code: str) -> Finding:
    (finding,) = [one for one in found.all_findings if one.code == code]
    return finding


def test_a_pair_of_files_is_a_migration(tmp_path: Path) -> None:
    up = b"\xef\xbb\xbfALTER TABLE a\r\n  ADD b text;\r\n"
    write(tmp_path, {"007_add_segment.up.sql": up, "007_add_segment.down.sql": "ALTER TABLE a DROP b;"})
    found = discover(tmp_path)
    (migration,) = found.migrations
    assert (migration.version, migration.name, migration.label) == ("007", "add_segment", "007_add_segment")
    assert migration.path == tmp_path / "007_add_segment.up.sql"
    assert migration.down_path == tmp_path / "007_add_segment.down.sql"
    assert migration.checksum == hashlib.sha256(up).hexdigest()
    assert migration.up.text.encode() == up, "nothing of the file is lost"
    assert [one.tag for one in migration.up.statements] == ["ALTER TABLE"]
    assert migration.down is not None
    assert migration.down.statements[0].sql == "ALTER TABLE a DROP b"
    assert (found.directory, found.layout, found.all_findings) == (tmp_path, "confiture", ())
    assert found.get("007") == migration
    assert found.get("008") is None


def test_versions_are_sorted_as_text_and_that_is_said_where_it_matters(tmp_path: Path) -> None:
    names = ["9_a", "10_b", "2_c", "010_d"]
    write(tmp_path, {f"{name}.{way}.sql": "SELECT 1" for name in names for way in ("up", "down")})
    found = discover(tmp_path)
    assert [one.version for one in found.migrations] == ["010", "10", "2", "9"]
    finding = only(found, "text-order")
    assert (finding.level, finding.path) == ("warning", tmp_path / "2_c.up.sql")
    assert "10 is applied before 2" in finding.message


def test_equal_widths_are_in_order(tmp_path: Path) -> None:
    names = ["001_a", "002_b", "010_c", "100_d"]
    write(tmp_path, {f"{name}.{way}.sql": "SELECT 1" for name in names for way in ("up", "down")})
    assert discover(tmp_path).all_findings == ()


def test_a_version_that_is_used_twice_is_an_error_that_names_both_files(tmp_path: Path) -> None:
    write(tmp_path, {f"001_{name}.{way}.sql": "SELECT 1" for name in "ab" for way in ("up", "down")})
    write(tmp_path, {"001_c.py": "", "002_d.py": ""})
    finding = only(discover(tmp_path), "duplicate-version")
    assert finding.level == "error"
    assert all(name in finding.message for name in ("001_a.up.sql", "001_b.up.sql", "001_c.py"))
    assert [one.label for one in discover(tmp_path).migrations] == ["001_a", "001_b"]


def test_no_sql_file_is_passed_over_in_silence(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "001_a.up.sql": "SELECT 1",
            "002_b.sql": "SELECT 1",
            "003_c.down.sql": "SELECT 1",
            "004_d.UP.SQL": "SELECT 1",
            "001_a.verify.sql": "SELECT 1",
            "001_a.yaml": "",
            "README.md": "",
        },
    )
    found = discover(tmp_path)
    assert [one.label for one in found.migrations] == ["001_a"]
    assert sorted(codes(found)) == [
        ("note", "missing-down"),
        ("warning", "down-without-up"),
        ("warning", "orphan-sql-file"),
        ("warning", "orphan-sql-file"),
    ]
    orphans = {one.path: one.message for one in found.findings if one.code == "orphan-sql-file"}
    assert "rename it to 002_b.up.sql" in orphans[tmp_path / "002_b.sql"]
    assert "rename it to 004_d.up.sql" in orphans[tmp_path / "004_d.UP.SQL"]
    assert "003_c.up.sql" in only(found, "down-without-up").message
    assert "001_a.down.sql" in only(found, "missing-down").message


def test_programs_are_listed_and_never_run(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"001_a.py": "raise SystemExit('run')", "_helper.py": "", "__init__.py": "", "002_b.up.sql": "SELECT 1"},
    )
    found = discover(tmp_path)
    (program,) = found.opaque
    assert (program.version, program.name, program.path) == ("001", "a", tmp_path / "001_a.py")
    assert program.checksum == hashlib.sha256(b"raise SystemExit('run')").hexdigest()
    finding = only(found, "python-migration")
    assert finding.path == program.path
    assert "only by confiture itself" in finding.message


def test_bytes_outside_utf_8_are_an_error_with_their_place(tmp_path: Path) -> None:
    write(tmp_path, {"001_a.up.sql": b"SELECT 1;\nSELECT 'caf\xe9';\nSELECT 2;", "001_a.down.sql": "SELECT 1"})
    found = discover(tmp_path)
    finding = only(found, "not-utf-8")
    assert (finding.level, finding.line, finding.path) == ("error", 2, tmp_path / "001_a.up.sql")
    assert "byte 21" in finding.message
    assert "0xe9" in finding.message
    (migration,) = found.migrations
    assert migration.has_errors
    assert [one.problem is None for one in migration.up.statements] == [True, False, True]


def test_other_encodings_do_not_crash(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"001_a.up.sql": "SELECT 1;".encode("utf-16"), "002_b.up.sql": bytes(range(256)), "003_c.up.sql": b"\0"},
    )
    found = discover(tmp_path)
    assert [only_of.code for one in found.migrations[:2] for only_of in one.findings[:1]] == ["not-utf-8", "not-utf-8"]
    for migration in found.migrations:
        assert migration.up.problems


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b"-- nothing yet\n", b"/* x */;"])
def test_an_empty_file_is_a_warning(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, {"001_a.up.sql": content, "001_a.down.sql": "SELECT 1"})
    assert codes(discover(tmp_path)) == [("warning", "empty-file")]


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "001_a.up.sql").symlink_to(tmp_path / "nowhere")
    (tmp_path / "002_b.up.sql").mkdir()
    os.mkfifo(tmp_path / "003_c.up.sql")
    os.mkfifo(tmp_path / "004_d.py")
    write(tmp_path, {"005_e.up.sql": "SELECT 1"})
    found = discover(tmp_path)
    unreadable = [one for one in found.all_findings if one.code == "unreadable-file"]
    assert {one.path and one.path.name for one in unreadable} == {
        "001_a.up.sql",
        "002_b.up.sql",
        "003_c.up.sql",
        "004_d.py",
    }
    assert {one.level for one in unreadable} == {"error"}
    assert [one.has_errors for one in found.migrations] == [True, True, True, False]


def test_a_name_without_a_version_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, {"_a.up.sql": "SELECT 1", "_a.down.sql": "SELECT 1"})
    assert codes(discover(tmp_path)) == [("error", "no-version")]


def test_hostile_names_are_names(tmp_path: Path) -> None:
    name = "001_[foo]\x1b[31m\u202e.up.sql"
    write(tmp_path, {name: "SELECT 1"})
    (migration,) = discover(tmp_path).migrations
    assert migration.label == name.removesuffix(".up.sql")


def test_a_directory_without_migrations_says_so(tmp_path: Path) -> None:
    found = discover(tmp_path)
    assert found.migrations == ()
    finding = only(found, "no-migrations")
    assert finding.path == tmp_path
    assert str(tmp_path) in finding.message


def test_a_directory_that_is_none_is_a_usage_error(tmp_path: Path) -> None:
    write(tmp_path, {"file": ""})
    for wrong in (tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(UsageError, match=wrong.name) as caught:
            discover(wrong)
        assert caught.value.hint


def test_finding_two_thousand_migrations_parses_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        tmp_path, {f"{n:04}_x.{way}.sql": f"ALTER TABLE t ADD c{n} int;" for n in range(2000) for way in ("up", "down")}
    )

    def fail(_function: str, _text: bytes) -> str:
        raise AssertionError("parsed")

    monkeypatch.setattr(parser, "_call", fail)
    found = discover(tmp_path)
    assert len(found.migrations) == 2000
    assert found.all_findings == ()
    with pytest.raises(AssertionError, match="parsed"):
        _ = found.migrations[0].up.statements


@given(st.lists(st.integers(min_value=0, max_value=10**30), min_size=2))
def test_natural_order_is_the_order_of_numbers(numbers: list[int]) -> None:
    for one, other in pairwise(numbers):
        assert (natural_key(f"{one}_x") < natural_key(f"{other}_x")) == (one < other)


@given(st.lists(st.text()))
def test_natural_order_takes_any_text(texts: list[str]) -> None:
    in_order = [natural_key(text) for text in sorted(texts, key=natural_key)]
    assert all(one <= other for one, other in pairwise(in_order))


def test_loose_files_stand_in_the_order_they_were_named(tmp_path: Path) -> None:
    write(tmp_path, {"b.sql": "SELECT 1", "a.sql": "SELECT 2", "7_seven.sql": "SELECT 3"})
    (tmp_path / "more").mkdir()
    write(
        tmp_path / "more",
        {
            "10_x.sql": "SELECT 1",
            "9_y.up.sql": "SELECT 1",
            "9_y.down.sql": "SELECT 1",
            "z.down.sql": "SELECT 1",
            "n.txt": "",
        },
    )
    found = LooseFiles().of_paths([tmp_path / "b.sql", tmp_path / "more", tmp_path / "a.sql", tmp_path / "7_seven.sql"])
    assert [(one.version, one.name) for one in found.migrations] == [
        ("", "b"),
        ("9", "y"),
        ("10", "x"),
        ("", "z.down"),
        ("", "a"),
        ("7", "seven"),
    ]
    assert found.migrations[1].down is not None
    assert found.migrations[0].checksum == hashlib.sha256(b"SELECT 1").hexdigest()
    assert (found.directory, found.layout) == (None, "loose")


def test_loose_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.sql"):
        LooseFiles().of_paths([tmp_path / "nowhere.sql"])
    assert codes(LooseFiles().of_paths([tmp_path])) == [("warning", "no-migrations")]


def test_a_text_is_a_migration_too() -> None:
    migration = Migration.from_sql("SELECT 'é'")
    assert (migration.version, migration.name, migration.label) == ("", "loose file", "loose file")
    assert migration.checksum == hashlib.sha256("SELECT 'é'".encode()).hexdigest()
    assert Migration.from_sql("SELECT 1", version="3").label == "3_loose file"
    assert Migration.from_sql("SELECT '\ud800'").up.problems


def test_every_layout_has_its_name() -> None:
    assert {layout.name for layout in (ConfitureLayout(), LooseFiles())} == {"confiture", "loose"}
