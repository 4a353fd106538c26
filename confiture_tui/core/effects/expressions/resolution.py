"""What a call means, resolved once for each name and types of arguments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from confiture_tui.core.effects.expressions.calls import functions_called, operators_called, user_operators
from confiture_tui.core.effects.expressions.conversions import result_of, tables, worst
from confiture_tui.core.effects.expressions.overloads import choose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.core.catalog.models.columns import Volatility
    from confiture_tui.core.effects.builtins import Builtins, Candidate
    from confiture_tui.core.effects.schema import Schema

Types = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a call means.

    Attributes:
        candidates: what it may mean; one where that is certain, none where nothing of the name takes the arguments.
        named: there are functions or operators of the name at all.
        volatility: the worst of the candidates. ``strict``: all of them are.
        result: the type that all of them yield; ``None`` where they differ, or it is not known to us.
        unfitting: there are some of the name, and none takes the arguments; ``candidates`` are all of them then.
        plain: none of them is an aggregate, a window function, or yields a set. ``system``: all are PostgreSQL's own.
    """

    candidates: tuple[Candidate, ...]
    named: bool
    volatility: Volatility
    strict: bool
    result: str | None
    plain: bool
    system: bool
    unfitting: bool = False


_Key = tuple[object, ...]
_cache: dict[int | None, dict[_Key, Resolved]] = {}
# For PostgreSQL's own functions and operators with arguments of its own types the answer is the same for every schema
# of a major. What is resolved is bounded by the names and types that there are.
_LIMIT = 20_000


def operator(names: Sequence[str], types: Types, schema: Schema) -> Resolved:
    """What an operator with operands of these types means; ``unknown`` is a literal's, ``None`` not known to us."""
    own = tables(schema)
    shared = _shared(own, types) if not user_operators(names, schema) else None
    key = ("operator", names[-1], *types)
    if shared is not None and (known := shared.get(key)) is not None:
        return known
    candidates = [one for one in operators_called(names, schema) if len(one.arguments) == len(types)]
    found = _summary(choose(candidates, types, schema), types, schema, named=bool(candidates))
    if shared is not None and len(shared) < _LIMIT:
        shared[key] = found
    return found


def function(
    names: Sequence[str], types: Types, schema: Schema, *, argument_names: Sequence[str | None] = ()
) -> Resolved:
    """What a function called with arguments of these types means."""
    own = tables(schema)
    theirs = () if names[0] == "pg_catalog" else schema.routines(list(names))
    shared = _shared(own, types) if not theirs and not any(argument_names) else None
    key = ("function", *names, None, *types)
    if shared is not None and (known := shared.get(key)) is not None:
        return known
    candidates, _ = functions_called(names, schema)
    given = argument_names if any(argument_names) else ()
    chosen = choose(candidates, types, schema, names=given)
    # With types such that we cannot tell, any of the name may be meant.
    found = _summary(chosen or tuple(candidates), types, schema, named=bool(candidates))
    if candidates and not chosen:
        found = replace(found, unfitting=True)
    if shared is not None and len(shared) < _LIMIT:
        shared[key] = found
    return found


def of_candidates(candidates: Sequence[Candidate], types: Types, schema: Schema) -> Resolved:
    """The same of a call whose candidates are known already."""
    return _summary(tuple(candidates), types, schema, named=True)


def _shared(own: Builtins, types: Types) -> dict[_Key, Resolved] | None:
    """The answers that hold for every schema; ``None`` where a user's type decides."""
    for one in types:
        if one is not None and one not in own.types:
            return None
    return _cache.setdefault(own.major, {})


def _summary(chosen: tuple[Candidate, ...], types: Types, schema: Schema, *, named: bool) -> Resolved:
    results = {result_of(one.result, list(zip(one.arguments, types, strict=False)), schema) for one in chosen}
    return Resolved(
        chosen,
        named,
        worst([one.volatility for one in chosen]),
        bool(chosen) and all(one.strict for one in chosen),
        results.pop() if len(results) == 1 else None,
        not any(one.set_returning or one.aggregate or one.window for one in chosen),
        all(not one.oid for one in chosen),
    )
