"""Objects that are no relation, type or routine, found by the name that a statement gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.dependencies import (
    PG_EVENT_TRIGGER,
    PG_EXTENSION,
    PG_NAMESPACE,
    ObjectAddress,
)
from confiture_tui.core.catalog.models.objects import Extension, OtherObject
from confiture_tui.core.effects.history import UNKNOWN
from confiture_tui.core.effects.own_objects import is_own, is_pinned
from confiture_tui.core.effects.statements.definitions import type_text
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_BY_NAME = {
    "OBJECT_FDW": "foreign data wrapper",
    "OBJECT_FOREIGN_SERVER": "foreign server",
    "OBJECT_PUBLICATION": "publication",
    "OBJECT_SUBSCRIPTION": "subscription",
    "OBJECT_LANGUAGE": "language",
    "OBJECT_ACCESS_METHOD": "access method",
    "OBJECT_EVENT_TRIGGER": "event trigger",
    "OBJECT_EXTENSION": "extension",
}
_QUALIFIED = {
    "OBJECT_COLLATION": "collation",
    "OBJECT_CONVERSION": "conversion",
    "OBJECT_TSCONFIGURATION": "text search configuration",
    "OBJECT_TSDICTIONARY": "text search dictionary",
    "OBJECT_TSPARSER": "text search parser",
    "OBJECT_TSTEMPLATE": "text search template",
    "OBJECT_STATISTIC_EXT": "statistics object",
}
_WITH_METHOD = {"OBJECT_OPCLASS": "operator class", "OBJECT_OPFAMILY": "operator family"}
_MADE = {"OBJECT_OPERATOR": "operator", "OBJECT_CAST": "cast", "OBJECT_TRANSFORM": "transform"}

KIND_WORDS = {**_BY_NAME, **_QUALIFIED, **_WITH_METHOD, **_MADE}
"""What the catalog calls the objects of an object type of the grammar."""


@dataclass(frozen=True, slots=True)
class NamedObject:
    """An object that is there: its address, its kind in words, its name; the address of a new one is made up."""

    address: ObjectAddress
    kind: str
    name: str


def is_named_kind(object_type: str) -> bool:
    """Whether ``find_named`` knows where to look for this object type of the grammar."""
    return object_type == "OBJECT_SCHEMA" or object_type in KIND_WORDS


def names_of(node: Node) -> tuple[str, ...]:
    """The parts of a name, however the grammar holds it: a string, a list of them, a type's name."""
    if "String" in node:
        return (str(node["String"].get("sval", "")),)
    items = node.get("List", {}).get("items")
    if items is None:
        items = node.get("TypeName", {}).get("names", node.get("ObjectWithArgs", {}).get("objname", []))
    return tuple(str(one["String"].get("sval", "")) for one in items if "String" in one)


def relation_name(parts: tuple[str, ...], step: Step) -> Node:
    """The parts of a relation's name as a RangeVar; of three the first is the database's."""
    if len(parts) == 3:
        catalog = step.schema.catalog
        if catalog is not None and parts[0] != catalog.database:
            step.refuse("0A000", f"cross-database references are not implemented: {'.'.join(parts)}")
        parts = parts[1:]
    if len(parts) == 2:
        return {"schemaname": parts[0], "relname": parts[1]}
    return {"relname": parts[-1]}


def find_named(
    object_type: str, node: Node, step: Step, *, missing_ok: bool = False, drops: bool = False
) -> NamedObject | None:
    """The object that a statement names; ``None``: skipped, one of PostgreSQL's own, or nobody can tell.

    Raises:
        Refused: it certainly does not exist; or it is PostgreSQL's own, and is to be dropped (``drops``).
    """
    if object_type == "OBJECT_SCHEMA":
        return find_schema(names_of(node)[-1], step, missing_ok=missing_ok)
    kind = KIND_WORDS[object_type]
    identities = _identities(object_type, node, step)
    unknown = False
    for identity in identities:
        found = step.now.other(kind, identity)
        if found is UNKNOWN:
            unknown = True
        elif isinstance(found, OtherObject):
            return NamedObject(ObjectAddress(found.class_oid, found.oid), kind, identity)
        elif isinstance(found, Extension):
            return NamedObject(ObjectAddress(PG_EXTENSION, found.oid), kind, identity)
        elif found is None and kind == "event trigger" and step.schema.catalog is not None:
            trigger = step.schema.catalog.event_triggers.get((names_of(node)[-1],))
            if trigger is not None:
                return NamedObject(ObjectAddress(PG_EVENT_TRIGGER, trigger.oid), kind, identity)
        elif found is True:
            return NamedObject(ObjectAddress(0, 0), kind, identity)
    parts = _plain_parts(object_type, node)
    own = is_own(kind, parts, step.now, suffix=_suffix(object_type, node, step)) if parts else False
    if own:
        if drops and is_pinned(kind, parts[-1]):
            step.refuse("2BP01", f"cannot drop {kind} {parts[-1]} because it is required by the database system")
        return None
    if own is None and step.schema.known:
        if not missing_ok:
            step.may_fail(_missing_state(object_type), f"{kind} {parts[-1]} may not exist")
        if drops:
            step.may_fail("2BP01", f"{kind} {parts[-1]} may be required by the database system")
        return None
    if len(parts) > 1 and object_type not in _BY_NAME and step.now.has_schema(parts[-2]) is False and not missing_ok:
        step.refuse("3F000", f'schema "{parts[-2]}" does not exist')
    if unknown:
        if missing_ok is False:
            step.may_fail(_missing_state(object_type), f"the {kind} may not exist")
        step.unknown_reach(f"without a catalog what depends on the {kind} is not known")
        return None
    name = identities[-1] if identities else "it"
    if missing_ok:
        step.note(f"{kind} {name} does not exist, skipping")
        return None
    return step.refuse(_missing_state(object_type), f"{kind} {name} does not exist")


def _plain_parts(object_type: str, node: Node) -> tuple[str, ...]:
    """The parts of the name itself."""
    if object_type in ("OBJECT_CAST", "OBJECT_TRANSFORM"):
        return ("cast",) if object_type == "OBJECT_CAST" else ()
    return names_of(node)[1:] if object_type in _WITH_METHOD else names_of(node)


def _suffix(object_type: str, node: Node, step: Step) -> str:
    """What follows the name in the identity of an object."""
    if object_type == "OBJECT_CAST":
        return _identities(object_type, node, step)[0]
    if object_type in _WITH_METHOD:
        return f" USING {quote_identifier(names_of(node)[0])}"
    if object_type == "OBJECT_OPERATOR":
        arguments = node.get("ObjectWithArgs", {}).get("objargs", [])
        types = [type_text(one["TypeName"], step.now) if "TypeName" in one else "NONE" for one in arguments]
        return f"({', '.join(types)})"
    return ""


def find_schema(name: str, step: Step, *, missing_ok: bool = False) -> NamedObject | None:
    """The schema of that name; ``None``: skipped, or nobody can tell.

    Raises:
        Refused: it certainly does not exist.
    """
    exists = step.now.has_schema(name)
    if exists is False:
        if missing_ok:
            step.note(f"schema {quote_identifier(name)} does not exist, skipping")
            return None
        step.refuse("3F000", f'schema "{name}" does not exist')
    catalog = step.schema.catalog
    if exists is None or catalog is None:
        step.unknown_reach("without a catalog what the schema holds is not known")
        if not missing_ok:
            step.may_fail("3F000", f'schema "{name}" may not exist')
        return None
    known = step.now.namespace(name)
    return NamedObject(ObjectAddress(PG_NAMESPACE, known.oid if known is not None else 0), "schema", name)


def identity_of(object_type: str, node: Node, step: Step) -> str | None:
    """The name under which a new object of that type will be known; ``None`` where it cannot be told."""
    found = _identities(object_type, node, step, new=True)
    return found[0] if found else None


def _identities(object_type: str, node: Node, step: Step, *, new: bool = False) -> list[str]:
    """The names under which the catalog may know what is written, first the one that is found first."""
    schema = step.now
    if object_type == "OBJECT_EXTENSION":
        return [names_of(node)[-1]]
    if object_type in _BY_NAME:
        return [quote_identifier(names_of(node)[-1])]
    if object_type == "OBJECT_CAST":
        source, target = (one.get("TypeName", {}) for one in node.get("List", {}).get("items", [{}, {}]))
        return [f"({type_text(source, schema)} AS {type_text(target, schema)})"]
    if object_type == "OBJECT_TRANSFORM":
        items = node.get("List", {}).get("items", [{}, {}])
        language = quote_identifier(names_of(items[1])[-1])
        return [f"FOR {type_text(items[0].get('TypeName', {}), schema)} LANGUAGE {language}"]
    parts = names_of(node)
    suffix = ""
    if object_type in _WITH_METHOD:
        suffix, parts = f" USING {quote_identifier(parts[0])}", parts[1:]
    elif object_type == "OBJECT_OPERATOR":
        arguments = node.get("ObjectWithArgs", {}).get("objargs", [])
        types = [type_text(one["TypeName"], schema) if "TypeName" in one else "NONE" for one in arguments]
        suffix = f"({', '.join(types)})"
    places = parts[-2:-1] or ((schema.creation_schema,) if new else schema.path)
    if object_type == "OBJECT_OPERATOR":
        return [f"{quote_identifier(place)}.{parts[-1]}{suffix}" for place in places]
    return [qualified_name(place, parts[-1]) + suffix for place in places]


def _missing_state(object_type: str) -> str:
    return "42883" if object_type == "OBJECT_OPERATOR" else "42704"
