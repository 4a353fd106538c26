"""A target that insists on TLS can be copied, although the programs at hand were built without it."""

from __future__ import annotations

import secrets
import socket
import ssl
import struct
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.migrations.model import Migration
from confiture_tui.database.embedded import EmbeddedServer
from confiture_tui.database.tls_relay import TlsRelay
from confiture_tui.database.tls_stream import without_channel_binding
from tests.support.dsn import name_of
from tests.support.tls_front import DATA, Front, tls_front

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_tui.database.dsn import Dsn

SCHEMA = "CREATE TABLE jar (id int PRIMARY KEY, label text)"
CERTIFICATE = str(DATA / "localhost.crt")
FULLY = {"sslmode": "verify-full", "sslrootcert": CERTIFICATE}
STARTUP = b"user\0postgres\0database\0postgres\0\0"
MEGABYTES = 50


def socket_of(server: EmbeddedServer) -> Path:
    parameters = server.dsn().parameters()
    return Path(parameters["host"]) / f".s.PGSQL.{parameters['port']}"


@pytest.fixture
def front(server: EmbeddedServer) -> Iterator[Front]:
    with tls_front(socket_of(server)) as front:
        yield front


@pytest.fixture
def relay(front: Front) -> Iterator[TlsRelay]:
    with TlsRelay("localhost", "127.0.0.1", front.port, FULLY) as relay:
        yield relay


def through(relay: TlsRelay, **parameters: Any) -> psycopg.Connection[Any]:
    given = {"dbname": "postgres", "user": "postgres", "sslmode": "disable", "gssencmode": "disable"} | parameters
    return psycopg.connect(host=str(relay.directory), port=relay.port, autocommit=True, **given)


def raw(relay: TlsRelay) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(60)
    client.connect(str(relay.directory / f".s.PGSQL.{relay.port}"))
    return client


@pytest.mark.parametrize(
    "demands",
    [
        {"sslmode": "require"},
        {"sslmode": "require", "sslrootcert": "/nonexistent/root.crt"},
        {"sslmode": "prefer", "sslrootcert": CERTIFICATE},
        {"sslmode": "verify-ca", "sslrootcert": CERTIFICATE},
        FULLY,
    ],
    ids=lambda demands: "-".join(Path(value).name for value in demands.values()),
)
def test_the_schema_comes_over_tls(
    server: EmbeddedServer, front: Front, database_from: Callable[[str], Dsn], demands: dict[str, str]
) -> None:
    name = name_of(database_from(SCHEMA))
    with (
        psycopg.connect(
            host="localhost",
            port=front.port,
            dbname=name,
            user="postgres",
            autocommit=True,
            **demands,  # type: ignore[arg-type]
        ) as conn,
        Shadow.of(conn, server=server) as shadow,
    ):
        assert conn.pgconn.ssl_in_use
        result = shadow.dry_run(Migration.from_sql("ALTER TABLE jar DROP COLUMN label;"))
    assert result.ok, result.failure


def test_a_server_that_binds_channels_can_be_logged_in_to(tmp_path: Path) -> None:
    """libpq gives up on an offer of channel binding without TLS, and every server with TLS and SCRAM makes it."""
    with EmbeddedServer.start() as server:
        with psycopg.connect(server.dsn().conninfo(), autocommit=True) as conn:
            conn.execute("CREATE ROLE scram LOGIN SUPERUSER PASSWORD 's3cret'")
            conn.execute("CREATE TABLE jar (id int)")
            rules = Path(str(conn.execute("SHOW hba_file").fetchone()[0]))  # type: ignore[index]
            rules.write_text("local all scram scram-sha-256\nlocal all all trust\n")
            conn.execute("SELECT pg_reload_conf()")
        with tls_front(socket_of(server), binds_channels=True) as front:
            direct = psycopg.connect(
                host="localhost",
                port=front.port,
                dbname="postgres",
                user="scram",
                password="s3cret",
                sslmode="require",
                channel_binding="disable",
                autocommit=True,
            )
            with direct, Shadow.of(direct, server=server) as shadow:
                assert shadow.dry_run(Migration.from_sql("ALTER TABLE jar ADD note text;")).ok


def test_200_connections_late_speakers_among_them(front: Front, relay: TlsRelay) -> None:
    def talk(number: int) -> object:
        with through(relay) as conn:
            row = conn.execute("SELECT %s::int", (number,)).fetchone()
        return row[0] if row else None

    def talk_late(_number: int) -> bytes:
        with raw(relay) as client:
            # The server's tickets come first, and are no reason to wait for more of its words.
            assert front.greeted.acquire(timeout=60)
            client.sendall(struct.pack("!ii", len(STARTUP) + 8, 196608) + STARTUP)
            return client.recv(1)

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(talk_late, range(100))) == [b"R"] * 100
        assert list(pool.map(talk, range(100))) == list(range(100))
    assert relay.failure is None


def test_50_megabytes_in_each_direction_at_once(front: Front, relay: TlsRelay) -> None:
    payload = secrets.token_bytes(1 << 20).hex() * (MEGABYTES // 2)
    with through(relay) as conn:
        row = conn.execute("SELECT %s::text, length(%s::text)", (payload, payload)).fetchone()
    assert row == (payload, len(payload))
    assert relay.failure is None


def test_a_reader_that_stands_still_stops_the_server_not_the_memory(front: Front, relay: TlsRelay) -> None:
    """While nobody reads, the relay holds a window of what comes; then all of it arrives."""
    with through(relay) as conn, conn.cursor() as cursor:
        with cursor.copy("COPY (SELECT repeat('x', 1000) FROM generate_series(1, 50000)) TO STDOUT") as copy:
            with through(relay) as other:
                assert other.execute("SELECT 1").fetchone() == (1,)
            total = sum(len(chunk) for chunk in copy)
        assert total == 50000 * 1001


def answering_server(serve: Callable[[socket.socket], object]) -> tuple[socket.socket, threading.Thread]:
    """A server of one connection, which has asked for TLS and gets what ``serve`` does."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        client, _address = listener.accept()
        with client:
            assert client.recv(8, socket.MSG_WAITALL) == struct.pack("!ii", 8, 80877103)
            serve(client)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return listener, thread


def test_who_has_said_all_still_gets_the_answer() -> None:
    answer = b"E" + secrets.token_bytes(3_000_000)
    heard = []

    def serve(client: socket.socket) -> None:
        client.sendall(b"S")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(DATA / "localhost.crt", DATA / "localhost.key")
        with context.wrap_socket(client, server_side=True) as secure:
            while chunk := secure.recv(65536):
                heard.append(chunk)
            secure.sendall(answer)

    listener, thread = answering_server(serve)
    question = secrets.token_bytes(3_000_000)
    with listener, TlsRelay("localhost", "127.0.0.1", listener.getsockname()[1], FULLY) as relay, raw(relay) as client:
        client.sendall(question)
        client.shutdown(socket.SHUT_WR)
        got = b""
        while chunk := client.recv(65536):
            got += chunk
        thread.join(60)
    assert b"".join(heard) == question
    assert got == answer


def test_leaving_cuts_what_is_live_and_leaves_nothing(front: Front) -> None:
    with TlsRelay("localhost", "127.0.0.1", front.port, FULLY) as relay:
        directory = relay.directory
        idle, conn = raw(relay), through(relay)
    assert [thread for thread in threading.enumerate() if thread.name == "tls-relay"] == []
    assert not directory.exists()
    assert idle.recv(1) == b""
    with pytest.raises(psycopg.OperationalError):
        conn.execute("SELECT 1")
    idle.close()


def test_a_server_that_never_answers_is_a_sentence() -> None:
    over = threading.Event()
    listener, thread = answering_server(lambda _client: over.wait(60))
    port = listener.getsockname()[1]
    with listener, TlsRelay("localhost", "127.0.0.1", port, {"sslmode": "require"}, timeout_s=0.2) as relay:
        with raw(relay) as client:
            assert client.recv(1) == b"", "the program is told by the end of its own connection"
        assert relay.failure == f"The server at localhost:{port} did not agree on TLS within 0.2 s."
        over.set()
        thread.join(60)


@pytest.mark.parametrize(("answer", "says"), [(b"N", "speaks no TLS"), (b"", "hung up")])
def test_a_server_without_tls_is_a_sentence(answer: bytes, says: str) -> None:
    listener, _thread = answering_server(lambda client: client.sendall(answer))
    with listener, TlsRelay("localhost", "127.0.0.1", listener.getsockname()[1], FULLY) as relay:
        with raw(relay) as client:
            assert client.recv(1) == b""
        assert says in (relay.failure or "")


def test_a_certificate_of_another_name_is_refused_here_too(front: Front) -> None:
    """libpq was asked for less than the relay is: what the relay demands is what counts for its own connection."""
    with (
        TlsRelay("not-localhost", "127.0.0.1", front.port, FULLY) as relay,
        pytest.raises(psycopg.OperationalError),
    ):
        through(relay)
    assert "certificate" in (relay.failure or "").lower()


@pytest.mark.parametrize("mode", ["require", "verify-ca", "prefer"])
def test_another_authority_is_refused_as_libpq_refuses_it(front: Front, tmp_path: Path, mode: str) -> None:
    other = tmp_path / "other.crt"
    subprocess.run(
        f"openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other -keyout {tmp_path}/key -out {other}".split(),
        check=True,
        capture_output=True,
    )
    demands = {"sslmode": mode, "sslrootcert": str(other)}
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host="localhost", port=front.port, user="postgres", dbname="postgres", **demands)  # type: ignore[arg-type]
    with TlsRelay("localhost", "127.0.0.1", front.port, demands) as relay, pytest.raises(psycopg.OperationalError):
        through(relay)
    assert "not accepted" in (relay.failure or "")


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
@pytest.mark.parametrize("root", ["", "/nonexistent/root.crt"])
def test_no_root_certificate_is_said(front: Front, monkeypatch: pytest.MonkeyPatch, mode: str, root: str) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    demands = {"sslmode": mode, "sslrootcert": root}
    with TlsRelay("localhost", "127.0.0.1", front.port, demands) as relay, pytest.raises(psycopg.OperationalError):
        through(relay)
    assert "root certificate" in (relay.failure or "")
    assert "/nonexistent" in (relay.failure or "")


def test_a_file_that_is_no_certificate_is_said(front: Front, tmp_path: Path) -> None:
    wrong = tmp_path / "root.crt"
    wrong.write_text("not a certificate")
    demands = {"sslmode": "require", "sslrootcert": str(wrong)}
    with TlsRelay("localhost", "127.0.0.1", front.port, demands) as relay, pytest.raises(psycopg.OperationalError):
        through(relay)
    assert f"The root certificate {wrong} cannot be used" in (relay.failure or "")


def test_the_password_of_a_key_is_not_shown() -> None:
    assert "s3cret" not in repr(TlsRelay("localhost", "127.0.0.1", 1, {"sslpassword": "s3cret"}))


def message(kind: bytes, body: bytes) -> bytes:
    return bytes(struct.pack("!ci", kind, len(body) + 4)) + body


NOTICES = st.lists(st.binary(max_size=40).map(lambda body: message(b"N", body)), max_size=3).map(b"".join)
PLAIN = message(b"R", struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0")
BOTH = message(b"R", struct.pack("!i", 10) + b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")


@given(before=NOTICES, offer=st.sampled_from([PLAIN, BOTH]), after=st.binary(max_size=40), data=st.data())
def test_only_the_offer_is_changed_however_it_arrives(
    before: bytes, offer: bytes, after: bytes, data: st.DataObject
) -> None:
    """While it is incomplete nothing is passed on; then it is the same bytes but for the offer."""
    said = before + offer + after
    cut = data.draw(st.integers(0, len(said)))
    early = without_channel_binding(bytearray(said[:cut]), ended=False)
    assert (early is None) == (cut < len(before + offer))
    assert without_channel_binding(bytearray(said), ended=False) == before + PLAIN + after


@given(st.binary(max_size=200))
def test_the_end_passes_everything_on(said: bytes) -> None:
    assert without_channel_binding(bytearray(said), ended=True) == said
