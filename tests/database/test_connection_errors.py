"""Each way in which a connection fails, made to happen: what the user reads about it."""

from __future__ import annotations

import os
import socket
import tempfile
import traceback
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confiture_tui.database.connection import connect
from confiture_tui.database.connection_errors import connection_lost, connection_was_lost
from confiture_tui.database.dsn import Dsn
from confiture_tui.database.embedded import EmbeddedServer
from confiture_tui.errors import ConnectError
from tests.support.fake_server import error_response, fake_server, fake_tcp_server

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "Zt9-hush/9@x"

HBA = """
local all   scram                scram-sha-256
local all   peer                 peer
local all   unlisted_by_reject   reject
local all   postgres             trust
local all   trusted              trust
local all   nologin              trust
local all   no_such_role         trust
local all   limited              trust
"""


@pytest.fixture(scope="module")
def strict_server() -> Iterator[EmbeddedServer]:
    """A server that refuses: its pg_hba.conf is not the trusting one."""
    with EmbeddedServer.start(settings={"max_connections": "4", "superuser_reserved_connections": "1"}) as server:
        server.create_login("trusted")
        server.create_login("limited")
        with connect(server.dsn()) as conn:
            conn.execute(f"CREATE ROLE scram LOGIN PASSWORD '{PASSWORD}'")
            conn.execute("CREATE ROLE nologin NOLOGIN")
            conn.execute("CREATE DATABASE closed CONNECTION LIMIT 5")
            conn.execute("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
            conn.execute("ALTER ROLE limited CONNECTION LIMIT 0")
            (server.directory / "data" / "pg_hba.conf").write_text(HBA)
            conn.execute("SELECT pg_reload_conf()")
            while conn.execute("SELECT count(*) FROM pg_hba_file_rules").fetchone() != (8,):
                pass
        # The file is read by the postmaster some moment after the signal: until then it still trusts everybody.
        while True:
            try:
                psycopg.connect(server.dsn(user="scram").conninfo()).close()
            except psycopg.OperationalError as error:
                if "password" in str(error):
                    break
        yield server


@pytest.fixture
def socket_directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ct") as directory:
        yield Path(directory)


def failure(dsn: Dsn, connect_timeout: int = 10) -> ConnectError:
    """What the user reads; and that it holds no secret, no trace of psycopg, and a hint."""
    with pytest.raises(ConnectError) as caught:
        connect(dsn, connect_timeout=connect_timeout)
    error = caught.value
    assert error.__context__ is None
    assert error.hint
    assert PASSWORD not in str(error)
    assert quote(PASSWORD, safe="") not in str(error)
    assert "\n" not in str(error)
    assert error.exit_code == 3
    return error


def with_parameters(dsn: Dsn, **parameters: str) -> Dsn:
    return Dsn.of_parameters(dsn.parameters() | parameters, source="DATABASE_URL")


def test_wrong_password(strict_server: EmbeddedServer) -> None:
    error = failure(with_parameters(strict_server.dsn("shop"), user="scram", password=PASSWORD + "!"))
    assert str(error.message).startswith("The server at the local socket in ")
    assert 'refused the password of role "scram" for database "shop"' in error.message
    assert 'The server said: password authentication failed for user "scram".' in error.message
    assert "DATABASE_URL" in error.hint


def test_no_password(strict_server: EmbeddedServer) -> None:
    error = failure(with_parameters(strict_server.dsn(), user="scram"))
    assert 'asks for a password of role "scram"' in error.message
    assert "~/.pgpass" in error.hint


def test_right_password(strict_server: EmbeddedServer) -> None:
    with connect(with_parameters(strict_server.dsn(), user="scram", password=PASSWORD)) as conn:
        assert conn.info.user == "scram"


@pytest.mark.parametrize(
    ("user", "database", "says", "hint"),
    [
        ("no_such_role", "postgres", 'no role "no_such_role"', "CREATE ROLE"),
        ("nologin", "postgres", 'Role "nologin" may not log in', "ALTER ROLE"),
        ("trusted", "no_such", 'no database "no_such"', "createdb"),
        ("trusted", "closed", 'Role "trusted" may not connect to database "closed"', "GRANT CONNECT"),
        ("trusted", "template0", 'Database "template0"', "template"),
        ("limited", "postgres", 'no free connection for role "limited"', "CONNECTION LIMIT"),
        ("unlisted", "postgres", "without encryption", "sslmode=require"),
        ("unlisted_by_reject", "postgres", "no rule|without encryption", "pg_hba.conf"),
        ("peer", "postgres", 'does not accept who we are as role "peer"', "pg_hba.conf"),
    ],
)
def test_the_server_refuses(strict_server: EmbeddedServer, user: str, database: str, says: str, hint: str) -> None:
    error = failure(strict_server.dsn(database, user))
    assert any(one in error.message for one in says.split("|"))
    assert "The server said: " in error.message
    assert hint in error.hint


def test_too_many_clients(strict_server: EmbeddedServer) -> None:
    with ExitStack() as held:

        def take_all() -> None:
            for _ in range(6):
                held.enter_context(connect(strict_server.dsn()))

        with pytest.raises(ConnectError) as caught:
            take_all()
    assert "has no free connection" in caught.value.message
    assert "max_connections" in caught.value.hint


@pytest.mark.parametrize(
    ("sqlstate", "text", "says"),
    [
        ("57P03", "the database system is starting up", "is starting up"),
        ("57P03", "the database system is not yet accepting connections", "is starting up"),
        ("57P03", "the database system is shutting down", "is shutting down"),
        ("57P03", "the database system is in recovery mode", "is starting up"),
        ("53300", "sorry, too many clients already", "no free connection"),
        ("28000", 'no pg_hba.conf entry for host "10.1.2.3", user "app", database "shop", SSL encryption', "no rule"),
        ("08004", "das mag der Server nicht", "No connection to the server at"),
    ],
)
def test_what_a_server_answers_at_login(socket_directory: Path, sqlstate: str, text: str, says: str) -> None:
    with fake_server(socket_directory, error_response(sqlstate, text)) as host:
        error = failure(Dsn.of(f"host={host} dbname=shop user=app", source="--dsn"))
    assert says in error.message
    assert f"The server said: {text}." in error.message
    assert '"shop"' in error.message
    assert 'ole "app"' in error.message


def test_a_password_in_the_servers_words_is_masked(socket_directory: Path) -> None:
    with fake_server(socket_directory, error_response("28P01", f"no {PASSWORD} for you\nsecond line")) as host:
        error = failure(Dsn.of_parameters({"host": str(host), "user": "app", "password": PASSWORD}, source="--dsn"))
    assert "no *** for you second line" in error.message


def test_not_a_postgresql_server(socket_directory: Path) -> None:
    with fake_server(socket_directory, b"HTTP/1.0 400 Bad Request\r\n\r\n") as host:
        error = failure(Dsn.of(f"host={host} user=app", source="--dsn"))
    assert "does not speak PostgreSQL's protocol" in error.message


def test_it_hangs_up(socket_directory: Path) -> None:
    with fake_server(socket_directory, b"") as host:
        error = failure(Dsn.of(f"host={host} user=app", source="--dsn"))
    assert "closed the connection while we logged in" in error.message


def test_timeout(socket_directory: Path) -> None:
    with fake_server(socket_directory, None) as host:
        error = failure(Dsn.of(f"host={host} user=app", source="--dsn"), connect_timeout=2)
    assert "did not answer in time" in error.message
    assert "connect_timeout" in error.hint


def test_tls_asked_for_and_not_spoken() -> None:
    with fake_tcp_server() as port:
        error = failure(
            Dsn.of(f"postgresql://app:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/?sslmode=require", source="--dsn")
        )
    assert f"The server at 127.0.0.1:{port} speaks no TLS" in error.message
    assert "sslmode" in error.hint


def test_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failure(Dsn.of(f"postgresql://app:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/shop", source="--dsn"))
    assert error.message == (
        f'Nobody listens at 127.0.0.1:{port} (database "shop", role "app"). The cause: Connection refused.'
    )


def test_several_hosts_are_all_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failure(Dsn.of(f"postgresql://127.0.0.1:{port},[::1]:{port}/shop", source="--dsn"))
    assert f"127.0.0.1:{port} or [::1]:{port}" in error.message


def test_unknown_host() -> None:
    error = failure(Dsn.of("host=no-such-host.invalid user=app", source="--dsn"))
    assert "There is no host" in error.message
    assert "no-such-host.invalid" in error.message


def test_a_name_that_cannot_be_a_hosts() -> None:
    assert "There is no host" in failure(Dsn.of(f"host={'a' * 70}.example user=app", source="--dsn")).message


def test_no_socket(socket_directory: Path) -> None:
    error = failure(Dsn.of(f"host={socket_directory} port=5544 user=app", source="--dsn"))
    assert "No server has its socket at" in error.message
    assert f"{socket_directory}, port 5544" in error.message


def test_no_such_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    (tmp_path / "services").write_text("[other]\nhost=db\n")
    error = failure(Dsn.of("service=shop", source="--dsn"))
    assert "service" in error.message
    assert "PGSERVICEFILE" in error.hint


def test_a_service_and_a_password_file_are_followed(
    strict_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    host = strict_server.dsn().parameters()["host"]
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    (tmp_path / "services").write_text(f"[shop]\nhost={host}\nuser=scram\ndbname=postgres\n")
    passwords = tmp_path / "passwords"
    passwords.write_text(f"*:*:*:scram:{PASSWORD}\n")
    passwords.chmod(0o600)
    with connect(Dsn.of(f"service=shop passfile={passwords}", source="--dsn")) as conn:
        assert conn.info.user == "scram"


def test_a_standby_is_asked_for(strict_server: EmbeddedServer) -> None:
    error = failure(with_parameters(strict_server.dsn(), target_session_attrs="standby"))
    assert "target_session_attrs" in error.hint


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=("Cc", "Cs"))).map("XYZZY".__add__)
)
def test_no_password_in_an_error_or_its_traceback(strict_server: EmbeddedServer, password: str) -> None:
    host = quote(strict_server.dsn().parameters()["host"], safe="")
    dsn = Dsn.of(f"postgresql://scram:{quote(password, safe='')}@{host}/shop", source="--dsn")
    with pytest.raises(ConnectError) as caught:
        connect(dsn)
    # As a tool would print it that shows the variables of each frame.
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in shown.stack if os.sep + "confiture_tui" + os.sep in frame.filename]
    assert ours
    text = str(caught.value) + repr(caught.value) + "".join(repr(frame.locals) for frame in ours)
    assert "XYZZY" not in text


def test_lost_connections_are_told_from_failed_statements(database: Dsn) -> None:
    with connect(database) as conn:
        for statement in ("SELECT 1/0", "SELECT nonsense", "SET statement_timeout = 1; SELECT pg_sleep(5)"):
            with pytest.raises(psycopg.Error) as failed:
                conn.execute(statement)
            assert not connection_was_lost(failed.value)
        with pytest.raises(psycopg.Error) as without_values:
            # By the extended protocol, as a dry run sends each statement.
            conn.cursor(binary=True).execute("SELECT $1::int")
        assert without_values.value.sqlstate == "08P01"
        assert not connection_was_lost(without_values.value)
        with pytest.raises(psycopg.Error) as ended:
            conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        assert connection_was_lost(ended.value)
        with pytest.raises(psycopg.Error) as afterwards:
            conn.execute("SELECT 1")
        assert connection_was_lost(afterwards.value)
    assert not connection_was_lost(ValueError("the connection is lost"))


def test_a_connection_that_somebody_else_ends_is_lost(database: Dsn) -> None:
    with connect(database) as conn, connect(database) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (conn.info.backend_pid,))
        with pytest.raises(psycopg.Error) as ended:
            conn.execute("SELECT 1")
    assert connection_was_lost(ended.value)
    error = connection_lost(ended.value, database)
    name = database.parameters()["dbname"]
    assert f'was lost (database "{name}", role "postgres")' in error.message
    assert "terminating connection due to administrator command" in error.message
    assert "rolled back" in error.hint


def test_an_idle_timeout_loses_the_connection(database: Dsn) -> None:
    with connect(database) as conn, connect(database) as other:
        conn.execute("SET idle_in_transaction_session_timeout = '1ms'")
        conn.execute("BEGIN")
        gone = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
        while other.execute(gone, (conn.info.backend_pid,)).fetchone() != (0,):
            pass
        with pytest.raises(psycopg.Error) as ended:
            conn.execute("SELECT 1")
    assert connection_was_lost(ended.value)
