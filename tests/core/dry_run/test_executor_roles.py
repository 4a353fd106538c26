"""In place, the role that runs it: one that could do what no rollback undoes is refused, others do no harm."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.dry_run.executor import DryRunExecutor
from confiture_tui.core.migrations.model import Migration
from confiture_tui.errors import UsageError
from tests.core.dry_run.plain_target import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_tui.database.embedded import EmbeddedServer


@contextmanager
def role(server: EmbeddedServer, name: str, *statements: str) -> Iterator[None]:
    """A role that may log in, and what the statements make of it and of others (named ``name_…``); dropped after."""
    server.create_login(name)
    with psycopg.connect(server.dsn().conninfo(), autocommit=True) as admin:
        try:
            for statement in statements:
                admin.execute(statement.encode())
            yield
        finally:
            rows = admin.execute("SELECT quote_ident(rolname) FROM pg_roles WHERE rolname ~ %s", (f"^{name}(_|$)",))
            for (made,) in rows.fetchall():
                admin.execute(f"DROP ROLE {made}".encode())


def test_a_superuser_is_refused_unless_allowed(conn: psycopg.Connection[Any]) -> None:
    migration = Migration.from_sql("CREATE TABLE n (id int);")
    with pytest.raises(UsageError, match="superuser"):
        DryRunExecutor().run(conn, migration)
    assert DryRunExecutor(allow_superuser=True).run(conn, migration).ok


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ("CREATE ROLE sly_adm SUPERUSER; GRANT sly_adm TO sly", "can become sly_adm, a superuser"),
        ("CREATE ROLE sly_mid; GRANT pg_execute_server_program TO sly_mid; GRANT sly_mid TO sly", "pg_execute_server"),
        ("GRANT pg_write_server_files TO sly", "pg_write_server_files"),
        ("GRANT pg_read_server_files TO sly", "pg_read_server_files"),
        ("GRANT pg_signal_backend TO sly", "pg_signal_backend"),
        ("ALTER ROLE sly REPLICATION", "REPLICATION"),
    ],
)
def test_a_role_that_reaches_beyond_the_rollback_is_refused(
    target: psycopg.Connection[Any], server: EmbeddedServer, made: str, why: str
) -> None:
    migration = Migration.from_sql("CREATE TEMP TABLE n (id int);")
    with (
        role(server, "sly", *made.split("; ")),
        psycopg.connect(server.dsn(target.info.dbname, "sly").conninfo()) as conn,
    ):
        with pytest.raises(UsageError, match=why):
            DryRunExecutor().run(conn, migration)
        assert DryRunExecutor(allow_superuser=True).run(conn, migration).ok


@pytest.mark.parametrize("spelling", ["SET ROLE plain", "SET SESSION AUTHORIZATION plain"])
def test_a_superuser_in_disguise_is_refused(
    conn: psycopg.Connection[Any], server: EmbeddedServer, spelling: str
) -> None:
    server.create_login("plain")
    conn.execute(spelling.encode())
    with pytest.raises(UsageError, match="superuser"):
        DryRunExecutor().run(conn, Migration.from_sql("SELECT 1;"))


def test_a_creator_of_roles_is_refused_where_it_may_grant_itself_anything(
    target: psycopg.Connection[Any], server: EmbeddedServer
) -> None:
    migration = Migration.from_sql("SELECT 1;")
    with (
        role(server, "maker", "ALTER ROLE maker CREATEROLE"),
        psycopg.connect(server.dsn(target.info.dbname, "maker").conninfo()) as conn,
    ):
        if conn.info.server_version >= 160000:
            assert DryRunExecutor().run(conn, migration).ok
        else:
            with pytest.raises(UsageError, match="CREATEROLE"):
                DryRunExecutor().run(conn, migration)


@pytest.mark.parametrize("end", ["SELECT 1;", "SET CONSTRAINTS ALL IMMEDIATE; SELECT 1;"])
def test_another_role_at_the_end_is_no_harm(target: psycopg.Connection[Any], server: EmbeddedServer, end: str) -> None:
    with role(server, "app", "GRANT app TO plain"):
        result = run(target, f"ALTER TABLE t ADD COLUMN x int; SET ROLE app; {end}")
        assert result.ok, result.failure
        assert target.execute("SELECT current_user").fetchone() == ("plain",)
        target.rollback()


def test_a_role_that_may_not_make_temporary_tables_is_told_so(
    target: psycopg.Connection[Any], server: EmbeddedServer
) -> None:
    with psycopg.connect(server.dsn(target.info.dbname).conninfo(), autocommit=True) as admin:
        admin.execute(f"REVOKE TEMPORARY ON DATABASE {target.info.dbname} FROM PUBLIC".encode())
    with pytest.raises(UsageError, match="temporary"):
        run(target, "SELECT 1;")


def test_a_role_that_is_read_only_by_default_is_no_harm_and_told(target: psycopg.Connection[Any]) -> None:
    target.autocommit = True
    target.execute("SET default_transaction_read_only = on")
    result = run(target, "ALTER TABLE t ADD COLUMN x int;")
    assert result.ok, result.failure
    assert any("25006" in note for note in result.notes)
