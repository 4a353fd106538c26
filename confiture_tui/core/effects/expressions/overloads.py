"""Which of several functions or operators of one name a call means.

PostgreSQL documentation, 10.2 "Operators" and 10.3 "Functions".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.expressions.conversions import POLYMORPHIC, agree, category_of, fits
from confiture_tui.core.effects.type_names import UNKNOWN, base_type

if TYPE_CHECKING:
    from confiture_tui.core.effects.builtins import Candidate
    from confiture_tui.core.effects.schema import Schema

Types = Sequence[str | None]


def choose(
    candidates: Sequence[Candidate], actual: Types, schema: Schema, *, names: Sequence[str | None] = ()
) -> tuple[Candidate, ...]:
    """The candidates that a call may mean.

    Args:
        candidates: all of that name.
        actual: types of the arguments; ``unknown`` for a literal, ``None`` where the type is not known to us.
        schema: where types and casts are looked up.
        names: of the arguments given by name, one each; ``None`` for those given by position.

    Returns:
        One, when it is certain which; several, when types that are not known leave it open (or when the server would
        call it ambiguous); none, when no candidate takes these arguments.
    """
    called = [fitted for one in candidates if (fitted := _called_with(one, len(actual), names)) is not None]
    exact = [one for one in called if _same(one, actual)]
    if exact:
        return tuple(exact[:1])
    if len(actual) == 2 and (assumed := _other_side(actual)) is not None:
        exact = [one for one in called if _same(one, assumed)]
        if exact:
            return tuple(exact[:1])
    fitting = [one for one in called if _takes(one, actual, schema)]
    if len(fitting) <= 1 or None in actual:
        return tuple(fitting)
    return _best(fitting, [None if one is None else base_type(one, schema) for one in actual], schema)


def _called_with(candidate: Candidate, count: int, names: Sequence[str | None]) -> Candidate | None:
    """The candidate with as many arguments as the call gives, in the call's order; ``None`` if it cannot take them."""
    arguments = candidate.arguments
    given = [name for name in names if name is not None]
    if given:
        positions = list(range(count - len(given)))
        for name in given:
            if name not in candidate.argument_names:
                return None
            positions.append(candidate.argument_names.index(name))
        if len(set(positions)) != count or count < len(arguments) - candidate.defaults:
            return None
        return replace(candidate, arguments=tuple(arguments[one] for one in positions))
    if candidate.variadic and count >= len(arguments):
        last = arguments[-1]
        element = last if last == '"any"' else "anyelement" if last == "anyarray" else last.removesuffix("[]")
        return replace(candidate, arguments=arguments[:-1] + (element,) * (count - len(arguments) + 1))
    if count == len(arguments):
        return candidate
    if len(arguments) - candidate.defaults <= count < len(arguments):
        return replace(candidate, arguments=arguments[:count])
    return None


def _takes(candidate: Candidate, actual: Types, schema: Schema) -> bool:
    """Whether a candidate takes arguments of these types, each by itself and, where it is polymorphic, together."""
    pairs = list(zip(candidate.arguments, actual, strict=True))
    return all(fits(have, want, schema) for want, have in pairs) and agree(pairs, schema)


def _same(candidate: Candidate, actual: Types) -> bool:
    return tuple(actual) == candidate.arguments


def _other_side(actual: Types) -> Types | None:
    """A literal is first taken to be of the other operand's type."""
    left, right = actual
    if left == UNKNOWN and right not in (UNKNOWN, None):
        return (right, right)
    if right == UNKNOWN and left not in (UNKNOWN, None):
        return (left, left)
    return None


def _best(fitting: list[Candidate], actual: list[str | None], schema: Schema) -> tuple[Candidate, ...]:
    def exact(one: Candidate) -> int:
        return sum(have == want for have, want in zip(actual, one.arguments, strict=True))

    def near(one: Candidate) -> int:
        return sum(
            have != UNKNOWN and (have == want or (_preferred(want, schema) and _alike(have, want, schema)))
            for have, want in zip(actual, one.arguments, strict=True)
        )

    for count in (exact, near):
        most = max(map(count, fitting))
        if most:
            fitting = [one for one in fitting if count(one) == most]
        if len(fitting) == 1:
            return tuple(fitting)
    literals = [place for place, have in enumerate(actual) if have == UNKNOWN]
    if not literals:
        return tuple(fitting)
    return _by_literals(fitting, actual, literals, schema)


def _by_literals(
    fitting: list[Candidate], actual: list[str | None], literals: list[int], schema: Schema
) -> tuple[Candidate, ...]:
    """Literals in quotes take the string category where one accepts it, else the one that all agree on."""
    for place in literals:
        categories = {category_of(one.arguments[place], schema)[0] for one in fitting}
        if "S" in categories:
            wanted = "S"
        elif len(categories) == 1:
            wanted = categories.pop()
        else:
            break
        kept = [one for one in fitting if category_of(one.arguments[place], schema)[0] == wanted]
        preferred = [one for one in kept if category_of(one.arguments[place], schema)[1]]
        fitting = preferred or kept
    if len(fitting) == 1:
        return tuple(fitting)
    # The last resort: all are taken to be of the one type that is known.
    known = {have for have in actual if have != UNKNOWN}
    if len(known) == 1:
        (assumed,) = known
        same = [one for one in fitting if _takes(one, [assumed] * len(actual), schema)]
        if len(same) == 1:
            return tuple(same)
    return tuple(fitting)


def _preferred(name: str, schema: Schema) -> bool:
    return name not in POLYMORPHIC and category_of(name, schema)[1]


def _alike(have: str | None, want: str, schema: Schema) -> bool:
    return have is not None and category_of(have, schema)[0] == category_of(want, schema)[0]
