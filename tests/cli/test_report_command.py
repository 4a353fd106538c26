"""``report``, run as users run it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.service.review_documents import ReportDocument
from tests.cli.test_commands import DOCUMENT_KEYS, STATEMENT_KEYS, run

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from confiture_tui.database.dsn import Dsn

UP = "ALTER TABLE orders ADD COLUMN customer_id int REFERENCES customers;\n"
DOWN = "ALTER TABLE orders DROP COLUMN customer_id;\n"
HOOKS = "hooks:\n  - hook: analyze_tables\n    direction: both\n    options: {tables: [orders]}\n"
HOSTILE = 'CREATE TABLE "</code><script>alert(1)</script><img src=x>" (id int);\n'


@pytest.fixture
def project(tmp_path: Path, conn: psycopg.Connection[Any]) -> Path:
    conn.execute("CREATE TABLE customers (id int PRIMARY KEY); CREATE TABLE orders (id int PRIMARY KEY)")
    migrations = tmp_path / "db/migrations"
    migrations.mkdir(parents=True)
    (migrations / "001_customer.up.sql").write_text(UP)
    (migrations / "001_customer.down.sql").write_text(DOWN)
    (migrations / "001_customer.hooks.yaml").write_text(HOOKS)
    return tmp_path


def reported(project: Path, dsn: Dsn | None, *arguments: str) -> dict[str, Any]:
    done = run(project, "report", *arguments, "--format", "json", dsn=dsn)
    assert done.returncode == 0, done.stderr
    ReportDocument.model_validate_json(done.stdout)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_the_record_says_what_was_reviewed_and_what_came_of_it(project: Path, database: Dsn) -> None:
    document = reported(project, database)
    assert set(document) >= DOCUMENT_KEYS | {"project", "environment", "production", "catalog", "digest", "lint"}
    (one,) = document["migrations"]
    assert one["checksum"] == hashlib.sha256(UP.encode()).hexdigest()
    assert one["down_checksum"] == hashlib.sha256(DOWN.encode()).hexdigest()
    assert one["hooks"] == [{"hook": "analyze_tables", "phase": None, "direction": "both"}]
    assert one["assessment"]["path"] == "db/migrations/001_customer.up.sql"
    assert set(one["assessment"]["statements"][0]) >= STATEMENT_KEYS
    assert one["dry_run"]["verdict"] == "ok"
    assert one["dry_run"]["proof"]["nothing_persisted"] is True
    assert one["dry_run"]["round_trip"]["schema_proved"] is True
    assert [added["rule"] for added in document["lint"]["added"]] == ["missing-index"]
    assert document["lint"]["changes"] == ["001_customer"]


def test_the_score_is_by_what_was_seen_beside_what_was_predicted(project: Path) -> None:
    # No migration makes the tables, and no database is there that has them.
    (seen,) = (one["assessment"] for one in reported(project, None, "--no-lint")["migrations"])
    (without,) = (one["assessment"] for one in reported(project, None, "--no-lint", "--no-dry-run")["migrations"])
    assert without["predicted_score"] is None
    assert seen["predicted_score"] == without["score"]
    assert seen["score"] != without["score"]
    text = " ".join(run(project, "report", "--no-lint").stdout.split())
    assert f"{seen['score']}, {without['score']} predicted" in text
    assert f"{without['score']} was predicted without it" in text
    assert "what was seen stands in the place of what was predicted" in text


def test_the_digest_is_that_of_files_and_schema(project: Path, database: Dsn, conn: psycopg.Connection[Any]) -> None:
    def digest() -> str:
        return str(reported(project, database, "--no-dry-run", "--no-lint")["digest"])

    first = digest()
    assert digest() == first
    (project / "db/migrations/001_customer.down.sql").write_text(DOWN + "-- another way back\n")
    other_file = digest()
    conn.execute("ALTER TABLE customers ADD COLUMN name text")
    assert len({first, other_file, digest()}) == 3


def test_a_file_that_cannot_be_tried_is_in_the_record(project: Path) -> None:
    (project / "db/migrations/002_latin.up.sql").write_bytes(b"COMMENT ON TABLE orders IS 'gr\xf6\xdfer';\n")
    document = reported(project, None, "002", "--no-lint")
    (one,) = document["migrations"]
    assert one["dry_run"] is None
    assert "UTF-8" in one["not_tried"]
    assert (document["target"], document["catalog"], document["lint"]) == (None, None, None)


def test_what_a_file_says_runs_nothing_in_a_browser(project: Path) -> None:
    (project / "db/migrations/002_hostile.up.sql").write_text(HOSTILE)
    page = run(project, "report", "002", "--no-lint", "--format", "html").stdout
    assert page.startswith("<!doctype html>")
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;img src=x&gt;" in page


def test_the_same_record_as_text_and_as_markdown(project: Path, database: Dsn) -> None:
    text = run(project, "report", dsn=database).stdout
    markdown = run(project, "report", "--format", "markdown", dsn=database).stdout
    checksum = hashlib.sha256(UP.encode()).hexdigest()
    for written in (text, markdown):
        assert checksum in written
        assert "Nothing stayed behind." in written
    assert "| migration | level | score | dry run | way back |" in markdown
    assert text.startswith("REVIEW OF 1 MIGRATION OF")


def test_without_a_pending_migration_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "db/migrations").mkdir(parents=True)
    done = run(tmp_path, "report")
    assert done.returncode == 0
    assert "nothing to review" in done.stdout


def test_it_has_formats_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "db/migrations").mkdir(parents=True)
    done = run(tmp_path, "report", "--format", "sarif")
    assert done.returncode == 2
    assert "Formats: text, json, markdown, html." in done.stderr
    assert run(tmp_path, "assess", "--format", "html").returncode == 2
