"""``apply``, ``rollback``, ``resume``, ``mark`` and ``hooks``, run as users run them."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.runner.advisory_lock import take
from confiture_tui.core.runner.journal import Journal
from confiture_tui.core.runner.recovery import left_overs
from confiture_tui.database.connection import connect
from confiture_tui.service.run_documents import (
    BaselineDocument,
    CleanUpDocument,
    HooksDocument,
    MarkDocument,
    RunDocument,
)
from tests.cli.test_commands import environment, run
from tests.support.processes import hear_signals, until

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from confiture_tui.database.dsn import Dsn


@pytest.fixture
def project(tmp_path: Path) -> Path:
    migrations = tmp_path / "db/migrations"
    migrations.mkdir(parents=True)
    (migrations / "001_a.up.sql").write_text("CREATE TABLE a (id int);\n")
    (migrations / "001_a.down.sql").write_text("DROP TABLE a;\n")
    (migrations / "002_b.up.sql").write_text("CREATE TABLE b (id int);\n")
    (migrations / "002_b.down.sql").write_text("DROP TABLE b;\n")
    (migrations / "002_b.hooks.yaml").write_text(
        "hooks:\n"
        "  - hook: backfill_read_model\n"
        "    options: {query: 'SELECT g AS id FROM generate_series(1, 10) g', target: b, key: id}\n"
    )
    return tmp_path


def tables(conn: psycopg.Connection[Any]) -> list[str]:
    query = "SELECT relname::text FROM pg_class WHERE relname IN ('a', 'b', 'c') ORDER BY 1"
    return [row[0] for row in conn.execute(query).fetchall()]


def test_apply_and_rollback(project: Path, database: Dsn, conn: psycopg.Connection[Any]) -> None:
    done = run(project, "apply", "--yes", "--dsn", database.conninfo())
    assert done.returncode == 0, done.stderr
    assert "Applies 001_a" in done.stdout
    assert "in transactions of its own" in done.stdout
    assert "2 applied." in done.stdout
    (undo,) = (line.strip() for line in done.stdout.splitlines() if "confiture-tui rollback" in line)
    # As it stands there it reaches the database that was migrated.
    assert shlex.split(undo)[:4] == ["confiture-tui", "rollback", "--steps", "2"]
    assert shlex.split(undo)[-2] == "--dsn"
    assert tables(conn) == ["a", "b"]
    assert conn.execute("SELECT count(*) FROM b").fetchone() == (10,)
    back = run(project, *shlex.split(undo)[1:], "--yes", "--format", "json")
    assert back.returncode == 0, back.stderr
    document = RunDocument.model_validate_json(back.stdout)
    assert [one.outcome for one in document.migrations] == ["rolled_back", "rolled_back"]
    assert [one.version for one in document.migrations] == ["002", "001"]
    assert tables(conn) == []


def test_the_json_is_the_contract(project: Path, database: Dsn) -> None:
    done = run(project, "apply", "--yes", "--format", "json", dsn=database)
    document: dict[str, Any] = json.loads(done.stdout)
    assert {"schema_version", "tool_version", "generated_at", "target", "runner", "migrations", "undo"} <= set(document)
    (_first, second) = document["migrations"]
    assert {"version", "name", "outcome", "elapsed_ms", "hooks"} <= set(second)
    (hook,) = second["hooks"]
    assert (hook["hook"], hook["phase"], hook["outcome"], hook["rows_affected"]) == (
        "backfill_read_model",
        "AFTER_DDL",
        "ok",
        10,
    )
    again = run(project, "apply", "--yes", dsn=database)
    assert (again.returncode, "Nothing to run." in again.stdout) == (0, True)


def test_a_plan_without_a_yes_runs_nothing(project: Path, database: Dsn, conn: psycopg.Connection[Any]) -> None:
    shown = run(project, "apply", "--dry-run", dsn=database)
    assert shown.returncode == 0
    asked = run(project, "apply", dsn=database)
    assert asked.returncode == 2
    assert "--yes" in asked.stderr
    assert tables(conn) == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("apply", "--yes", "--read-only"), "read-only"),
        (("apply", "--yes", "--to", "03"), "no migration 03"),
        (("apply", "--yes", "--allow", "everything"), "no 'everything'"),
        (("rollback", "--yes"), "0 are applied"),
        (("rollback", "--yes", "--to", "001", "--steps", "1"), "two ways"),
        (("apply", "--yes", "--to", "001", "--steps", "1"), "two ways"),
        (("apply", "--yes", "--allow", "absent"), "no 'absent'"),
        (("clean-up", "001"), "Nothing is left half-way"),
        (("baseline", "--allow", "absent"), "--yes"),
        (("baseline", "--yes", "--allow", "absent", "--read-only"), "read-only"),
        (("baseline", "--yes", "--to", "3"), "no migration 3"),
        (("baseline", "--yes"), "001_a makes public.a, which the database does not have"),
        (("resume", "001"), "Nothing is left half-way"),
        (("mark", "001", "applied"), "Nothing is left half-way"),
        (("mark", "001", "done"), "done"),
    ],
)
def test_what_is_not_allowed_is_told(
    project: Path, database: Dsn, conn: psycopg.Connection[Any], arguments: tuple[str, ...], why: str
) -> None:
    done = run(project, *arguments, dsn=database)
    assert done.returncode == 2
    assert why in done.stderr
    assert tables(conn) == []


def test_production_wants_the_name(project: Path, database: Dsn, conn: psycopg.Connection[Any]) -> None:
    (project / "db/environments").mkdir()
    (project / "db/environments/production.yaml").write_text(f'database_url: "{database.conninfo()}"\n')
    name = conn.info.dbname
    for confirm in ((), ("--confirm", "another")):
        refused = run(project, "apply", "--env", "production", "--yes", *confirm)
        assert refused.returncode == 2
        assert f"--confirm {name}" in refused.stderr
    assert tables(conn) == []
    done = run(project, "apply", "--env", "production", "--yes", "--confirm", name)
    assert done.returncode == 0, done.stderr
    assert tables(conn) == ["a", "b"]


def test_a_failure_is_exit_4_and_half_way_is_exit_5(
    project: Path, database: Dsn, conn: psycopg.Connection[Any]
) -> None:
    bad = project / "db/migrations/003_c.up.sql"
    bad.write_text("CREATE TABLE c (id int);\nSELECT 1/0;\n")
    failed = run(project, "apply", "--yes", dsn=database)
    assert failed.returncode == 4
    assert "line 2" in failed.stdout
    assert "Nothing of it stands." in failed.stdout
    assert tables(conn) == ["a", "b"]
    bad.write_text("CREATE TABLE c (id int);\nCREATE INDEX CONCURRENTLY c_id ON c (id);\nSELECT 1/0;\n")
    half = run(project, "apply", "--yes", dsn=database)
    assert half.returncode == 5
    assert "Statements 1 to 2 of 3 stand" in half.stdout
    status = run(project, "status", "--format", "json", dsn=database)
    assert [one["state"] for one in json.loads(status.stdout)["migrations"]] == ["applied", "applied", "interrupted"]
    refused = run(project, "rollback", "--yes", dsn=database)
    assert refused.returncode == 5
    assert "003_c stopped half-way" in refused.stderr
    refused = run(project, "apply", "--yes", dsn=database)
    assert refused.returncode == 5, "nothing else is pending, and that is not all that there is to say"
    assert "003_c stopped half-way" in refused.stderr
    assert refused.stdout == ""
    marked = run(project, "mark", "003", "applied", "--format", "json", dsn=database)
    assert marked.returncode == 0, marked.stderr
    document = MarkDocument.model_validate_json(marked.stdout)
    assert (document.version, document.marked) == ("003", "applied")
    status = run(project, "status", "--format", "json", dsn=database)
    assert json.loads(status.stdout)["migrations"][2]["state"] == "applied"


def test_one_step_at_a_time(project: Path, database: Dsn, conn: psycopg.Connection[Any]) -> None:
    assert run(project, "apply", "--yes", "--steps", "1", dsn=database).returncode == 0
    assert tables(conn) == ["a"]
    assert run(project, "apply", "--yes", "--steps", "5", dsn=database).returncode == 0
    assert tables(conn) == ["a", "b"]


def test_a_database_that_has_the_schema_is_baselined(
    project: Path, database: Dsn, conn: psycopg.Connection[Any]
) -> None:
    conn.execute("CREATE TABLE a (id int, more text)")
    partly = run(project, "baseline", "--yes", dsn=database)
    assert partly.returncode == 2
    assert "002_b makes public.b" in partly.stderr
    done = run(project, "baseline", "--to", "001", "--yes", "--format", "json", dsn=database)
    assert done.returncode == 0, done.stderr
    document = BaselineDocument.model_validate_json(done.stdout)
    assert (document.marked, [one.version for one in document.migrations]) == (True, ["001"])
    assert run(project, "apply", "--yes", dsn=database).returncode == 0
    assert tables(conn) == ["a", "b"]


def test_what_an_interrupted_statement_has_left_is_told_and_cleaned_up(
    project: Path, database: Dsn, conn: psycopg.Connection[Any]
) -> None:
    assert run(project, "apply", "--yes", "--to", "001", dsn=database).returncode == 0
    for kind in ("up.sql", "down.sql", "hooks.yaml"):
        (project / f"db/migrations/002_b.{kind}").unlink()
    file = project / "db/migrations/003_c.up.sql"
    file.write_text("CREATE INDEX CONCURRENTLY a_id ON a (id);\nCREATE INDEX CONCURRENTLY a_two ON a (id);\n")
    conn.execute("CREATE INDEX a_two ON a (id)")
    assert run(project, "apply", "--yes", "--to", "003", dsn=database).returncode == 5
    # As a crash leaves it: the second one begun, its index there and not valid.
    conn.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'a_two'::regclass")
    status = run(project, "status", dsn=database)
    assert "statement 1 stands, of 2" in status.stdout
    assert "It has left public.a_two, which is not valid." in status.stdout
    assert "confiture-tui clean-up 003" in status.stdout
    (assessed,) = json.loads(run(project, "assess", "--format", "json", dsn=database).stdout)["migrations"]
    assert assessed["done"] == 1
    assert [one["fails"] for one in assessed["statements"]] == [None, None]
    assert [bool(one["builds"]) for one in assessed["statements"]] == [False, True]
    assert [one for one in assessed["risks"] if one["statement"] == 1] == []
    text = run(project, "assess", dsn=database).stdout
    assert "CREATE INDEX  done already, by the run that stopped half-way" in text
    assert "only the rest is counted" in " ".join(text.split())
    refused = run(project, "dry-run", "003", dsn=database)
    assert (refused.returncode, refused.stdout.count("42P07")) == (2, 0)
    assert "003_c stopped half-way" in refused.stderr
    left = json.loads(run(project, "status", "--format", "json", dsn=database).stdout)["left"]
    assert left[0]["invalid"] == ["public.a_two"]
    assert left[0]["actions"] == ["resume", "clean_up", "mark_applied", "mark_pending"]
    cleaned = run(project, "clean-up", "003", "--format", "json", dsn=database)
    assert cleaned.returncode == 0, cleaned.stderr
    document = CleanUpDocument.model_validate_json(cleaned.stdout)
    assert (document.dropped, document.pending) == (("public.a_two",), False)
    assert conn.execute("SELECT to_regclass('a_two')").fetchone() == (None,)
    resumed = run(project, "resume", "003", dsn=database)
    assert resumed.returncode == 0, resumed.stderr
    assert conn.execute("SELECT count(*) FROM pg_index WHERE indrelid = 'a'::regclass").fetchone() == (2,)


SLEEPS = "CREATE TABLE b (id int);\nSELECT pg_sleep(60);\n"
SLEEPS_AFTER_THE_COMMIT = (
    "hooks:\n  - hook: backfill_read_model\n"
    "    options: {query: 'SELECT 1 AS id FROM pg_sleep(60)', target: b, key: id}\n"
)


@pytest.mark.parametrize(
    ("file", "text", "code", "told", "left"),
    [
        ("002_b.up.sql", SLEEPS, 130, "Cancelled", ["a"]),
        ("002_b.hooks.yaml", SLEEPS_AFTER_THE_COMMIT, 5, "hooks after", ["a", "b"]),
    ],
    ids=["in the transaction", "after the commit"],
)
def test_ctrl_c_says_whether_something_stands(
    project: Path,
    database: Dsn,
    conn: psycopg.Connection[Any],
    file: str,
    text: str,
    code: int,
    told: str,
    left: list[str],
) -> None:
    (project / "db/migrations" / file).write_text(text)
    sleeping = "SELECT true FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
    with subprocess.Popen(
        [sys.executable, "-m", "confiture_tui", "apply", "--yes"],
        cwd=project,
        env=environment(database),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_signals,
    ) as process:
        until(lambda: conn.execute(sleeping).fetchone() is not None, "the migration sleeps")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == code, (out, err)
    assert told in out + err
    assert tables(conn) == left
    assert bool(left_overs(conn, Journal("public"))) is (code == 5)


def test_drift_is_refused_and_can_be_allowed(project: Path, database: Dsn, conn: psycopg.Connection[Any]) -> None:
    assert run(project, "apply", "--yes", "--to", "001", dsn=database).returncode == 0
    (project / "db/migrations/001_a.up.sql").write_text("CREATE TABLE a (id bigint);\n")
    refused = run(project, "apply", "--yes", dsn=database)
    assert refused.returncode == 2
    assert "no longer the one that was" in refused.stderr
    assert tables(conn) == ["a"]
    assert run(project, "apply", "--yes", "--allow", "changed", dsn=database).returncode == 0
    assert tables(conn) == ["a", "b"]


def test_another_run_is_exit_6(project: Path, database: Dsn, conn: psycopg.Connection[Any]) -> None:
    with connect(database) as other:
        take(other, conn.info.dbname)
        done = run(project, "apply", "--yes", dsn=database)
    assert done.returncode == 6
    assert "Another run holds the migration lock" in done.stderr
    assert tables(conn) == []


def test_hooks_are_listed_without_a_project(tmp_path: Path) -> None:
    listed = run(tmp_path, "hooks", "list")
    assert listed.returncode == 0, listed.stderr
    assert "backfill_read_model" in listed.stdout
    document = HooksDocument.model_validate_json(run(tmp_path, "hooks", "list", "--format", "json").stdout)
    assert {hook.source for hook in document.hooks} == {"built-in"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("running:\n  lock_timeot_ms: 3\n", "line 2: there is no setting 'running.lock_timeot_ms'"),
        ("running:\n  retries: many\n", "line 2: 'retries' is wrong"),
        ("running:\n  give_way:\n    wait_ms: 0\n", "line 3: 'give_way.wait_ms' is wrong"),
        ("hooks:\n  allow: yes\n", "line 2: 'allow' is not a list"),
        ("hooks: []\n", "line 1: 'hooks' is not a mapping"),
    ],
)
def test_mistakes_in_the_settings_are_told_with_their_line(
    project: Path, database: Dsn, conn: psycopg.Connection[Any], text: str, why: str
) -> None:
    (project / "confiture.yaml").write_text(text)
    done = run(project, "apply", "--yes", dsn=database)
    assert done.returncode == 2
    assert f"confiture.yaml, {why}" in done.stderr
    assert tables(conn) == []
