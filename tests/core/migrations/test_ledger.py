"""Reading the table of applied migrations from a real server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from confiture_tui.core.migrations.ledger import AppliedMigration, read_ledger
from confiture_tui.errors import ConfitureError

if TYPE_CHECKING:
    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

Conn = psycopg.Connection[Any]

TABLE = """
CREATE TABLE {} (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), pk_confiture bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  slug text NOT NULL UNIQUE, version varchar(255) NOT NULL UNIQUE, name varchar(255) NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(), execution_time_ms integer, checksum varchar(64), applied_by text)
"""
INSERT = "INSERT INTO {} (slug, version, name, applied_at, execution_time_ms, checksum, applied_by) VALUES {}"
ROWS = (
    "('b', '002', 'second', '2026-01-02 03:04:05+00', 12, 'abc', 'anna'), "
    "('a', '001', 'first', '2026-01-01 00:00:00+00', NULL, NULL, NULL)"
)


def make(conn: Conn, table: str = "tb_confiture", rows: str = ROWS) -> None:
    conn.execute(TABLE.format(table).encode())
    conn.execute(INSERT.format(table, rows).encode())


def versions(conn: Conn, **options: Any) -> list[str] | None:
    ledger = read_ledger(conn, **options)
    return None if ledger is None else [one.version for one in ledger.migrations]


def test_without_the_table_there_is_no_ledger(conn: Conn) -> None:
    assert read_ledger(conn) is None
    conn.execute("CREATE TABLE tb_confiture (id int, version text)")
    assert read_ledger(conn) is None, "a table of that name with other columns is no ledger"


def test_rows_come_in_the_order_of_their_application(conn: Conn) -> None:
    make(conn)
    ledger = read_ledger(conn)
    assert ledger is not None
    assert (ledger.schema, ledger.table, ledger.notes) == ("public", "tb_confiture", ())
    assert ledger.migrations == (
        AppliedMigration("001", "first", datetime(2026, 1, 1, tzinfo=UTC)),
        AppliedMigration("002", "second", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "abc", "anna", 12.0),
    )


def test_an_empty_ledger_is_a_ledger(conn: Conn) -> None:
    conn.execute(TABLE.format("tb_confiture").encode())
    assert versions(conn) == []


def test_columns_may_be_more_or_fewer(conn: Conn) -> None:
    make(conn)
    conn.execute("ALTER TABLE tb_confiture ADD archived_into text, ADD more int; ALTER TABLE tb_confiture DROP slug")
    conn.execute("UPDATE tb_confiture SET archived_into = '002' WHERE version = '001'")
    assert versions(conn) == ["002"], "an archived row counts no longer"
    conn.execute("DROP TABLE tb_confiture; CREATE TABLE tb_confiture (version int, name text, applied_at timestamp)")
    conn.execute("INSERT INTO tb_confiture VALUES (7, NULL, NULL)")
    ledger = read_ledger(conn)
    assert ledger is not None
    assert ledger.migrations == (AppliedMigration("7", "", None),)


def test_the_search_path_decides_between_ledgers(conn: Conn) -> None:
    conn.execute("CREATE SCHEMA a; CREATE SCHEMA b")
    make(conn, "b.tb_confiture")
    assert versions(conn) == ["001", "002"], "found in a schema that is not on the path"
    make(conn, "a.tb_confiture", "('c', '003', 'third', now(), 1, NULL, NULL)")
    conn.execute("SET search_path = b, public")
    ledger = read_ledger(conn)
    assert ledger is not None
    assert ledger.schema == "b"
    assert "a.tb_confiture" in ledger.notes[0]
    assert versions(conn, table="a.tb_confiture") == ["003"]
    assert versions(conn, table="c.tb_confiture") is None
    assert versions(conn, table="other") is None


def test_a_name_cannot_be_anything_but_a_name(conn: Conn) -> None:
    conn.execute('CREATE SCHEMA "odd ""schema"')
    make(conn, '"odd ""schema"."ledger; DROP TABLE x"')
    assert versions(conn, table='odd "schema.ledger; DROP TABLE x') == ["001", "002"]


def test_a_role_without_the_right_to_read_is_told_what_to_ask_for(
    conn: Conn, database: Dsn, server: EmbeddedServer
) -> None:
    make(conn)
    conn.execute("CREATE SCHEMA ops")
    conn.execute("ALTER TABLE tb_confiture SET SCHEMA ops")
    server.create_login("ledger_reader")
    with psycopg.connect(server.dsn(database_name(conn), "ledger_reader").conninfo(), autocommit=True) as reader:
        with pytest.raises(ConfitureError, match=r"ledger_reader may not read ops\.tb_confiture") as caught:
            read_ledger(reader)
        assert "USAGE on schema ops and SELECT on ops.tb_confiture" in caught.value.hint
        conn.execute("GRANT USAGE ON SCHEMA ops TO ledger_reader")
        with pytest.raises(ConfitureError) as caught:
            read_ledger(reader)
        assert "USAGE" not in caught.value.hint
        conn.execute(
            "GRANT SELECT (version, name, applied_at, checksum, applied_by, execution_time_ms) "
            "ON ops.tb_confiture TO ledger_reader"
        )
        assert versions(reader) == ["001", "002"], "the columns that are read are enough"
        conn.execute("ALTER TABLE ops.tb_confiture ENABLE ROW LEVEL SECURITY")
        ledger = read_ledger(reader)
        assert ledger is not None
        assert ledger.migrations == ()
        assert "hidden" in ledger.notes[0]


def database_name(conn: Conn) -> str:
    return conn.info.dbname


def test_a_ledger_that_is_locked_is_not_waited_for(conn: Conn, database: Dsn) -> None:
    make(conn)
    with psycopg.connect(database.conninfo()) as other:
        other.execute("LOCK TABLE tb_confiture IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(ConfitureError, match="holds a lock") as caught:
            read_ledger(conn)
        assert caught.value.hint
        other.rollback()
    assert versions(conn) == ["001", "002"]


@pytest.mark.parametrize("autocommit", [True, False])
def test_the_connection_is_left_as_it_was(conn: Conn, database: Dsn, autocommit: bool) -> None:
    make(conn)
    with psycopg.connect(database.conninfo(), autocommit=autocommit, row_factory=dict_row) as other:
        assert versions(other) == ["001", "002"]
        assert other.info.transaction_status.name == "IDLE"
        if autocommit:
            other.execute("BEGIN")
        other.execute("CREATE TABLE mine (a int)")
        assert versions(other) == ["001", "002"]
        assert other.info.transaction_status.name == "INTRANS"
        assert other.execute("SHOW lock_timeout").fetchone() == {"lock_timeout": "0"}
        other.execute("COMMIT")
    assert conn.execute("SELECT count(*) FROM mine").fetchone() == (0,)


def test_nothing_is_written(conn: Conn) -> None:
    make(conn)
    conn.execute("SET default_transaction_read_only = on")
    assert versions(conn) == ["001", "002"]


def test_a_lost_connection_is_a_sentence(conn: Conn) -> None:
    conn.close()
    with pytest.raises(ConfitureError, match="could not be read") as caught:
        read_ledger(conn)
    assert caught.value.hint
