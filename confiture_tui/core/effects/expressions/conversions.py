"""Which type can stand for which: the casts of PostgreSQL and of the catalog, as expressions use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.columns import Volatility
from confiture_tui.core.catalog.models.objects import OtherObject
from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.effects.builtins import Builtins, Cast, CastContext, CastMethod, builtins_of
from confiture_tui.core.effects.type_names import UNKNOWN, base_type, parse_type, user_type

if TYPE_CHECKING:
    from confiture_tui.core.effects.schema import Schema

_CONTEXTS = {"i": CastContext.IMPLICIT, "a": CastContext.ASSIGNMENT, "e": CastContext.EXPLICIT}
_METHODS = {"f": CastMethod.FUNCTION, "b": CastMethod.BINARY, "i": CastMethod.INOUT}
_ANYTHING = {"any", '"any"', "anyelement", "anycompatible"}
_ARRAYS = {"anyarray", "anycompatiblearray"}
_NO_ARRAYS = {"anynonarray", "anycompatiblenonarray"}
_RANGES = {"anyrange", "anycompatiblerange"}
_MULTIRANGES = {"anymultirange", "anycompatiblemultirange"}
_PLAIN_CATEGORIES = frozenset("ABDEINSTV")
# Of these (pg_type, "typcategory Codes") a value never becomes one of another category without being asked.
POLYMORPHIC = _ANYTHING | _ARRAYS | _NO_ARRAYS | _RANGES | _MULTIRANGES | {"anyenum"}
"""Pseudo-types of arguments that take values of many types."""


def tables(schema: Schema) -> Builtins:
    """PostgreSQL's own tables for the schema's server."""
    return builtins_of(schema.server_version_num if schema.known else None)


def cast_between(source: str, target: str, schema: Schema) -> Cast | None:
    """The cast that ``pg_cast`` lists for two types, by their bare names; ``None`` when it lists none."""
    found = tables(schema).casts.get((source, target))
    if found is not None:
        return found
    written = schema.other("cast", f"({source} AS {target})")
    if not isinstance(written, OtherObject):
        return None
    properties = dict(written.properties)
    function = properties.get("function")
    volatility = Volatility.IMMUTABLE
    if function:
        volatility = next((one.volatility for one in schema.routines(function.partition("(")[0])), Volatility.VOLATILE)
    return Cast(
        source,
        target,
        _CONTEXTS[properties.get("context") or "e"],
        _METHODS[properties.get("method") or "f"],
        volatility,
    )


def is_known_type(name: str, schema: Schema) -> bool:
    """Whether a type, by its bare name, is one of PostgreSQL's own, a user's that is listed, or a row or an array."""
    element = name.removesuffix("[]")
    return (
        element in tables(schema).types
        or user_type(element, schema) is not None
        or ("." in element and schema.relation(element) is not None)
    )


def category_of(name: str, schema: Schema) -> tuple[str, bool]:
    """``typcategory`` of a type, and whether it is its category's preferred one."""
    if name == UNKNOWN:
        return "X", False
    if name.endswith("[]"):
        return "A", False
    builtin = tables(schema).types.get(name)
    if builtin is not None:
        return builtin.category, builtin.preferred
    found = user_type(name, schema)
    if found is None:
        return "U", False
    match found.kind:
        case TypeKind.DOMAIN:
            return category_of(base_type(name, schema), schema)[0], False
        case TypeKind.ENUM:
            return "E", False
        case TypeKind.RANGE:
            return "R", False
        case TypeKind.COMPOSITE:
            return "C", False
    properties = dict(one.partition("=")[::2] for one in found.properties)
    return properties.get("category", "U"), properties.get("preferred") == "true"


def can_be_condition(name: str | None, schema: Schema) -> bool:
    """Whether a value of a type can stand where a truth value must; ``None`` is a type that is not known to us."""
    return name in (None, UNKNOWN) or base_type(str(name), schema) == "boolean"


def fits(actual: str | None, declared: str, schema: Schema) -> bool:
    """Whether a value of one type can be an argument of another without being asked; ``None`` fits everything."""
    if actual is None or actual in (UNKNOWN, declared) or declared in _ANYTHING:
        return True
    if declared in POLYMORPHIC:
        return _fits_polymorphic(actual, declared, schema)
    if actual == "record" or declared == "record":
        return declared == "record" and category_of(actual, schema)[0] in "CP"
    base = base_type(actual, schema)
    if base == declared:
        return True
    if base.endswith("[]") and declared.endswith("[]"):
        return fits(base[:-2], declared[:-2], schema)
    if declared in (base_type(declared, schema),):
        cast = cast_between(base, declared, schema)
        return cast is not None and cast.context is CastContext.IMPLICIT
    return fits(base, base_type(declared, schema), schema)


def _fits_polymorphic(actual: str, declared: str, schema: Schema) -> bool:
    base = base_type(actual, schema)
    category = category_of(base, schema)[0]
    if declared in _ARRAYS:
        return base.endswith("[]") or category == "A"
    if declared in _NO_ARRAYS:
        return category != "A"
    if declared == "anyenum":
        return category == "E"
    multirange = base.endswith("multirange")
    return category == "R" and multirange == (declared in _MULTIRANGES)


def agree(arguments: list[tuple[str, str | None]], schema: Schema) -> bool:
    """Whether the types of the polymorphic ones of some arguments, given as (declared, actual), belong together.

    PostgreSQL documentation, 36.2.5 "Polymorphic Types": of the simple family all are of one element type, those of
    the "common" family have one type that all can become, for which they must be of one category.
    """
    simple: set[str] = set()
    common: set[str] = set()
    for declared, actual in arguments:
        if declared not in POLYMORPHIC or declared in ("any", '"any"') or actual is None or actual == UNKNOWN:
            continue
        element: str | None = base_type(actual, schema)
        if declared in _ARRAYS | _RANGES | _MULTIRANGES:
            element = element_of(actual, schema)
        if element is None:
            continue
        if declared.startswith("anycompatible"):
            common.add(category_of(element, schema)[0])
        else:
            simple.add(element)
    return len(simple) <= 1 and len(common) <= 1


def result_of(declared: str, arguments: list[tuple[str, str | None]], schema: Schema) -> str | None:
    """The type that a polymorphic result has for these arguments, given as (declared, actual); ``None``: unknown."""
    if declared not in POLYMORPHIC or declared in ("any", '"any"'):
        return declared
    family = declared.startswith("anycompatible")
    for other, actual in arguments:
        if (
            other not in POLYMORPHIC
            or actual is None
            or actual == UNKNOWN
            or other.startswith("anycompatible") != family
        ):
            continue
        element = element_of(actual, schema) if other in _ARRAYS | _RANGES | _MULTIRANGES else actual
        if other == declared or (other in _ANYTHING | _NO_ARRAYS and declared in _ANYTHING | _NO_ARRAYS):
            return actual
        if element is None:
            return None
        if declared in _ARRAYS:
            return f"{element}[]"
        return element if declared in _ANYTHING | _NO_ARRAYS else None
    return None


def common_type(types: list[str | None], schema: Schema) -> tuple[str | None, tuple[str, str] | None]:
    """The type that several values take together (PostgreSQL documentation, 10.5), and the first two that do not fit.

    The type is ``None`` where it is not known to us, ``unknown`` where all are literals in quotes.
    """
    if len(set(types)) == 1:
        return types[0], None
    chosen: str | None = UNKNOWN
    for one in types:
        if one is None or chosen is None:
            chosen = None
            continue
        other = base_type(one, schema)
        if other in (UNKNOWN, chosen):
            continue
        if chosen == UNKNOWN:
            chosen = other
            continue
        (category, preferred), (another, _) = category_of(chosen, schema), category_of(other, schema)
        if category != another:
            own = tables(schema).types
            sure = all(
                kind in _PLAIN_CATEGORIES or name in own for kind, name in ((category, chosen), (another, other))
            )
            return None, (chosen, one) if sure else None
        if not preferred and fits(chosen, other, schema) and not fits(other, chosen, schema):
            chosen = other
    return chosen, None


def element_of(name: str, schema: Schema) -> str | None:
    """The element type of an array, or the subtype of a range; ``None`` for anything else."""
    base = base_type(name, schema)
    if base.endswith("[]"):
        return base[:-2]
    builtin = tables(schema).types.get(base)
    if builtin is not None:
        return builtin.element or builtin.subtype
    found = user_type(base, schema)
    return parse_type(found.subtype).bare if found is not None and found.subtype else None


def cast_volatility(source: str | None, target: str, schema: Schema) -> Volatility:
    """How far the cast from one type to another may change its value; of an unknown source the worst there may be."""
    own = tables(schema)
    goal = base_type(target, schema)
    if source is None:
        found = [cast.volatility for (_, to), cast in own.casts.items() if to == goal]
        found.append(own.types[goal].input_volatility if goal in own.types else Volatility.STABLE)
        return worst(found)
    base = base_type(source, schema)
    if base == goal:
        return Volatility.IMMUTABLE
    if base == UNKNOWN:
        # The server converts a literal while it reads the statement: what is left is a constant.
        return Volatility.IMMUTABLE
    if base.endswith("[]") and goal.endswith("[]"):
        return cast_volatility(base[:-2], goal[:-2], schema)
    cast = cast_between(base, goal, schema)
    if cast is not None and cast.method is CastMethod.FUNCTION:
        return cast.volatility
    if cast is not None and cast.method is CastMethod.BINARY:
        return Volatility.IMMUTABLE
    return worst([_text_volatility(base, schema, reading=False), _text_volatility(goal, schema, reading=True)])


def _text_volatility(name: str, schema: Schema, *, reading: bool) -> Volatility:
    own = tables(schema).types.get(name)
    if own is not None:
        return own.input_volatility if reading else own.output_volatility
    if name.endswith("[]"):
        return Volatility.STABLE
    found = user_type(name, schema)
    if found is None or found.kind is TypeKind.ENUM or found.kind is TypeKind.COMPOSITE or found.kind is TypeKind.RANGE:
        return Volatility.STABLE
    return Volatility.IMMUTABLE


_ORDER = {Volatility.IMMUTABLE: 0, Volatility.STABLE: 1, Volatility.VOLATILE: 2}


def worst(found: list[Volatility]) -> Volatility:
    """The one that may change most; ``IMMUTABLE`` of none."""
    return max(found, key=_ORDER.__getitem__, default=Volatility.IMMUTABLE)
