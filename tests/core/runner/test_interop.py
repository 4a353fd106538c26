"""A project that we run can be gone on with by the real ``confiture`` command, and the other way round."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.migrations.layouts import ConfitureLayout
from confiture_tui.core.migrations.ledger import read_ledger
from confiture_tui.core.migrations.status import MigrationState, status_of
from confiture_tui.core.runner.advisory_lock import take
from confiture_tui.core.runner.runner import MigrationRunner
from confiture_tui.core.runner.selection import to_apply, to_take_back
from confiture_tui.database.connection import connect

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.database.dsn import Dsn

CONFITURE = "fraiseql-confiture==1.29.0"
"""In an environment of its own: it brings a plug-in for pytest, and a parser under another licence than ours."""


class Project:
    """A directory of migrations, a database, and the two tools that work on them."""

    def __init__(self, directory: Path, dsn: Dsn, conn: psycopg.Connection[Any]) -> None:
        self.directory = directory
        self.dsn = dsn
        self.conn = conn
        (directory / "db/migrations").mkdir(parents=True)
        for number in (1, 2, 3):
            base = directory / f"db/migrations/00{number}_t{number}"
            base.with_suffix(".up.sql").write_text(f"CREATE TABLE t{number} (id int);\n")
            base.with_suffix(".down.sql").write_text(f"DROP TABLE t{number};\n")

    def confiture(self, *arguments: str, exit_codes: tuple[int, ...] = (0,)) -> str:
        """What the real command prints."""
        uv = os.environ.get("UV") or shutil.which("uv")
        assert uv, "the tests run under uv"
        command = [uv, "tool", "run", "--from", CONFITURE, "confiture", "migrate", *arguments]
        done = subprocess.run(
            command,
            cwd=self.directory,
            env={**os.environ, "CONFITURE_DATABASE_URL": self.dsn.conninfo(), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in exit_codes, done.stdout + done.stderr
        return done.stdout

    def statuses(self) -> tuple[MigrationStatus, ...]:
        """Where we think that each migration stands."""
        return status_of(ConfitureLayout().discover(self.directory / "db/migrations"), read_ledger(self.conn))

    @property
    def applied(self) -> list[str]:
        """The versions that we take for applied."""
        return [one.version for one in self.statuses() if one.state is MigrationState.APPLIED]

    @property
    def tables(self) -> list[str]:
        """The tables that the migrations have made."""
        query = "SELECT relname::text FROM pg_class WHERE relname ~ '^t[0-9]$' ORDER BY 1"
        return [row[0] for row in self.conn.execute(query).fetchall()]

    def seen_by_confiture(self) -> dict[str, str]:
        """The state of each version, as the real command sees it; it exits with 1 while something is pending."""
        document: Any = json.loads(self.confiture("status", "--format", "json", exit_codes=(0, 1)))
        return {one["version"]: one["status"] for one in document["migrations"]}


@pytest.fixture
def project(tmp_path: Path, database: Dsn, conn: psycopg.Connection[Any]) -> Project:
    return Project(tmp_path, database, conn)


def test_confiture_goes_on_where_we_stopped(project: Project) -> None:
    assert MigrationRunner(project.conn).apply(to_apply(project.statuses(), to="002")).ok
    assert project.seen_by_confiture() == {"001": "applied", "002": "applied", "003": "pending"}
    project.confiture("up", "--yes")
    assert project.applied == ["001", "002", "003"]
    project.confiture("down", "--steps", "2")
    assert project.applied == ["001"]
    assert project.tables == ["t1"]


def test_we_go_on_where_confiture_stopped(project: Project) -> None:
    project.confiture("up", "--target", "001", "--yes")
    assert project.applied == ["001"]
    assert MigrationRunner(project.conn).apply(to_apply(project.statuses())).ok
    assert project.tables == ["t1", "t2", "t3"]
    assert MigrationRunner(project.conn).rollback(to_take_back(project.statuses(), to="001")).ok
    assert project.seen_by_confiture() == {"001": "applied", "002": "pending", "003": "pending"}
    assert project.tables == ["t1"]


def test_confiture_respects_our_lock(project: Project) -> None:
    with connect(project.dsn) as ours:
        take(ours, ours.info.dbname)
        with pytest.raises(AssertionError, match="lock"):
            project.confiture("up", "--yes", "--lock-timeout", "100")
    assert project.tables == []
