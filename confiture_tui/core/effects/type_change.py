"""What ALTER COLUMN … TYPE does to stored values: keeps them as they are, or computes every one anew.

Source: ``ATColumnChangeRequiresRewrite`` in PostgreSQL's ``tablecmds.c``, and what the planner makes of length
coercions (``varchar_support``, ``numeric_support``, ``time_support``, …): they fall away when every value fits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.builtins import CastContext, CastMethod
from confiture_tui.core.effects.expressions import type_of
from confiture_tui.core.effects.expressions.conversions import cast_between, category_of
from confiture_tui.core.effects.proofs import column_named
from confiture_tui.core.effects.type_names import UNKNOWN, TypeRef, base_type, parse_type, type_of_node, user_type
from confiture_tui.core.effects.types_known import domain_facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.schema import Schema

Node = dict[str, Any]
Failure = tuple[str, str]

_TIMESTAMPS = frozenset({"timestamp without time zone", "timestamp with time zone"})
_TIMES = _TIMESTAMPS | {"time without time zone", "time with time zone"}
_WITH_LENGTH = _TIMES | {"character varying", "character", "numeric", "bit", "bit varying", "interval"}
_INTEGERS = {"smallint": 1, "integer": 2, "bigint": 3}
_NUMBERS = frozenset(_INTEGERS) | {"numeric", "real", "double precision", "money"}
_DATES = _TIMES | {"date", "interval"}
_ALWAYS_UTC = frozenset({"utc", "gmt", "uct", "zulu", "universal", "greenwich", "gmt0", "gmt+0", "gmt-0", "0"})
_MAX_PRECISION = 6


@dataclass(frozen=True, slots=True)
class TypeChange:
    """What a change of type does.

    Attributes:
        rewrites: every value is computed anew; ``None``: that cannot be told.
        possible: there is a cast that applies by itself; ``None``: that cannot be told.
        changes_values: values may differ afterwards, ``None``: that cannot be told.
        failures: SQLSTATE and reason of what values may raise.
        why: it rewrites.
    """

    rewrites: bool | None
    possible: bool | None = True
    changes_values: bool | None = False
    failures: tuple[Failure, ...] = ()
    why: str = ""

    def then(self, after: TypeChange) -> TypeChange:
        """This change and another one after it."""
        return TypeChange(
            rewrites=_either(self.rewrites, after.rewrites),
            possible=_both(self.possible, after.possible),
            changes_values=_either(self.changes_values, after.changes_values),
            failures=(*self.failures, *after.failures),
            why=self.why or after.why,
        )


_NOTHING = TypeChange(rewrites=False)
_UNTOLD = TypeChange(rewrites=None, possible=None, changes_values=None, why="its types are not known")


def change_of_type(
    old: TypeRef | None,
    new: TypeRef | None,
    schema: Schema,
    settings: Mapping[str, str],
    *,
    using: Node | None = None,
    relation: Relation | None = None,
    column: str = "",
) -> TypeChange:
    """What changing a column from one type to another does.

    Args:
        old, new: the types; ``None`` where they are not known.
        schema: where casts and domains are looked up.
        settings: in force; TimeZone decides between ``timestamp`` and ``timestamptz``.
        using: the expression of USING.
        relation, column: whose type is changed, for USING.
    """
    if using is not None:
        return _by_expression(using, old, new, schema, settings, relation, column)
    if new is None or old is None:
        return _untold(new)
    return _coerce(old, new, schema, settings, explicit=False)


def _untold(new: TypeRef | None) -> TypeChange:
    """The old type is not known: the new one alone tells what may go wrong."""
    return _UNTOLD if new is None else replace(_UNTOLD, failures=_reading_failures(new))


def _by_expression(
    using: Node,
    old: TypeRef | None,
    new: TypeRef | None,
    schema: Schema,
    settings: Mapping[str, str],
    relation: Relation | None,
    column: str,
) -> TypeChange:
    change, result = _unwrap(using, old, schema, settings, relation, column)
    if result is None or new is None:
        return change.then(_untold(new))
    if result.name == UNKNOWN:
        return change
    return change.then(_coerce(result, new, schema, settings, explicit=False))


def _unwrap(
    node: Node, old: TypeRef | None, schema: Schema, settings: Mapping[str, str], relation: Relation | None, column: str
) -> tuple[TypeChange, TypeRef | None]:
    """What an expression does to the column's value when it is nothing but casts of it, and the type it yields."""
    if column_named(node) == column:
        return _NOTHING, old
    cast = node.get("TypeCast")
    if cast is not None:
        change, source = _unwrap(cast.get("arg", {}), old, schema, settings, relation, column)
        target = type_of_node(cast.get("typeName", {}), schema)
        if source is None or target is None:
            return change.then(_untold(target)), target
        if source.name == UNKNOWN:
            return change, target
        return change.then(_coerce(source, target, schema, settings, explicit=True)), target
    collated = node.get("CollateClause")
    if collated is not None:
        return _unwrap(collated.get("arg", {}), old, schema, settings, relation, column)
    computed = TypeChange(rewrites=True, changes_values=None, why="its values are computed by USING")
    return computed, type_of(node, schema, relation=relation)


def _coerce(old: TypeRef, new: TypeRef, schema: Schema, settings: Mapping[str, str], *, explicit: bool) -> TypeChange:
    if old.bare == new.bare:
        return _length(old, new)
    domain = _to_domain(old, new, schema, settings, explicit=explicit)
    if domain is not None:
        return domain
    source = _base_of(old, schema)
    if source.bare == new.bare:
        return _length(source, new)
    if source.is_array or new.is_array:
        return _arrays(source, new, schema, settings, explicit=explicit)
    cast = cast_between(source.name, new.name, schema)
    allowed = (CastContext.IMPLICIT, CastContext.ASSIGNMENT) + ((CastContext.EXPLICIT,) if explicit else ())
    if cast is not None and cast.context in allowed:
        if cast.method is CastMethod.BINARY:
            return _length(TypeRef(new.name), new)
        if {source.name, new.name} == _TIMESTAMPS:
            return _time_zone(settings).then(_length(TypeRef(new.name), new))
        changes = not (source.name in _INTEGERS and _INTEGERS.get(new.name, 9) > _INTEGERS[source.name])
        computed = TypeChange(
            rewrites=True,
            changes_values=None if changes else False,
            failures=_narrowing(source, new),
            why=f"{source} is stored otherwise than {new}",
        )
        return computed.then(replace(_length(TypeRef(new.name), new), rewrites=False, why=""))
    to_text = category_of(new.name, schema)[0] == "S"
    from_text = category_of(source.name, schema)[0] == "S"
    if to_text or (explicit and from_text):
        return TypeChange(
            rewrites=True,
            changes_values=None,
            failures=() if to_text else _reading_failures(new),
            why=f"{source} is stored otherwise than {new}",
        ).then(replace(_length(TypeRef(new.name), new), rewrites=False, why=""))
    known = schema.known or (_is_settled(source, schema) and _is_settled(new, schema))
    return TypeChange(rewrites=True, possible=False if known else None, changes_values=None, why="it has no cast")


def _to_domain(
    old: TypeRef, new: TypeRef, schema: Schema, settings: Mapping[str, str], *, explicit: bool
) -> TypeChange | None:
    """To a domain: to what it rests on, and then through its constraints; ``None`` when it is no domain."""
    domain = None if new.is_array else user_type(new.name, schema)
    if domain is None or domain.base_type is None or old.bare == new.bare:
        return None
    change = _coerce(old, parse_type(domain.base_type), schema, settings, explicit=explicit)
    facts = domain_facts(new.name, schema)
    if not facts.constrained:
        return change
    failures = tuple((one, f"the domain {new.name} may refuse values that exist") for one in facts.failures)
    why = f"every value is checked against the constraints of {new.name}"
    return change.then(TypeChange(rewrites=True, failures=failures, why=why))


def _base_of(old: TypeRef, schema: Schema) -> TypeRef:
    """What values of a domain are stored as."""
    if old.is_array:
        return old
    domain = user_type(old.name, schema)
    if domain is None or domain.base_type is None:
        return old
    base = parse_type(domain.base_type)
    return base if base.is_array else _base_of(base, schema)


def _is_settled(one: TypeRef, schema: Schema) -> bool:
    """Whether a type is PostgreSQL's own, so that casts of the user's own are unlikely to matter."""
    return "." not in base_type(one.name, schema)


def _arrays(old: TypeRef, new: TypeRef, schema: Schema, settings: Mapping[str, str], *, explicit: bool) -> TypeChange:
    """Every element is cast."""
    if old.is_array and new.is_array:
        change = _coerce(old.element, new.element, schema, settings, explicit=explicit)
        return replace(change, rewrites=True, why="every element of the arrays is cast")
    to_text = not new.is_array and category_of(new.name, schema)[0] == "S"
    from_text = not old.is_array and category_of(old.name, schema)[0] == "S"
    possible = to_text or (explicit and from_text)
    failures = () if to_text else _reading_failures(new)
    return TypeChange(
        rewrites=True, possible=possible, changes_values=None, failures=failures, why=f"{old} is no {new}"
    )


def _time_zone(settings: Mapping[str, str]) -> TypeChange:
    """Between timestamps with and without time zone nothing changes where the session's zone is UTC, always."""
    zone = settings.get("timezone")
    if zone is not None and _is_utc(zone):
        return TypeChange(rewrites=False, changes_values=None)
    told = f"TimeZone is {zone}" if zone is not None else "TimeZone is not known"
    return TypeChange(rewrites=True, changes_values=None, why=f"every value is converted, since {told}")


def _is_utc(zone: str) -> bool:
    name = zone.strip().strip("'\"").lower().removeprefix("etc/")
    return name in _ALWAYS_UTC or (name.strip("+-").replace(":", "").strip("0") == "" and name != "")


def _length(old: TypeRef, new: TypeRef) -> TypeChange:
    """The same type with another length or precision."""
    if not new.modifier or old.modifier == new.modifier or (new.is_array and old.modifier == new.modifier):
        return _NOTHING
    if new.is_array:
        change = _length(old.element, new.element)
        return replace(change, rewrites=True, why="every element of the arrays is cast")
    if new.name not in _WITH_LENGTH:
        return TypeChange(rewrites=True, changes_values=None, why=f"values may not fit {new}")
    have, want = old.numbers, new.numbers
    fits = False
    failures: tuple[Failure, ...] = ()
    match new.name:
        case "character varying" | "bit varying":
            fits = bool(have and want and want[0] >= have[0])
            failures = () if fits else (("22001", f"values may be too long for {new}"),)
        case "character":
            failures = () if have and want and want[0] >= have[0] else (("22001", f"values may be too long for {new}"),)
        case "bit":
            failures = (("22026", f"values may be of another length than {new}"),)
        case "numeric":
            fits = len(have) == 2 and len(want) == 2 and want[1] == have[1] and want[0] >= have[0]
            failures = () if fits else (("22003", f"values may be too large for {new}"),)
        case "interval":
            fits = _interval_fits(old, new)
        case _:
            precision = want[0] if want else _MAX_PRECISION
            fits = precision >= _MAX_PRECISION or bool(have and precision >= have[0])
    if fits:
        return _NOTHING
    return TypeChange(rewrites=True, changes_values=None, failures=failures, why=f"values may not fit {new}")


_FIELD_ORDER = ("second", "minute", "hour", "day", "month", "year")


def _interval_fits(old: TypeRef, new: TypeRef) -> bool:
    """Fields at least as fine, and a precision at least as high (``interval_support``)."""
    old_fields, old_precision = _interval_parts(old.modifier)
    new_fields, new_precision = _interval_parts(new.modifier)
    finest = _FIELD_ORDER.index(new_fields.split()[-1]) if new_fields else 0
    before = _FIELD_ORDER.index(old_fields.split()[-1]) if old_fields else 0
    if finest > before:
        return False
    return new_precision >= _MAX_PRECISION or before > 0 or new_precision >= old_precision


def _interval_parts(modifier: str) -> tuple[str, int]:
    fields, _, precision = modifier.partition("(")
    if not precision and fields.strip().isdigit():
        return "", int(fields)
    return fields.strip(), int(precision.rstrip(")")) if precision else _MAX_PRECISION


def _narrowing(old: TypeRef, new: TypeRef) -> tuple[Failure, ...]:
    """What a cast between types of one family may raise."""
    if new.name in _NUMBERS and old.name in _NUMBERS:
        wider = old.name in _INTEGERS and (
            _INTEGERS.get(new.name, 0) > _INTEGERS[old.name]
            or (new.name not in _INTEGERS and (new.name != "numeric" or not new.modifier))
        )
        return () if wider else (("22003", f"values may be out of range for {new}"),)
    if new.name in _DATES and old.name in _DATES:
        return (("22008", f"values may be out of range for {new}"),)
    if category_text(old.name):
        return _reading_failures(new)
    return ()


def category_text(name: str) -> bool:
    """Whether a type of PostgreSQL's own holds text."""
    return name in ("text", "character varying", "character", "name")


def _reading_failures(new: TypeRef) -> tuple[Failure, ...]:
    """What reading values of a type from other ones may raise."""
    name = new.name
    if name in _DATES:
        return (("22007", f"values may not be a {name}"), ("22008", f"values may be out of range for {name}"))
    if name in ("character varying", "character", "bit varying") and new.modifier:
        return (("22001", f"values may be too long for {new}"),)
    if name in _NUMBERS:
        return (("22P02", f"values may not be a {name}"), ("22003", f"values may be out of range for {new}"))
    if category_text(name):
        return ()
    return (("22P02", f"values may not be a {name}"),)


def _either(first: bool | None, second: bool | None) -> bool | None:
    if first or second:
        return True
    return None if first is None or second is None else False


def _both(first: bool | None, second: bool | None) -> bool | None:
    if first is False or second is False:
        return False
    return None if first is None or second is None else True
