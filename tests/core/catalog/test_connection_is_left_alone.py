"""Loading leaves a connection exactly as it found it, whatever state that was, and also when it fails."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.catalog.reading import last_values, transaction
from confiture_tui.database.connection import connect
from confiture_tui.errors import ConfitureError, ConnectError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_tui.database.dsn import Dsn

    Connection = psycopg.Connection[tuple[Any, ...]]

SETTINGS = "SELECT name, setting FROM pg_settings WHERE name <> 'transaction_isolation' ORDER BY name"
LOCKS = "SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' ORDER BY 1, 2"


def settings(conn: Connection) -> list[tuple[Any, ...]]:
    return conn.execute(SETTINGS).fetchall()


def prepare_session(conn: Connection) -> None:
    conn.execute("SET search_path = elsewhere, public; SET TimeZone = 'America/St_Johns'; SET DateStyle = 'SQL, DMY'")
    conn.execute("SET lock_timeout = '11s'; SET statement_timeout = '12s'; SET client_encoding = 'LATIN1'")
    conn.execute("SET jit = on; SET quote_all_identifiers = on; SET IntervalStyle = 'iso_8601'")


@pytest.fixture
def other(database: Dsn) -> Iterator[Connection]:
    """A second connection (autocommit) to the same database."""
    with connect(database, application_name="test other") as connection:
        yield connection


@pytest.mark.parametrize("autocommit", [True, False])
def test_an_idle_connection(rich_database: Dsn, autocommit: bool) -> None:
    with connect(rich_database, autocommit=True) as conn:
        prepare_session(conn)
        before = settings(conn)
        conn.autocommit = autocommit
        catalog = Catalog.load(conn)
        assert conn.autocommit is autocommit
        assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert settings(conn) == before
        conn.rollback()
        assert conn.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
        assert (catalog.session.search_path, catalog.session.time_zone) == ("elsewhere, public", "America/St_Johns")
        assert (catalog.session.lock_timeout_ms, catalog.session.statement_timeout_ms) == (11_000, 12_000)


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_inside_a_transaction_its_own_changes_are_seen(rich: Connection, isolation: str) -> None:
    prepare_session(rich)
    committed = Catalog.load(rich)
    rich.execute(f"BEGIN ISOLATION LEVEL {isolation}".encode())
    rich.execute("CREATE TABLE public.new_one (a int); SET LOCAL work_mem = '7MB'")
    before, locks = settings(rich), rich.execute(LOCKS).fetchall()
    catalog = Catalog.load(rich)
    assert catalog.table("public.new_one") is not None
    assert catalog.session.in_transaction
    assert rich.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    assert rich.execute(LOCKS).fetchall() == locks
    assert settings(rich) == before
    rich.execute("ROLLBACK")
    assert Catalog.load(rich).fingerprint == committed.fingerprint


def test_inside_psycopgs_own_transaction_block(conn: Connection) -> None:
    with conn.transaction(force_rollback=True):
        conn.execute("CREATE TABLE t (a int)")
        with conn.transaction():
            assert Catalog.load(conn).table("t") is not None
        assert conn.execute("SELECT to_regclass('t') IS NOT NULL").fetchone() == (True,)
    assert Catalog.load(conn).table("t") is None


def test_last_values_are_not_read_inside_a_transaction_and_that_is_said(conn: Connection) -> None:
    conn.execute("CREATE SEQUENCE s; SELECT nextval('s')")
    assert Catalog.load(conn).sequences["public", "s"].last_value == 1
    conn.execute("BEGIN")
    catalog = Catalog.load(conn)
    assert catalog.sequences["public", "s"].last_value is None
    assert [each.what for each in catalog.not_visible] == ["last values of sequences"]


def test_row_factories_and_encodings_of_the_caller_do_not_matter(rich_database: Dsn) -> None:
    with connect(rich_database) as plain:
        expected = Catalog.load(plain)
    with psycopg.connect(
        rich_database.conninfo(), row_factory=dict_row, cursor_factory=psycopg.ClientCursor, client_encoding="SQL_ASCII"
    ) as conn:
        assert Catalog.load(conn).fingerprint == expected.fingerprint


def test_a_temporary_table_named_like_a_system_catalog_does_no_harm(conn: Connection) -> None:
    conn.execute("CREATE TABLE t (a int)")
    expected = Catalog.load(conn)
    conn.execute("CREATE TEMP TABLE pg_class (oid int); CREATE TEMP TABLE pg_attribute (a int)")
    conn.execute("CREATE FUNCTION public.quote_ident(name) RETURNS text LANGUAGE sql AS 'SELECT ''evil'''")
    conn.execute("SET search_path = public, pg_catalog")
    catalog = Catalog.load(conn)
    assert {change.name for change in expected.diff(catalog).changes} == {"public.quote_ident(name)"}


def test_a_failed_transaction_is_refused_and_left(conn: Connection) -> None:
    conn.execute("BEGIN")
    with pytest.raises(psycopg.Error):
        conn.execute("SELECT 1/0")
    with pytest.raises(ConfitureError, match="transaction has failed"):
        Catalog.load(conn)
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
    conn.rollback()
    Catalog.load(conn)


def test_a_closed_connection_is_refused(database: Dsn) -> None:
    conn = connect(database)
    conn.close()
    with pytest.raises(ConnectError, match="closed"):
        Catalog.load(conn)


def test_a_pipeline_is_refused(conn: Connection) -> None:
    with conn.pipeline(), pytest.raises(ConfitureError, match="pipeline"):
        Catalog.load(conn)
    Catalog.load(conn)


@pytest.mark.parametrize("inside", [False, True])
def test_another_sessions_lock_ends_in_a_sentence_that_names_it(
    conn: Connection, other: Connection, inside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "LOCK_TIMEOUT_MS", 50)
    conn.execute("CREATE TABLE locked (a int); CREATE VIEW seen AS SELECT a FROM locked")
    conn.autocommit = False
    if inside:
        conn.execute("SELECT 1")
    before = conn.info.transaction_status
    with other.transaction(force_rollback=True):
        other.execute("LOCK TABLE locked")
        with pytest.raises(ConfitureError, match=r"public\.locked \(pid \d+\)"):
            Catalog.load(conn)
    assert conn.info.transaction_status == before
    assert conn.autocommit is False
    assert Catalog.load(conn).table("seen") is not None


def test_a_locked_table_costs_its_size_only(conn: Connection, other: Connection) -> None:
    conn.execute("CREATE TABLE locked (a int PRIMARY KEY); CREATE TABLE free (a int PRIMARY KEY)")
    with other.transaction(force_rollback=True):
        other.execute("LOCK TABLE locked")
        catalog = Catalog.load(conn)
    locked, free = catalog.table("locked"), catalog.table("free")
    assert locked is not None
    assert free is not None
    assert locked.statistics is not None
    assert free.statistics is not None
    assert (locked.statistics.size, free.statistics.size) == (None, 0)
    assert [(each.what, each.objects) for each in catalog.not_visible] == [
        ("sizes", ("public.locked", "public.locked_pkey"))
    ]


def test_cancelling_stops_it_and_leaves_the_connection_usable(conn: Connection, other: Connection) -> None:
    conn.execute("CREATE TABLE locked (a int); CREATE VIEW seen AS SELECT a FROM locked")
    failures: list[BaseException] = []

    def load() -> None:
        try:
            Catalog.load(conn)
        except psycopg.Error as error:
            failures.append(error)

    with other.transaction(force_rollback=True):
        other.execute("LOCK TABLE locked")
        thread = threading.Thread(target=load)
        thread.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s"
        while thread.is_alive() and other.execute(waiting, (conn.info.backend_pid,)).fetchone() == (0,):
            pass
        conn.cancel_safe()
        thread.join()
    assert [type(error) for error in failures] == [psycopg.errors.QueryCanceled]
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    Catalog.load(conn)


def test_a_lost_connection_is_a_sentence(conn: Connection, other: Connection) -> None:
    conn.execute("CREATE TABLE locked (a int); CREATE VIEW seen AS SELECT a FROM locked")
    failures: list[BaseException] = []

    def load() -> None:
        try:
            Catalog.load(conn)
        except ConfitureError as error:
            failures.append(error)

    with other.transaction(force_rollback=True):
        other.execute("LOCK TABLE locked")
        thread = threading.Thread(target=load)
        thread.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s"
        while thread.is_alive() and other.execute(waiting, (conn.info.backend_pid,)).fetchone() == (0,):
            pass
        other.execute("SELECT pg_terminate_backend(%s)", (conn.info.backend_pid,))
        thread.join()
    assert [type(error) for error in failures] == [ConnectError]
    assert "lost" in str(failures[0])


def test_other_sessions_may_change_the_schema_meanwhile(
    conn: Connection, other: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    done = threading.Event()

    def churn() -> None:
        while not done.is_set():
            other.execute("""
                CREATE TABLE c (a int PRIMARY KEY, b int GENERATED ALWAYS AS (a + 1) STORED, CHECK (b > 0));
                CREATE INDEX c_i ON c ((a + 1)); CREATE VIEW c_v AS SELECT a FROM c;
                CREATE FUNCTION c_f() RETURNS int LANGUAGE sql AS 'SELECT 1'""")
            other.execute("DROP FUNCTION c_f; DROP VIEW c_v; DROP TABLE c")

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        loaded = 0
        refusals: list[str] = []
        for _ in range(15):
            try:
                catalog = Catalog.load(conn)
            except ConfitureError as error:
                refusals.append(str(error))
                continue
            loaded += 1
            assert all(each.definition for each in catalog.indexes.values())
            assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    finally:
        done.set()
        thread.join()
    assert loaded > 0
    assert all("kept changing" in each for each in refusals)
    assert caplog.records == []
    assert Catalog.load(conn).relations == {}


def test_a_catalog_is_frozen(conn: Connection) -> None:
    catalog = Catalog.load(conn)
    with pytest.raises(AttributeError, match="frozen"):
        catalog.database = "other"
    assert catalog.fingerprint == catalog.fingerprint


@pytest.mark.parametrize("autocommit", [True, False])
def test_a_sequence_that_another_session_alters_costs_its_last_value_only(
    conn: Connection, other: Connection, autocommit: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "LOCK_TIMEOUT_MS", 50)
    monkeypatch.setattr(last_values, "_AT_A_TIME", 1)
    conn.execute("CREATE SEQUENCE altered; CREATE SEQUENCE free; SELECT nextval('altered'), nextval('free')")
    conn.autocommit = autocommit
    with other.transaction(force_rollback=True):
        other.execute("ALTER SEQUENCE altered CACHE 7")
        catalog = Catalog.load(conn)
    assert [(each.what, each.objects) for each in catalog.not_visible] == [
        ("last values of sequences", ("public.altered",))
    ]
    assert catalog.sequences["public", "free"].last_value == 1
    assert conn.autocommit is autocommit
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert Catalog.load(conn).sequences["public", "altered"].last_value == 1
