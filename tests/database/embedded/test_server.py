from __future__ import annotations

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.database.connection import connect, identify
from confiture_tui.database.embedded import EmbeddedServer
from confiture_tui.errors import ConfitureError, ConnectError
from confiture_tui.events import Event, EventName, Level
from tests.support.processes import PythonProcess, is_alive, programs_of

if TYPE_CHECKING:
    from confiture_tui.database.dsn import Dsn


def setting(conn: psycopg.Connection[Any], name: str) -> str:
    row = conn.execute("SELECT current_setting(%s)", (name,)).fetchone()
    assert row is not None
    return str(row[0])


def test_it_starts_answers_and_leaves_nothing() -> None:
    events: list[Event] = []
    with EmbeddedServer.start(sink=events.append) as server:
        with connect(server.dsn()) as conn:
            identity = identify(conn)
        assert (identity.server_version_num, identity.server_version) == (server.version_num, server.version)
        assert is_alive(server.pid)
        states = [server.is_running]
        assert server.directory.is_dir()
        assert programs_of(server.directory)
    assert not is_alive(server.pid)
    assert [*states, server.is_running] == [True, False]
    assert not server.directory.exists()
    assert not programs_of(server.directory)
    server.stop()
    assert [event.name for event in events] == [
        EventName.SERVER_STARTING,
        EventName.SERVER_STARTED,
        EventName.SERVER_STOPPED,
    ]
    assert server.source in events[0].message
    assert events[1].duration_ms is not None
    assert events[1].data["pid"] == server.pid


def test_stop_does_not_wait_for_a_session_that_is_busy() -> None:
    with EmbeddedServer.start() as server:
        conn = connect(server.dsn())

        def sleep() -> None:
            with pytest.raises(psycopg.Error):
                conn.execute("SELECT pg_sleep(600)")

        conn.execute("CREATE TABLE t (id int); BEGIN; LOCK TABLE t; INSERT INTO t SELECT generate_series(1, 1000)")
        with connect(server.dsn()) as other:
            running = threading.Thread(target=sleep)
            running.start()
            busy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
            while other.execute(busy).fetchone() != (1,):
                pass
        server.stop()
        running.join()
    assert not server.directory.exists()


def test_a_dead_server_is_noticed() -> None:
    events: list[Event] = []
    with EmbeddedServer.start(sink=events.append) as server:
        os.kill(server.pid, 9)
        while server.is_running:
            pass
    assert not server.directory.exists()
    assert events[-1].level is Level.WARNING
    assert "found dead" in events[-1].message


def test_it_is_set_for_disposable_data_and_honest_figures(conn: psycopg.Connection[Any]) -> None:
    wanted = {
        "fsync": "off",
        "synchronous_commit": "off",
        "wal_level": "replica",
        "full_page_writes": "on",
        "autovacuum": "off",
        "listen_addresses": "",
        "max_prepared_transactions": "0",
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
        "lc_messages": "C",
        "lc_collate": "C",
        "port": "5432",
    }
    if conn.info.server_version >= 160000:
        del wanted["lc_collate"]  # no longer a setting
    assert {name: setting(conn, name) for name in wanted} == wanted
    assert conn.execute("SELECT lower('ÉÜ') = 'éü', 'Z' < 'a'").fetchone() == (True, True)
    assert int(setting(conn, "max_connections")) >= 50


def test_pg_stat_statements_is_loaded_where_there_is_one(conn: psycopg.Connection[Any]) -> None:
    conn.execute("CREATE EXTENSION pg_stat_statements")
    conn.execute("CREATE TABLE t AS SELECT 1 AS a")
    found = conn.execute("SELECT sum(wal_bytes) > 0 FROM pg_stat_statements WHERE query ILIKE 'create table t%'")
    assert found.fetchone() == (True,)


def test_settings_of_the_caller_win() -> None:
    wanted = {"work_mem": "7MB", "max_connections": "9"}
    with EmbeddedServer.start(settings=wanted) as server, connect(server.dsn()) as conn:
        assert {name: setting(conn, name) for name in wanted} == wanted


def test_a_server_that_does_not_start_shows_the_end_of_its_log() -> None:
    before = set(Path("/dev/shm").glob("confiture-tui-*")) | set(Path("/tmp").glob("confiture-tui-*"))
    with pytest.raises(ConnectError) as caught:
        EmbeddedServer.start(settings={"no_such_setting": "1"})
    assert "ended as it started" in caught.value.message
    assert 'unrecognized configuration parameter "no_such_setting"' in caught.value.message
    assert caught.value.hint
    after = set(Path("/dev/shm").glob("confiture-tui-*")) | set(Path("/tmp").glob("confiture-tui-*"))
    # Others may come and go on this machine; this process has not added one.
    assert not [path for path in after - before if path.exists() and _mine(path)]


def _mine(path: Path) -> bool:
    """Whether this process holds a file in the directory open: its lock."""
    return any(str(path) in os.fspath(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())


def test_only_its_owner_reaches_it(server: EmbeddedServer) -> None:
    assert stat.S_IMODE(server.directory.stat().st_mode) == 0o700
    with connect(server.dsn()) as conn:
        assert setting(conn, "listen_addresses") == ""
        assert Path(setting(conn, "unix_socket_directories").strip('"')) == server.directory
    # None of the server's sockets is one of the network.
    for name in ("tcp", "tcp6"):
        inodes = {line.split()[9] for line in Path(f"/proc/{server.pid}/net/{name}").read_text().splitlines()[1:]}
        held = {os.fspath(link.readlink()) for link in Path(f"/proc/{server.pid}/fd").iterdir()}
        assert not held & {f"socket:[{inode}]" for inode in inodes}


def test_libpqs_variables_do_not_lead_elsewhere(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PGHOSTADDR": "127.0.0.1",
        "PGHOST": "elsewhere.invalid",
        "PGPORT": "1",
        "PGUSER": "nobody",
        "PGDATABASE": "elsewhere",
        "PGOPTIONS": "-c search_path=elsewhere",
        "PGSSLMODE": "verify-full",
        "PGREQUIREAUTH": "scram-sha-256",
        "PGCHANNELBINDING": "require",
        "PGTARGETSESSIONATTRS": "standby",
        "PGGSSENCMODE": "prefer",
        "PGSSLNEGOTIATION": "direct",
        "PGPASSFILE": "/nowhere",
    }.items():
        monkeypatch.setenv(name, value)
    with connect(server.dsn()) as conn:
        assert identify(conn).database == "postgres"
        assert setting(conn, "search_path") == '"$user", public'
        assert setting(conn, "unix_socket_directories").strip('"') == str(server.directory)


def test_databases_are_created_from_templates_and_dropped(server: EmbeddedServer) -> None:
    server.create_login("owner of it")
    server.create_database('odd "name"', owner="owner of it")
    try:
        with connect(server.dsn('odd "name"')) as conn:
            conn.execute("CREATE TABLE t AS SELECT 42 AS a")
        server.create_database("its copy", template='odd "name"')
        with connect(server.dsn("its copy")) as conn:
            assert conn.execute("SELECT a FROM t").fetchone() == (42,)
            with pytest.raises(ConfitureError, match=r'"its copy" cannot be created.*already exists'):
                server.create_database("its copy")
            server.drop_database("its copy")
            with pytest.raises(psycopg.OperationalError):
                conn.execute("SELECT 1")
        with connect(server.dsn('odd "name"', "owner of it")) as conn:
            assert conn.execute(
                "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
            ).fetchone() == ("owner of it",)
    finally:
        server.drop_database("its copy")
        server.drop_database('odd "name"')


def test_what_cannot_be_created_is_a_sentence(server: EmbeddedServer) -> None:
    with pytest.raises(ConfitureError, match=r'"x" cannot be created on the embedded server: role "nobody there"'):
        server.create_database("x", owner="nobody there")
    with pytest.raises(ConfitureError, match=r'template database "no such" does not exist'):
        server.create_database("x", template="no such")


def test_a_login_is_plain_however_it_was_before(server: EmbeddedServer) -> None:
    with connect(server.dsn()) as conn:
        conn.execute("CREATE ROLE was_more SUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS NOLOGIN")
        for role in ("was_more", "is_new", "is_new"):
            server.create_login(role)
        rows = conn.execute(
            "SELECT rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls"
            " FROM pg_roles WHERE rolname IN ('was_more', 'is_new')"
        ).fetchall()
        assert rows == [(True, False, False, False, False, False)] * 2
    with connect(server.dsn(user="is_new")) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("COPY (SELECT 1) TO PROGRAM 'true'")
    with pytest.raises(ValueError, match="superuser"):
        server.create_login("postgres")


def test_all_threads_get_the_same_server(server: EmbeddedServer) -> None:
    ready = threading.Barrier(8)

    def get(_number: int) -> EmbeddedServer:
        ready.wait()
        return EmbeddedServer.shared()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(get, range(8))) == {server}


SHARED = """
import os, sys, threading
from concurrent.futures import ThreadPoolExecutor
from confiture_tui.database.connection import connect
from confiture_tui.database.embedded import EmbeddedServer
events = []
with ThreadPoolExecutor(6) as pool:
    servers = set(pool.map(lambda _: EmbeddedServer.shared(sink=events.append), range(6)))
[server] = servers
assert [event.name for event in events] == ["server_starting", "server_started"], events
# The threads that asked for it are gone, and the server goes on.
assert connect(server.dsn()).execute("SELECT 1").fetchone() == (1,)
print(server.pid, server.directory, flush=True)
os.kill(server.pid, 9)
while server.is_running:
    pass
again = EmbeddedServer.shared()
assert again is not server and not server.directory.exists()
assert connect(again.dsn()).execute("SELECT 1").fetchone() == (1,)
child = os.fork()
if not child:
    again.stop()  # the parent's: nothing happens
    own = EmbeddedServer.shared()
    assert own is not again and connect(own.dsn()).execute("SELECT 1").fetchone() == (1,)
    own.stop()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert connect(again.dsn()).execute("SELECT 1").fetchone() == (1,)
print(again.pid, again.directory, flush=True)
"""


def test_shared_starts_one_replaces_a_dead_one_survives_a_fork_and_stops_at_exit() -> None:
    with PythonProcess(SHARED) as python:
        places = [line.split() for line in python.lines()]
        assert python.process.wait() == 0
    assert len(places) == 2
    for pid, directory in places:
        assert not is_alive(int(pid))
        assert not Path(directory).exists()
        assert not programs_of(Path(directory))


THREAD = """
import threading
from confiture_tui.database.connection import connect
from confiture_tui.database.embedded import EmbeddedServer
found = []
job = threading.Thread(target=lambda: found.append(EmbeddedServer.start()))
job.start()
job.join()
[server] = found
for _ in range(50):
    assert connect(server.dsn()).execute("SELECT 1").fetchone() == (1,)
server.stop()
print("done")
"""


def test_the_end_of_the_thread_that_asked_does_not_end_the_server() -> None:
    with PythonProcess(THREAD) as python:
        assert list(python.lines()) == ["done"]


def test_exit_while_it_is_starting_leaves_nothing() -> None:
    script = """
import sys, threading
from confiture_tui.database.embedded import EmbeddedServer
starting = threading.Event()
threading.Thread(target=lambda: EmbeddedServer.shared(sink=lambda _: starting.set()), daemon=True).start()
starting.wait()
from confiture_tui.database.embedded.workspace import Workspace
while not Workspace._alive:
    pass
print(*(one.path for one in Workspace._alive), flush=True)
"""
    with PythonProcess(script) as python:
        [directory] = [Path(line) for line in python.lines()]
        assert python.process.wait() == 0
    assert not directory.exists()
    assert not programs_of(directory)


def test_a_long_temporary_directory_is_no_hindrance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: Dsn
) -> None:
    """The path of a socket has 107 bytes at most."""
    from confiture_tui.database.embedded import server as module

    deep = tmp_path / ("d" * 60) / 'it\'s, "here"' / ("e" * 60)
    deep.mkdir(parents=True)
    monkeypatch.setattr(module, "data_base", lambda: deep)
    with EmbeddedServer.start() as server:
        assert server.directory.parent == deep
        with connect(server.dsn()) as conn:
            assert conn.execute("SELECT 1").fetchone() == (1,)
            socket_directory = Path(setting(conn, "unix_socket_directories").strip('"'))
            assert socket_directory != server.directory
    assert not server.directory.exists()
    assert not socket_directory.exists()
