"""Operator classes: the columns that an index of a method, or a partition key, can have.

Source: PostgreSQL's ``GetDefaultOpClass``, ``ResolveOpClass`` and ``IsBinaryCoercible``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from confiture_tui.core.catalog.models.objects import OtherObject
from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.catalog.names import split_name
from confiture_tui.core.effects.builtins import CastContext, CastMethod, builtins_of
from confiture_tui.core.effects.type_names import base_type, parse_type, user_type
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_tui.core.effects.builtins import OperatorClass
    from confiture_tui.core.effects.schema import Schema

KIND = "operator class"
_ANYTHING = frozenset({"any", "anyelement", "anycompatible"})


class NamedClass(NamedTuple):
    """What a name of an operator class means: its qualified name, and the type that it is for; ``None``: not known."""

    name: str | None
    type: str | None


def has_operator_class(schema: Schema, type_text: str, method: str) -> bool:
    """Whether a column of a type can be indexed by a method without naming an operator class. In doubt, yes."""
    if _is_open(schema):
        return True
    name = base_type(parse_type(type_text).bare, schema)
    defaults = [*_own_defaults(schema, method), *_users(schema, method, default=True)]
    if name in defaults:
        return True
    fitting = [one for one in defaults if accepts(schema, name, one)]
    if not fitting:
        return not _is_known(schema, name)
    types = builtins_of(schema.server_version_num).types
    preferred = [one for one in fitting if one in types and types[one].preferred]
    return len(fitting) == 1 or len(preferred) == 1 or not _is_known(schema, name)


def named_class(schema: Schema, names: tuple[str, ...], method: str) -> NamedClass | None:
    """The operator class of that name (parts as stored) for a method; ``None``: there certainly is none."""
    places = names[:-1][-1:] or schema.path
    for place in places:
        if place == "pg_catalog":
            for one in _own(schema, method):
                if one.name == names[-1]:
                    return NamedClass(qualified_name(place, one.name), one.type)
            continue
        found = schema.other(KIND, f"{qualified_name(place, names[-1])} USING {quote_identifier(method)}")
        if isinstance(found, OtherObject):
            return NamedClass(qualified_name(place, names[-1]), dict(found.properties).get("type"))
    if "pg_catalog" not in places and len(names) == 1:
        return named_class(schema, ("pg_catalog", *names), method)
    return NamedClass(None, None) if _is_open(schema) else None


def is_default_class(schema: Schema, name: str, method: str) -> bool:
    """Whether a class (by its qualified name) is the default one of its type: a definition does not name it then."""
    parts = split_name(name)
    if parts[0] == "pg_catalog":
        return any(one.default for one in _own(schema, method) if one.name == parts[-1])
    found = schema.other(KIND, f"{name} USING {quote_identifier(method)}")
    return isinstance(found, OtherObject) and dict(found.properties).get("default") == "true"


def accepts(schema: Schema, type_name: str, wanted: str) -> bool:
    """Whether values of a type (by its bare name) are, as they are stored, values of another. In doubt, yes."""
    name = base_type(type_name, schema)
    if name == wanted or wanted in _ANYTHING:
        return True
    builtins = builtins_of(schema.server_version_num)
    own, user = builtins.types.get(name), user_type(name, schema)
    match wanted:
        case "anyarray":
            return name.endswith("[]")
        case "anyenum":
            return user is not None and user.kind is TypeKind.ENUM
        case "anyrange":
            return own.kind == "r" if own is not None else user is not None and user.kind is TypeKind.RANGE
        case "anymultirange":
            return own.kind == "m" if own is not None else not _is_known(schema, name)  # a user's are not listed
        case "record":
            return _is_row(schema, name)
    cast = builtins.casts.get((name, wanted))
    if cast is not None:
        return cast.method is CastMethod.BINARY and cast.context is CastContext.IMPLICIT
    made = schema.other("cast", f"({name} AS {wanted})")
    if isinstance(made, OtherObject):
        properties = dict(made.properties)
        return properties.get("method") == "b" and properties.get("context") == "i"
    return not _is_known(schema, name)


def _is_row(schema: Schema, name: str) -> bool:
    user = user_type(name, schema)
    if user is not None:
        return user.kind is TypeKind.COMPOSITE
    return "." in name and not name.endswith("[]") and schema.relation(name) is not None


def _is_known(schema: Schema, name: str) -> bool:
    """Whether everything about a type is known: PostgreSQL's own, an array, or the user's and of a kind that is."""
    if name.endswith("[]") or name in builtins_of(schema.server_version_num).types:
        return True
    return user_type(name, schema) is not None or _is_row(schema, name)


def _is_open(schema: Schema) -> bool:
    """Whether there may be operator classes that nobody knows."""
    return not schema.known or schema.extension_made


def _own(schema: Schema, method: str) -> tuple[OperatorClass, ...]:
    return builtins_of(schema.server_version_num).operator_classes.get(method, ())


def _own_defaults(schema: Schema, method: str) -> Iterator[str]:
    return (one.type for one in _own(schema, method) if one.default)


def _users(schema: Schema, method: str, *, default: bool) -> Iterator[str]:
    ending = f" USING {quote_identifier(method)}"
    for one in schema.others_of(KIND):
        if one.identity.endswith(ending):
            properties = dict(one.properties)
            found = properties.get("type")
            if found is not None and (not default or properties.get("default") == "true"):
                yield found
