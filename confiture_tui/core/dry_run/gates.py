"""Gates: sessions that hold weak locks on every table, so that a watched statement has to wait and can be seen.

A gate that is passed is armed again behind the statement, on every table that it does not hold: modes that do not
conflict with themselves let the next gate be locked before the one that blocks is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.dry_run.observer import FIRST_USER_OID
from confiture_tui.core.effects.lock_modes import LockMode

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from confiture_tui.core.sql.statement import Statement

_TABLES = f"""
SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.oid >= {FIRST_USER_OID} AND c.relpersistence <> 't'
   AND c.oid <> ALL(%s::pg_catalog.oid[])
 ORDER BY c.oid DESC LIMIT %s
"""
_VIEWS = f"""
SELECT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relkind = 'm' AND c.oid >= {FIRST_USER_OID})
"""
_GATED_TABLES = 10_000
"""Tables that a gate locks at most, newest first: a third of the embedded server's lock table."""
_ARMED_AGAIN = 100
"""How often a gate is armed again for one statement: ``VACUUM`` of a whole database passes it at every table."""
_PATIENCE = "1s"
"""How long arming may wait: the watched session may have taken a lock just now."""


def gate_mode(statement: Statement) -> LockMode:
    """What the gate holds so that the statement has to wait at it.

    SHARE stops everything that changes rows or tables (ROW EXCLUSIVE and up) but itself; what takes SHARE, a plain
    CREATE INDEX or REINDEX, is stopped by ROW EXCLUSIVE.
    """
    node = statement.node or {}
    if statement.node_kind == "IndexStmt" and not node.get("concurrent"):
        return LockMode.ROW_EXCLUSIVE
    if statement.node_kind == "ReindexStmt" and "concurrently" not in str(node.get("params", "")):
        return LockMode.ROW_EXCLUSIVE
    return LockMode.SHARE


class _Gate:
    """A session with a lock on tables, until it is opened."""

    def __init__(self, conn: psycopg.Connection[Any], mode: LockMode, passed: set[int]) -> None:
        self._conn = conn
        self.pid = conn.info.backend_pid
        try:
            # In transactions of their own: what reads the catalogs holds locks on them to its end, and VACUUM FULL of
            # a whole database, which works on the catalogs too, would wait where nobody is looked for.
            conn.autocommit = True
            tables = [row[0] for row in conn.execute(_TABLES, (sorted(passed), _GATED_TABLES + 1))]
            self.complete = len(tables) <= _GATED_TABLES
            row = conn.execute(_VIEWS).fetchone()
            self.ungated = bool(row and row[0])
            conn.autocommit = False
            if tables:
                conn.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'".encode())
                names = ", ".join(f"ONLY {table}" for table in tables[:_GATED_TABLES])
                conn.execute(f"LOCK TABLE {names} IN {mode} MODE".encode())
        except BaseException:
            conn.close()
            raise

    def open(self) -> None:
        """Let everybody through; harmless on one that is open."""
        self._conn.close()


class Gates:
    """The gates of one watched statement. Close them whatever happens: a closed gate holds the statement for ever.

    Attributes:
        complete: every table was behind a gate until it was touched: every lock that conflicts with the gate's was
            seen.
        ungated: there are materialized views, which LOCK TABLE does not take: brief locks on them are not seen.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]], mode: LockMode) -> None:
        self._connect = connect
        self._mode = mode
        self._armed = 0
        self._gate: _Gate | None = _Gate(connect(), mode, set())
        self.complete = self._gate.complete
        self.ungated = self._gate.ungated
        try:
            # CONCURRENTLY ends with a wait for everybody who still uses the table.
            self._last: _Gate | None = _Gate(connect(), LockMode.ACCESS_SHARE, set())
        except BaseException:
            self._gate.open()
            raise

    def let_through(self, blockers: set[int], held: set[int], awaited: set[int]) -> None:
        """Open the gate that is among the blockers, after arming the next one behind the statement.

        Args:
            blockers: the process ids that the statement waits for.
            held: the tables that it has a lock on.
            awaited: the tables that it waits for a lock on.
        """
        if self._gate is not None and self._gate.pid in blockers:
            following = self._arm(self._mode, held | awaited)
            self._gate.open()
            self._gate = following
        elif self._last is not None and self._last.pid in blockers:
            # The weakest mode, which no lock that is held keeps out: it stops the ACCESS EXCLUSIVE that may follow.
            following = self._arm(LockMode.ACCESS_SHARE, awaited)
            self._last.open()
            self._last = following

    def _arm(self, mode: LockMode, passed: set[int]) -> _Gate | None:
        import psycopg

        self._armed += 1
        if self._armed <= _ARMED_AGAIN:
            try:
                return _Gate(self._connect(), mode, passed)
            except psycopg.errors.LockNotAvailable:
                pass
        self.complete = False
        return None

    def close(self) -> None:
        """Open all of them."""
        for gate in (self._gate, self._last):
            if gate is not None:
                gate.open()
        self._gate = self._last = None
