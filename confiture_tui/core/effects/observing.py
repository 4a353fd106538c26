"""What was seen of statements put in the place of what was predicted of them, as far as it may be.

Who has seen a statement run says what of that may count (``Observed``): of a field that is ``None`` the prediction
stays. How long locks are held is never observed, it follows from the wrapping; so what a transaction holds already is
worked out anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.effects.forecast import Forecast, Lock, Simulation, Work, WorkKind
from confiture_tui.core.effects.held_locks import HeldLocks, TakenLocks
from confiture_tui.core.effects.model import Basis, Effects, FrozenModel, Reach, RelationLock

if TYPE_CHECKING:
    from confiture_tui.core.effects.lock_modes import LockMode

WHY: Final = "seen in the dry run"
"""What a lock or a piece of work rests on that nobody had predicted."""

_WORKS: Final = (
    ("rewrites", WorkKind.REWRITE),
    ("scans", WorkKind.SCAN),
    ("builds", WorkKind.BUILD),
    ("rebuilds", WorkKind.REBUILD),
)
_OF_INDEXES: Final = frozenset({WorkKind.BUILD, WorkKind.REBUILD})
_LISTS: Final = ("rewrites", "scans", "builds", "rebuilds", "drops", "creates", "invalid_indexes")
_ANSWERS: Final = ("destroys_data", "changes_data", "transactional", "opaque")
_TEMPORARY: Final = "pg_temp"


@dataclass(frozen=True, slots=True)
class Observed:
    """What counts of what was seen of one statement.

    Attributes:
        effects: what it did; ``None`` in a field: that was not seen, or may not count.
        whole: fields whose lists are complete. Of others there may be more: what was predicted stays, too.
        succeeded: it ran, and what it was certain to fail with did not come.
        rules_out: SQLSTATEs that data decide and that did not come, on data like the target's.
        elapsed_ms, rows, wal_bytes: how long it took, the rows it changed, the write-ahead log that it wrote; ``None``:
            that says nothing of the target.
    """

    effects: Effects
    whole: frozenset[str] = frozenset()
    succeeded: bool = False
    rules_out: frozenset[str] = frozenset()
    elapsed_ms: float | None = None
    rows: int | None = None
    wal_bytes: int | None = None


ONLY_SEEN: Final = frozenset({"elapsed_ms", "rows", "wal_bytes"})
"""The fields of ``Replaced`` that are only ever seen: figures, which stand with the statements."""


class Replaced(FrozenModel):
    """One field of a statement's prediction in the place of which stands what was seen.

    Attributes:
        statement: 1-based index.
        field: of ``Effects``; or ``elapsed_ms``, ``rows`` or ``wal_bytes``, which are only ever seen.
        predicted: what was predicted and does not count any more, one text each.
        observed: what was seen and had not been predicted, one text each.
    """

    statement: int
    field: str
    predicted: tuple[str, ...] = ()
    observed: tuple[str, ...] = ()

    def __str__(self) -> str:
        before, now = (", ".join(texts) or "nothing of the kind" for texts in (self.predicted, self.observed))
        return f"statement {self.statement}, {self.field.replace('_', ' ')}: {now} seen, {before} predicted"


Seer = Callable[[Forecast], Observed | None]


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of a migration.

    Attributes:
        of: what counts of what was seen of a statement that is forecast; ``None`` where it was not seen.
        schema_proved: up, down and compare brought the schema back; ``None`` when that was not tried to the end.
    """

    of: Seer
    schema_proved: bool | None = None


def with_observations(simulation: Simulation, seer: Seer) -> tuple[Simulation, tuple[Replaced, ...]]:
    """The simulation with what was seen in the place of what was predicted, and what that replaced."""
    made: list[Forecast] = []
    replaced: list[Replaced] = []
    for forecast in simulation.forecasts:
        seen = seer(forecast)
        if seen is None or forecast.effects.basis is None:
            made.append(forecast)
            continue
        one = _revised(forecast, seen)
        replaced += _differences(forecast, one, seen)
        made.append(one)
    return replace(simulation, forecasts=_held_anew(simulation.forecasts, made)), tuple(replaced)


def _revised(forecast: Forecast, seen: Observed) -> Forecast:
    effects, found = forecast.effects, seen.effects
    locks = _locks(forecast.locks, found.locks, whole="locks" in seen.whole)
    works = _works(forecast, seen)
    lists: dict[str, Any] = {
        field: _list(getattr(effects, field), getattr(found, field), whole=field in seen.whole) for field in _LISTS
    }
    answers = {field: getattr(found, field) for field in _ANSWERS if getattr(found, field) is not None}
    fails = found.fails or (None if seen.succeeded else effects.fails)
    update = lists | answers | {"locks": _strongest(locks), "fails": fails}
    if effects.may_fail is not None:
        update["may_fail"] = tuple(one for one in effects.may_fail if one.sqlstate not in seen.rules_out)
    if "locks" in seen.whole:
        update |= {"basis": Basis.OBSERVED, "reach": Reach.COMPLETE if found.reach is Reach.COMPLETE else effects.reach}
    return replace(
        forecast,
        effects=effects.model_copy(update=update),
        locks=locks,
        works=works,
        measured_ms=seen.elapsed_ms,
        measured_rows=seen.rows,
        measured_wal=seen.wal_bytes,
    )


def _locks(predicted: Sequence[Lock], seen: Iterable[RelationLock] | None, *, whole: bool) -> tuple[Lock, ...]:
    if seen is None:
        return tuple(predicted)
    modes = {one.relation: one.mode for one in seen if not one.relation.startswith(_TEMPORARY)}
    kept = [
        one
        for one in predicted
        if not whole
        or one.relation.startswith(_TEMPORARY)
        or (one.relation in modes and one.mode.strength <= modes[one.relation].strength)
    ]
    strongest = _by_relation(kept)
    for relation, mode in modes.items():
        if relation not in strongest or strongest[relation].strength < mode.strength:
            kept.append(Lock(relation, mode, WHY))
    return tuple(kept)


def _by_relation(locks: Iterable[Lock]) -> dict[str, LockMode]:
    found: dict[str, LockMode] = {}
    for lock in locks:
        known = found.get(lock.relation)
        if known is None or known.strength < lock.mode.strength:
            found[lock.relation] = lock.mode
    return found


def _strongest(locks: Iterable[Lock]) -> tuple[RelationLock, ...]:
    return tuple(RelationLock(relation=name, mode=mode) for name, mode in sorted(_by_relation(locks).items()))


def _works(forecast: Forecast, seen: Observed) -> tuple[Work, ...]:
    works = list(forecast.works)
    for field, kind in _WORKS:
        names: tuple[str, ...] | None = getattr(seen.effects, field)
        if names is None:
            continue
        known = {_name(one) for one in works if one.kind is kind}
        if field in seen.whole:
            works = [one for one in works if one.kind is not kind or _name(one) in names or _is_temporary(one)]
        for name in names:
            if name not in known and not name.startswith(_TEMPORARY):
                works.append(_work(forecast, kind, name))
    return tuple(works)


def _name(work: Work) -> str:
    return work.index if work.kind in _OF_INDEXES and work.index else work.relation


def _is_temporary(work: Work) -> bool:
    return work.relation.startswith(_TEMPORARY)


def _work(forecast: Forecast, kind: WorkKind, name: str) -> Work:
    if kind not in _OF_INDEXES:
        return Work(kind, name, None, WHY)
    return Work(kind, _table_of(forecast, name), name, WHY)


def _table_of(forecast: Forecast, index: str) -> str:
    """The table of an index, as far as the schema around the statement knows it."""
    for schema in (forecast.after, forecast.before):
        found = schema.find(index).object
        if isinstance(found, Index):
            return found.relation
    # Without its table nothing is known of its size, and it is taken at its worst.
    return index


def _list(predicted: tuple[str, ...] | None, seen: tuple[str, ...] | None, *, whole: bool) -> tuple[str, ...] | None:
    if seen is None or predicted is None:
        return predicted if seen is None else seen
    lasting = {name for name in seen if not name.startswith(_TEMPORARY)}
    stays = predicted if not whole else [name for name in predicted if name in seen or name.startswith(_TEMPORARY)]
    return tuple(sorted({*stays, *lasting}))


def _differences(before: Forecast, after: Forecast, seen: Observed) -> Iterable[Replaced]:
    was, now, number = before.effects, after.effects, before.statement.index
    yield from _replaced(number, "locks", _lock_texts(was), _lock_texts(now))
    for field in _LISTS:
        yield from _replaced(number, field, getattr(was, field) or (), getattr(now, field) or ())
    for field in _ANSWERS:
        yield from _replaced(number, field, _answer(getattr(was, field)), _answer(getattr(now, field)))
    yield from _replaced(number, "fails", _state(was), _state(now))
    possible = (tuple(one.sqlstate for one in effects.may_fail or ()) for effects in (was, now))
    yield from _replaced(number, "may_fail", *possible)
    measured = (("elapsed_ms", seen.elapsed_ms), ("rows", seen.rows), ("wal_bytes", seen.wal_bytes))
    for field, value in measured:
        if value is not None:
            yield Replaced(statement=number, field=field, observed=(f"{value:,.0f}",))


def _replaced(statement: int, field: str, was: Iterable[str], now: Iterable[str]) -> Iterable[Replaced]:
    then, here = set(was), set(now)
    if then != here:
        yield Replaced(
            statement=statement, field=field, predicted=tuple(sorted(then - here)), observed=tuple(sorted(here - then))
        )


def _lock_texts(effects: Effects) -> list[str]:
    return [f"{one.mode} on {one.relation}" for one in effects.locks or ()]


def _answer(value: bool | None) -> tuple[str, ...]:
    return ("unknown",) if value is None else ("yes",) if value else ("no",)


def _state(effects: Effects) -> tuple[str, ...]:
    return (effects.fails.sqlstate,) if effects.fails is not None else ()


def _held_anew(before: Sequence[Forecast], after: Sequence[Forecast]) -> tuple[Forecast, ...]:
    """The forecasts with what their transactions hold already, worked out anew once they took something else."""
    taken: dict[int, TakenLocks] = {}
    differs: set[int] = set()
    made: list[Forecast] = []
    for was, now in zip(before, after, strict=True):
        number = was.transaction
        if number is None:
            made.append(now)
            continue
        if number not in taken:
            taken[number] = TakenLocks(was.held)
        locks = taken[number]
        made.append(replace(now, held=HeldLocks(locks, len(locks.locks))) if number in differs else now)
        for lock in now.locks:
            locks.add(lock)
        if was.locks != now.locks:
            differs.add(number)
    return tuple(made)
