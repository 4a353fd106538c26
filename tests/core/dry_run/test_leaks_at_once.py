"""What acts beyond the transaction and at once is not run, refused by the server, or found and told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.core.dry_run.executor import DryRunExecutor
from confiture_tui.core.dry_run.result import Outcome, Verdict
from confiture_tui.core.migrations.model import Migration

if TYPE_CHECKING:
    from confiture_tui.database.embedded import EmbeddedServer
    from tests.support.in_place import Target


def _path(tmp_path: Path) -> Path:
    """A file that the server's user could write."""
    tmp_path.chmod(0o777)
    return tmp_path / "leak"


@pytest.mark.parametrize("superuser", [False, True])
@pytest.mark.parametrize(
    "code",
    [
        "COPY t TO PROGRAM 'cat > {path}'",
        "COPY (SELECT 1) TO '{path}'",
        "COPY p FROM PROGRAM 'touch {path}; echo 5'",
        "SELECT lo_export(lo_from_bytea(0, 'x'), '{path}')",
        "DO $$ BEGIN PERFORM lo_export(lo_from_bytea(0, 'x'), '{path}'); END $$",
        "DO $$ BEGIN EXECUTE 'COPY t TO PROGRAM ''cat > {path}'''; END $$",
        "DO $$ BEGIN EXECUTE format('COPY t TO %L', '{path}'); END $$",
        "CREATE FUNCTION w() RETURNS void LANGUAGE sql AS $$SELECT lo_export(1, '{path}')$$; SELECT w()",
        "PREPARE w AS SELECT lo_export(lo_from_bytea(0, 'x'), '{path}'); EXECUTE w",
    ],
)
def test_programs_and_files_are_out_of_reach(in_place: Target, tmp_path: Path, code: str, superuser: bool) -> None:
    path = _path(tmp_path)
    result = in_place.run(f"{code.format(path=path)};\nSELECT 1;", superuser=superuser)
    assert not path.exists()
    if superuser:
        assert result.verdict is Verdict.INCONCLUSIVE
        assert "no rollback undoes" in " ".join(one.reason or "" for one in result.statements)
    else:
        assert result.failure is not None
        assert result.failure.sqlstate == "42501"


def test_what_a_superuser_hides_is_told_as_possible(in_place: Target, tmp_path: Path) -> None:
    """A name that is put together at run time cannot be seen: the report says so, and claims nothing."""
    hidden = f"DO $$ BEGIN EXECUTE 'COPY t TO PRO' || 'GRAM ''cat > {_path(tmp_path)}'''; END $$;"
    result = in_place.run(hidden, superuser=True)
    assert any("neither undone nor seen" in text for text in result.proof.exceptions)
    plain = in_place.run("ALTER TABLE t ADD COLUMN x int;", superuser=True)
    assert not any("neither undone nor seen" in text for text in plain.proof.exceptions)


@pytest.mark.parametrize(
    "code",
    [
        "SELECT pg_terminate_backend({pid})",
        "SELECT pg_cancel_backend({pid})",
        "DO $$ BEGIN PERFORM pg_catalog.pg_terminate_backend({pid}); END $$",
        "INSERT INTO t (note) SELECT 'x' WHERE pg_terminate_backend({pid})",
        "CREATE FUNCTION ends() RETURNS bool LANGUAGE sql AS 'SELECT pg_terminate_backend({pid})'; SELECT ends()",
    ],
)
def test_sessions_of_the_same_role_are_left_alone(in_place: Target, code: str) -> None:
    with psycopg.connect(in_place.server.dsn(in_place.name, "plain").conninfo(), autocommit=True) as other:
        result = in_place.run(code.format(pid=other.info.backend_pid) + ";\nSELECT 1;")
        assert other.execute("SELECT 1").fetchone() == (1,)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "another session" in " ".join(one.reason or "" for one in result.statements)


@pytest.mark.parametrize(
    "code",
    [
        "SELECT pg_reload_conf()",
        "SELECT pg_switch_wal()",
        "SELECT pg_create_restore_point('leak')",
        "SELECT pg_stat_reset()",
        "SELECT pg_create_physical_replication_slot('leak')",
        "CHECKPOINT",
        "LOAD 'dblink'",
        "DO $$ BEGIN PERFORM pg_reload_conf(); END $$",
    ],
)
@pytest.mark.parametrize("superuser", [False, True])
def test_what_acts_at_once_is_not_run_or_refused(in_place: Target, code: str, superuser: bool) -> None:
    result = in_place.run(f"{code};", superuser=superuser)
    if superuser:
        assert result.statements[0].outcome is Outcome.NOT_RUN
        assert "no rollback undoes" in (result.statements[0].reason or "")
    else:
        assert result.failure is not None
        assert result.failure.sqlstate == "42501"


def test_a_library_that_any_user_may_load_is_not_loaded(in_place: Target) -> None:
    assert in_place.run("LOAD '$libdir/plugins/x';").statements[0].outcome is Outcome.NOT_RUN


def test_a_replication_slot_that_was_hidden_is_found(server: EmbeddedServer, in_place: Target) -> None:
    hidden = "DO $$ BEGIN EXECUTE 'SELECT pg_create_physical_repli' || 'cation_slot(''leak_slot'')'; END $$;"
    with psycopg.connect(server.dsn(in_place.name).conninfo(), autocommit=True) as conn:
        try:
            result = DryRunExecutor(allow_superuser=True).run(conn, Migration.from_sql(hidden))
        finally:
            conn.execute("SELECT pg_drop_replication_slot('leak_slot')")
    assert result.proof.nothing_persisted is False
    assert any("leak_slot" in text and "pg_drop_replication_slot" in text for text in result.proof.exceptions)


def test_counters_that_were_reset_are_told(in_place: Target) -> None:
    for (function,) in in_place.admin.execute("SELECT oid::regprocedure FROM pg_proc WHERE proname = 'pg_stat_reset'"):
        in_place.admin.execute(f"GRANT EXECUTE ON FUNCTION {function} TO plain".encode())
    assert in_place.run("SELECT pg_stat_reset();").statements[0].outcome is Outcome.NOT_RUN
    hidden = in_place.run("DO $$ BEGIN EXECUTE 'SELECT pg_stat' || '_reset()'; END $$;")
    if in_place.conn.info.server_version >= 150000:
        # Before, the collector hears of it later, and nobody is told when.
        assert any("counters were reset" in text for text in hidden.proof.exceptions)
