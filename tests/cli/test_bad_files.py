"""Whatever a project's files hold: a sentence with file, line and object, the right exit code, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from confiture_tui.core.migrations.findings import MAX_SQL_CHARACTERS
from tests.cli.test_commands import run

Write = Callable[[str, "str | bytes"], Path]

HOSTILE = "COMMENT ON TABLE jar IS '[/foo] [bold]x \x1b]0;owned\x07 \u202e drop \x9b2J';\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a migration, with a way back; gives its path."""
    directory = tmp_path / "db/migrations"
    directory.mkdir(parents=True)

    def written(name: str, content: str | bytes) -> Path:
        path = directory / f"{name}.up.sql"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.with_name(f"{name}.down.sql").write_text("SELECT 1;\n")
        return path

    written("001_jar", "CREATE TABLE jar (id int);\n")
    return written


def previewed(directory: Path, *what: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    done = run(directory, "preview", *what, "--format", "json")
    document: dict[str, Any] = json.loads(done.stdout)
    return done, document


@pytest.mark.parametrize(
    ("content", "code", "finding", "line", "says", "statements"),
    [
        pytest.param(b"SELECT 1;\nSELECT '\xff';\n", 1, "not-utf-8", 2, "line 2, byte 18", 2, id="not UTF-8"),
        pytest.param("SELECT 1;\nSELEC 2;\nSELECT 3;\n", 1, "syntax-error", 2, "Mend it", 3, id="a syntax error"),
        pytest.param("SELECT 1;\nCOMMIT;\nSELECT 2;\n", 1, "transaction-control", 2, "COMMIT", 3, id="a COMMIT"),
        pytest.param("BEGIN;\nSELECT 1;\nCOMMIT;\n", 0, "own-transaction", 1, "lines 1 and 3", 1, id="its own pair"),
        pytest.param("\\i x.sql\nSELECT 1;\n", 0, "psql-meta-command", 1, "\\i is a command of psql", 1, id="psql"),
        pytest.param("COPY jar FROM stdin;\n1\n\\.\n", 0, "copy-data", 1, "line 1: COPY reads rows", 1, id="COPY"),
        pytest.param("SELECT 1;\nDROP TABLE {{ x }};\n", 1, "template", 2, "{{ x }} is to be filled in", 2, id="jinja"),
        pytest.param("DROP TABLE ${x};\n", 1, "template", 1, "${x} is to be filled in", 1, id="a shell's variable"),
        pytest.param("DELETE FROM jar WHERE id = :id;\n", 1, "template", 1, ":id is to be", 1, id="a parameter"),
        pytest.param("", 0, "empty-file", None, "holds no statement", 0, id="empty"),
        pytest.param("-- only\n/* words */", 0, "empty-file", None, "holds no statement", 0, id="only comments"),
    ],
)
def test_what_a_file_holds_is_told(
    write: Write,
    tmp_path: Path,
    content: str | bytes,
    code: int,
    finding: str,
    line: int | None,
    says: str,
    statements: int,
) -> None:
    write("002_bad", content)
    done, document = previewed(tmp_path, "002")
    assert done.returncode == code
    (migration,) = document["migrations"]
    assert len(migration["statements"]) == statements
    (one,) = migration["findings"]
    assert (one["code"], one["line"], one["path"]) == (finding, line, "db/migrations/002_bad.up.sql")
    assert "002_bad.up.sql" in one["message"]
    assert says in one["message"]
    text = run(tmp_path, "preview", "002")
    assert text.returncode == code
    assert says.split()[0] in text.stdout


def test_a_project_without_migrations_is_told_what_to_do(tmp_path: Path) -> None:
    for command in ("status", "preview", "dry-run"):
        done = run(tmp_path, command)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"There is no directory {tmp_path / 'db/migrations'}." in done.stderr
        assert "--migrations-dir" in done.stderr


def test_a_version_that_is_used_twice(write: Write, tmp_path: Path) -> None:
    write("002_lid", "SELECT 1;\n")
    write("002_label", "SELECT 2;\n")
    sentence = "Version 002 is used by 002_label.up.sql and 002_lid.up.sql; renumber all but one."
    done = run(tmp_path, "status")
    assert done.returncode == 0
    assert sentence in done.stdout
    assert sentence not in done.stderr, "it is told once"
    assert run(tmp_path, "preview", "002").returncode == 1
    tried = run(tmp_path, "dry-run", "002")
    assert tried.returncode == 2
    assert sentence in tried.stderr


def test_hostile_text_is_shown_and_not_obeyed(write: Write, tmp_path: Path) -> None:
    write("002_hostile", HOSTILE)
    done = run(tmp_path, "preview", "002")
    assert done.returncode == 0
    assert "[/foo] [bold]x ␛]0;owned␇" in done.stdout
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(done.stdout + done.stderr)
    _, document = previewed(tmp_path, "002")
    assert "\x1b]0;owned\x07" in document["migrations"][0]["statements"][0]["sql"]


def test_a_file_that_is_too_large_is_told_and_not_tried(write: Write, tmp_path: Path) -> None:
    write("002_large", "INSERT INTO jar SELECT length('" + "jam jam jam jam\n" * (50 * 1024 * 1024 // 16) + "');\n")
    assert "2 pending" in run(tmp_path, "status").stdout
    done, document = previewed(tmp_path, "002")
    assert done.returncode == 1
    (finding,) = document["migrations"][0]["findings"]
    assert finding["code"] == "too-large"
    assert "002_large.up.sql holds 50 MB of SQL" in finding["message"]
    tried = run(tmp_path, "dry-run", "002")
    assert tried.returncode == 2
    assert "002_large.up.sql" in tried.stderr


def test_data_of_copy_do_not_count(write: Write, tmp_path: Path) -> None:
    write("002_data", "COPY jar FROM stdin;\n" + "12345678\n" * (MAX_SQL_CHARACTERS // 9 + 1000) + "\\.\nSELECT 1;\n")
    done, document = previewed(tmp_path, "002")
    assert done.returncode == 0
    assert [one["tag"] for one in document["migrations"][0]["statements"]] == ["COPY", "SELECT"]


def test_two_thousand_migrations_are_read_and_their_notes_do_not_drown_the_rest(tmp_path: Path) -> None:
    directory = tmp_path / "db/migrations"
    directory.mkdir(parents=True)
    for number in range(1, 2001):
        (directory / f"{number:04}_step.up.sql").write_text(f"CREATE TABLE t{number} (id int);\n")
    (directory / "1000_again.up.sql").write_text("SELECT 1;\n")
    done = run(tmp_path, "status")
    assert done.returncode == 0
    assert "2001 pending" in done.stdout
    assert "Version 1000 is used by" in done.stdout
    notes = [line for line in done.stdout.splitlines() if "has no way back" in line]
    assert len(notes) == 1
    assert "And 2,000 more like it" in " ".join(done.stdout.split())
    assert run(tmp_path, "preview", "1999").returncode == 0


@pytest.mark.parametrize("where", ["project", "directory", "elsewhere"])
def test_a_path_into_a_project_is_that_projects_migration(write: Write, tmp_path: Path, where: str) -> None:
    path = write("002_lid", "ALTER TABLE jar ADD lid text;\nSELECT 1;\n")
    cwd, argument = {
        "project": (tmp_path, "db/migrations/002_lid.up.sql"),
        "directory": (path.parent, path.name),
        "elsewhere": (Path("/"), str(path)),
    }[where]
    _, document = previewed(cwd, argument)
    (migration,) = document["migrations"]
    assert document["runner"] == "confiture"
    assert (migration["version"], migration["name"], migration["wrapping"]) == ("002", "lid", "transaction")
    assert migration["rollback"]["strategy"] == "down_file"


def test_a_way_back_and_a_loose_file_are_what_they_are(write: Write, tmp_path: Path) -> None:
    write("002_lid", "SELECT 1;\n")
    (tmp_path / "003_loose.sql").write_text("SELECT 1;\n")
    for argument in ("db/migrations/002_lid.down.sql", "003_loose.sql"):
        _, document = previewed(tmp_path, argument)
        assert (document["runner"], document["migrations"][0]["wrapping"]) == ("loose", "none")


def test_programs_that_are_not_there_are_told_once(write: Write, tmp_path: Path) -> None:
    done = run(tmp_path, "dry-run", "--pg-bin", "/nope")
    assert done.returncode == 2
    assert done.stderr.count("/nope (--pg-bin) holds no PostgreSQL server") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk at hand")
@pytest.mark.parametrize("arguments", [["status"], ["preview", "--format", "json"], ["--help"], ["--version"]])
def test_a_full_disk_is_no_defect_of_ours(write: Write, tmp_path: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "confiture_tui", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            check=False,
        )
    assert done.returncode == 2
    assert "could not be written to standard output: No space left on device" in done.stderr
    assert "defect" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_without_stderr_the_result_and_the_exit_code_are_the_same(write: Write, tmp_path: Path) -> None:
    for arguments, code in (("status", 0), ("status --nope", 2)):
        command = f"exec {sys.executable} -m confiture_tui {arguments} 2>&-"
        done = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, text=True, cwd=tmp_path, check=False)
        assert done.returncode == code
        assert ("1 pending" in done.stdout) is (code == 0)


def test_a_closed_stdout_is_no_defect_of_ours(write: Write, tmp_path: Path) -> None:
    command = f"exec {sys.executable} -m confiture_tui status >&-"
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "standard output: it is closed" in done.stderr
