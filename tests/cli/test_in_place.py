"""``dry-run --on target``, as users run it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from confiture_tui.cli.durations import milliseconds_of
from confiture_tui.database.connection import connect
from confiture_tui.errors import UsageError
from confiture_tui.service.documents import DryRunDocument

from .test_commands import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

SCHEMA = """
CREATE TABLE jar (id serial PRIMARY KEY, label text);
INSERT INTO jar (label) SELECT 'jam' FROM generate_series(1, 50);
ALTER TABLE jar OWNER TO plain;
GRANT CREATE ON SCHEMA public TO plain;
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    migrations = tmp_path / "db" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "001_jar.up.sql").write_text(
        "ALTER TABLE jar ADD COLUMN size int;\nINSERT INTO jar (label) VALUES ('one');\nUPDATE jar SET size = 1;\n"
    )
    (migrations / "002_index.up.sql").write_text("CREATE INDEX CONCURRENTLY ON jar (label);\n")
    (migrations / "003_leaks.up.sql").write_text("CREATE TABLE leak (id int);\nSELECT 1; commit; SELECT 2;\n")
    return tmp_path


@pytest.fixture
def target(server: EmbeddedServer, database_from: Callable[[str], Dsn]) -> Dsn:
    server.create_login("plain")
    name = database_from(SCHEMA).parameters()["dbname"]
    return server.dsn(name, "plain")


def test_it_says_where_it_ran_and_what_stayed(project: Path, target: Dsn) -> None:
    done = run(project, "dry-run", "001", "--on", "target", "--format", "json", dsn=target)
    assert done.returncode == 0, done.stderr
    document = DryRunDocument.model_validate_json(done.stdout)
    assert document.on.value == "target"
    found = json.loads(done.stdout)["migrations"][0]
    assert (found["on"], found["rows"], found["verdict"]) == ("target", "full", "ok")
    assert found["proof"]["nothing_persisted"] is True
    assert any("public.jar_id_seq moved from 50 to 51" in text for text in found["proof"]["exceptions"])
    assert any("dead versions" in text for text in found["proof"]["exceptions"])
    text = run(project, "dry-run", "001", "--on", "target", dsn=target).stdout
    for words in ("on the target, rolled back", "nothing stayed behind", "stayed:", "jar_id_seq moved from 51 to 52"):
        assert words in " ".join(text.split())


def test_what_cannot_run_in_place_is_inconclusive(project: Path, target: Dsn) -> None:
    done = run(project, "dry-run", "002", "--on", "target", "--fail-on", "warning", dsn=target)
    assert done.returncode == 1
    assert "not run: CREATE INDEX CONCURRENTLY cannot run inside a transaction block." in " ".join(done.stdout.split())


def test_a_commit_inside_a_line_is_refused_with_its_line(project: Path, target: Dsn) -> None:
    done = run(project, "dry-run", "003", "--on", "target", dsn=target)
    assert done.returncode == 2
    assert "003_leaks, line 2: COMMIT would end the dry run's transaction" in done.stderr
    with connect(target) as conn:
        assert conn.execute("SELECT to_regclass('leak')").fetchone() == (None,)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--read-only"], 2, "read-only"),
        (["--env", "production"], 2, "--confirm"),
        (["--env", "production", "--confirm", "shop"], 2, "is not shop"),
        (["--dsn", "host=/nowhere dbname=x"], 3, "/nowhere"),
        (["--lock-timeout", "0"], 2, "not a time-out"),
        (["--as", "postgres"], 2, "superuser"),
        (["--as", "nobody_at_all"], 2, "nobody_at_all"),
    ],
)
def test_what_is_refused(project: Path, target: Dsn, arguments: list[str], code: int, said: str) -> None:
    environments = project / "db" / "environments"
    environments.mkdir()
    (environments / "production.yaml").write_text("database_url: postgresql:///x\n")
    done = run(project, "dry-run", "001", "--on", "target", *arguments, dsn=target)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "verdict" not in done.stdout


def test_production_takes_the_name_and_runs(project: Path, target: Dsn) -> None:
    environments = project / "db" / "environments"
    environments.mkdir()
    (environments / "production.yaml").write_text("database_url: postgresql:///x\n")
    name = target.parameters()["dbname"]
    arguments = ("--on", "target", "--env", "production", "--confirm", name, "--lock-timeout", "2s")
    assert run(project, "dry-run", "001", *arguments, dsn=target).returncode == 0


@pytest.mark.parametrize("right", [True, False])
def test_on_a_terminal_the_name_is_asked_for(project: Path, target: Dsn, right: bool) -> None:
    environments = project / "db" / "environments"
    environments.mkdir()
    (environments / "production.yaml").write_text("database_url: postgresql:///x\n")
    ours, theirs = pty.openpty()
    environ = os.environ | {"CONFITURE_DATABASE_URL": target.conninfo()}
    process = subprocess.Popen(
        [sys.executable, "-m", "confiture_tui", "dry-run", "001", "--on", "target", "--env", "production"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=project,
        env=environ,
    )
    try:
        os.write(ours, f"{target.parameters()['dbname'] if right else 'shop'}\n".encode())
        out, err = process.communicate(timeout=100)
    finally:
        os.close(ours)
        os.close(theirs)
        if process.poll() is None:
            process.kill()
            process.wait()
    assert "Type the database's name to go on:" in err
    assert process.returncode == (0 if right else 2), err
    assert ("nothing stayed behind" in out) is right


@pytest.mark.parametrize(
    ("text", "value"),
    [("500", 500), ("500ms", 500), ("2s", 2000), ("1.5 s", 1500), ("1min", 60_000), ("1h", 3_600_000)],
)
def test_time_outs_are_read_as_postgresql_reads_them(text: str, value: int) -> None:
    assert milliseconds_of(text, "--lock-timeout") == value


@pytest.mark.parametrize("text", ["", "0", "soon", "-1", "1 week", "99999999d", "1s2"])
def test_what_is_no_time_out(text: str) -> None:
    with pytest.raises(UsageError, match="--lock-timeout"):
        milliseconds_of(text, "--lock-timeout")
