"""Connections that a migration opens itself, to this server or another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.dry_run.result import Outcome, Verdict

if TYPE_CHECKING:
    from tests.support.in_place import Target


class TestOtherServers:
    @pytest.fixture
    def linked(self, in_place: Target) -> Target:
        available = in_place.admin.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'dblink'").fetchone()
        if available is None:
            pytest.skip("these programs come without dblink")
        in_place.admin.execute("CREATE EXTENSION dblink")
        in_place.admin.execute("CREATE TABLE leak (id int); GRANT ALL ON leak TO PUBLIC")
        return in_place

    def dsn(self, in_place: Target) -> str:
        parameters = in_place.server.dsn(in_place.name).parameters()
        return f"host={parameters['host']} port={parameters['port']} user=postgres dbname={in_place.name} password=x"

    @pytest.mark.parametrize("superuser", [False, True])
    @pytest.mark.parametrize(
        "code",
        [
            "SELECT dblink_exec('{dsn}', 'INSERT INTO leak VALUES (1)')",
            "SELECT * FROM dblink('{dsn}', 'INSERT INTO leak VALUES (1) RETURNING id') AS x(id int)",
            "DO $$ BEGIN PERFORM dblink_exec('{dsn}', 'INSERT INTO leak VALUES (1)'); END $$",
            "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS "
            "$$SELECT dblink_exec('{dsn}', 'INSERT INTO leak VALUES (1)')$$; SELECT f()",
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN PERFORM dblink_exec('{dsn}', 'INSERT INTO leak VALUES (1)'); RETURN NEW; END$$;"
            "CREATE TRIGGER f BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION f();"
            "INSERT INTO p VALUES (2)",
        ],
    )
    def test_a_connection_of_its_own_is_not_opened(self, linked: Target, code: str, superuser: bool) -> None:
        result = linked.run(code.format(dsn=self.dsn(linked)) + ";", superuser=superuser)
        assert result.verdict is Verdict.INCONCLUSIVE
        reasons = " ".join(one.reason or "" for one in result.statements)
        assert "extension dblink" in reasons or "calls f, which acts at once" in reasons

    def test_functions_and_triggers_that_are_there_are_known(self, linked: Target) -> None:
        linked.admin.execute(
            f"""
            CREATE FUNCTION inner_one() RETURNS text LANGUAGE sql SECURITY DEFINER
                AS $$SELECT dblink_exec('{self.dsn(linked)}', 'INSERT INTO leak VALUES (1)')$$;
            CREATE FUNCTION outer_one() RETURNS trigger LANGUAGE plpgsql
                AS $$BEGIN PERFORM inner_one(); RETURN NEW; END$$;
            CREATE TRIGGER reaches AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION outer_one();
            """
        )
        result = linked.run("INSERT INTO t (p_id) VALUES (1);\nUPDATE p SET id = id;\nSELECT inner_one();")
        assert [one.outcome for one in result.statements] == [Outcome.NOT_RUN, Outcome.RAN, Outcome.NOT_RUN]
        assert "trigger of t calls outer_one" in (result.statements[0].reason or "")

    def test_a_hidden_one_needs_a_password_that_a_plain_role_has_not(self, linked: Target) -> None:
        dsn = self.dsn(linked).replace(" password=x", "")
        hidden = f"DO $$ BEGIN EXECUTE 'SELECT db' || 'link_exec(''{dsn}'', ''INSERT INTO leak VALUES (1)'')'; END $$;"
        result = linked.run(hidden)
        assert result.failure is not None
        assert result.failure.sqlstate == "2F003"

    def test_a_foreign_tables_rows_are_rolled_back_there_too(self, in_place: Target) -> None:
        query = "SELECT 1 FROM pg_available_extensions WHERE name = 'postgres_fdw'"
        if in_place.admin.execute(query.encode()).fetchone() is None:
            pytest.skip("these programs come without postgres_fdw")
        parameters = in_place.server.dsn(in_place.name).parameters()
        in_place.admin.execute(
            f"""
            CREATE EXTENSION postgres_fdw;
            CREATE TABLE there (id int);
            CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw
                OPTIONS (host '{parameters["host"]}', port '{parameters["port"]}', dbname '{in_place.name}');
            CREATE USER MAPPING FOR postgres SERVER loop OPTIONS (user 'postgres');
            CREATE FOREIGN TABLE here (id int) SERVER loop OPTIONS (table_name 'there');
            """
        )
        result = in_place.run("INSERT INTO here VALUES (1);", superuser=True)
        assert result.ok, result.failure
        with_guard = in_place.run("INSERT INTO here VALUES (1);\nSELECT 1;", superuser=True, forge={2: "COMMIT"})
        assert with_guard.verdict is Verdict.INCONCLUSIVE
