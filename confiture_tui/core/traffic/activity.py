"""Who is in our way: the transactions that hold, or wait for, locks on the relations that we are going to lock.

Sources: PostgreSQL documentation, "pg_locks", "pg_stat_activity", "pg_prepared_xacts".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.traffic.model import session_label

if TYPE_CHECKING:
    import psycopg

# Who holds the lock of a prepared transaction has no process: the lock on its transaction id, which the same "virtual
# transaction" holds, tells which one it is.
_HOLDERS = """
WITH locks AS MATERIALIZED (SELECT * FROM pg_catalog.pg_locks)
SELECT l.pid, p.gid, r.name, l.mode, l.granted, coalesce(a.usename, p.owner)::text, coalesce(a.application_name, ''),
       a.state, a.backend_type,
       (extract(epoch FROM pg_catalog.clock_timestamp() - coalesce(a.xact_start, p.prepared)) * 1000)::float8,
       (extract(epoch FROM pg_catalog.clock_timestamp() - a.query_start) * 1000)::float8,
       coalesce(a.query LIKE 'autovacuum:%%(to prevent wraparound)', false)
  FROM pg_catalog.unnest(%s::text[]) AS r(name)
  JOIN locks l ON l.relation = pg_catalog.to_regclass(r.name)
  JOIN pg_catalog.pg_database d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
  LEFT JOIN locks x ON l.pid IS NULL AND x.pid IS NULL AND x.virtualtransaction = l.virtualtransaction
                   AND x.locktype = 'transactionid'
  LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = x.transactionid
 WHERE l.locktype = 'relation' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
   AND (l.pid IS NULL OR l.pid <> ALL(%s::int4[]))
"""


class OccupantKind(StrEnum):
    """What kind of transaction it is."""

    SESSION = "session"
    PREPARED = "prepared"
    """A prepared transaction: it stays until somebody commits it or rolls it back, also over a restart."""
    AUTOVACUUM = "autovacuum"
    """It steps aside by itself after ``deadlock_timeout`` when somebody waits for it."""
    WRAPAROUND = "wraparound"
    """An autovacuum to prevent wraparound, which does not step aside."""


class OccupiedRelation(FrozenModel):
    """A lock on one relation: held, or waited for by somebody who came before us."""

    relation: str
    mode: LockMode
    granted: bool


class Occupant(FrozenModel):
    """A transaction that is open on relations of ours.

    Attributes:
        kind: what kind of transaction it is.
        pid: its process id; ``None`` for a prepared transaction.
        gid: the name of a prepared transaction; ``None`` for others.
        role: who runs it.
        application: how the session calls itself.
        state: ``active``, ``idle in transaction``, …; ``None`` where the server does not tell our role.
        transaction_ms: how long the transaction has been open, in milliseconds; ``None`` where we are not told.
        statement_ms: when its last statement began, in milliseconds before now; ``None`` where we are not told.
        locks: what it holds or waits for on these relations.
    """

    kind: OccupantKind
    pid: int | None
    gid: str | None
    role: str | None
    application: str
    state: str | None
    transaction_ms: float | None
    statement_ms: float | None
    locks: tuple[OccupiedRelation, ...]

    @property
    def label(self) -> str:
        """The transaction, in words."""
        if self.gid is not None:
            return f"prepared transaction {self.gid}"
        return session_label(self.pid, self.role, self.application)


def in_the_way(
    conn: psycopg.Connection[Any],
    relations: Sequence[str],
    *,
    mode: LockMode | None = None,
    but: Iterable[int] = (),
) -> tuple[Occupant, ...]:
    """Who holds or awaits locks on these relations, the longest transaction first.

    Args:
        conn: any connection to the database; its own locks are not counted. Best outside a transaction: within one the
            server shows what others do as it was at the first question.
        relations: their names, as ``quote_ident`` writes them, with schema; one that does not exist counts not.
        mode: what is going to be asked for: only locks that conflict with it count; ``None`` counts all.
        but: process ids of sessions of ours, which are not counted either.

    Raises:
        psycopg.Error: the question failed.
    """
    with conn.cursor() as cursor:
        rows = cursor.execute(_HOLDERS, (list(relations), list(but))).fetchall()
    found: dict[object, Occupant] = {}
    for pid, gid, relation, named_mode, granted, role, application, state, backend, age, since, urgent in rows:
        lock = OccupiedRelation(relation=relation, mode=LockMode.from_pg_locks(named_mode), granted=granted)
        if mode is not None and lock.mode not in mode.conflicts:
            continue
        key = pid if pid is not None else f"prepared {gid}"
        known = found.get(key)
        if known is not None:
            found[key] = known.model_copy(update={"locks": (*known.locks, lock)})
            continue
        found[key] = Occupant(
            kind=_kind(pid, backend, urgent=urgent),
            pid=pid,
            gid=gid,
            role=role,
            application=application,
            state=state,
            transaction_ms=age,
            statement_ms=since,
            locks=(lock,),
        )
    return tuple(sorted(found.values(), key=lambda one: -(one.transaction_ms or 0.0)))


def _kind(pid: int | None, backend: str | None, *, urgent: bool) -> OccupantKind:
    if pid is None:
        return OccupantKind.PREPARED
    if backend == "autovacuum worker":
        return OccupantKind.WRAPAROUND if urgent else OccupantKind.AUTOVACUUM
    return OccupantKind.SESSION
