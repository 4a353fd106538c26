"""The commands, run as users run them: processes of their own, on real files and a real server."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.database.connection import connect
from confiture_tui.service.documents import DryRunDocument, PreviewDocument, StatusDocument
from tests.support.commands import run_command
from tests.support.processes import hear_signals, is_alive, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.database.dsn import Dsn

SCHEMA = """
CREATE TABLE public.orders (id int PRIMARY KEY, total numeric);
INSERT INTO public.orders SELECT n, n FROM generate_series(1, 100) n;
CREATE TABLE public.tb_confiture (
  version text, name text, slug text, applied_at timestamptz DEFAULT now(),
  execution_time_ms int, checksum text, applied_by text
);
"""
APPLIED = "CREATE TABLE public.orders (id int PRIMARY KEY, total numeric);\n"
GOOD = "-- a note\nALTER TABLE public.orders ADD COLUMN note text;\nCREATE INDEX orders_note ON public.orders (note);\n"
BAD = "ALTER TABLE public.orders\n  ADD COLUMN total text;\n"
DOCUMENT_KEYS = {"schema_version", "tool_version", "generated_at", "target", "runner", "migrations"}
STATEMENT_KEYS = {
    *("index", "line", "tag", "sql", "basis", "reach", "locks", "rewrites", "scans", "builds", "rebuilds", "creates"),
    *("drops", "invalid_indexes", "destroys_data", "changes_data", "transactional", "opaque", "fails", "may_fail"),
    "estimate",
}
OBSERVATION_KEYS = {"elapsed_ms", "rows", "wal_bytes", "error", "outcome", "cumulative", "mismatch"}


def environment(dsn: Dsn | None = None) -> dict[str, str]:
    """That of a command: nothing of ours, but for the programs that the tests run against."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("CONFITURE_", "PG", "DATABASE_"))}
    clean |= {key: os.environ[key] for key in ("CONFITURE_PG_BIN",) if key in os.environ}
    if dsn is not None:
        clean["CONFITURE_DATABASE_URL"] = dsn.conninfo()
    return clean


def run(
    directory: Path, *arguments: str, dsn: Dsn | None = None, stdin: str = "", **environ: str
) -> subprocess.CompletedProcess[str]:
    done = run_command(arguments, cwd=directory, environment=environment(dsn) | environ, stdin=stdin)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture
def project(tmp_path: Path) -> Path:
    migrations = tmp_path / "db/migrations"
    migrations.mkdir(parents=True)
    for version, sql in {"001_orders": APPLIED, "002_note": GOOD, "003_total": BAD}.items():
        (migrations / f"{version}.up.sql").write_text(sql)
        (migrations / f"{version}.down.sql").write_text("SELECT 1;\n")
    return tmp_path


@pytest.fixture
def target(database_from: Callable[[str], Dsn]) -> Dsn:
    """A database on which 001 has been applied."""
    checksum = hashlib.sha256(APPLIED.encode()).hexdigest()
    row = f"INSERT INTO public.tb_confiture (version, name, checksum) VALUES ('001', 'orders', '{checksum}');"
    return database_from(SCHEMA + row)


def documented(done: subprocess.CompletedProcess[str], code: int = 0) -> dict[str, Any]:
    assert done.returncode == code, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert document.keys() >= DOCUMENT_KEYS
    assert document["schema_version"] == 1
    return document


def test_status_tells_what_is_applied_and_what_is_pending(project: Path, target: Dsn) -> None:
    done = run(project, "status", "--format", "json", dsn=target)
    document = documented(done)
    StatusDocument.model_validate_json(done.stdout)
    assert [(one["version"], one["state"]) for one in document["migrations"]] == [
        ("001", "applied"),
        ("002", "pending"),
        ("003", "pending"),
    ]
    assert document["migrations"][0].keys() == {"version", "name", "state", "applied_at", "path"}
    assert document["migrations"][1]["path"] == "db/migrations/002_note.up.sql"
    assert document["target"].keys() == {"server_version", "database", "role", "host"}
    assert document["target"]["server_version"] >= 140000
    text = run(project, "status", dsn=target)
    assert "1 applied, 2 pending" in text.stdout
    assert text.returncode == 0


def test_status_works_without_a_database(project: Path) -> None:
    document = documented(run(project, "status", "--format", "json"))
    assert document["target"] is None
    assert {one["state"] for one in document["migrations"]} == {"pending"}
    assert "no database" in run(project, "status").stdout


def test_the_environment_file_is_used(project: Path, target: Dsn) -> None:
    (project / "db/environments").mkdir()
    (project / "db/environments/staging.yaml").write_text("database_url: ${SHOP}\n")
    done = run(project, "status", "--env", "staging", "--format", "json", SHOP=target.conninfo())
    assert documented(done)["migrations"][0]["state"] == "applied"
    missing = run(project, "status", "--env", "staging")
    assert missing.returncode == 2
    assert "staging.yaml, line 1" in missing.stderr
    assert "SHOP" in missing.stderr


def test_no_connection_is_exit_3_and_shows_no_password(project: Path, tmp_path: Path) -> None:
    dsn = f"postgresql://app:s3cr3t-word@/shop?host={tmp_path}&port=1"
    for arguments in (["status", "--dsn", dsn], ["status", "--dsn", dsn, "--log-level", "debug"]):
        done = run(project, *arguments)
        assert (done.returncode, done.stdout) == (3, "")
        assert "s3cr3t-word" not in done.stderr


def test_preview_says_what_each_statement_does(project: Path, target: Dsn) -> None:
    done = run(project, "preview", "002", "--format", "json", dsn=target)
    document = documented(done)
    PreviewDocument.model_validate_json(done.stdout)
    (migration,) = document["migrations"]
    assert document["basis"] == "catalog"
    assert migration["analysed"] == [2, 2]
    assert migration["rollback"] == {"strategy": "down_file", "schema_proved": None, "data": "unknown"}
    first, second = migration["statements"]
    assert [(one["line"], one["tag"]) for one in (first, second)] == [(2, "ALTER TABLE"), (3, "CREATE INDEX")]
    assert first.keys() >= STATEMENT_KEYS
    assert first["locks"] == [{"relation": "public.orders", "mode": "ACCESS EXCLUSIVE"}]
    assert second["builds"] == ["public.orders_note"]
    assert second["fails"] is None, "the column of the statement before is there"
    text = run(project, "preview", "002", dsn=target).stdout
    assert "ALTER TABLE public.orders ADD COLUMN note text" in text
    assert "2 of 2 statements analysed" in text


def test_preview_of_files_needs_neither_project_nor_database(tmp_path: Path) -> None:
    (tmp_path / "9_x.sql").write_text(GOOD)
    done = run(tmp_path, "preview", "9_x.sql", "--format", "json", DATABASE_URL="postgresql://nowhere.invalid/x")
    document = documented(done)
    assert document["target"] is None
    assert document["runner"] == "loose"
    assert document["migrations"][0]["version"] == "9"
    assert document["migrations"][0]["path"] == "9_x.sql"


def test_preview_reads_stdin(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "confiture_tui", "preview", "-"],
        input=GOOD.encode(),
        capture_output=True,
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert b"2 of 2 statements analysed" in done.stdout


def test_preview_of_a_file_that_is_no_text_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_bytes(b"SELECT '\xff';\n")
    done = run(tmp_path, "preview", "x.sql", "--format", "json")
    document = documented(done, code=1)
    assert document["migrations"][0]["findings"][0]["level"] == "error"


def test_a_dry_run_shows_what_happened_and_fails_on_what_fails(project: Path, target: Dsn) -> None:
    done = run(project, "dry-run", "--format", "json", dsn=target)
    document = documented(done, code=1)
    DryRunDocument.model_validate_json(done.stdout)
    assert document["on"] == "shadow"
    good, bad = document["migrations"]
    assert (good["version"], good["ok"], good["verdict"]) == ("002", True, "ok")
    assert (bad["version"], bad["ok"], bad["verdict"]) == ("003", False, "fails")
    assert good["proof"].keys() >= {"nothing_persisted", "exceptions"}
    for statement in (*good["statements"], *bad["statements"]):
        assert statement.keys() >= STATEMENT_KEYS | OBSERVATION_KEYS
    alter, index = good["statements"]
    assert alter["basis"] == "observed"
    assert alter["outcome"] == "ran"
    assert {"relation": "public.orders", "mode": "ACCESS EXCLUSIVE"} in alter["locks"]
    assert index["builds"] == ["public.orders_note"]
    assert bad["statements"][0]["error"]["sqlstate"] == "42701"
    with connect(target) as conn:
        columns = conn.execute("SELECT count(*) FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0")
        assert columns.fetchone() == (2,)


def test_a_dry_run_reads_well_and_its_exit_code_is_chosen(project: Path, target: Dsn) -> None:
    done = run(project, "dry-run", "003", "--fail-on", "never", dsn=target, COLUMNS="60")
    assert done.returncode == 0
    assert "42701" in done.stdout
    assert "ACCESS EXCLUSIVE" not in done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 60
    assert "1 migration tried, 1 failing, nothing stayed behind." in done.stdout
    assert run(project, "dry-run", "002", dsn=target).returncode == 0


def test_an_unknown_version_is_told_before_anything_is_tried(project: Path, target: Dsn) -> None:
    done = run(project, "dry-run", "002", "999", dsn=target)
    assert (done.returncode, done.stdout) == (2, "")
    assert "999" in done.stderr


def test_an_unknown_runner_is_refused(project: Path) -> None:
    (project / "x.sql").write_text(GOOD)
    for arguments in (["status"], ["preview", "x.sql"], ["preview", "-"]):
        done = run(project, *arguments, "--runner", "nobody")
        assert done.returncode == 2
        assert "nobody" in done.stderr


def test_the_demo_without_a_screen_tries_everything_and_leaves_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    done = run(tmp_path, "demo", "--headless", "--format", "json", "--log-file", str(log))
    document = documented(done)
    DryRunDocument.model_validate_json(done.stdout)
    assert document["rows"] == "full"
    assert {one["verdict"] for one in document["migrations"]} >= {"ok", "fails"}
    assert all(one["proof"]["nothing_persisted"] is True for one in document["migrations"])
    events = [json.loads(line) for line in log.read_text().splitlines()]
    pids = [event["data"]["pid"] for event in events if event["event"] == "server_started"]
    assert pids
    assert not [pid for pid in pids if is_alive(pid)]
    assert [path.name for path in tmp_path.iterdir()] == ["log.jsonl"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_and_stops_the_server(number: signal.Signals, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "confiture_tui", "demo", "--headless", "--log-file", str(log)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        preexec_fn=hear_signals,
    )
    try:
        until(lambda: log.exists() and '"server_started"' in log.read_text(), "the server has started")
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Cancelled" in err
    assert "Traceback" not in err
    events = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
    (pid,) = [event["data"]["pid"] for event in events if event["event"] == "server_started"]
    until(lambda: not is_alive(pid), "the server has stopped")
