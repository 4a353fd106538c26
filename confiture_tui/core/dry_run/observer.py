"""Looking at what a statement did, from inside its own transaction.

Everything that a statement touches stays locked until its transaction ends, so the locked relations are the ones to
look at: one query after the statement finds their locks, storage, counters and columns, and the same query before it
gives what to subtract. Both are schema-qualified throughout: a migration may set any ``search_path``.

A look is to cost little beside the statement itself. It is one message to the server, whatever has to be set around
it, and where the session is the observer's own the server has planned the query beforehand.

Sources: PostgreSQL documentation, "pg_locks", "The Cumulative Statistics System" (``pg_stat_get_xact_*``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.lock_modes import LockMode

if TYPE_CHECKING:
    import psycopg

FIRST_USER_OID = 16384
"""Oids below are the system's own (``FirstNormalObjectId`` in PostgreSQL's transam.h)."""

_COLUMNS = """
    c.oid::int8, CASE WHEN n.nspname ~ '^pg_toast' THEN 't' ELSE c.relkind::text END, c.relfilenode::int8,
    pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
    coalesce(i.indrelid, 0)::int8, coalesce(i.indisvalid, true),
    c.relpersistence = 't', {dropped}, {size}"""
_SIZE = "CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(c.oid) ELSE 0 END"

_BASELINE = f"""
SELECT {_COLUMNS.format(dropped="coalesce(d.columns, 0)", size="{size}")}
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
  LEFT JOIN (SELECT a.attrelid, pg_catalog.count(*)::int AS columns FROM pg_catalog.pg_attribute a
              WHERE a.attisdropped GROUP BY a.attrelid) d ON d.attrelid = c.oid
 WHERE c.oid >= {FIRST_USER_OID} AND n.nspname !~ '^pg_toast'
"""

_WAL = "SELECT (pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn)::int8 AS position"

_FLUSH = ", pg_catalog.pg_stat_force_next_flush()"
"""As a column beside the position: a session can be told to report its counters at the next commit."""
_HAS_FLUSH = 150000
"""``server_version_num`` from which there is that."""

_DROPPED = """
    (SELECT pg_catalog.count(*)::int FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.attisdropped)"""

_COUNTERS = """
       coalesce(pg_catalog.pg_stat_get_xact_numscans(s.oid), 0),
       coalesce(pg_catalog.pg_stat_get_xact_tuples_inserted(s.oid), 0),
       coalesce(pg_catalog.pg_stat_get_xact_tuples_updated(s.oid), 0),
       coalesce(pg_catalog.pg_stat_get_xact_tuples_deleted(s.oid), 0)"""

_COUNTED = f"""
SELECT w.position, s.oid::int8, NULL,{_COUNTERS}
  FROM ({_WAL}) w CROSS JOIN pg_catalog.unnest({{tracked}}::pg_catalog.oid[]) AS s(oid)
"""
"""What has been counted of some relations before a transaction has done anything."""

_LOOK = f"""
WITH held AS MATERIALIZED (
  SELECT l.relation AS oid, pg_catalog.array_agg(DISTINCT l.mode) AS modes
    FROM pg_catalog.pg_locks l
   WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted
     AND l.relation >= {FIRST_USER_OID}
   GROUP BY l.relation
), seen AS MATERIALIZED (
  SELECT oid, modes FROM held
  UNION ALL
  SELECT u.oid, NULL FROM pg_catalog.unnest({{tracked}}::pg_catalog.oid[]) AS u(oid)
   WHERE u.oid NOT IN (SELECT oid FROM held)
)
SELECT w.position, s.oid::int8, s.modes,{_COUNTERS},
       {_COLUMNS.format(dropped=_DROPPED, size=_SIZE)}
  FROM ({_WAL} {{flush}}) w
  LEFT JOIN seen s ON true
  LEFT JOIN pg_catalog.pg_class c ON c.oid = s.oid AND s.modes IS NOT NULL
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
"""

_PREPARED = "confiture_look"
_PREPARED_WAL = "confiture_wal"
"""The names under which a session of the observer's own keeps its questions."""
_SAVEPOINT = "SAVEPOINT confiture_look"
_BACK = "ROLLBACK TO SAVEPOINT confiture_look; RELEASE SAVEPOINT confiture_look"

_PENDING = f"""
SELECT c.oid::int8 FROM pg_catalog.pg_class c
 WHERE c.relkind IN ('r', 'm', 't', 'i') AND c.oid >= {FIRST_USER_OID}
   AND (pg_catalog.pg_stat_get_xact_numscans(c.oid) > 0 OR pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) > 0
     OR pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) > 0 OR pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) > 0)
"""

_CALM = (
    ("client_encoding", "UTF8"),
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("row_security", "on"),
)
"""What a migration may have set that must not reach our own queries."""
_CALMING = "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in _CALM)


@dataclass(frozen=True, slots=True)
class RelationState:
    """What a relation is at one moment.

    Attributes:
        oid: its identity.
        kind: ``pg_class.relkind``: ``r`` table, ``p`` partitioned table, ``i`` index, ``I`` partitioned index,
            ``v`` view, ``m`` materialized view, ``S`` sequence, ``f`` foreign table, ``c`` composite type,
            ``t`` anything of TOAST's.
        storage: ``relfilenode``; another number means new storage; 0 where there is none.
        name: with schema, as ``quote_ident`` writes it.
        table: of an index, the oid of its table; 0 otherwise.
        valid: false for an index that is not valid.
        temporary: it belongs to this session only.
        dropped: how many columns of it have been dropped.
        size: bytes of its main storage, for tables and materialized views; ``None`` where that was not asked.
    """

    oid: int
    kind: str
    storage: int
    name: str
    table: int
    valid: bool
    temporary: bool
    dropped: int
    size: int | None


@dataclass(frozen=True, slots=True)
class Counters:
    """What this transaction counted on one relation: scans started, rows inserted, updated, deleted."""

    scans: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    @property
    def changed(self) -> int:
        """Rows inserted, updated or deleted."""
        return self.inserted + self.updated + self.deleted

    def __sub__(self, other: Counters) -> Counters:
        return Counters(
            self.scans - other.scans,
            self.inserted - other.inserted,
            self.updated - other.updated,
            self.deleted - other.deleted,
        )


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found: the locks held, the states of relations, their counters, and the WAL position."""

    locks: Mapping[int, frozenset[LockMode]]
    states: Mapping[int, RelationState]
    gone: frozenset[int]
    counters: Mapping[int, Counters]
    wal: int


@dataclass(slots=True)
class Baseline:
    """Every user relation as it is before the statement about to run.

    Attributes:
        relations: by oid.
        initial: the oids of those that existed before the migration: what a migration does to relations of its own
            making harms nobody, and is not listed.
    """

    relations: dict[int, RelationState] = field(default_factory=dict)
    initial: frozenset[int] = frozenset()


class Observer:
    """Looks at one session before and after each of its statements.

    The session's parallel workers must be switched off while it is traced (their reads are not counted); the passes
    do that when they connect.

    Args:
        conn: the session.
        own: nobody else will use it: a prepared statement may stay in it.
        empty: the rows are not the target's, if there are any. Then sizes are not asked for: the server has to open
            each table for that, which takes most of the time of reading them all.
    """

    def __init__(self, conn: psycopg.Connection[Any], *, own: bool = False, empty: bool = False) -> None:
        self._conn = conn
        self._empty = empty
        self._tracked: set[int] = set()
        self._wary = False
        self._may_prepare = own
        self._has_flush = conn.info.server_version >= _HAS_FLUSH
        self.baseline = Baseline()

    def start(self) -> None:
        """Read the baseline: every user relation."""
        relations = self.read_relations(self._conn, sizes=not self._empty)
        self.baseline = Baseline(relations, frozenset(relations))
        if self._may_prepare:
            look = self._look_at((), flush=True)
            self._conn.execute(f"PREPARE {_PREPARED} AS {look}; PREPARE {_PREPARED_WAL} AS {_WAL}".encode())

    def carry_over(self) -> None:
        """Inside a transaction that has just begun: remember what earlier ones have counted and not yet reported.

        Else it would be taken for this one's. A session of the observer's own has nothing to remember.
        """
        with self._conn.cursor() as cursor:
            self._tracked.update(row[0] for row in cursor.execute(_PENDING))

    def beware(self, *, code: bool = True) -> None:
        """From now on settings may be a migration's: each look is taken with settings of its own.

        Args:
            code: any code may have run, which may have deallocated what the session had prepared.
        """
        self._wary = True
        self._may_prepare = self._may_prepare and not code

    def refresh(self) -> None:
        """Read every relation again: names changed of relations that the statement did not lock."""
        with self._calm():
            self.baseline.relations = self.read_relations(self._conn)

    @staticmethod
    def read_relations(conn: psycopg.Connection[Any], *, sizes: bool = True) -> dict[int, RelationState]:
        """Every user relation as the session sees it, by oid, with or without its size."""
        with conn.cursor() as cursor:
            cursor.execute(_BASELINE.format(size=_SIZE if sizes else "NULL::int8").encode())
            return {row[0]: RelationState(*row) for row in cursor}

    def begin(self) -> Look:
        """Begin a transaction and look: it has no lock, and no counters but those of the one before."""
        question = f"EXECUTE {_PREPARED_WAL}" if self._may_prepare else _WAL
        if self._tracked:
            question = _COUNTED.format(tracked=_array(self._tracked))
        return self._found(self._ask(question, first="BEGIN"))

    def look(self) -> Look:
        """What the session's transaction holds and has counted, now."""
        return self._found(self._ask(self._look_at(self._tracked)))

    def look_and_commit(self) -> Look:
        """The same of what it holds, and then commit, so that the counters will not be carried over.

        Raises:
            psycopg.Error: the commit failed (a deferred constraint), or code of the migration's has deallocated the
                look. The transaction is over, or good for nothing but a rollback.
        """
        # Only what is locked has been counted by this transaction. And it is asked without a parameter: with one the
        # server would plan it anew each time, because an array of no elements promises less work than any other.
        question = f"EXECUTE {_PREPARED}" if self._may_prepare else self._look_at((), flush=True)
        return self._found(self._ask(question, last="COMMIT"))

    def _look_at(self, tracked: Iterable[int], *, flush: bool = False) -> str:
        return _LOOK.format(tracked=_array(tracked), flush=_FLUSH if flush and self._has_flush else "")

    def _ask(self, question: str, *, first: str = "", last: str = "") -> list[tuple[Any, ...]]:
        """The rows of one question, asked in one message together with the commands before and after it."""
        if self._wary and self._conn.info.encoding != "utf-8":
            # The driver reads an answer as the session's encoding is when the message has come to its end.
            if first:
                self._conn.execute(first.encode())
            with self._calm(), self._conn.cursor() as cursor:
                rows = cursor.execute(question.encode()).fetchall()
            if last:
                self._conn.execute(last.encode())
            return rows
        around = (_SAVEPOINT, _CALMING, question, _BACK) if self._wary else (question,)
        message = ";".join(part for part in (first, *around, last) if part)
        with self._conn.cursor() as cursor:
            cursor.execute(message.encode())
            while cursor.description is None:
                cursor.nextset()
            return cursor.fetchall()

    def _found(self, rows: list[tuple[Any, ...]]) -> Look:
        locks: dict[int, frozenset[LockMode]] = {}
        states: dict[int, RelationState] = {}
        counters: dict[int, Counters] = {}
        gone: set[int] = set()
        for _position, oid, modes, scans, inserted, updated, deleted, *state in rows if len(rows[0]) > 1 else ():
            if oid is None:
                continue
            counters[oid] = Counters(scans, inserted, updated, deleted)
            if not modes:
                continue
            locks[oid] = frozenset(LockMode.from_pg_locks(mode) for mode in modes)
            if state[0] is None:
                gone.add(oid)
            else:
                states[oid] = RelationState(*state)
        self._tracked.update(locks)
        return Look(locks, states, frozenset(gone), counters, rows[0][0])

    def accept(self, after: Look, *, committed: bool = False) -> None:
        """Make what was found after a statement the baseline of the next one.

        Args:
            after: the look taken after it.
            committed: its transaction has been committed with that look.
        """
        relations = self.baseline.relations
        for oid in after.gone:
            relations.pop(oid, None)
            self._tracked.discard(oid)
        for oid, state in after.states.items():
            if state.kind != "t":
                relations[oid] = state
        if committed and self._has_flush:
            self._tracked.clear()

    @contextmanager
    def _calm(self) -> Iterator[None]:
        """Settings of our own while the block runs, whatever the migration has set; nothing of them stays."""
        if not self._wary:
            yield
            return
        from psycopg.pq import TransactionStatus

        idle = self._conn.info.transaction_status is TransactionStatus.IDLE
        self._conn.execute(f"{'BEGIN' if idle else _SAVEPOINT}; {_CALMING}".encode())
        try:
            yield
        finally:
            if not self._conn.closed:
                self._conn.execute(("ROLLBACK" if idle else _BACK).encode())


def _array(oids: Iterable[int]) -> str:
    """Oids as a literal of the server's."""
    return f"'{{{','.join(map(str, sorted(oids)))}}}'"


def strongest(modes: Iterable[LockMode]) -> LockMode:
    """The strongest of some lock modes (at least one)."""
    return max(modes, key=lambda mode: mode.strength)
