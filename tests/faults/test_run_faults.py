"""Whatever happens to a run, schema, ledger and journal agree, or the next start says what to do and doing it works."""

from __future__ import annotations

import os
import signal
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.runner.journal import Journal, JournalState
from confiture_tui.core.runner.recovery import settle_journal
from confiture_tui.core.runner.result import RunOutcome
from confiture_tui.core.runner.runner import MigrationRunner
from confiture_tui.core.runner.session import APPLICATION_NAME
from confiture_tui.database.connection import connect
from confiture_tui.database.embedded import EmbeddedServer
from confiture_tui.events import Event, EventName
from tests.faults.running import (
    CHILD,
    JOURNALLED,
    MIGRATIONS,
    POLICY,
    Connection,
    bring_to_an_end,
    check_that_all_is_done,
    exists,
    hooks_of,
    in_ledger,
    migrations,
    sessions_are_gone,
)
from tests.support.cutting_proxy import CuttingProxy
from tests.support.processes import PythonProcess, until

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_tui.database.dsn import Dsn
    from tests.faults.conftest import Tried


@pytest.mark.parametrize("kind", list(MIGRATIONS))
def test_kill_9_at_every_event(databases: Any, kind: str, tried: Tried) -> None:
    """A process is killed at its first event, another one at its second, and so on until one comes to its end."""
    moment = 0
    while True:
        moment += 1
        place = databases.fresh()
        with connect(place) as conn, PythonProcess(CHILD, place.conninfo(), kind) as child:
            line = ""
            for _ in range(moment):
                line = child.line()
                if line == "over":
                    break
                if _ < moment - 1:
                    child.go_on()
            if line == "over":
                check_that_all_is_done(conn, kind)
                break
            os.kill(child.process.pid, signal.SIGKILL)
            tried("our process killed by SIGKILL, at every event in turn")
            child.process.wait()
            until(partial(sessions_are_gone, conn), "the server noticed that the process is gone")
            if kind == "whole":
                # Before anybody does anything about it: all of it, or nothing.
                settle_journal(conn, Journal("public")) if exists(conn, JOURNALLED) else None
                assert exists(conn, "a") == exists(conn, "b") == in_ledger(conn), (moment, line)
            bring_to_an_end(conn, kind)
            check_that_all_is_done(conn, kind)
    assert moment > 5, "there were events at which to kill"


@pytest.mark.parametrize("kind", list(MIGRATIONS))
def test_our_session_is_terminated_at_every_event(databases: Any, kind: str, tried: Tried) -> None:
    moment = 0
    while True:
        moment += 1
        place = databases.fresh()
        with connect(place) as conn:
            seen: list[Event] = []

            def sink(event: Event, conn: Connection = conn, seen: list[Event] = seen, moment: int = moment) -> None:
                seen.append(event)
                if len(seen) == moment:
                    conn.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
                        (APPLICATION_NAME,),
                    )

            chosen = migrations(kind)
            result = MigrationRunner(conn, policy=POLICY, sink=sink).apply(chosen, hooks=hooks_of(chosen))
            assert result.migrations[0].outcome in (
                RunOutcome.APPLIED,
                RunOutcome.FAILED,
                RunOutcome.INTERRUPTED,
            )
            if len(seen) < moment:
                assert result.ok
                break
            tried("our session terminated by another one, at every event in turn")
            if result.migrations[0].outcome is RunOutcome.FAILED:
                assert not in_ledger(conn)
                assert not exists(conn, "a")
            until(partial(sessions_are_gone, conn), "the sessions are gone")
            bring_to_an_end(conn, kind)
            check_that_all_is_done(conn, kind)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["whole", "backfill"])
def test_the_connection_is_cut_during_commit(
    conn: Connection, database: Dsn, tmp_path: Path, kind: str, when: Any, tried: Tried
) -> None:
    events: list[EventName] = []
    chosen = migrations(kind)
    with (
        CuttingProxy(database, tmp_path, word=b"COMMIT", when=when) as proxy,
        psycopg.connect(proxy.conninfo, autocommit=True) as through,
    ):
        runner = MigrationRunner(through, policy=POLICY, sink=lambda event: events.append(event.name))
        # Without the hooks whose own COMMIT would be the first.
        hooks = [one for one in hooks_of(chosen)["001"] if one.runs_in is not HookPhase.BEFORE_VALIDATION]
        result = runner.apply(chosen, hooks={"001": hooks})
        assert proxy.cuts == 1
    tried("connection cut during COMMIT, so that its outcome was unknown")
    assert EventName.OUTCOME_UNKNOWN in events
    assert EventName.OUTCOME_SETTLED in events
    if when == "after":
        assert result.ok, result.migrations[0].error
    else:
        assert result.migrations[0].outcome is RunOutcome.FAILED
        assert not exists(conn, "a")
        assert not in_ledger(conn)
    bring_to_an_end(conn, kind)
    check_that_all_is_done(conn, kind)


def test_the_server_crashes_and_comes_back(tried: Tried) -> None:
    with EmbeddedServer.start() as server:
        server.create_database("shop")
        pids: list[int] = []

        def sink(event: Event) -> None:
            if event.name is EventName.STATEMENT_START and event.statement == 2:
                with connect(server.dsn("shop")) as look:
                    pids.extend(
                        row[0]
                        for row in look.execute(
                            "SELECT pid FROM pg_stat_activity WHERE application_name = %s", (APPLICATION_NAME,)
                        ).fetchall()
                    )
                # A backend that dies by SIGKILL makes the server end all others, recover, and go on.
                os.kill(pids[0], signal.SIGKILL)
                tried("a backend killed by SIGKILL, so that the server restarted by itself")

        chosen = migrations("whole")
        with connect(server.dsn("shop")) as conn:
            result = MigrationRunner(conn, policy=POLICY, sink=sink).apply(chosen, hooks=hooks_of(chosen))
        assert pids
        assert result.migrations[0].outcome is RunOutcome.FAILED

        def is_back() -> bool:
            try:
                connect(server.dsn("shop")).close()
            except Exception:  # noqa: BLE001 - whatever it says while it recovers
                return False
            return True

        until(is_back, "the server is back")
        with connect(server.dsn("shop")) as conn:
            assert not exists(conn, "a")
            bring_to_an_end(conn, "whole")
            check_that_all_is_done(conn, "whole")


def test_a_statement_that_somebody_cancels_fails_and_leaves_nothing(
    conn: Connection, database: Dsn, tried: Tried
) -> None:
    tried("a statement cancelled by another session")
    chosen = migrations("slow")
    over = threading.Event()

    def cancel() -> None:
        with connect(database) as other:
            while not over.wait(0.02):
                other.execute(
                    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(60)%%' "
                    "AND application_name = %s",
                    (APPLICATION_NAME,),
                )

    thread = threading.Thread(target=cancel)
    thread.start()
    result = MigrationRunner(conn, policy=POLICY).apply(chosen)
    over.set()
    thread.join()
    assert result.migrations[0].outcome is RunOutcome.FAILED
    assert "57014" in (result.migrations[0].error or "")
    assert not exists(conn, "a")


def test_a_ledger_that_was_changed_behind_our_back_stops_the_run(conn: Connection, tried: Tried) -> None:
    tried("a ledger changed behind our back")
    chosen = migrations("whole")

    def sink(event: Event) -> None:
        if event.name is EventName.MIGRATION_START:
            conn.execute("INSERT INTO tb_confiture (slug, version, name) VALUES ('x', '001', 'somebody else')")

    result = MigrationRunner(conn, policy=POLICY, sink=sink).apply(chosen)
    assert result.migrations[0].outcome is RunOutcome.FAILED
    assert "somebody else has applied it" in (result.migrations[0].error or "")
    assert not exists(conn, "a")


def test_a_ledger_that_is_dropped_behind_our_back_leaves_nothing(conn: Connection, tried: Tried) -> None:
    tried("a ledger changed behind our back")

    def sink(event: Event) -> None:
        if event.name is EventName.STATEMENT_START and event.statement == 1:
            conn.execute("SET lock_timeout = '200ms'")
            try:
                conn.execute("DROP TABLE tb_confiture")
            except psycopg.errors.LockNotAvailable:
                dropped.append("refused")
            else:
                dropped.append("dropped")

    dropped: list[str] = []
    chosen = migrations("whole")
    result = MigrationRunner(conn, policy=POLICY, sink=sink).apply(chosen)
    assert dropped
    assert result.ok == (dropped[0] == "refused")
    assert exists(conn, "a") == result.ok


def test_a_limit_on_temporary_files_leaves_nothing(conn: Connection, tried: Tried) -> None:
    """Where no small disk can be had, this is the nearest: the same class of error (53400, not 53100)."""
    tried("no room for temporary files on the server (53400)")
    chosen = migrations("disk")
    conn.execute(f"ALTER DATABASE {conn.info.dbname} SET temp_file_limit = '64kB'")
    result = MigrationRunner(conn, policy=POLICY).apply(chosen)
    assert result.migrations[0].outcome is RunOutcome.FAILED
    assert "53400" in (result.migrations[0].error or "")
    assert not exists(conn, "a")
    assert not in_ledger(conn)


@pytest.mark.parametrize("state", list(JournalState))
def test_any_state_of_the_journal_can_be_brought_to_an_end(conn: Connection, state: JournalState) -> None:
    """Whatever a crash left in the journal, somebody can go on: by itself, by resuming, or by marking."""
    chosen = migrations("whole")
    assert MigrationRunner(conn, policy=POLICY).apply(chosen, hooks=hooks_of(chosen)).ok
    conn.execute("UPDATE tb_confiture_journal SET state = %s, transaction_id = NULL", (state,))
    left = settle_journal(conn, Journal("public"))
    for one in left:
        assert one.actions
        assert one.sentence
