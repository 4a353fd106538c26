"""An index that CREATE INDEX CONCURRENTLY did not finish: ours is dropped or told of, another's is left alone."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.core.runner.invalid_indexes import left_invalid_by
from confiture_tui.core.runner.journal import Journal
from confiture_tui.core.runner.recovery import left_overs
from confiture_tui.core.runner.result import RunOutcome
from confiture_tui.core.sql.script import Script
from confiture_tui.database.cancellation import CancelScope
from confiture_tui.events import Event, EventName
from tests.core.runner.running import Connection, applied, apply, exists, migration, outcomes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_tui.database.dsn import Dsn

_BUILDING = """
SELECT a.pid FROM pg_stat_activity a JOIN pg_index i ON NOT i.indisvalid
WHERE a.query LIKE 'CREATE INDEX CONCURRENTLY%' AND a.wait_event_type = 'Lock'
"""


def building(conn: Connection) -> int:
    """The backend that waits in the middle of building an index, once it does."""
    while (row := conn.execute(_BUILDING).fetchone()) is None:
        pass
    return int(row[0])


@pytest.fixture
def writer(conn: Connection, database: Dsn) -> Iterator[Connection]:
    """A transaction that has written to ``a``: an index of it cannot be finished before it ends."""
    conn.execute("CREATE TABLE a (id int); CREATE TABLE b (id int)")
    with psycopg.connect(database.conninfo()) as one:
        one.execute("INSERT INTO a VALUES (1)")
        yield one


def meanwhile(work: Callable[[], object], *, of: int = 1) -> Callable[[Event], None]:
    """A sink that has this done, once, as soon as the statement of this number has begun."""
    threads: list[threading.Thread] = []

    def sink(event: Event) -> None:
        if event.name is EventName.STATEMENT_START and event.statement == of and not threads:
            threads.append(threading.Thread(target=work, daemon=True))
            threads[0].start()

    return sink


def test_a_cancelled_build_leaves_no_index(conn: Connection, writer: Connection) -> None:
    scope = CancelScope()

    def press() -> None:
        building(conn)
        scope.cancel()
        writer.rollback()

    result = apply(conn, migration("CREATE INDEX CONCURRENTLY a_id ON a (id)"), scope=scope, sink=meanwhile(press))
    assert (outcomes(result), result.exit_code) == ([RunOutcome.FAILED], 130)
    assert not exists(conn, "a_id")


def test_a_build_whose_connection_was_lost_is_told_as_half_way(conn: Connection, writer: Connection) -> None:
    one = migration("CREATE INDEX CONCURRENTLY a_id ON a (id)")

    def end() -> None:
        conn.execute("SELECT pg_terminate_backend(%s)", (building(conn),))

    result = apply(conn, one, sink=meanwhile(end))
    assert outcomes(result) == [RunOutcome.INTERRUPTED]
    assert "how statement 1 ended is not known" in (result.migrations[0].error or "").lower()
    assert exists(conn, "a_id")
    (left,) = left_overs(conn, Journal("public"), [one])
    assert left.invalid == ("public.a_id",)
    assert "resume" in left.actions


def test_an_index_that_somebody_builds_just_now_is_nothing_that_was_left(
    conn: Connection, database: Dsn, writer: Connection
) -> None:
    sql = "CREATE INDEX CONCURRENTLY a_id ON a (id)"
    (statement,) = Script.from_text(sql).statements

    def build() -> None:
        with psycopg.connect(database.conninfo(), autocommit=True) as other:
            other.execute(sql.encode())

    thread = threading.Thread(target=build, daemon=True)
    thread.start()
    building(conn)
    assert left_invalid_by(conn, statement) == ()
    writer.rollback()
    thread.join(30)
    assert conn.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('a_id')").fetchone() == (True,)


@pytest.mark.parametrize(
    ("sql", "left"),
    [
        ("CREATE INDEX CONCURRENTLY a_id ON a (id)", ["a_id"]),
        ("CREATE INDEX CONCURRENTLY a_id ON b (id)", []),
        ("CREATE INDEX CONCURRENTLY ON public.a (id)", ['"A odd_ccnew"', "a_id", "a_pkey_ccnew1"]),
        ("CREATE INDEX a_id ON a (id)", []),
        ("REINDEX INDEX CONCURRENTLY a_pkey", ['"A odd_ccnew"', "a_pkey_ccnew1"]),
        ("REINDEX TABLE CONCURRENTLY a", ['"A odd_ccnew"', "a_pkey_ccnew1"]),
        ("REINDEX TABLE CONCURRENTLY parted", ["part_ccold"]),
        ("REINDEX SCHEMA CONCURRENTLY other", ["c_ccnew"]),
    ],
)
def test_only_what_a_statement_can_have_left_is_its_own(conn: Connection, sql: str, left: list[str]) -> None:
    conn.execute(
        "CREATE TABLE a (id int PRIMARY KEY, n int); CREATE INDEX a_id ON a (n); CREATE TABLE b (id int);"
        'CREATE INDEX "A odd_ccnew" ON a (n); CREATE INDEX a_pkey_ccnew1 ON a (n); CREATE INDEX b_ccnew_x ON b (id);'
        "CREATE TABLE parted (id int) PARTITION BY LIST (id); CREATE TABLE part PARTITION OF parted DEFAULT;"
        "CREATE INDEX part_ccold ON part (id);"
        "CREATE SCHEMA other; CREATE TABLE other.c (id int); CREATE INDEX c_ccnew ON other.c (id)"
    )
    conn.execute(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid IN "
        "(SELECT oid FROM pg_class WHERE relname ~ '(a_id|_cc(new|old).*)$')"
    )
    (statement,) = Script.from_text(sql).statements
    assert [index.label.partition(".")[2] for index in left_invalid_by(conn, statement)] == left


def test_a_partition_that_is_half_detached_is_told(conn: Connection, database: Dsn) -> None:
    conn.execute(
        "CREATE TABLE parted (id int) PARTITION BY LIST (id); CREATE TABLE part PARTITION OF parted FOR VALUES IN (1)"
    )
    scope, over = CancelScope(), threading.Event()
    with psycopg.connect(database.conninfo()) as reader:
        reader.execute("SELECT FROM parted")

        def press() -> None:
            while conn.execute("SELECT 1 FROM pg_inherits WHERE inhdetachpending").fetchone() is None:
                pass
            while not over.wait(0.05):
                scope.cancel()

        text = "CREATE TABLE first (id int);\nALTER TABLE parted DETACH PARTITION part CONCURRENTLY;"
        result = apply(conn, migration(text), scope=scope, sink=meanwhile(press, of=2))
        over.set()
    assert outcomes(result) == [RunOutcome.INTERRUPTED]
    assert "Statements 1 to 1 of 2 stand" in (result.migrations[0].error or "")


def test_what_is_applied_already_is_not_run_again_outside_a_transaction_either(conn: Connection) -> None:
    conn.execute("CREATE TABLE a (id int)")
    one = migration("CREATE INDEX CONCURRENTLY IF NOT EXISTS a_id ON a (id);\nINSERT INTO a VALUES (1);")
    assert apply(conn, one).ok
    result = apply(conn, one)
    assert outcomes(result) == [RunOutcome.FAILED]
    assert "in the ledger already" in (result.migrations[0].error or "")
    assert conn.execute("SELECT count(*) FROM a").fetchone() == (1,)
    assert applied(conn) == ["001"]
