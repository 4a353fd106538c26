"""What is known of a type that a definition names: whether it exists, and what a domain asks of its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.effects.builtins import builtins_of
from confiture_tui.core.effects.type_names import TypeRef, base_type, parse_type, type_of_node, user_type
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.core.catalog.models.columns import Volatility
    from confiture_tui.core.catalog.models.types import Type
    from confiture_tui.core.effects.schema import Schema
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_SYSTEM_SCHEMAS = frozenset({"pg_catalog", "information_schema"})


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """What a domain, and those it rests on, ask of values.

    Attributes:
        constrained: it has constraints (NOT NULL among them); ``None``: unknown. False for what is no domain.
        default: how volatile its own default is; ``None`` without one.
        failures: SQLSTATEs of what its constraints may raise.
    """

    constrained: bool | None
    default: Volatility | None = None
    failures: tuple[str, ...] = ()


_NO_DOMAIN = DomainFacts(False)


def domain_of(step: Step, type_node: Node) -> DomainFacts:
    """What the type that a definition names asks of values."""
    found = type_of_node(type_node, step.now)
    if found is None:
        return _NO_DOMAIN if step.now.known else DomainFacts(None, failures=("23514",))
    return _NO_DOMAIN if found.is_array else domain_facts(found.name, step.now)


def domain_facts(name: str, schema: Schema) -> DomainFacts:
    """What the type of that qualified name asks of values."""
    found = user_type(name, schema)
    failures: dict[str, None] = {}
    default: Volatility | None = None
    while found is not None and found.kind is TypeKind.DOMAIN:
        if found.not_null:
            failures["23502"] = None
        if any("CHECK" in one.definition.upper() or one.kind == "check" for one in found.constraints):
            failures["23514"] = None
        if default is None and found.default is not None:
            default = found.default_volatility
        found = _base(found, schema)
    return DomainFacts(bool(failures), default, tuple(failures))


def _base(domain: Type, schema: Schema) -> Type | None:
    if domain.base_type is None:
        return None
    base = parse_type(domain.base_type)
    return None if base.is_array else user_type(base.name, schema)


def require_type(step: Step, type_node: Node) -> None:
    """See that the type that a definition names exists.

    Raises:
        Refused: there is certainly no such type.
    """
    missing = missing_type(type_node, step.now)
    if missing is not None:
        step.refuse("42704", f'type "{missing}" does not exist')


def missing_type(type_node: Node, schema: Schema) -> str | None:
    """The name of a type (a ``TypeName``) that certainly does not exist; ``None``: it may."""
    if not schema.known or type_of_node(type_node, schema) is not None or "pct_type" in type_node:
        return None
    names = [part["String"].get("sval", "") for part in type_node.get("names", ()) if "String" in part]
    if not names or (len(names) > 1 and names[-2] in _SYSTEM_SCHEMAS):
        return None
    builtins = builtins_of(schema.server_version_num).by_internal_name
    if (len(names) == 1 and names[0] in builtins) or names[-1].startswith("_"):
        return None
    written = ".".join(map(quote_identifier, names))
    return ".".join(names) if schema.type_missing(names) and schema.find(written).missing else None


_LENGTHS = frozenset({"character varying", "character", "bit", "bit varying"})
_MODIFIED = _LENGTHS | {
    "numeric",
    "interval",
    *(f"{one} {zone} time zone" for one in ("time", "timestamp") for zone in ("with", "without")),
}
COLLATABLE = frozenset({"text", "character varying", "character", "name"})
"""PostgreSQL's own types that have collations."""
_COLLATIONS = frozenset({"default", "C", "POSIX", "ucs_basic"})
_LONGEST = 10_485_760
_NEGATIVE_SCALE = 150000


def refuse_set(step: Step, column: str, node: Node) -> None:
    """See that a new column is not to hold a set.

    Raises:
        Refused: it is.
    """
    if node.get("setof"):
        step.refuse("42P16", f'column "{column}" cannot be declared SETOF')


def require_column_type(step: Step, column: str, node: Node, collation: Node | None) -> None:
    """See that a column can have the type (a ``TypeName``) and collation that its definition names.

    Raises:
        Refused: there is no such type, or no column can have it.
    """
    require_type(step, node)
    found = type_of_node(node, step.now)
    own = builtins_of(step.schema.server_version_num if step.schema.known else None).types
    if found is not None and found.name in own:
        if own[found.name].kind == "p":
            step.refuse("42P16", f'column "{column}" has pseudo-type {found.name}')
        _require_modifier(step, found)
    if collation is not None:
        require_collation(step, found, collation.get("collname", ()))


def _require_modifier(step: Step, found: TypeRef) -> None:
    """What stands in a type's brackets must suit it."""
    if found.modifier and found.name not in _MODIFIED:
        step.refuse("42601", f'type modifier is not allowed for type "{found.name}"')
    numbers = found.numbers
    if numbers and found.name in _LENGTHS and not 1 <= numbers[0] <= _LONGEST:
        bound = "must be at least 1" if numbers[0] < 1 else f"cannot exceed {_LONGEST}"
        step.refuse("22023", f"length for type {found.name} {bound}")
    if numbers and found.name == "numeric":
        precision, scale = numbers[0], numbers[-1] if len(numbers) > 1 else 0
        if not 1 <= precision <= 1000:
            step.refuse("22023", f"NUMERIC precision {precision} must be between 1 and 1000")
        old = step.schema.known and step.schema.server_version_num < _NEGATIVE_SCALE
        low, high = (0, precision) if old else (-1000, 1000)
        if not low <= scale <= high:
            step.refuse("22023", f"NUMERIC scale {scale} must be between {low} and {high}")


def require_collation(step: Step, found: TypeRef | None, name_parts: Sequence[Node]) -> None:
    """See that a type (``None``: not known) has collations, and that there is one of that name.

    Raises:
        Refused: the type has none.
    """
    names = [part["String"].get("sval", "") for part in name_parts if "String" in part]
    if found is not None:
        name = base_type(found.name, step.now)
        own = user_type(name, step.now)
        plain = name in builtins_of(None).types if own is None else own.kind is not TypeKind.BASE
        if plain and name not in COLLATABLE:
            step.refuse("42804", f"collations are not supported by type {found}")
    if names and names[-1] not in _COLLATIONS and not names[-1].endswith("-x-icu"):
        places = names[:-1] or list(step.now.path)
        if all(step.now.other("collation", qualified_name(place, names[-1])) is None for place in places):
            step.may_fail("42704", f'collation "{names[-1]}" may not exist')
