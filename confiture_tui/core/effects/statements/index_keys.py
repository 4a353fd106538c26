"""Index keys: what they are called, and which types a method takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.effects.expressions.column_names import figured_name
from confiture_tui.core.effects.type_names import base_type, parse_type, user_type

if TYPE_CHECKING:
    from confiture_tui.core.effects.schema import Schema

Node = dict[str, Any]

KNOWN_METHODS = frozenset({"btree", "hash", "gist", "gin", "spgist", "brin"})
"""The access methods that every server has."""

_RANGES = frozenset(
    f"{one}{many}range" for one in ("int4", "int8", "num", "ts", "tstz", "date") for many in ("", "multi")
)
_SHAPES = frozenset({"point", "line", "lseg", "box", "path", "polygon", "circle"})
_WITHOUT = {
    "btree": _SHAPES | {"json", "xml", "jsonpath", "aclitem", "txid_snapshot", "pg_snapshot", "cid", "refcursor"},
    "hash": _SHAPES | {"json", "xml", "jsonpath", "bit", "bit varying", "money", "tsvector", "tsquery"},
    "brin": _SHAPES - {"box"} | {"json", "jsonb", "xml", "boolean", "tsvector", "tsquery", "money", "jsonpath"},
}
_ONLY = {
    "gin": frozenset({"jsonb", "tsvector"}),
    "gist": _RANGES | {"box", "point", "polygon", "circle", "tsvector", "tsquery"},
    "spgist": _RANGES | {"point", "box", "polygon", "text", "inet", "cidr", "character varying"},
}
# Types without, or the only ones with, a default operator class: the server's own pg_opclass, 14 to 18.


def has_operator_class(schema: Schema, type_text: str, method: str) -> bool:
    """Whether a column of a type can be indexed by a method without naming an operator class. In doubt, yes."""
    written = parse_type(type_text)
    catalog = schema.catalog
    if schema.extension_made:
        return True  # it may have brought one
    wanted = {written.bare, base_type(written.bare, schema)}
    if catalog is not None and any(
        one.kind == "operator class"
        and one.identity.endswith(f" USING {method}")
        and wanted & {value for _name, value in one.properties if value is not None}
        for one in catalog.others.values()
    ):
        return True
    name = base_type(written.bare, schema)
    if written.is_array or name.endswith("[]"):
        return method in ("btree", "gin", "hash", "brin")
    own = user_type(name, schema)
    if own is not None:
        if own.kind is TypeKind.RANGE:
            return method in ("btree", "gist", "hash", "spgist", "brin")
        return method in ("btree", "hash") if own.kind in (TypeKind.ENUM, TypeKind.COMPOSITE) else True
    if "." in name:
        return True
    if method in _ONLY:
        return name in _ONLY[method]
    return name not in _WITHOUT[method]


def expression_name(node: Node) -> str:
    """What the server calls an index column that is an expression (its ``FigureIndexColname``)."""
    return figured_name(node) or "expr"
