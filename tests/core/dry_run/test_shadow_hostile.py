"""What a migration or a target may hold that would mislead, break or escape a dry run on the shadow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from confiture_tui.core.dry_run.result import Outcome, Rows, Verdict
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.profiles import PROFILES
from tests.support.dsn import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_tui.core.dry_run.result import DryRunResult, StatementObservation
    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer
    from confiture_tui.events import Event

SCHEMA = """
CREATE TABLE t (id int PRIMARY KEY, a int);
INSERT INTO t SELECT i, i FROM generate_series(1, 100) i;
CREATE TABLE child (id int PRIMARY KEY, t_id int REFERENCES t);
INSERT INTO child SELECT i, i FROM generate_series(1, 100) i;
CREATE TABLE p (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE SCHEMA s1;
CREATE PROCEDURE batch() LANGUAGE plpgsql AS $$ BEGIN
  UPDATE t SET a = 0; COMMIT; ALTER TABLE child ADD x int; COMMIT; TRUNCATE p; END $$;
"""


@pytest.fixture
def owner(server: EmbeddedServer) -> str:
    server.create_login("shadow_owner")
    return "shadow_owner"


@pytest.fixture
def shadow(server: EmbeddedServer, database_from: Callable[[str], Dsn], owner: str) -> Iterator[Shadow]:
    """A full shadow that a plain role owns."""
    sql = f"GRANT ALL ON SCHEMA public TO {owner}; SET SESSION AUTHORIZATION {owner};"
    name = name_of(database_from(f"{sql} {SCHEMA.replace('CREATE SCHEMA s1;', '')}"))
    with psycopg.connect(server.dsn(name).conninfo(), autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA s1 AUTHORIZATION {owner}".encode())
    with Shadow.from_template(server, name, owner=owner, rows=Rows.FULL) as shadow:
        yield shadow


def run(shadow: Shadow, sql: str, *, profile: str = "confiture-tui") -> DryRunResult:
    return shadow.dry_run(Migration.from_sql(sql, version="007", name="test"), profile=PROFILES[profile])


def locks(statement: StatementObservation) -> dict[str, str]:
    assert statement.locks is not None
    return {lock.relation: str(lock.mode) for lock in statement.locks}


def server_wide(server: EmbeddedServer) -> list[Any]:
    """Settings, comments and rights that are the whole server's."""
    with psycopg.connect(server.dsn().conninfo()) as conn:
        return [
            conn.execute("SELECT setdatabase, setrole, setconfig FROM pg_db_role_setting ORDER BY 1, 2").fetchall(),
            conn.execute("SELECT objoid, classoid, description FROM pg_shdescription ORDER BY 1, 2").fetchall(),
            conn.execute("SELECT datname, datacl::text FROM pg_database ORDER BY 1").fetchall(),
            conn.execute("SELECT rolname FROM pg_roles ORDER BY 1").fetchall(),
        ]


class TestNothingEscapes:
    @pytest.mark.parametrize(
        "sql",
        [
            "COMMENT ON DATABASE postgres IS 'changed'",
            "GRANT ALL ON DATABASE postgres TO shadow_owner",
            "ALTER DATABASE postgres OWNER TO shadow_owner",
            "COMMENT ON ROLE shadow_owner IS 'changed'",
            "CREATE ROLE leaked",
            "ALTER ROLE CURRENT_USER SET work_mem = '64kB'",
        ],
    )
    def test_what_acts_on_the_whole_server_is_not_exercised(
        self, shadow: Shadow, server: EmbeddedServer, sql: str
    ) -> None:
        before = server_wide(server)
        result = run(shadow, f"{sql};\nALTER TABLE t ADD COLUMN x int;")
        assert result.statements[0].outcome is Outcome.NOT_EXERCISED
        assert result.statements[1].outcome is Outcome.RAN
        assert result.verdict is Verdict.INCONCLUSIVE
        assert server_wide(server) == before

    def test_a_role_setting_hidden_in_a_block_does_not_stay(self, shadow: Shadow, server: EmbeddedServer) -> None:
        before = server_wide(server)
        run(shadow, "DO $$ BEGIN EXECUTE format('ALTER ROLE %I SET search_path = nowhere', current_user); END $$;")
        assert server_wide(server) == before
        assert run(shadow, "ALTER TABLE t ADD COLUMN x int;").ok

    def test_no_database_and_no_role_is_left(self, server: EmbeddedServer, database_from: Callable[[str], Dsn]) -> None:
        target = database_from(SCHEMA)
        before = server_wide(server)
        with psycopg.connect(target.conninfo(), autocommit=True) as conn, Shadow.of(conn, server=server) as shadow:
            assert run(shadow, "ALTER TABLE t ADD COLUMN x int;").ok
        assert server_wide(server) == before

    def test_a_failure_stays_a_failure_beside_what_was_not_exercised(self, shadow: Shadow) -> None:
        result = run(shadow, "DROP DATABASE mine;\nALTER TABLE t ADD COLUMN a int;")
        assert result.verdict is Verdict.FAILS
        result = run(shadow, "CREATE ROLE app;\nGRANT SELECT ON t TO app;")
        assert result.verdict is Verdict.INCONCLUSIVE, "the role that was not made may be all that is missing"

    def test_a_commit_of_the_files_own_is_told(self, shadow: Shadow) -> None:
        result = run(shadow, "ALTER TABLE t ADD COLUMN x int;\nCOMMIT;\nCREATE TABLE u (id int);")
        assert any(note.startswith("Line 2: COMMIT ends the runner's transaction") for note in result.notes)


def test_a_row_that_only_the_target_has_is_no_failure_of_the_migration(
    server: EmbeddedServer, database_from: Callable[[str], Dsn]
) -> None:
    with (
        psycopg.connect(database_from(SCHEMA).conninfo(), autocommit=True) as conn,
        Shadow.of(conn, server=server) as empty,
    ):
        result = run(empty, "INSERT INTO child VALUES (101, 1);")
    assert result.failure is not None
    assert (result.failure.sqlstate, result.verdict) == ("23503", Verdict.INCONCLUSIVE)
    assert any("want of the target's rows" in note for note in result.notes)


class TestSettingsOfTheMigration:
    @pytest.mark.parametrize(
        "setting",
        [
            "SET statement_timeout = '1ms'",
            "SET client_encoding = 'SQL_ASCII'",
            "SET client_encoding = 'LATIN1'",
            "SET search_path = nowhere",
            "SET lock_timeout = '1ms'",
            "SET ROLE shadow_owner",
            "SET standard_conforming_strings = off",
        ],
    )
    def test_they_do_not_reach_what_looks(self, shadow: Shadow, setting: str) -> None:
        result = run(shadow, f"{setting};\nALTER TABLE public.t ADD COLUMN x int;")
        assert result.ok, result.failure
        assert locks(result.statements[1]) == {"public.t": "ACCESS EXCLUSIVE"}

    @pytest.mark.parametrize("how", ["DEALLOCATE ALL", "DISCARD ALL"])
    def test_what_the_look_has_prepared_may_be_deallocated(self, shadow: Shadow, how: str) -> None:
        result = run(shadow, f"{how};\nALTER TABLE t ADD COLUMN x int;", profile="loose")
        assert result.ok, result.failure
        assert locks(result.statements[1]) == {"public.t": "ACCESS EXCLUSIVE"}

    def test_it_may_be_deallocated_where_nobody_expects_it(self, shadow: Shadow) -> None:
        result = run(
            shadow,
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN NEW; END $$;\n"
            "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();\n"
            "UPDATE t SET a = 0 WHERE id = 1;\n"
            "ALTER TABLE child ADD COLUMN x int;",
        )
        assert result.ok, result.failure
        _function, _trigger, update, alter = result.statements
        assert (update.rows, update.cumulative) == (1, True)
        assert (locks(alter), alter.cumulative) == ({"public.child": "ACCESS EXCLUSIVE"}, False)

    def test_a_local_set_config_holds_for_the_rest(self, shadow: Shadow) -> None:
        result = run(shadow, "SELECT set_config('search_path', 's1', true);\nCREATE TABLE inside (a int);")
        assert result.statements[1].creates == ("s1.inside",)

    def test_set_local_does_nothing_where_nothing_wraps(self, shadow: Shadow) -> None:
        result = run(shadow, "SET LOCAL search_path = s1;\nCREATE TABLE outside (a int);", profile="loose")
        assert result.statements[1].creates == ("public.outside",)


class TestStatementsThatNeedTheirTransaction:
    def test_rows_of_a_temporary_table(self, shadow: Shadow) -> None:
        result = run(
            shadow,
            "CREATE TEMP TABLE tt (a int) ON COMMIT DELETE ROWS;\nINSERT INTO tt VALUES (1);\n"
            "INSERT INTO t (id) SELECT a - 5 FROM tt;",
        )
        third = result.statements[2]
        assert (third.rows, third.changes_data, third.cumulative) == (1, True, True)

    def test_what_a_savepoint_took_back(self, shadow: Shadow) -> None:
        result = run(shadow, "SAVEPOINT s;\nTRUNCATE child;\nROLLBACK TO s;\nUPDATE child SET t_id = 1;")
        assert result.ok, result.failure
        assert result.statements[3].rows == 100

    def test_what_a_rollback_in_the_middle_took_back(self, shadow: Shadow) -> None:
        result = run(shadow, "ALTER TABLE t ADD x int;\nROLLBACK;\nALTER TABLE t ADD x int;")
        assert locks(result.statements[2]) == {"public.t": "ACCESS EXCLUSIVE"}

    def test_what_was_committed_before_a_failure_is_in_the_diff(self, shadow: Shadow) -> None:
        result = run(shadow, "CREATE TABLE halfway (a int);\nCOMMIT;\nALTER TABLE nope ADD x int;")
        assert result.failure is not None
        assert result.schema_diff is not None
        assert "public.halfway" in {change.name for change in result.schema_diff.changes}

    def test_a_transaction_that_is_never_ended_leaves_nothing(self, shadow: Shadow) -> None:
        result = run(shadow, "BEGIN;\nALTER TABLE t ADD x int;", profile="loose")
        assert result.schema_diff is not None
        assert result.schema_diff.changes == ()


class TestWatchedFromOutside:
    def test_every_table_of_a_vacuum_full(self, shadow: Shadow) -> None:
        (statement,) = run(shadow, "VACUUM FULL t, child;", profile="loose").statements
        assert locks(statement) == {"public.t": "ACCESS EXCLUSIVE", "public.child": "ACCESS EXCLUSIVE"}
        assert statement.rewrites == ("public.child", "public.t")

    def test_the_partition_that_is_detached_concurrently(self, shadow: Shadow) -> None:
        (statement,) = run(shadow, "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;", profile="loose").statements
        assert statement.outcome is Outcome.RAN, statement.error
        assert locks(statement) == {"public.p": "SHARE UPDATE EXCLUSIVE", "public.p1": "ACCESS EXCLUSIVE"}

    def test_a_procedure_with_several_transactions(self, shadow: Shadow) -> None:
        (statement,) = run(shadow, "CALL batch();", profile="loose").statements
        assert statement.outcome is Outcome.RAN, statement.error
        seen = locks(statement)
        assert seen["public.t"] == "ROW EXCLUSIVE"
        assert seen["public.child"] == "ACCESS EXCLUSIVE"
        assert seen["public.p"] == seen["public.p1"] == "ACCESS EXCLUSIVE"

    def test_a_plain_index_that_fails(self, shadow: Shadow) -> None:
        result = run(shadow, "UPDATE t SET a = 1;\nCREATE UNIQUE INDEX t_a ON t (a);")
        assert result.failure is not None
        assert locks(result.statements[1]) == {"public.t": "SHARE"}


class TestTargets:
    @pytest.fixture
    def over(self, server: EmbeddedServer, database_from: Callable[[str], Dsn]) -> Callable[..., Any]:
        """``over(sql, migration)``: the dry run of a migration on a shadow of a target that the SQL made."""

        def dry_run(sql: str, migration: str, *, user: str = "postgres") -> tuple[Shadow, DryRunResult]:
            dsn = database_from(sql)
            target = server.dsn(name_of(dsn), user)
            with psycopg.connect(target.conninfo(), autocommit=True) as conn, Shadow.of(conn, server=server) as shadow:
                return shadow, run(shadow, migration)

        return dry_run

    def test_no_secret_reaches_a_note(self, server: EmbeddedServer, database_from: Callable[[str], Dsn]) -> None:
        target = database_from(
            "CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw;"
            "CREATE USER MAPPING FOR postgres SERVER far OPTIONS (user 'bob', password 'S3CRET')"
        )
        events: list[Event] = []
        with (
            psycopg.connect(target.conninfo(), autocommit=True) as conn,
            Shadow.of(conn, server=server, sink=events.append) as shadow,
        ):
            said = " ".join([*shadow.notes, *(event.message for event in events)])
        assert "USER MAPPING" in said
        assert "S3CRET" not in said

    def test_an_extension_in_a_schema_of_the_targets(self, over: Callable[..., Any]) -> None:
        sql = "CREATE SCHEMA app; CREATE EXTENSION citext SCHEMA app; CREATE TABLE app.users (name app.citext)"
        _shadow, result = over(sql, "ALTER TABLE app.users ADD COLUMN x int;\nALTER TABLE app.users DROP COLUMN nope;")
        assert result.statements[0].outcome is Outcome.RAN
        assert result.failure.sqlstate == "42703"
        assert locks(result.statements[1]) == {"app.users": "ACCESS EXCLUSIVE"}

    def test_settings_of_the_database_come_along_and_reset_returns_to_them(
        self, server: EmbeddedServer, database_from: Callable[[str], Dsn]
    ) -> None:
        dsn = database_from("CREATE SCHEMA app; CREATE TABLE app.u (id int)")
        name = name_of(dsn)
        with psycopg.connect(dsn.conninfo(), autocommit=True) as conn:
            for setting in (
                'search_path = app, "$user", public',
                "default_transaction_read_only = on",
                "temp_tablespaces = pg_default",
                "TimeZone = 'Europe/Paris'",
            ):
                conn.execute(f"ALTER DATABASE {name} SET {setting}".encode())
        with psycopg.connect(dsn.conninfo(), autocommit=True) as conn, Shadow.of(conn, server=server) as shadow:
            result = run(shadow, "RESET ALL;\nALTER TABLE u ADD COLUMN x timestamptz DEFAULT now();")
        assert result.ok, result.failure
        assert locks(result.statements[1]) == {"app.u": "ACCESS EXCLUSIVE"}

    def test_another_encoding(self, server: EmbeddedServer) -> None:
        with psycopg.connect(server.dsn().conninfo(), autocommit=True) as admin:
            provider = "LOCALE_PROVIDER libc" if server.version_num >= 150000 else ""
            admin.execute(f"CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C' {provider}".encode())
        try:
            with psycopg.connect(server.dsn("latin").conninfo(), autocommit=True) as conn:
                conn.execute('CREATE TABLE "gelée" (id int)')
                with Shadow.of(conn, server=server) as shadow:
                    result = run(shadow, 'ALTER TABLE "gelée" ADD COLUMN x int;')
            assert locks(result.statements[0]) == {'public."gelée"': "ACCESS EXCLUSIVE"}
        finally:
            server.drop_database("latin")

    def test_other_roles_of_the_targets(self, over: Callable[..., Any], server: EmbeddedServer) -> None:
        server.create_login("bob")
        _shadow, result = over(
            "CREATE TABLE t (id int); GRANT CREATE, USAGE ON SCHEMA public TO bob",
            "ALTER TABLE t OWNER TO bob;\nSET ROLE bob;\nALTER TABLE t ADD COLUMN x int;",
        )
        assert result.ok, result.failure

    def test_what_only_a_superuser_may_do_is_inconclusive(self, over: Callable[..., Any]) -> None:
        _shadow, result = over("CREATE TABLE t (id int)", "CREATE EXTENSION pageinspect;")
        assert result.verdict is Verdict.INCONCLUSIVE
        assert any("superuser" in note for note in result.notes)

    def test_no_schema_public(self, over: Callable[..., Any]) -> None:
        _shadow, result = over("DROP SCHEMA public", "CREATE SCHEMA public;\nCREATE TABLE public.n (id int);")
        assert result.ok, result.failure

    def test_a_connection_with_its_own_kind_of_rows_stays_idle(
        self, server: EmbeddedServer, database_from: Callable[[str], Dsn]
    ) -> None:
        dsn = database_from("CREATE TABLE t (id int)")
        with psycopg.connect(dsn.conninfo(), row_factory=dict_row) as conn, Shadow.of(conn, server=server) as shadow:
            assert run(shadow, "ALTER TABLE t ADD COLUMN x int;").ok
            assert conn.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
