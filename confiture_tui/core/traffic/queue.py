"""Who waits for whom, now.

Built on ``pg_locks`` and ``pg_blocking_pids``, which any role may read of any session; ``pg_stat_activity`` hides what
other roles' sessions do. Sources: PostgreSQL documentation, "pg_locks", "Session Information Functions".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.lock_modes import LockMode

if TYPE_CHECKING:
    import psycopg

# A parallel worker waits for its leader's sake. Who holds the lock of a prepared transaction is 0.
_QUEUE = """
SELECT l.pid, coalesce(a.leader_pid, l.pid), pg_catalog.pg_blocking_pids(l.pid),
       coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - l.waitstart) * 1000, 0)::float8,
       CASE WHEN l.locktype = 'relation' THEN l.mode END,
       (SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
          FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = l.relation AND l.database = d.oid),
       a.usename::text, coalesce(a.application_name, ''), coalesce(a.backend_type = 'autovacuum worker', false)
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
 WHERE NOT l.granted AND l.pid <> pg_catalog.pg_backend_pid()
"""
_SESSIONS = """
SELECT a.pid, a.usename::text, coalesce(a.application_name, '')
  FROM pg_catalog.pg_stat_activity a WHERE a.pid = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One session that waits for a lock.

    Attributes:
        pid: its process id, or that of the session which it works for in parallel.
        behind: the process ids that it waits for: who holds the lock, and who is before it in the queue for it.
        waited_ms: since when, in milliseconds; 0 in its first moment.
        mode: of the lock on a relation that it wants; ``None`` for other locks.
        relation: that relation, where it is known here.
        role: who it logged in as.
        application: how it calls itself.
        maintenance: it is an autovacuum worker: nobody waits for it.
    """

    pid: int
    behind: frozenset[int]
    waited_ms: float
    mode: LockMode | None
    relation: str | None
    role: str | None
    application: str
    maintenance: bool


def read_queue(conn: psycopg.Connection[Any]) -> tuple[Waiting, ...]:
    """Every session of the server that waits for a lock, whatever the database."""
    found = []
    for _pid, leader, behind, waited_ms, mode, relation, role, application, maintenance in conn.execute(_QUEUE):
        wanted = LockMode.from_pg_locks(mode) if mode else None
        found.append(
            Waiting(leader, frozenset(behind), waited_ms, wanted, relation, role, application, maintenance),
        )
    return tuple(found)


def behind(pid: int, queue: Iterable[Waiting]) -> tuple[Waiting, ...]:
    """Those who wait behind a session, directly or behind somebody who does; maintenance not counted."""
    waiting = tuple(queue)
    ahead = {pid}
    grown = True
    while grown:
        more = {one.pid for one in waiting if one.behind & ahead} - ahead
        ahead |= more
        grown = bool(more)
    return tuple(one for one in waiting if one.pid in ahead and one.pid != pid and not one.maintenance)


def sessions(conn: psycopg.Connection[Any], pids: Iterable[int]) -> dict[int, tuple[str | None, str]]:
    """Role and application of sessions, by process id; those that have ended are left out."""
    return {pid: (role, application) for pid, role, application in conn.execute(_SESSIONS, (sorted(set(pids)),))}
