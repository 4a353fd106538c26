"""Watching, from a second connection, a statement that cannot be looked at from inside its own transaction.

``CREATE INDEX CONCURRENTLY`` and its like take and give back locks in several transactions of their own, and a
statement that fails gives its locks back at once: nothing of them can be seen from inside. Gates make them visible
even on an empty table, where they would be over in a millisecond: the statement has to wait at each table, is seen
waiting with the locks it has and the one it asks for, and is then let through. The database is a disposable clone:
nobody else waits.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from confiture_tui.core.dry_run.execution import Ran, run_statement
from confiture_tui.core.dry_run.gates import Gates, gate_mode
from confiture_tui.core.dry_run.observer import FIRST_USER_OID, Counters, Look, Observer, strongest
from confiture_tui.core.effects.lock_modes import LockMode

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from confiture_tui.core.sql.statement import Statement
    from confiture_tui.database.cancellation import CancelScope

_POLL_S = 0.002
"""How often the watched session is looked at: short enough for the phases of a concurrent build on small tables."""

_LOCKS = f"""
SELECT l.relation::int8, l.mode, l.granted FROM pg_catalog.pg_locks l
 WHERE l.pid = %s AND l.locktype = 'relation' AND l.relation >= {FIRST_USER_OID}
"""
_BLOCKERS = "SELECT pg_catalog.pg_blocking_pids(%s)"
_COUNTERS = f"""
SELECT s.relid::int8, s.seq_scan, s.n_tup_ins, s.n_tup_upd, s.n_tup_del
  FROM pg_catalog.pg_stat_all_tables s WHERE s.relid >= {FIRST_USER_OID}
"""
_ANY_CODE = frozenset({"CallStmt", "DoStmt", "SelectStmt", "ExecuteStmt"})
_MAY_WORK_ON_VIEWS = frozenset({"ClusterStmt", "ReindexStmt", "VacuumStmt"})
"""Of what runs outside a transaction block, what may work on materialized views."""
_PG14_INTERVAL_S = 0.55
_WAL = "SELECT (pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn)::int8"


class Watcher:
    """Runs one statement and finds what it did, or what it asked for.

    Args:
        conn: the session of the migration, in autocommit mode.
        administer: opens a session on the same database as a superuser: it may lock every table.
        scope: who may cancel the statement.
    """

    def __init__(
        self, conn: psycopg.Connection[Any], administer: Callable[[], psycopg.Connection[Any]], scope: CancelScope
    ) -> None:
        self._conn = conn
        self._scope = scope
        self._administer = administer
        self._locks: dict[int, set[LockMode]] = {}
        self._failure: Exception | None = None
        self.complete = True

    def run(self, statement: Statement, observer: Observer) -> tuple[Ran, Look, Look]:
        """Run the statement; what came of it, and the looks before and after it.

        ``observer.baseline`` must be current. The counters of the looks are those of the database's cumulative
        statistics, which a disposable clone shares with nobody.
        """
        with self._administer() as control:
            before = self._look(control, observer)
            ran = self._watch(statement, control)
            after = self._look(control, observer)
        return ran, before, after

    def locks_of_failure(self, statement: Statement) -> dict[int, LockMode]:
        """The locks that a statement asks for which is going to fail: the strongest by relation.

        A failed transaction gives its locks back at once, so they can only be seen from outside, while it runs.
        """
        with self._administer() as control:
            self._watch(statement, control)
        return {oid: strongest(modes) for oid, modes in self._locks.items()}

    def _watch(self, statement: Statement, control: psycopg.Connection[Any]) -> Ran:
        """Run the statement and note the locks that it holds or asks for."""
        gates = Gates(self._administer, gate_mode(statement))
        finished = threading.Event()
        pid = self._conn.info.backend_pid
        observing = threading.Thread(
            target=self._observe, args=(control, pid, gates, finished), name="dry-run-watcher", daemon=True
        )
        observing.start()
        try:
            ran = run_statement(self._conn, statement, scope=self._scope)
        finally:
            finished.set()
            observing.join()
            gates.close()
        if self._failure is not None:
            raise self._failure
        # Code of the user's may do anything on the way; the locks of a utility all conflict with the gate's.
        blind = gates.ungated and statement.node_kind in _MAY_WORK_ON_VIEWS
        self.complete = gates.complete and statement.node_kind not in _ANY_CODE and not blind
        return ran

    def _observe(self, control: psycopg.Connection[Any], pid: int, gates: Gates, finished: threading.Event) -> None:
        """Note every lock that the session holds or asks for; let it through when it waits at a gate."""
        try:
            while not finished.wait(_POLL_S):
                self._note(control, pid)
                row = control.execute(_BLOCKERS, (pid,)).fetchone()
                if row and row[0]:
                    gates.let_through(set(row[0]), *self._note(control, pid))
        except Exception as error:  # noqa: BLE001 - raised again by `_watch`, once the statement is over
            self._failure = error
            gates.close()

    def _note(self, control: psycopg.Connection[Any], pid: int) -> tuple[set[int], set[int]]:
        """Note the locks of the session; the relations that it holds one on, and those that it waits for."""
        held: set[int] = set()
        awaited: set[int] = set()
        for oid, mode, granted in control.execute(_LOCKS, (pid,)):
            self._locks.setdefault(oid, set()).add(LockMode.from_pg_locks(mode))
            (held if granted else awaited).add(oid)
        return held, awaited

    def _look(self, control: psycopg.Connection[Any], observer: Observer) -> Look:
        """The state of every relation, the database's counters, and the locks noted so far."""
        self._flush_statistics()
        counters = {row[0]: Counters(*row[1:]) for row in control.execute(_COUNTERS)}
        position = control.execute(_WAL).fetchone()
        known = set(observer.baseline.relations)
        states = observer.read_relations(control)
        return Look(
            locks={oid: frozenset(modes) for oid, modes in self._locks.items()},
            states=states,
            gone=frozenset(known - set(states)),
            counters=counters,
            wal=position[0] if position else 0,
        )

    def _flush_statistics(self) -> None:
        """Make the session's counters visible to others now."""
        if self._conn.info.server_version >= 150000:
            self._conn.execute("SELECT pg_catalog.pg_stat_force_next_flush()")
            return
        # PostgreSQL 14 reports counters at the end of a command, at most every 500 ms (PGSTAT_STAT_INTERVAL), and its
        # collector writes them for readers as seldom: nothing but time brings them out.
        time.sleep(_PG14_INTERVAL_S)
        self._conn.execute("SELECT 1")
        time.sleep(_PG14_INTERVAL_S)
