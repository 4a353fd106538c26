from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from confiture_tui.database.connection import ServerIdentity, connect, identify
from confiture_tui.database.dsn import Dsn
from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from confiture_tui.database.embedded import EmbeddedServer


def test_a_connection_is_as_asked_for(database: Dsn) -> None:
    with connect(database, autocommit=False, application_name="me at work") as conn:
        assert conn.autocommit is False
        assert conn.execute("SHOW application_name").fetchone() == ("me at work",)
    with connect(database) as conn:
        assert conn.autocommit is True
        assert conn.execute("SHOW application_name").fetchone() == ("confiture-tui",)


def test_it_speaks_utf8_whatever_the_environment_says(database: Dsn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "SQL_ASCII")
    with connect(database) as conn:
        assert conn.execute("SELECT 'crème ' || chr(127827)").fetchone() == ("crème 🍓",)


def test_identify_does_not_mind_the_row_factory(database: Dsn) -> None:
    with psycopg.connect(database.conninfo(), row_factory=dict_row) as conn:
        assert identify(conn).role == "postgres"


def test_the_strings_own_timeout_and_keepalives_win(database: Dsn) -> None:
    mine = Dsn.of_parameters(
        database.parameters() | {"connect_timeout": "77", "keepalives_idle": "5"}, source="the test"
    )
    with connect(mine) as conn:
        assert conn.info.get_parameters()["connect_timeout"] == "77"
        assert conn.info.get_parameters()["keepalives_idle"] == "5"
    with connect(database, connect_timeout=12) as conn:
        assert conn.info.get_parameters()["connect_timeout"] == "12"
        assert conn.info.get_parameters()["keepalives_idle"] == "30"


@pytest.mark.parametrize("option", ["sslmode=hush", "connect_timeout=hush", "target_session_attrs=hush"])
def test_an_impossible_option_is_a_sentence(option: str, server: EmbeddedServer) -> None:
    host = server.dsn().parameters()["host"]
    with pytest.raises((UsageError, Exception)) as caught:
        connect(Dsn.of(f"host={host} user=postgres {option}", source="DATABASE_URL"))
    assert "DATABASE_URL" in str(caught.value)
    assert "value that libpq refuses" in str(caught.value)
    assert caught.value.__context__ is None


def test_identify(conn: psycopg.Connection[Any], server: EmbeddedServer) -> None:
    database = conn.info.dbname
    assert identify(conn) == ServerIdentity(server.version_num, server.version, database, "postgres", True, False)


def test_identify_knows_the_role_that_statements_run_as(server: EmbeddedServer, database: Dsn) -> None:
    server.create_login("plain")
    with connect(server.dsn(database.parameters()["dbname"], "plain")) as conn:
        assert (identify(conn).role, identify(conn).is_superuser) == ("plain", False)
    with connect(database) as conn:
        conn.execute("SET ROLE plain")
        assert (identify(conn).role, identify(conn).is_superuser) == ("plain", False)


def test_identify_leaves_the_session_as_found(database: Dsn) -> None:
    with connect(database, autocommit=False) as conn:
        statuses = []
        for statement in ("COMMIT", "CREATE TABLE t ()"):
            conn.execute(statement)
            identify(conn)
            statuses.append(conn.info.transaction_status)
        assert statuses == [TransactionStatus.IDLE, TransactionStatus.INTRANS]
        conn.commit()
    with connect(database) as conn:
        assert conn.execute("SELECT to_regclass('t') IS NOT NULL").fetchone() == (True,)
