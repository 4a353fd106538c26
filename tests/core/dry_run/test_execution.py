"""Running one statement: its tag, its notices, its failure; whatever it returns is not kept."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.dry_run.execution import MOST_NOTICES, run_statement
from confiture_tui.core.sql.script import Script
from confiture_tui.database.cancellation import CancelScope
from confiture_tui.errors import Cancelled
from tests.support.processes import PythonProcess

if TYPE_CHECKING:
    from confiture_tui.core.dry_run.execution import Ran
    from confiture_tui.database.dsn import Dsn


def run(conn: psycopg.Connection[Any], sql: str, **options: Any) -> Ran:
    (statement,) = Script.from_text(sql).statements
    return run_statement(conn, statement, **options)


@pytest.mark.parametrize(
    ("sql", "tag"),
    [
        ("SELECT 1", "SELECT 1"),
        ("SELECT generate_series(1, 500)", "SELECT 500"),
        ("SELECT generate_series(1, 501)", "SELECT 501"),
        ("SELECT 1 WHERE false", "SELECT 0"),
        ("VALUES (1), (2)", "SELECT 2"),
        ("CREATE TABLE u (id int)", "CREATE TABLE"),
        ("INSERT INTO t SELECT generate_series(1, 700) RETURNING id", "INSERT 0 700"),
        ("UPDATE t SET id = 2 WHERE id = 1", "UPDATE 1"),
        ("SHOW work_mem", "SHOW"),
        ("EXPLAIN SELECT 1", "EXPLAIN"),
        ("DO $$ BEGIN END $$", "DO"),
        ("COPY (SELECT generate_series(1, 3)) TO STDOUT", "COPY 3"),
        ("COPY t FROM STDIN;\n1\n2\n\\.\n", "COPY 2"),
        ("SELECT 5 % 2, '%s'", "SELECT 1"),
    ],
)
def test_the_tag_is_the_servers(conn: psycopg.Connection[Any], sql: str, tag: str) -> None:
    conn.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    ran = run(conn, sql)
    assert ran.ok, ran.failure
    assert ran.status == tag
    assert conn.info.transaction_status is psycopg.pq.TransactionStatus.IDLE


@pytest.mark.parametrize(
    ("sql", "state"),
    [
        ("SELECT 1 / 0", "22012"),
        ("SELECT 1 / (600 - n) FROM generate_series(1, 1000) n", "22012"),
        ("COPY t FROM STDIN;\nnonsense\n\\.\n", "22P02"),
        ("COPY t FROM STDIN", None),
        ("SELECT * FROM nowhere", "42P01"),
    ],
)
def test_a_failure_leaves_the_connection_usable(conn: psycopg.Connection[Any], sql: str, state: str | None) -> None:
    conn.execute("CREATE TABLE t (id int)")
    ran = run(conn, sql)
    if state is not None:
        assert ran.failure is not None
        assert ran.failure.sqlstate == state
    assert conn.execute("SELECT 5").fetchone() == (5,)


@pytest.mark.parametrize("sql", ["COPY t FROM STDIN", "COPY t TO STDOUT"])
def test_a_copy_that_the_parser_did_not_see_does_not_hang(conn: psycopg.Connection[Any], sql: str) -> None:
    conn.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    (statement,) = Script.from_text(sql).statements
    run_statement(conn, dataclasses.replace(statement, node=None, node_kind=None, copy_data=None))
    assert conn.execute("SELECT 5").fetchone() == (5,)


def test_very_many_notices_are_counted_not_kept(conn: psycopg.Connection[Any]) -> None:
    more = MOST_NOTICES + 7
    ran = run(conn, f"DO $$ BEGIN FOR i IN 1..{more} LOOP RAISE NOTICE 'n%', i; END LOOP; END $$")
    assert len(ran.notices) == MOST_NOTICES + 1
    assert ran.notices[0] == "NOTICE: n1"
    assert ran.notices[-1] == "… and 7 more notices."


def test_a_cancel_is_known_by_who_asked_and_not_by_the_servers_words(conn: psycopg.Connection[Any]) -> None:
    scope = CancelScope()
    by_itself = run(conn, "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(60)", scope=scope)
    assert by_itself.failure is not None
    assert by_itself.failure.sqlstate == "57014"
    scope.request()
    with pytest.raises(Cancelled):
        run(conn, "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(60)", scope=scope)


_BIG = """
import resource, sys, psycopg
from confiture_tui.core.dry_run.execution import run_statement
from confiture_tui.core.sql.script import Script

with psycopg.connect(sys.argv[1], autocommit=True) as conn:
    def run(sql):
        (statement,) = Script.from_text(sql).statements
        return run_statement(conn, statement)
    run("SELECT repeat('x', 1000) FROM generate_series(1, 100)")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ran = run("SELECT repeat('x', 1000) FROM generate_series(1, 100000)")
    print(ran.status)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * (1 if sys.platform == "darwin" else 1024))
"""


def test_a_result_of_any_size_takes_no_memory(database: Dsn) -> None:
    """A hundred megabytes of rows, in a process of its own: its peak must not grow by a fifth of that."""
    with PythonProcess(_BIG, database.conninfo()) as process:
        assert process.line() == "SELECT 100000"
        assert int(process.line()) < 20 * 1024 * 1024
