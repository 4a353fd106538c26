"""Prediction against observation, field by field.

Only what both sides looked at is compared (``None`` means *not looked at*), and nothing is held against a prediction
that the observation could not have seen:

* A statement that failed was undone: only that, and how, is compared.
* ``reach`` ``unknown`` of the prediction, or ``opaque``: it says itself that there may be more. More is no mismatch,
  and of code that is opaque neither is less, because what it read of that code may be a branch that was not taken.
* ``reach`` ``unknown`` of the observation: it says itself that it may have missed something. Less is no mismatch.
* A temporary relation is in ``pg_temp`` for the prediction, and in ``pg_temp_3`` or the like on the server: the same.
* ``cumulative``: seen after other statements of the same transaction, whose locks hide the same and weaker ones. A
  predicted lock that was not seen is no mismatch; one that was seen and not predicted is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_tui.core.effects.model import FrozenModel, Reach

if TYPE_CHECKING:
    from collections.abc import Collection

    from confiture_tui.core.effects.model import Effects

NAME_LISTS = ("rewrites", "scans", "builds", "rebuilds", "creates", "drops", "invalid_indexes")
"""The fields of ``Effects`` that list relations, ``locks`` apart."""


_TEMPORARY = re.compile(r"pg_temp_\d+\.")


class Mismatch(FrozenModel):
    """One field in which a prediction and an observation differ.

    Attributes:
        field: of ``Effects``.
        predicted: what was predicted and is not so, one text each.
        observed: what was observed instead, one text each.
        understated: the prediction promised less harm than was seen; false: it warned of something that did not come.
    """

    field: str
    predicted: tuple[str, ...]
    observed: tuple[str, ...]
    understated: bool

    def __str__(self) -> str:
        return f"{self.field}: predicted {_listed(self.predicted)}, observed {_listed(self.observed)}"


def _plain(name: str) -> str:
    """A qualified name; that of a temporary relation without the number of its session."""
    return _TEMPORARY.sub("pg_temp.", name, count=1) if name.startswith("pg_temp_") else name


def _listed(texts: tuple[str, ...]) -> str:
    return ", ".join(texts) or "nothing of the kind"


def compare(predicted: Effects, observed: Effects, *, cumulative: bool = False) -> tuple[Mismatch, ...]:
    """Where they differ, in the order of the fields; empty when nothing that was observed contradicts the prediction.

    Args:
        predicted: what was said before.
        observed: what was seen.
        cumulative: the observation's locks are those that statements before it had not taken already.
    """
    if predicted.basis is None or observed.basis is None:
        return ()
    failure = _failures(predicted, observed)
    if observed.fails is not None or predicted.fails is not None:
        return failure
    more_expected = predicted.reach is Reach.UNKNOWN or bool(predicted.opaque)
    less_expected = observed.reach is Reach.UNKNOWN or bool(predicted.opaque)
    found = [
        _locks(predicted, observed, more_expected=more_expected, less_expected=less_expected or cumulative),
        *(
            _names(field, predicted, observed, more_expected=more_expected, less_expected=less_expected)
            for field in NAME_LISTS
        ),
        _answers("destroys_data", predicted.destroys_data, observed.destroys_data, harm=True),
        _answers("changes_data", predicted.changes_data, observed.changes_data, harm=True),
        _answers("transactional", predicted.transactional, observed.transactional, harm=False),
    ]
    return tuple(one for one in found if one is not None)


def _failures(predicted: Effects, observed: Effects) -> tuple[Mismatch, ...]:
    """Whether it failed as predicted. A failure that was said to be possible is no mismatch, whether it came or not."""
    expected = predicted.fails.sqlstate if predicted.fails is not None else None
    seen = observed.fails.sqlstate if observed.fails is not None else None
    possible = {one.sqlstate for one in predicted.may_fail or ()}
    if expected == seen or (expected is None and seen in possible):
        return ()
    if seen is not None and expected is None and predicted.opaque:
        return ()
    return (
        Mismatch(
            field="fails",
            predicted=(expected,) if expected else (),
            observed=(seen,) if seen else (),
            understated=expected is None,
        ),
    )


def _locks(predicted: Effects, observed: Effects, *, more_expected: bool, less_expected: bool) -> Mismatch | None:
    if predicted.locks is None or observed.locks is None:
        return None
    expected = {_plain(lock.relation): lock.mode for lock in predicted.locks}
    seen = {_plain(lock.relation): lock.mode for lock in observed.locks}
    unseen, unforeseen, understated = [], [], False
    for name in sorted(expected.keys() | seen.keys()):
        was, came = expected.get(name), seen.get(name)
        if was is came:
            continue
        weaker = 0 if was is None else was.strength
        stronger = 0 if came is None else came.strength
        if (more_expected and stronger > weaker) or (less_expected and weaker > stronger):
            continue
        understated = understated or stronger > weaker
        if was is not None:
            unseen.append(f"{was} on {name}")
        if came is not None:
            unforeseen.append(f"{came} on {name}")
    if not unseen and not unforeseen:
        return None
    return Mismatch(field="locks", predicted=tuple(unseen), observed=tuple(unforeseen), understated=understated)


def _names(
    field: str, predicted: Effects, observed: Effects, *, more_expected: bool, less_expected: bool
) -> Mismatch | None:
    listed: Collection[str] | None = getattr(predicted, field)
    found: Collection[str] | None = getattr(observed, field)
    if listed is None or found is None:
        return None
    expected, seen = set(map(_plain, listed)), set(map(_plain, found))
    unseen = () if less_expected else tuple(sorted(expected - seen))
    unforeseen = () if more_expected else tuple(sorted(seen - expected))
    if not unseen and not unforeseen:
        return None
    return Mismatch(field=field, predicted=unseen, observed=unforeseen, understated=bool(unforeseen))


def _answers(field: str, predicted: bool | None, observed: bool | None, *, harm: bool) -> Mismatch | None:
    """Of a question that was answered twice; ``harm`` is the answer that is the worse one."""
    if predicted is None or observed is None or predicted is observed:
        return None
    return Mismatch(
        field=field, predicted=(_yes(predicted),), observed=(_yes(observed),), understated=predicted is not harm
    )


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"
