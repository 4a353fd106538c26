"""Whatever ends the transaction, or belongs to the session, persists nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.core.dry_run.executor import DryRunExecutor
from confiture_tui.core.dry_run.result import Outcome, Verdict
from confiture_tui.core.migrations.model import Migration
from confiture_tui.errors import ConfitureError, UsageError

if TYPE_CHECKING:
    from tests.support.in_place import Target

ENDINGS = [
    *("COMMIT", "commit", "CoMmIt /* now */", "COMMIT WORK", "COMMIT TRANSACTION", "COMMIT AND CHAIN"),
    *("COMMIT WORK AND CHAIN", "COMMIT AND NO CHAIN", "END", "END WORK", "END TRANSACTION AND CHAIN"),
    *("ROLLBACK", "ROLLBACK WORK", "ROLLBACK AND CHAIN", "ABORT", "ABORT AND CHAIN", "PREPARE TRANSACTION 'leak'"),
]


@pytest.mark.parametrize("spelling", ENDINGS)
def test_an_end_of_the_transaction_is_refused_with_its_line(prepares: Target, spelling: str) -> None:
    with pytest.raises(UsageError, match="line 2"):
        prepares.run(f"CREATE TABLE leak (id int);\nSELECT 1; {spelling}; CREATE TABLE leak2 (id int);")


@pytest.mark.parametrize("spelling", ENDINGS)
@pytest.mark.parametrize("first", ["SELECT 1", "SET CONSTRAINTS ALL IMMEDIATE"])
def test_an_end_that_nobody_saw_coming_persists_nothing(prepares: Target, spelling: str, first: str) -> None:
    """Its own SET CONSTRAINTS does not take the guard away either."""
    sql = f"CREATE TABLE leak (id int);\n{first};\nINSERT INTO p VALUES (7);\nSELECT 2;\nSELECT 3;"
    if spelling.startswith(("ROLLBACK", "ABORT")):
        with pytest.raises(ConfitureError, match="ended the dry run's transaction"):
            prepares.run(sql, forge={4: spelling})
    else:
        result = prepares.run(sql, forge={4: spelling})
        assert result.verdict is Verdict.INCONCLUSIVE
        assert result.statements[3].outcome is Outcome.NOT_RUN
        assert result.proof.nothing_persisted is True
    assert prepares.run("SELECT 1;").ok


@pytest.mark.parametrize("separator", ["; COMMIT; ", ";COMMIT AND CHAIN;", "; END; BEGIN; "])
def test_two_commands_in_one_piece_are_refused_by_the_protocol(in_place: Target, separator: str) -> None:
    result = in_place.run("SELECT 1;", forge={1: f"CREATE TABLE leak (id int){separator}SELECT 1"})
    assert result.failure is not None
    assert result.failure.sqlstate == "42601"


@pytest.mark.parametrize(
    "code",
    [
        "CALL commits()",
        "DO $$ BEGIN CALL commits(); END $$",
        "DO $$ BEGIN INSERT INTO p VALUES (2); COMMIT; END $$",
        "DO $$ BEGIN INSERT INTO p VALUES (2); ROLLBACK; END $$",
        "DO $$ BEGIN INSERT INTO p VALUES (2); COMMIT AND CHAIN; END $$",
        "DO $$ BEGIN EXECUTE 'COM' || 'MIT'; END $$",
        "DO $$ BEGIN EXECUTE 'PREPARE TRANSACTION ''leak'''; END $$",
        "SELECT commits_too()",
    ],
)
def test_code_that_commits_fails(prepares: Target, code: str) -> None:
    result = prepares.run(f"CREATE TABLE leak (id int);\n{code};")
    assert result.failure is not None
    assert result.failure.sqlstate in {"2D000", "0A000"}
    assert result.failure.line == 2
    assert result.proof.nothing_persisted is True


def test_a_file_with_its_own_begin_and_commit_is_tried_without_them(in_place: Target) -> None:
    result = in_place.run("BEGIN;\nCREATE TABLE leak (id int);\nINSERT INTO p VALUES (2);\nCOMMIT;")
    assert result.ok
    assert result.proof.nothing_persisted is True


@pytest.mark.parametrize(
    "alone",
    [
        "VACUUM t",
        "ALTER SYSTEM SET work_mem = '5MB'",
        "CREATE DATABASE leak",
        "DROP DATABASE postgres",
        "CREATE INDEX CONCURRENTLY i ON t (note)",
        "REINDEX TABLE CONCURRENTLY t",
        "DISCARD ALL",
        "CREATE SUBSCRIPTION leak CONNECTION 'dbname=postgres' PUBLICATION p",
    ],
)
def test_what_runs_outside_a_transaction_is_not_run(in_place: Target, alone: str) -> None:
    result = in_place.run(f"{alone};\nALTER TABLE t ADD COLUMN x int;", superuser=True)
    assert result.statements[0].outcome is Outcome.NOT_RUN
    assert result.statements[0].transactional is False
    assert result.statements[1].outcome is Outcome.RAN
    assert result.verdict is Verdict.INCONCLUSIVE


def test_what_the_whole_server_shares_is_rolled_back_too(in_place: Target) -> None:
    result = in_place.run(
        f"""
        CREATE ROLE leak LOGIN;
        GRANT pg_monitor TO plain;
        ALTER ROLE plain SET work_mem = '5MB';
        ALTER DATABASE {in_place.name} SET work_mem = '5MB';
        COMMENT ON DATABASE {in_place.name} IS 'leak';
        GRANT ALL ON DATABASE {in_place.name} TO plain;
        CREATE SUBSCRIPTION leak CONNECTION 'dbname=postgres' PUBLICATION p WITH (connect = false, slot_name = NONE);
        """,
        superuser=True,
    )
    assert result.ok, result.failure
    assert result.proof.nothing_persisted is True


def test_everything_a_session_keeps_is_as_it_was(in_place: Target) -> None:
    result = in_place.run(
        """
        CREATE TEMP TABLE leak (id int) ON COMMIT PRESERVE ROWS;
        DECLARE held CURSOR WITH HOLD FOR SELECT 1;
        LISTEN leak;
        SET work_mem = '5MB';
        SELECT set_config('my.setting', 'leak', false);
        SET search_path = pg_catalog;
        PREPARE leak AS SELECT 1;
        SELECT pg_advisory_lock(7), pg_advisory_lock(7), pg_advisory_lock_shared(8), pg_advisory_xact_lock(9);
        SELECT pg_try_advisory_lock(10, 11);
        """
    )
    assert result.ok, result.failure
    assert result.proof.nothing_persisted is True
    kept = in_place.conn.execute(
        """
        SELECT (SELECT count(*) FROM pg_cursors WHERE name = 'held'), (SELECT count(*) FROM pg_listening_channels()),
               (SELECT count(*) FROM pg_prepared_statements), current_setting('work_mem') = '5MB',
               coalesce(current_setting('my.setting', true), ''), current_setting('search_path'),
               (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())
        """
    ).fetchone()
    assert kept == (0, 0, 0, False, "", '"$user", public', 0)


def test_a_notification_is_never_delivered(in_place: Target) -> None:
    in_place.admin.execute("LISTEN leak")
    result = in_place.run("NOTIFY leak, 'one';\nSELECT pg_notify('leak', 'two');")
    assert result.ok
    in_place.conn.execute("NOTIFY leak, 'end'")
    got = [one.payload for one in in_place.admin.notifies(timeout=30, stop_after=1)]
    assert got == ["end"]


def test_large_objects_are_rolled_back(in_place: Target) -> None:
    result = in_place.run("SELECT lo_create(0), lo_from_bytea(0, 'x');\nSELECT lo_put(lo_create(0), 0, 'x');")
    assert result.ok, result.failure


def test_a_role_that_is_changed_is_changed_back(in_place: Target) -> None:
    with psycopg.connect(in_place.server.dsn(in_place.name).conninfo(), autocommit=True) as admin:
        admin.execute("SET ROLE plain")
        with pytest.raises(UsageError, match="superuser"):
            DryRunExecutor().run(admin, Migration.from_sql("RESET ROLE; CREATE TABLE leak (id int);"))
        assert admin.execute("SELECT current_user").fetchone() == ("plain",)
        admin.execute("RESET ROLE")
        for sql in ("RESET ROLE", "SET ROLE NONE", "SET SESSION AUTHORIZATION plain", "RESET SESSION AUTHORIZATION"):
            result = DryRunExecutor(allow_superuser=True).run(admin, Migration.from_sql(f"{sql}; SELECT 1;"))
            assert result.ok, result.failure
            assert admin.execute("SELECT current_user, session_user").fetchone() == ("postgres", "postgres")
    refused = in_place.run("SET SESSION AUTHORIZATION postgres;")
    assert refused.failure is not None
    assert refused.failure.sqlstate == "42501"
