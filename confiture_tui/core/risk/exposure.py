"""How long others wait: from the moment a blocking lock is taken, or waited for, to the end of its transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.records import quickly_made
from confiture_tui.core.risk import scoring
from confiture_tui.core.risk.duration import concurrently

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.risk.now import Traffic


@quickly_made
@dataclass(frozen=True, slots=True)
class Exposure:
    """One relation in one transaction, from its first blocking lock (or row lock) on.

    Attributes:
        relation: qualified name.
        mode: the strongest blocking mode held on it; ROW EXCLUSIVE where only rows that it changes are locked.
        statement: 1-based index of the statement that takes the first blocking lock; ``last``: of the one that ends it.
        held_seconds: expected, for which others wait while the lock is held.
        queue_seconds: expected, for which others wait behind us while we wait for the lock.
        waiting_per_second: statements a second that have to wait; ``None`` when nothing is known of the traffic.
        work: relations not proved small that are scanned, rewritten or built on while the lock is held.
        bounded: a ``lock_timeout`` bounds the wait for it.
        stops_readers: readers wait too, not only writers.
        points: the score of locking that all this gives.
    """

    relation: str
    mode: LockMode
    statement: int
    last: int
    held_seconds: float
    queue_seconds: float
    waiting_per_second: float | None
    work: tuple[str, ...]
    bounded: bool
    stops_readers: bool
    points: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What exposure is worked out from.

    Attributes:
        seconds: expected duration of a statement, without waiting for locks.
        wait: expected seconds until a lock of this mode is had on this relation.
        traffic: on a relation; ``None`` when nothing is known.
        growing: relations not proved small on which a statement does work that grows with them.
        lock_timeout: seconds that file or runner profile set for a statement; ``None`` when neither does.
        rows: the share of the rows of each relation (0 to 1) that a statement updates or deletes, and so keeps locked.
    """

    seconds: Callable[[Forecast], float]
    wait: Callable[[str, LockMode], float]
    traffic: Callable[[str], Traffic | None]
    growing: Callable[[Forecast], tuple[str, ...]]
    lock_timeout: Callable[[Forecast], float | None]
    rows: Callable[[Forecast], Mapping[str, float]]


@dataclass(slots=True)
class _Held:
    """A relation that somebody waits for, while its transaction goes on.

    ``since`` and ``readers_since`` are times on the transaction's own clock, which runs while a statement works and
    while it waits for a lock; ``readers_since`` is ``None`` while readers do not wait. ``acts_as``: the mode whose
    effect on others it has.
    """

    mode: LockMode
    acts_as: LockMode
    statement: int
    bounded: bool
    queue: float
    since: float
    readers_since: float | None
    work_since: int
    last: int = 0
    blocked_writes: float = 0.0
    blocked_reads: float = 0.0
    readers_queue: float = 0.0
    work: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows that a transaction has changed: whoever wants to change them too waits for its end."""

    relation: str
    statement: int
    last: int
    share: float
    seconds: float


def exposures(forecasts: Sequence[Forecast], facts: Facts) -> tuple[Exposure, ...]:
    """One for each relation and transaction in which it is blocked, in the order of the transactions.

    What others wait for one relation in several transactions adds up; the longest of them carries the points.
    """
    found: list[tuple[str, _Held]] = []
    rows: list[_Rows] = []
    for group in transactions(forecasts):
        held, locked = _of_transaction(group, facts)
        found += held
        rows += locked
    by_relation: dict[str, list[int]] = {}
    for position, (relation, _) in enumerate(found):
        by_relation.setdefault(relation, []).append(position)
    result: dict[int, Exposure] = {}
    for relation, positions in by_relation.items():
        traffic = facts.traffic(relation)
        for position in positions:
            result[position] = _exposure(relation, found[position][1], traffic)
        if len(positions) == 1:
            continue
        worst = max(positions, key=lambda each: (result[each].held_seconds + result[each].queue_seconds, -each))
        together = _harm([found[position][1] for position in positions], traffic)[0]
        result[worst] = replace(result[worst], points=max(together, result[worst].points))
    of_rows = (_of_rows(each, facts.traffic(each.relation)) for each in rows)
    return (*(result[position] for position in range(len(found))), *(each for each in of_rows if each is not None))


def transactions(forecasts: Iterable[Forecast]) -> Iterator[list[Forecast]]:
    """The statements, by the transaction that they run in; one that runs outside of any is alone."""
    groups: dict[object, list[Forecast]] = {}
    alone = count()
    for forecast in forecasts:
        key = ("alone", next(alone)) if forecast.transaction is None else forecast.transaction
        groups.setdefault(key, []).append(forecast)
    yield from groups.values()


def _of_transaction(group: Sequence[Forecast], facts: Facts) -> tuple[list[tuple[str, _Held]], list[_Rows]]:
    held: dict[str, _Held] = {}
    changed: dict[str, tuple[int, float, float]] = {}
    works: list[str] = []
    clock = 0.0
    for forecast in group:
        blocking = _blocking_locks(forecast)
        timeout = facts.lock_timeout(forecast) if blocking else None
        closes_indexes = bool(blocking) and _closes_indexes(forecast)
        for relation, mode in blocking.items():
            known = held.get(relation)
            acts_as = LockMode.ACCESS_EXCLUSIVE if closes_indexes else mode
            if known is not None and known.acts_as.conflicts >= acts_as.conflicts:
                continue
            wait = facts.wait(relation, acts_as)
            asked, clock = clock, clock + (wait if timeout is None else min(wait, timeout))
            bounded = timeout is not None
            if known is None:
                readers = clock if acts_as.blocks_reads else None
                queue = clock - asked
                held[relation] = _Held(
                    mode, acts_as, forecast.statement.index, bounded, queue, clock, readers, len(works),
                    readers_queue=queue if acts_as.blocks_reads else 0.0,
                )  # fmt: skip
            else:
                known.mode = max(known.mode, mode, key=lambda each: each.strength)
                known.acts_as = max(known.acts_as, acts_as, key=lambda each: each.strength)
                known.bounded = known.bounded and bounded
                if known.readers_since is None and acts_as.blocks_reads:
                    known.readers_since = asked
        seconds = facts.seconds(forecast)
        for relation, share in facts.rows(forecast).items():
            # Rows are locked one after the other, but whoever has met one waits to the end, and soon all have.
            changed.setdefault(relation, (forecast.statement.index, share, clock))
        clock += seconds
        if held:
            works.extend(facts.growing(forecast))
    last = group[-1].statement.index
    for each in held.values():
        each.last = last
        each.blocked_writes = clock - each.since
        each.blocked_reads = 0.0 if each.readers_since is None else clock - each.readers_since
        each.work = tuple(dict.fromkeys(works[each.work_since : each.work_since + _WORKS_NAMED]))
    rows = [_Rows(name, index, last, share, clock - since) for name, (index, share, since) in changed.items()]
    return list(held.items()), rows


_WORKS_NAMED = 20
"""Pieces of work that one exposure names at most: a file may hold ten thousand."""


def _blocking_locks(forecast: Forecast) -> Mapping[str, LockMode]:
    """The strongest mode for which others wait, by relation."""
    strongest: dict[str, LockMode] = {}
    for lock in forecast.locks:
        mode = lock.mode
        if mode.blocks_writes or mode.blocks_reads:
            other = strongest.get(lock.relation)
            if other is None or other.strength < mode.strength:
                strongest[lock.relation] = mode
    return strongest


def _closes_indexes(forecast: Forecast) -> bool:
    """Whether it holds ACCESS EXCLUSIVE on indexes of the table, all of which planning any query opens.

    REINDEX locks the table itself in SHARE mode only; measured, it waits for readers, and they for it, all the same.
    """
    return forecast.statement.node_kind == "ReindexStmt" and not concurrently(forecast)


def _exposure(relation: str, held: _Held, traffic: Traffic | None) -> Exposure:
    points, seconds, rate = _harm([held], traffic)
    return Exposure(
        relation=relation,
        mode=held.mode,
        statement=held.statement,
        last=held.last,
        held_seconds=seconds,
        queue_seconds=held.queue,
        waiting_per_second=rate,
        work=held.work,
        bounded=held.bounded,
        stops_readers=held.acts_as.blocks_reads,
        points=max(points, scoring.at_least(_floor(held), seconds + held.queue, rate)),
    )


def _harm(all_held: Sequence[_Held], traffic: Traffic | None) -> tuple[int, float, float | None]:
    """Points, seconds held, statements a second that wait; of one relation in one transaction or in several.

    Writers wait from the first blocking lock on, readers only from the first that blocks them: the worse counts.
    """
    writes, reads = (0.0, 0.0) if traffic is None else (traffic.writes, traffic.reads)
    for_writers = for_readers = queue = readers_queue = 0.0
    blocks_reads = False
    for each in all_held:
        for_writers += each.blocked_writes
        for_readers += each.blocked_reads
        queue += each.queue
        readers_queue += each.readers_queue
        blocks_reads = blocks_reads or each.acts_as.blocks_reads
    worst = (scoring.locking(for_writers + queue, writes), for_writers, writes)
    if blocks_reads:
        all_wait = writes + reads
        worst = max(worst, (scoring.locking(for_readers + readers_queue, all_wait), for_readers, all_wait))
    points, seconds, rate = worst
    return points, seconds, None if traffic is None else rate


def _of_rows(rows: _Rows, traffic: Traffic | None) -> Exposure | None:
    """Only what is measured counts here: on a table that nobody updates nobody waits for rows."""
    rate = 0.0 if traffic is None else (traffic.updates + traffic.deletes) * rows.share
    seconds = rows.seconds * min(1.0, rate * rows.seconds)
    points = scoring.locking(seconds, rate)
    if points == 0:
        return None
    return Exposure(
        relation=rows.relation,
        mode=LockMode.ROW_EXCLUSIVE,
        statement=rows.statement,
        last=rows.last,
        held_seconds=seconds,
        queue_seconds=0.0,
        waiting_per_second=rate,
        work=(),
        bounded=True,
        stops_readers=False,
        points=points,
    )


def _floor(held: _Held) -> int:
    if held.work:
        return max(scoring.WORK_UNDER_LOCK, scoring.BRIEF_LOCK)
    return scoring.BRIEF_LOCK if held.bounded else scoring.BRIEF_LOCK_WITHOUT_TIMEOUT
