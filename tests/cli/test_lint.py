"""``lint``, run as users run it: with a database, with files only, for reports, for fixes, with mistakes."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.cli import entry
from confiture_tui.core.catalog import Catalog
from confiture_tui.service.lint_documents import LintDocument
from tests.cli.json_schema import problems
from tests.cli.sarif_schema import SARIF
from tests.cli.test_commands import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from confiture_tui.database.dsn import Dsn

FIRST = """CREATE TABLE customer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

CREATE TABLE purchase (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint REFERENCES customer
);
"""
SECOND = """CREATE INDEX CONCURRENTLY purchase_customer ON purchase (customer_id);
"""
THIRD = """CREATE TABLE diary (entry text);
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    migrations = tmp_path / "db/migrations"
    migrations.mkdir(parents=True)
    for name, sql in {"001_first": FIRST, "002_index": SECOND, "003_diary": THIRD}.items():
        (migrations / f"{name}.up.sql").write_text(sql)
        (migrations / f"{name}.down.sql").write_text("SELECT 1;\n")
    (tmp_path / "confiture.yaml").write_text("linting:\n  rules:\n    documentation: off\n")
    return tmp_path


@pytest.fixture
def target(database_from: Callable[[str], Dsn]) -> Dsn:
    """A database on which the first migration has been run, by a tool that left no ledger that we know."""
    return database_from(FIRST)


def without(project: Path, *versions: str) -> None:
    """Take migrations out of the project."""
    for version in versions:
        for path in (project / "db/migrations").glob(f"{version}_*"):
            path.unlink()


def test_what_is_wrong_and_what_the_pending_migrations_add_and_fix(project: Path, target: Dsn) -> None:
    without(project, "001")
    done = run(project, "lint", "--format", "json", dsn=target)
    assert done.returncode == 1, done.stderr
    document = LintDocument.model_validate_json(done.stdout)
    status = {(one.rule, one.object): one.status for one in document.violations}
    assert status == {
        ("primary-key", "public.diary"): "added",
        ("missing-index", "public.purchase.purchase_customer_id_fkey"): "fixed",
    }
    assert document.basis == "database"
    assert document.target is not None
    assert document.changes == ("002_index", "003_diary")
    keys = {one.rule: one.key for one in document.violations}
    assert document.added == (keys["primary-key"],)
    assert document.fixed == (keys["missing-index"],)
    assert document.checked["tables"] == 2
    added = next(one for one in document.violations if one.status == "added")
    assert (added.path, added.line) == ("db/migrations/003_diary.up.sql", 1)
    assert added.fix is not None
    assert added.undo is not None

    only = run(project, "lint", "--changed-only", "--fail-on", "never", dsn=target)
    assert only.returncode == 0
    assert "public.diary has no primary key" in only.stdout
    assert "1 error" in only.stdout
    assert "they would fix 1" in only.stdout


def test_files_alone_are_enough(project: Path) -> None:
    done = run(project, "lint", "--format", "json")
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert document["basis"] == "files"
    assert document["target"] is None
    assert document["added"] is None
    assert [one["rule"] for one in document["violations"]] == ["primary-key"]
    assert {"rule", "severity", "object", "kind", "message", "fix", "key"} <= document["violations"][0].keys()
    assert "unused-index" in {one["rule"] for one in document["skipped"]}

    text = run(project, "lint")
    assert " ".join(text.stdout.split()).count("Sizes, ages and traffic are those of a live database.") == 1

    since = run(project, "lint", "--since", "003", "--changed-only", "--format", "sarif")
    assert since.returncode == 1, since.stderr
    sarif = json.loads(since.stdout)
    assert problems(sarif, SARIF) == []
    (result,) = sarif["runs"][0]["results"]
    assert result["baselineState"] == "new"
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "db/migrations/003_diary.up.sql"


def test_fixes_are_written_as_migrations_and_mend_what_they_say(project: Path, target: Dsn) -> None:
    without(project, "001", "002")
    done = run(project, "lint", "--fix", "--rule", "missing-index", "--fail-on", "never", dsn=target)
    assert done.returncode == 0, done.stderr
    up, down = (project / f"db/migrations/004_lint_fixes.{way}.sql" for way in ("up", "down"))
    assert up.name in done.stdout
    assert "The way back restores the schema." in done.stdout
    assert "CREATE INDEX CONCURRENTLY" in up.read_text()
    with psycopg.connect(target.conninfo(), autocommit=True) as conn:
        before = Catalog.load(conn)
        assert "purchase_customer_id_idx" not in {name for _, name in before.indexes}, "the target was changed"
        for path, left in ((up, {"public.purchase_customer_id_idx"}), (down, set[str]())):
            conn.execute(path.read_bytes())
            assert {one.name for one in before.diff(Catalog.load(conn)).changes} == left
    # A second run finds the pending migration that mends it, and nothing is left to write.
    again = run(project, "lint", "--fix", "--rule", "missing-index", dsn=target)
    assert again.returncode == 0, again.stderr
    assert "The pending migrations fix 1 finding" in again.stdout
    assert len(list((project / "db/migrations").glob("*lint_fixes*"))) == 2


def test_a_baseline_lets_pass_what_was_there(project: Path, target: Dsn) -> None:
    without(project, "001", "002", "003")
    (project / "db/migrations/002_x.up.sql").write_text("SELECT 1;\n")
    written = run(project, "lint", "--baseline", "lint.json", "--update-baseline", dsn=target)
    assert written.returncode == 0, written.stderr
    assert "lint.json now has 1 finding: 1 new, 0 gone." in written.stdout
    with psycopg.connect(target.conninfo(), autocommit=True) as conn:
        conn.execute("CREATE INDEX ON purchase (customer_id); CREATE TABLE diary (entry text)")
    document = json.loads(run(project, "lint", "--baseline", "lint.json", "--format", "json", dsn=target).stdout)
    assert [one["object"] for one in document["violations"]] == ["public.diary"]
    assert len(document["gone"]) == 1


def run_here(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    """The same in this process, for what starts no server: exit code, stdout, stderr."""
    monkeypatch.chdir(directory)
    for name in os.environ:
        if name.startswith(("CONFITURE_", "PG", "DATABASE_")) and name != "CONFITURE_PG_BIN":
            monkeypatch.delenv(name)
    code = entry.run(arguments)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (["--rule", "missing-indx"], "", "Did you mean 'missing-index'?"),
        (["--changed-only", "--no-pending"], "", "--changed-only is about the pending migrations."),
        (["--update-baseline", "--fix"], "", "--update-baseline stands alone."),
        (["--update-baseline"], "", "Name its file: --baseline FILE"),
        (["--baseline", "nothing.json"], "", "nothing.json"),
        (["--format", "xml"], "", "Formats: text, json, sarif, github, markdown."),
        ([], "linting:\n  rules:\n    namin: off\n", "confiture.yaml, line 3: there is no rule 'namin'"),
        (["--explain", "primary"], "", "Did you mean 'primary-key'?"),
    ],
)
def test_mistakes_are_told_before_anything_is_done(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    settings: str,
    message: str,
) -> None:
    if settings:
        (project / "confiture.yaml").write_text(settings)
    code, out, err = run_here(project, monkeypatch, capsys, "lint", *arguments)
    assert code == 2, err
    assert message in err
    assert not out


def test_other_commands_refuse_the_formats_that_they_lack(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run_here(project, monkeypatch, capsys, "status", "--format", "sarif")
    assert code == 2
    assert "Formats: text, json." in err


def test_rules_explain_themselves(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run_here(project, monkeypatch, capsys, "lint", "--explain", "multi-tenant")
    assert code == 0
    assert "tenant_table" in out
    code, out, _ = run_here(project, monkeypatch, capsys, "lint", "--explain", "missing-index")
    assert code == 0
    assert "min_rows: 1000 a table known to have fewer rows is told of as info." in " ".join(out.split())
    assert "ignore_unchanging_references: false" in out
    assert not {"Attributes:", "``"} & set(out.split())
    code, out, _ = run_here(project, monkeypatch, capsys, "lint", "--list-rules")
    assert code == 0
    assert "missing-index" in out
