"""What happens on the tables of a migration right now: transactions that are open, statements a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from confiture_tui.core.effects.lock_modes import LockMode

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.catalog import Catalog

WINDOW_SECONDS: Final = 1.2
"""How long traffic is watched. Sessions hand their counts on about once a second (PGSTAT_MIN_INTERVAL)."""
_LONG_SECONDS: Final = 3_600.0
"""From here on an average tells something: below it, how a database was filled is most of what the counters hold."""
_UNKNOWN_SECONDS: Final = 86_400.0
"""The age that counters are given when nobody knows when they began."""
_ORDINARY_SECONDS: Final = 1.0
_LONG_ONES_SECONDS: Final = 5.0
_YIELDS_SECONDS: Final = 1.0
"""Autovacuum is cancelled by who waits for it, after ``deadlock_timeout``."""


@dataclass(frozen=True, slots=True)
class OpenTransaction:
    """A transaction of another session that holds a lock on one relation.

    Attributes:
        relation: qualified name. ``mode``: the strongest mode that it holds there.
        pid: of its backend. ``age_seconds``: since it began.
        state: ``active``, ``idle in transaction``, …; ``prepared`` for a prepared transaction (``pid`` 0).
        application_name: as the session calls itself: text from elsewhere, not to be shown unescaped.
        autovacuum: it is a worker of autovacuum, which gives way unless it prevents a wraparound.
    """

    relation: str
    mode: LockMode
    pid: int
    age_seconds: float
    state: str
    application_name: str
    autovacuum: bool


@dataclass(frozen=True, slots=True)
class Traffic:
    """Statements a second on one relation.

    Attributes:
        reads: scans a second. ``inserts``, ``updates``, ``deletes``: rows a second.
        source: where the figures come from, in a few words.
    """

    reads: float
    inserts: float
    updates: float
    deletes: float
    source: str

    @property
    def writes(self) -> float:
        """Rows written a second."""
        return self.inserts + self.updates + self.deletes


def expected_wait(transactions: Iterable[OpenTransaction], mode: LockMode) -> float:
    """Seconds that a lock of this mode is expected to be waited for.

    A transaction that has been open for some time is expected to stay open for about as long again: nothing is known
    of it but its age. One that is older than ``_ORDINARY_SECONDS`` is no part of the ordinary traffic but a report, a
    batch or a session that was forgotten, and those stay for ``_LONG_ONES_SECONDS`` at least.
    """
    return max((_stays(each) for each in transactions if each.mode in mode.conflicts), default=0.0)


def _stays(transaction: OpenTransaction) -> float:
    age = transaction.age_seconds
    if transaction.autovacuum:
        return min(age, _YIELDS_SECONDS)
    return age if age < _ORDINARY_SECONDS else max(age, _LONG_ONES_SECONDS)


_OPEN = """
SELECT l.relation::pg_catalog.int8, l.mode, coalesce(l.pid, 0),
       coalesce(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - coalesce(a.xact_start, p.prepared)), 1),
       CASE WHEN l.pid IS NULL THEN 'prepared' ELSE coalesce(a.state, 'unknown') END,
       coalesce(a.application_name, ''), coalesce(a.backend_type, '') = 'autovacuum worker'
  FROM pg_catalog.pg_locks l
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
  LEFT JOIN pg_catalog.pg_prepared_xacts p ON l.pid IS NULL AND l.virtualtransaction = '-1/' || p.transaction::text
 WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY(%s::pg_catalog.oid[])
   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
   AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
"""

_COUNTERS = """
SELECT c.oid::pg_catalog.int8,
       pg_catalog.pg_stat_get_numscans(c.oid)
         + (SELECT coalesce(sum(pg_catalog.pg_stat_get_numscans(i.indexrelid)), 0)
              FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid),
       pg_catalog.pg_stat_get_tuples_inserted(c.oid), pg_catalog.pg_stat_get_tuples_updated(c.oid),
       pg_catalog.pg_stat_get_tuples_deleted(c.oid)
  FROM pg_catalog.pg_class c WHERE c.oid = ANY(%s::pg_catalog.oid[])
"""


def open_transactions(cursor: Any, relations: Mapping[int, str]) -> tuple[OpenTransaction, ...]:
    """The transactions of others that hold locks on these relations (by oid), the oldest first.

    ``cursor`` is a psycopg cursor that returns tuples, inside a transaction. Of sessions that the role may not look
    at the age is unknown: a second is taken for it.
    """
    strongest: dict[tuple[int, int], OpenTransaction] = {}
    for oid, mode, pid, age, state, application, autovacuum in cursor.execute(_OPEN, (list(relations),)):
        found = OpenTransaction(
            relations[oid], LockMode.from_pg_locks(mode), pid, float(age), state, application, autovacuum
        )
        other = strongest.get((oid, pid))
        if other is None or other.mode.strength < found.mode.strength:
            strongest[oid, pid] = found
    return tuple(sorted(strongest.values(), key=lambda each: (-each.age_seconds, each.relation, each.pid)))


def watched_traffic(
    conn: psycopg.Connection[Any],
    relations: Mapping[int, str],
    seconds: float,
    pause: Callable[[float], None] = time.sleep,
) -> dict[str, Traffic]:
    """The traffic on these relations (by oid) while it was watched for so many seconds; empty for none.

    Nothing is held while it waits, unless the connection is inside a transaction of its owner's.

    Raises:
        ConfitureError: the connection cannot be used as it is: closed, busy, or its transaction has failed.
    """
    if seconds <= 0 or not relations:
        return {}
    before, began = _counters(conn, relations), time.monotonic()
    pause(seconds)
    after = _counters(conn, relations)
    passed = max(time.monotonic() - began, 0.001)
    return {
        relations[oid]: Traffic(
            reads=(counts[0] - before[oid][0]) / passed,
            inserts=(counts[1] - before[oid][1]) / passed,
            updates=(counts[2] - before[oid][2]) / passed,
            deletes=(counts[3] - before[oid][3]) / passed,
            source=f"watched for {passed:.1f} s just now",
        )
        for oid, counts in after.items()
        if oid in before
    }


def _counters(conn: psycopg.Connection[Any], relations: Mapping[int, str]) -> dict[int, tuple[float, ...]]:
    from confiture_tui.core.catalog.reading.transaction import reading, settle

    with reading(conn) as cursor:
        settle(cursor, conn.info.server_version)
        # Inside a transaction the counters stay what it saw first, unless they are asked to be forgotten.
        cursor.execute("SELECT pg_catalog.pg_stat_clear_snapshot()")
        return {oid: tuple(map(float, counts)) for oid, *counts in cursor.execute(_COUNTERS, (list(relations),))}


def average_traffic(catalog: Catalog, relation: str, age_seconds: float | None) -> Traffic | None:
    """The traffic on a relation since the counters were reset, on average; ``None`` where nothing was counted.

    ``age_seconds``: how long they count; ``None`` when that is not known: then a day is taken for it.
    """
    found = catalog.table(relation)
    if found is None or found.traffic is None:
        return None
    counted = found.traffic
    age = age_seconds or _UNKNOWN_SECONDS
    source = f"counted over {age / 3600:.1f} h" if age_seconds else "counted since nobody knows when; a day assumed"
    return Traffic(
        (counted.sequential_scans + counted.index_scans) / age,
        counted.inserted / age,
        counted.updated / age,
        counted.deleted / age,
        source,
    )


def traffic_of(watched: Traffic | None, average: Traffic | None, age_seconds: float | None) -> Traffic | None:
    """The busier of what was watched just now and the average, where the average is worth something."""
    if watched is None:
        return average
    if average is None or age_seconds is None or age_seconds < _LONG_SECONDS:
        return watched
    return max(watched, average, key=lambda each: each.reads + each.writes)
