"""What is known of a type that a definition names: whether it exists, and what a domain asks of its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.effects.builtins import builtins_of
from confiture_tui.core.effects.type_names import parse_type, type_of_node, user_type
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
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
    schema = step.now
    if not schema.known or type_of_node(type_node, schema) is not None:
        return
    names = [part["String"].get("sval", "") for part in type_node.get("names", ()) if "String" in part]
    if not names or (len(names) > 1 and names[-2] in _SYSTEM_SCHEMAS):
        return
    builtins = builtins_of(schema.server_version_num).by_internal_name
    if (len(names) == 1 and names[0] in builtins) or names[-1].startswith("_"):
        return
    written = ".".join(map(quote_identifier, names))
    if schema.type_missing(names) and schema.find(written).missing:
        step.refuse("42704", f'type "{".".join(names)}" does not exist')
