"""Questions to the data: read-only, bounded in time, and leaving the connection as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.risk.probes import COUNTED, Prober, Question
from confiture_tui.database.connection import connect

if TYPE_CHECKING:
    from confiture_tui.database.dsn import Dsn

Connection = psycopg.Connection[tuple[object, ...]]


def rows(sql: str) -> Question:
    return Question("23502", "rows", sql)


def test_found_and_counted(conn: Connection) -> None:
    conn.execute("CREATE TABLE t AS SELECT CASE WHEN i % 10 = 0 THEN i END AS v FROM generate_series(1, 100) i")
    none, some = Prober(conn).ask(
        [rows("SELECT FROM public.t WHERE v < 0"), rows("SELECT FROM public.t WHERE v IS NULL")]
    )
    assert (none.found, none.rows) == (False, None)
    assert (some.found, some.rows, some.rows_at_least) == (True, 90, False)
    assert some.sentence() == "A probe found 90 rows."


def test_counting_stops(conn: Connection) -> None:
    conn.execute("CREATE TABLE t AS SELECT i FROM generate_series(1, 5000) i")
    (many,) = Prober(conn).ask([rows("SELECT FROM public.t")])
    assert (many.rows, many.rows_at_least) == (COUNTED, True)
    assert many.sentence() == "A probe found at least 1,000 rows."


def test_nothing_can_be_written(conn: Connection) -> None:
    conn.execute("CREATE TABLE t (v int)")
    conn.execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'INSERT INTO public.t VALUES (1) RETURNING v'")
    (refused,) = Prober(conn).ask([rows("SELECT FROM public.f() WHERE f > 0")])
    assert refused.found is None
    assert refused.why_not == "the server refused (25006)"
    assert conn.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_an_unqualified_name_never_means_something_of_the_users(conn: Connection) -> None:
    conn.execute("CREATE FUNCTION mine(int) RETURNS bool LANGUAGE sql AS 'SELECT true'")
    conn.execute("CREATE TABLE t AS SELECT 1 AS v")
    (refused,) = Prober(conn).ask([rows("SELECT FROM public.t WHERE mine(v)")])
    assert refused.why_not == "the server refused (42883)"


def test_time_is_limited_and_a_failure_costs_only_its_question(conn: Connection) -> None:
    slow = rows("SELECT FROM generate_series(1, 1000000000) i WHERE i < 0")
    late, quick = Prober(conn, each=0.05).ask([slow, rows("SELECT FROM pg_catalog.pg_class")])
    assert late.found is None
    assert late.why_not is not None
    assert late.why_not.startswith("it takes longer")
    assert quick.found is True


def test_the_budget_is_for_all_questions(conn: Connection) -> None:
    slow = rows("SELECT FROM generate_series(1, 1000000000) i WHERE i < 0")
    prober = Prober(conn, budget=0.05, each=10)
    assert prober.ask([slow])[0].found is None
    (never,) = prober.ask([rows("SELECT FROM pg_catalog.pg_class")])
    assert never.why_not == "the time for probes is used up"


def test_an_equal_question_is_asked_once(conn: Connection) -> None:
    conn.execute("CREATE TABLE t AS SELECT 1 AS v")
    prober = Prober(conn)
    first = prober.ask([rows("SELECT FROM public.t")])
    conn.execute("DELETE FROM t")
    assert prober.ask([rows("SELECT FROM public.t")]) == first


def test_statistics_are_told_where_there_is_no_answer(conn: Connection) -> None:
    question = Question("23502", "rows", "SELECT FROM no.such", statistics="statistics say that 3 % are")
    assert Prober(conn).ask([question])[0].why_not == "the server refused (42P01); statistics say that 3 % are"


def test_a_lock_of_somebody_elses_is_not_waited_for(conn: Connection, database: Dsn) -> None:
    conn.execute("CREATE TABLE t (v int)")
    with connect(database) as other, other.transaction():
        other.execute("LOCK TABLE t")
        (refused,) = Prober(conn).ask([rows("SELECT FROM public.t")])
    assert refused.why_not == "somebody holds a lock on the table"


def test_row_security_hides_nothing_silently(conn: Connection, database: Dsn) -> None:
    conn.execute("CREATE TABLE t AS SELECT 1 AS v")
    conn.execute("ALTER TABLE t ENABLE ROW LEVEL SECURITY")
    conn.execute("DROP ROLE IF EXISTS probe_reader")
    conn.execute("CREATE ROLE probe_reader")
    conn.execute("GRANT SELECT ON t TO probe_reader")
    try:
        conn.execute("SET ROLE probe_reader")
        (refused,) = Prober(conn).ask([rows("SELECT FROM public.t")])
    finally:
        conn.execute("RESET ROLE")
        conn.execute("DROP OWNED BY probe_reader")
        conn.execute("DROP ROLE probe_reader")
    assert refused.why_not == "the server refused (42501)"


def test_the_connection_is_left_as_it_was(conn: Connection) -> None:
    conn.execute("SET statement_timeout = '7s'")
    Prober(conn).ask([rows("SELECT FROM pg_catalog.pg_class"), rows("SELECT FROM no.such")])
    assert conn.autocommit
    assert conn.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
    assert conn.execute("SHOW statement_timeout").fetchone() == ("7s",)
    conn.autocommit = False
    conn.execute("CREATE TABLE mine (v int)")
    (seen,) = Prober(conn).ask([rows("SELECT FROM public.mine")])
    assert seen.found is False
    conn.commit()
    assert conn.execute("SELECT count(*) FROM mine").fetchone() == (0,)
    conn.rollback()


def test_a_lost_connection_is_not_a_finding(conn: Connection, database: Dsn) -> None:
    with connect(database) as doomed:
        prober = Prober(doomed)
        prober.ask([rows("SELECT FROM pg_catalog.pg_class")])
        conn.execute("SELECT pg_terminate_backend(%s, 5000)", (doomed.info.backend_pid,))
        with pytest.raises(psycopg.OperationalError):
            prober.ask([rows("SELECT FROM pg_catalog.pg_proc")])


def test_a_catalog_says_which_tables_are_empty(conn: Connection) -> None:
    from confiture_tui.core.risk.questions import emptiness

    conn.execute('CREATE TABLE "A b" (v int); CREATE VIEW w AS SELECT 1 AS one')
    catalog = Catalog.load(conn)
    question = emptiness(catalog, 'public."A b"')
    assert question is not None
    assert Prober(conn).ask([question])[0].found is False
    assert emptiness(catalog, "public.w") is None
    assert emptiness(catalog, "public.none") is None
