"""Facts as sentences, and the look-ups that many rules share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.risk.duration import passes, works_that_grow
from confiture_tui.core.risk.words import bytes_in_words, seconds_in_words

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast, Lock, Work
    from confiture_tui.core.risk.rule import RuleContext
    from confiture_tui.core.risk.sizes import TableSize

T = TypeVar("T")

HEAVY = frozenset({WorkKind.REWRITE, WorkKind.SCAN, WorkKind.BUILD, WorkKind.REBUILD})
"""Work that grows with the table, apart from rows that are written."""

_DOES = {
    WorkKind.REWRITE: "Rewrites",
    WorkKind.SCAN: "Reads all of",
    WorkKind.BUILD: "Builds an index on",
    WorkKind.REBUILD: "Rebuilds an index of",
    WorkKind.WRITE: "Changes rows of",
}


def works(forecast: Forecast, kinds: Iterable[WorkKind] = HEAVY, command: int | None = None) -> tuple[Work, ...]:
    """The work of these kinds; with ``command``, only that of one sub-command."""
    if not forecast.works:
        return ()
    wanted = frozenset(kinds)
    return tuple(
        [work for work in forecast.works if work.kind in wanted and (command is None or work.command == command)]
    )


def blocking(forecast: Forecast, command: int | None = None) -> tuple[Lock, ...]:
    """The locks for which writers, or readers too, wait; with ``command``, those of the statement and of it."""
    return tuple(
        [
            lock
            for lock in forecast.locks
            if lock.mode.blocks_writes and (command is None or lock.command in (None, command))
        ]
    )


def strongest(locks: Iterable[Lock]) -> tuple[Lock, ...]:
    """One lock a relation, the strongest, in the order in which the relations come."""
    best: dict[str, Lock] = {}
    for lock in locks:
        known = best.get(lock.relation)
        if known is None or known.mode.strength < lock.mode.strength:
            best[lock.relation] = lock
    return tuple(best.values())


def facts(
    forecast: Forecast,
    context: RuleContext,
    *,
    locks: Iterable[Lock] | None = None,
    more_locks: int = 0,
    work: Iterable[Work] | None = None,
    sizes: Iterable[str] = (),
) -> tuple[str, ...]:
    """The evidence for a statement: its line, blocking locks, work with sizes and times, sizes of further tables.

    Args:
        forecast, context: of the statement.
        locks: those that are told of, with so many ``more_locks`` besides; the statement's blocking ones without.
        work: that is told of; all that is heavy without. ``sizes``: names of further tables.
    """
    taken = strongest(blocking(forecast) if locks is None else locks)
    done = works(forecast) if work is None else tuple(work)
    found = [f"Line {forecast.statement.line}: {forecast.statement.tag}."]
    found += [lock_fact(lock) for lock in few(taken, 4)]
    if (more := max(len(taken) - 4, 0) + max(more_locks, 0)) > 0:
        found.append(f"{count(more, 'more relation')} locked in the same way.")
    measured = dict.fromkeys(sizes)
    if done:
        found += _work_facts(done, forecast, context)
        grown = {one.relation for one in works_that_grow(forecast)}
        measured = dict.fromkeys([one.relation for one in done if one.relation in grown]) | measured
    found += [size_fact(context.size_of(relation)) for relation in few(tuple(measured), 4)]
    if forecast.before.catalog is None:
        found.append("Without a catalog: the text alone was read.")
    return tuple(found)


def lock_fact(lock: Lock) -> str:
    """A lock, and who waits for it."""
    waits = ""
    if lock.mode.blocks_reads:
        waits = ", for which readers and writers wait"
    elif lock.mode.blocks_writes:
        waits = ", for which writers wait"
    return f"{lock.mode} on {lock.relation}{waits}."


def _work_facts(done: Iterable[Work], forecast: Forecast, context: RuleContext) -> Iterator[str]:
    """The pieces of work with their times, those on the indexes of one table as one; what the times rest on, once."""
    apart = {id(each) for each in passes(forecast)}
    alike: dict[tuple[WorkKind, str, int], list[Work]] = {}
    for number, one in enumerate(each for each in done if id(each) in apart):
        many = one.kind in (WorkKind.BUILD, WorkKind.REBUILD)
        alike.setdefault((one.kind, one.relation, 0 if many else number), []).append(one)
    sources: dict[str, None] = {}
    for group in few(tuple(alike.values()), 4):
        times = [context.seconds(one) for one in group]
        sources |= dict.fromkeys(each.source for each in times)
        low, high = sum(each.low_ms for each in times), sum(each.high_ms for each in times)
        yield f"{_work_fact(group)} {milliseconds(low)} to {milliseconds(high)}."
    if len(alike) > 4:
        yield f"{count(len(alike) - 4, 'more piece')} of such work."
    if sources:
        yield f"Times by {'; '.join(sources)}."


def _work_fact(group: Sequence[Work]) -> str:
    """Pieces of work of one kind on one table, and why they are done."""
    first = group[0]
    names = [one.index for one in group if one.index]
    index = f" ({listed(names)})" if names else ""
    does = _DOES[first.kind] if len(group) == 1 else _DOES[first.kind].replace("an index", f"{len(group)} indexes")
    why = f": {first.why.rstrip('.')}" if first.why else ""
    return f"{does} {first.relation}{index}{why}."


def size_fact(size: TableSize) -> str:
    """How big a table is, and who says so."""
    if size.proved_empty:
        return f"{size.relation} is empty: a probe found no row."
    if not size.known:
        return f"The size of {size.relation} is not known; it is taken to be large."
    return f"{size.relation}: {bytes_in_words(size.bytes)}, about {size.rows:,.0f} rows ({size.source})."


def milliseconds(value: float) -> str:
    """A span of time in the unit that suits it."""
    return seconds_in_words(value / 1000)


def count(number: int, noun: str) -> str:
    """``1 table``, ``2 tables``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def few(items: tuple[T, ...], most: int) -> tuple[T, ...]:
    """The first of them: evidence is to be read."""
    return items[:most]


def listed(names: Iterable[str], most: int = 5, *, more: int = 0) -> str:
    """Names in a sentence: ``a, b and 3 more``; ``more``: how many there are that are not given."""
    all_names = tuple(dict.fromkeys(names))
    if len(all_names) == 1 and more <= 0:
        return all_names[0]
    more = max(len(all_names) - most, 0) + max(more, 0)
    if more:
        return f"{', '.join(all_names[:most])} and {more} more"
    if len(all_names) > 1:
        return f"{', '.join(all_names[:-1])} and {all_names[-1]}"
    return "".join(all_names)
