"""Settling what is left by a person's word: never while a run is under way, and only what was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.runner import advisory_lock
from confiture_tui.core.runner.advisory_lock import LockHeld
from confiture_tui.core.runner.journal import Journal, JournalState
from confiture_tui.core.runner.recovery import clean_up, left_overs, mark
from confiture_tui.core.runner.runner import MigrationRunner
from confiture_tui.database.ledger_table import LedgerTable
from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.core.runner.journal import JournalEntry
    from confiture_tui.database.dsn import Dsn

    Settles = Callable[[psycopg.Connection[Any], JournalEntry], object]

JOURNAL, LEDGER = Journal("public"), LedgerTable("public")
INDEXED = Migration.from_sql("CREATE INDEX CONCURRENTLY jar_n ON jar (n)", version="001", name="jar")


def left_by_a_crash(conn: psycopg.Connection[Any]) -> JournalEntry:
    """The entry of a run that was killed while it built an index, which is there and not valid."""
    conn.execute("CREATE TABLE jar (n int)")
    conn.execute("CREATE INDEX jar_n ON jar (n)")
    conn.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'jar_n'::regclass")
    LEDGER.create(conn)
    JOURNAL.create(conn)
    entry = JOURNAL.begin(
        conn,
        run_id="00000000-0000-0000-0000-000000000000",
        version="001",
        name="jar",
        direction="forward",
        checksum=INDEXED.checksum,
        transactional=False,
        statements=1,
        tool_version="0",
    )
    JOURNAL.update(conn, entry, state=JournalState.RUNNING, statement_begun=1)
    (left,) = left_overs(conn, JOURNAL, [INDEXED])
    assert left.actions == ("resume", "clean_up", "mark_applied", "mark_pending")
    return left.entry


def as_applied(conn: psycopg.Connection[Any], entry: JournalEntry) -> None:
    mark(conn, JOURNAL, LEDGER, entry, applied=True)


def cleaned(conn: psycopg.Connection[Any], entry: JournalEntry) -> None:
    clean_up(conn, JOURNAL, entry, INDEXED)


def resumed(conn: psycopg.Connection[Any], entry: JournalEntry) -> None:
    MigrationRunner(conn).resume(INDEXED, entry)


def check_that_nothing_was_changed(conn: psycopg.Connection[Any]) -> None:
    assert conn.execute("SELECT to_regclass('jar_n') IS NOT NULL").fetchone() == (True,)
    assert not LEDGER.holds(conn, "001")


@pytest.mark.parametrize("settles", [as_applied, cleaned, resumed])
def test_nothing_is_settled_while_a_run_is_under_way(
    conn: psycopg.Connection[Any], database: Dsn, settles: Settles
) -> None:
    entry = left_by_a_crash(conn)
    with psycopg.connect(database.conninfo(), autocommit=True) as other, advisory_lock.held(other):
        with pytest.raises(LockHeld):
            settles(conn, entry)
        check_that_nothing_was_changed(conn)
    settles(conn, entry)
    assert not JOURNAL.open_entries(conn)


@pytest.mark.parametrize("settles", [as_applied, cleaned, resumed])
@pytest.mark.parametrize("since", [{"state": JournalState.DONE}, {"statement_done": 1}], ids=["ended", "went on"])
def test_what_somebody_has_gone_on_with_is_not_settled(
    conn: psycopg.Connection[Any], settles: Settles, since: dict[str, Any]
) -> None:
    entry = left_by_a_crash(conn)
    JOURNAL.update(conn, entry.id, **since)
    with pytest.raises(UsageError, match="gone on with 001_jar meanwhile"):
        settles(conn, entry)
    check_that_nothing_was_changed(conn)
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    assert conn.execute(held).fetchone() == (0,)
