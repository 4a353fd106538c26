"""Who is in our way on the relations that we are going to lock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.traffic.activity import OccupantKind, in_the_way
from confiture_tui.database.embedded import EmbeddedServer

if TYPE_CHECKING:
    from confiture_tui.database.dsn import Dsn


@pytest.fixture
def reader(conn: psycopg.Connection[Any], database: Dsn) -> Iterator[psycopg.Connection[Any]]:
    conn.execute('CREATE TABLE t (id int); CREATE TABLE "Odd name" (id int)')
    with psycopg.connect(database.conninfo(), application_name="report") as session:
        session.execute("SELECT * FROM t")
        yield session


def test_an_open_transaction_is_named_with_its_locks(
    conn: psycopg.Connection[Any], reader: psycopg.Connection[Any]
) -> None:
    reader.execute('LOCK TABLE "Odd name" IN SHARE MODE')
    (found,) = in_the_way(conn, ["public.t", 'public."Odd name"', "public.gone"])
    assert (found.kind, found.pid, found.application) == (
        OccupantKind.SESSION,
        reader.info.backend_pid,
        "report",
    )
    assert found.state == "idle in transaction"
    assert (found.transaction_ms or 0) > 0
    assert {(lock.relation, lock.mode) for lock in found.locks} == {
        ("public.t", LockMode.ACCESS_SHARE),
        ('public."Odd name"', LockMode.SHARE),
    }
    assert "report" in found.label


def test_only_what_conflicts_is_in_the_way(conn: psycopg.Connection[Any], reader: psycopg.Connection[Any]) -> None:
    assert in_the_way(conn, ["public.t"], mode=LockMode.SHARE) == ()
    assert len(in_the_way(conn, ["public.t"], mode=LockMode.ACCESS_EXCLUSIVE)) == 1
    assert in_the_way(conn, ["public.t"], but=[reader.info.backend_pid]) == ()
    reader.rollback()
    assert in_the_way(conn, ["public.t"]) == ()


def test_a_plain_role_sees_the_locks_and_not_what_the_others_do(
    server: EmbeddedServer, database: Dsn, reader: psycopg.Connection[Any]
) -> None:
    server.create_login("plain")
    with psycopg.connect(server.dsn(database.parameters()["dbname"], "plain").conninfo(), autocommit=True) as plain:
        (found,) = in_the_way(plain, ["public.t"])
    assert found.pid == reader.info.backend_pid
    assert (found.state, found.transaction_ms) == (None, None)


def test_a_prepared_transaction_is_in_the_way_without_a_process() -> None:
    with (
        EmbeddedServer.start(settings={"max_prepared_transactions": "2"}) as own,
        psycopg.connect(own.dsn().conninfo(), autocommit=True) as conn,
    ):
        conn.execute("CREATE TABLE t (id int)")
        conn.execute("BEGIN")
        conn.execute("LOCK TABLE t IN SHARE MODE")
        conn.execute("PREPARE TRANSACTION 'forgotten'")
        (found,) = in_the_way(conn, ["public.t"])
        assert (found.kind, found.pid, found.gid) == (OccupantKind.PREPARED, None, "forgotten")
        assert found.label == "prepared transaction forgotten"
        assert [lock.mode for lock in found.locks] == [LockMode.SHARE]
