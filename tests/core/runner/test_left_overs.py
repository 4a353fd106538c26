"""What a run has left behind is found out, and settled."""

from __future__ import annotations

from typing import Any

import pytest

from confiture_tui.core.runner.failures import HalfWay
from confiture_tui.core.runner.journal import Journal, JournalState
from confiture_tui.core.runner.recovery import LeftState, history, mark, settle_journal
from confiture_tui.core.runner.runner import MigrationRunner
from confiture_tui.database.ledger_table import LedgerTable
from confiture_tui.errors import UsageError
from tests.core.runner.running import QUICK, Connection, a_hook, applied, apply, exists, migration, states


def leave(conn: Connection, *, state: JournalState, transaction_id: str | None = None, **columns: Any) -> int:
    """An entry as a run that was killed leaves it."""
    LedgerTable("public").create(conn)
    journal = Journal("public")
    journal.create(conn)
    entry = journal.begin(
        conn,
        run_id="00000000-0000-0000-0000-000000000000",
        version="001",
        name="step",
        direction="forward",
        checksum=migration("CREATE TABLE a (id int)").checksum,
        transactional=columns.pop("transactional", True),
        statements=1,
        tool_version="0",
    )
    journal.update(conn, entry, state=state, transaction_id=transaction_id, **columns)
    return entry


def test_a_run_that_was_killed_before_the_commit_needs_nobody(conn: Connection) -> None:
    leave(conn, state=JournalState.RUNNING)
    assert settle_journal(conn, Journal("public")) == ()
    assert states(conn) == ["failed"]
    assert apply(conn, migration("CREATE TABLE a (id int)")).ok


@pytest.mark.parametrize("committed", [True, False])
def test_a_run_that_was_killed_during_the_commit_is_settled_by_the_server(conn: Connection, committed: bool) -> None:
    conn.execute("BEGIN")
    (xid,) = conn.execute("SELECT pg_current_xact_id()::text").fetchone() or (None,)
    conn.execute("CREATE TABLE a (id int)")
    conn.execute("COMMIT" if committed else "ROLLBACK")
    leave(conn, state=JournalState.COMMITTING, transaction_id=xid)
    assert settle_journal(conn, Journal("public")) == ()
    assert states(conn) == ["done" if committed else "failed"]


def test_a_commit_before_hooks_that_were_never_run_is_half_way(conn: Connection) -> None:
    conn.execute("BEGIN")
    (xid,) = conn.execute("SELECT pg_current_xact_id()::text").fetchone() or (None,)
    conn.execute("COMMIT")
    one = migration("CREATE TABLE a (id int)")
    leave(conn, state=JournalState.COMMITTING, transaction_id=xid, hooks_after=True)
    (left,) = settle_journal(conn, Journal("public"))
    assert left.state is LeftState.HOOKS_PENDING
    ran: list[str] = []
    hook = a_hook(lambda *_: ran.append("now"), transactional=False)
    assert MigrationRunner(conn, policy=QUICK).resume(one, left.entry, hooks=[hook]).ok
    assert ran == ["now"]
    assert not exists(conn, "a"), "what is committed is not run again"


@pytest.mark.parametrize("as_applied", [True, False])
def test_a_person_can_settle_what_is_left(conn: Connection, as_applied: bool) -> None:
    leave(conn, state=JournalState.COMMITTING, transaction_id="4294967296000")
    (left,) = settle_journal(conn, Journal("public"))
    assert left.state is LeftState.UNKNOWN
    with pytest.raises(HalfWay):
        apply(conn, migration("CREATE TABLE a (id int)"))
    mark(conn, Journal("public"), LedgerTable("public"), left.entry, applied=as_applied)
    assert applied(conn) == (["001"] if as_applied else [])
    assert settle_journal(conn, Journal("public")) == ()


def test_a_file_that_has_changed_is_not_resumed(conn: Connection) -> None:
    leave(conn, state=JournalState.RUNNING, transactional=False, statement_begun=1)
    (left,) = settle_journal(conn, Journal("public"))
    with pytest.raises(UsageError, match="no longer the file"):
        MigrationRunner(conn).resume(migration("CREATE TABLE other (id int)"), left.entry)


@pytest.mark.parametrize("valid", [True, False])
def test_resume_finds_out_what_became_of_an_index(conn: Connection, valid: bool) -> None:
    one = migration("CREATE INDEX CONCURRENTLY a_id ON a (id)")
    conn.execute("CREATE TABLE a (id int); CREATE INDEX a_id ON a (id)")
    if not valid:
        conn.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'a_id'::regclass")
    before = conn.execute("SELECT 'a_id'::regclass::oid").fetchone()
    leave(conn, state=JournalState.RUNNING, transactional=False, statement_begun=1, checksum=one.checksum)
    (left,) = settle_journal(conn, Journal("public"))
    assert MigrationRunner(conn, policy=QUICK).resume(one, left.entry).ok
    after = conn.execute("SELECT i.indexrelid, i.indisvalid FROM pg_index i WHERE indrelid = 'a'::regclass").fetchall()
    assert [row[1] for row in after] == [True]
    assert (before == after[0][:1]) is valid
    assert applied(conn) == ["001"]


def test_the_history_says_what_became_of_a_run_that_was_killed_and_changes_nothing(conn: Connection) -> None:
    leave(conn, state=JournalState.RUNNING)
    leave(conn, state=JournalState.RUNNING, transactional=False, statement_begun=1)
    stepwise, whole = history(conn, Journal("public"))
    assert stepwise.state == JournalState.INTERRUPTED
    assert (whole.state, whole.end_seen) == (JournalState.FAILED, False)
    assert states(conn) == ["running", "running"]
