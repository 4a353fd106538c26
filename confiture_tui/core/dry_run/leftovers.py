"""What a rollback leaves in a session, and puts right: advisory locks and prepared statements.

Both belong to the session, not to the transaction (documentation, "Advisory Locks", PREPARE). What the caller had
before is the caller's and stays. One thing cannot be seen: how often a lock is held. A migration that takes, by
session, a lock that the caller holds already leaves it held once more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from confiture_tui.core.dry_run.calm import calm_transaction

if TYPE_CHECKING:
    import psycopg

# objsubid is 1 for a lock with one bigint, 2 for one with two ints (documentation, pg_locks). A cast of oid to int4
# keeps the bits, so that keys below zero come back as they were given.
_LOCKS = """
SELECT (l.classid::int8 << 32) | l.objid::int8, l.classid::int4, l.objid::int4, l.objsubid = 2, l.mode = 'ShareLock'
  FROM pg_catalog.pg_locks l
 WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'advisory' AND l.granted
"""
_PREPARED = "SELECT p.name, p.from_sql FROM pg_catalog.pg_prepared_statements p"


class AdvisoryLock(NamedTuple):
    """One lock as ``pg_locks`` shows it: its key as one number and as two, which of them counts, and its mode."""

    key: int
    first: int
    second: int
    two_keys: bool
    shared: bool

    @property
    def unlock(self) -> tuple[str, tuple[int, ...]]:
        """The query that gives it back once, and its arguments."""
        function = f"pg_catalog.pg_advisory_unlock{'_shared' if self.shared else ''}"
        if self.two_keys:
            return f"SELECT {function}(%s::int4, %s::int4)", (self.first, self.second)
        return f"SELECT {function}(%s::int8)", (self.key,)


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What was put right: advisory locks released, statements deallocated; and statements of the caller's that went.

    Attributes:
        released: how many advisory locks had been left.
        deallocated: names of the prepared statements that had been left.
        lost: names of the caller's prepared statements that the migration deallocated: they cannot be made again.
    """

    released: int = 0
    deallocated: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionState:
    """What the session holds that no rollback takes away: advisory locks; prepared statements, by SQL or not."""

    locks: frozenset[AdvisoryLock]
    prepared: dict[str, bool]

    @classmethod
    def read(cls, conn: psycopg.Connection[Any]) -> SessionState:
        """The state of an idle session in autocommit mode."""
        with calm_transaction(conn):
            return cls._now(conn)

    @classmethod
    def _now(cls, conn: psycopg.Connection[Any]) -> SessionState:
        prepared = {str(name): bool(from_sql) for name, from_sql in conn.execute(_PREPARED)}
        return cls(frozenset(AdvisoryLock(*row) for row in conn.execute(_LOCKS)), prepared)

    def restore(self, conn: psycopg.Connection[Any]) -> Leftovers:
        """Give back what came since; the session is idle again and in autocommit mode."""
        from psycopg import sql

        with calm_transaction(conn):
            now = self._now(conn)
            left = now.locks - self.locks
            self._release(conn, left)
            new = sorted(name for name, from_sql in now.prepared.items() if from_sql and name not in self.prepared)
            for name in new:
                conn.execute(sql.SQL("DEALLOCATE {}").format(sql.Identifier(name)))
        return Leftovers(len(left), tuple(new), tuple(sorted(self.prepared.keys() - now.prepared.keys())))

    def _release(self, conn: psycopg.Connection[Any], left: frozenset[AdvisoryLock]) -> None:
        if left and not self.locks:
            conn.execute("SELECT pg_catalog.pg_advisory_unlock_all()")
            return
        # A lock may be held several times over, and each time must be given back.
        while left:
            for lock in left:
                query, arguments = lock.unlock
                conn.execute(query.encode(), arguments)
            left = self._now(conn).locks - self.locks
