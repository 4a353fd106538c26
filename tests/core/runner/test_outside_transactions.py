"""Statements outside a transaction are journalled one by one, and gone on with."""

from __future__ import annotations

from confiture_tui.core.runner.journal import TABLE, Journal
from confiture_tui.core.runner.recovery import LeftState, settle_journal
from confiture_tui.core.runner.result import RunOutcome
from confiture_tui.core.runner.runner import MigrationRunner
from tests.core.runner.running import QUICK, Connection, applied, apply, exists, migration, outcomes

STEPS = (
    "CREATE TABLE a (id int);\nINSERT INTO a SELECT generate_series(1, 100);\n"
    "CREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id);\nALTER TABLE a ADD COLUMN n int;"
)


def test_statements_outside_a_transaction_are_journalled_one_by_one(conn: Connection) -> None:
    result = apply(conn, migration(STEPS))
    assert outcomes(result) == [RunOutcome.APPLIED]
    row = conn.execute(f"SELECT transactional, statement_begun, statement_done, state FROM {TABLE}").fetchone()
    assert row == (False, 4, 4, "done")


def test_half_way_outside_a_transaction_is_told_and_resumed(conn: Connection) -> None:
    one = migration(STEPS.replace("generate_series(1, 100)", "unnest('{1,1}'::int[])"))
    result = apply(conn, one)
    assert outcomes(result) == [RunOutcome.INTERRUPTED]
    assert "Statements 1 to 2 of 4 stand" in (result.migrations[0].error or "")
    assert not exists(conn, "a_id"), "the invalid index was dropped"
    (left,) = settle_journal(conn, Journal("public"))
    assert left.state is LeftState.PARTLY_DONE
    conn.execute("DELETE FROM a WHERE ctid <> (SELECT min(ctid) FROM a)")
    resumed = MigrationRunner(conn, policy=QUICK).resume(one, left.entry)
    assert outcomes(resumed) == [RunOutcome.APPLIED]
    assert applied(conn) == ["001"]
    assert exists(conn, "a_id")


def test_what_the_file_has_set_counts_when_it_is_resumed(conn: Connection) -> None:
    conn.execute("CREATE SCHEMA other")
    one = migration(
        "SET search_path = other;\nCREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY a_id ON a (id);\n"
        "SELECT * FROM public.gate;\nCREATE TABLE b (id int);"
    )
    assert outcomes(apply(conn, one)) == [RunOutcome.INTERRUPTED]
    conn.execute("CREATE TABLE public.gate (id int)")
    (left,) = settle_journal(conn, Journal("public"))
    assert MigrationRunner(conn, policy=QUICK).resume(one, left.entry).ok
    assert exists(conn, "other.b")


def test_a_failure_of_the_first_statement_outside_a_transaction_leaves_nothing(conn: Connection) -> None:
    conn.execute("CREATE TABLE a (id int); INSERT INTO a VALUES (1), (1)")
    result = apply(conn, migration("CREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id)"))
    assert outcomes(result) == [RunOutcome.FAILED]
    assert not exists(conn, "a_id")


def test_an_invalid_index_behind_if_not_exists_is_a_failure(conn: Connection) -> None:
    conn.execute("CREATE TABLE a (id int); CREATE INDEX a_id ON a (id)")
    conn.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'a_id'::regclass")
    result = apply(conn, migration("CREATE INDEX CONCURRENTLY IF NOT EXISTS a_id ON a (id)"))
    assert outcomes(result) == [RunOutcome.FAILED]
    assert "is not valid" in (result.migrations[0].error or "")


def test_the_files_own_settings_win(conn: Connection) -> None:
    text = (
        "SET lock_timeout = '7s';\nCREATE TABLE a AS SELECT current_setting('lock_timeout') AS own;\n"
        "CREATE INDEX CONCURRENTLY a_own ON a (own);"
    )
    assert apply(conn, migration(text)).ok
    assert conn.execute("SELECT own FROM a").fetchone() == ("7s",)
