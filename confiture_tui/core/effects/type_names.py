"""Types as they are written: in a statement's syntax tree, and by ``format_type`` in a catalog."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from confiture_tui.core.effects.builtins import builtins_of
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.types import Type
    from confiture_tui.core.effects.schema import Schema

Node = dict[str, Any]

UNKNOWN = "unknown"
"""The type of a literal in quotes, and of NULL, before the context gives it one."""

SERIALS = {
    "smallserial": "smallint",
    "serial2": "smallint",
    "serial": "integer",
    "serial4": "integer",
    "bigserial": "bigint",
    "serial8": "bigint",
}
"""What look like types in a column's definition, and the type that the column gets."""

_ALIASES = {"bpchar": "character", '"bit"': "bit"}
# What format_type writes for a character or bit without a length, so that it is read back as one without a length.

_WRITTEN = re.compile(
    r"(?P<name>interval)(?P<fields>(?: [a-z]+){0,3})(?:\((?P<precision>\d+)\))?(?P<array>(?:\[\d*\])*)"
    r'|(?P<front>(?:[^("\[]|"(?:[^"]|"")*")+?)(?:\((?P<modifier>[^)]*)\))?(?P<zone> with(?:out)? time zone)?'
    r"(?P<dimensions>(?:\[\d*\])*)"
)

_INTERVAL_FIELDS = {
    4: "year",
    2: "month",
    8: "day",
    1024: "hour",
    2048: "minute",
    4096: "second",
    6: "year to month",
    1032: "day to hour",
    3080: "day to minute",
    7176: "day to second",
    3072: "hour to minute",
    7168: "hour to second",
    6144: "minute to second",
}
# The masks that the grammar writes for INTERVAL's fields: INTERVAL_MASK of MONTH 1, YEAR 2, DAY 3, HOUR 10,
# MINUTE 11, SECOND 12 (src/include/utils/timestamp.h, datetime.h).


class TypeRef(NamedTuple):
    """A type with its modifier.

    Attributes:
        name: as ``format_type`` writes it without a modifier; a user's type qualified and quoted.
        modifier: what stands in the brackets, ``10,2``; of an interval also its fields, ``day to second(3)``; empty
            without one.
        is_array: an array of it, of however many dimensions.
    """

    name: str
    modifier: str = ""
    is_array: bool = False

    @property
    def bare(self) -> str:
        """The name without a modifier, with ``[]`` for an array: what casts and functions are looked up by."""
        return f"{self.name}[]" if self.is_array else self.name

    @property
    def element(self) -> TypeRef:
        """The type of an array's elements."""
        return self._replace(is_array=False)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The modifier's numbers, ``(10, 2)``; empty where it is not made of numbers."""
        parts = self.modifier.split(",") if self.modifier else []
        try:
            return tuple(int(part) for part in parts)
        except ValueError:
            return ()

    def __str__(self) -> str:
        tail = "[]" if self.is_array else ""
        if not self.modifier:
            return f"{self.name}{tail}"
        if self.name == "interval":
            return f"interval {self.modifier}{tail}" if self.modifier[0].isalpha() else f"interval{self.modifier}{tail}"
        for zone in (" with time zone", " without time zone"):
            if self.name.endswith(zone):
                return f"{self.name.removesuffix(zone)}({self.modifier}){zone}{tail}"
        return f"{self.name}({self.modifier}){tail}"


@lru_cache(maxsize=4096)
def parse_type(written: str) -> TypeRef:
    """The type that a catalog writes as ``written``, for example ``timestamp(3) with time zone`` or ``public.mood[]``.

    Text that is not written as ``format_type`` writes is taken as a name.
    """
    found = _WRITTEN.fullmatch(written)
    if found is None:
        return TypeRef(written)
    if found["name"]:
        precision = f"({found['precision']})" if found["precision"] else ""
        return TypeRef("interval", found["fields"].strip() + precision, bool(found["array"]))
    name = found["front"] + (found["zone"] or "")
    modifier = found["modifier"] or ""
    return TypeRef(_ALIASES.get(name, name), modifier.replace(" ", ""), bool(found["dimensions"]))


def type_of_node(node: Node, schema: Schema) -> TypeRef | None:
    """The type that a ``TypeName`` of a syntax tree means; ``None`` when there is none of that name that we know.

    A name that the catalog does not know, or that there is no catalog for, gives ``None`` too, unless it is
    PostgreSQL's own.
    """
    names = [part["String"].get("sval", "") for part in node.get("names", ()) if "String" in part]
    if not names or "pct_type" in node:
        return None
    is_array = "arrayBounds" in node
    builtin = builtins_of(schema.server_version_num if schema.known else None).by_internal_name.get(names[-1])
    if len(names) == 1 and names[0] in SERIALS:
        return TypeRef(SERIALS[names[0]])
    if builtin is not None and (len(names) == 1 or names[0] == "pg_catalog"):
        if builtin.element is not None:
            return TypeRef(builtin.element, is_array=True)
        modifier = _modifier(builtin.name, node.get("typmods", ()))
        return TypeRef(builtin.name, modifier, is_array)
    name = _user_type(names, schema)
    if name is None:
        return None
    if name.endswith("[]"):
        return TypeRef(name[:-2], is_array=True)
    return TypeRef(name, _modifier(name, node.get("typmods", ())), is_array)


def _user_type(names: list[str], schema: Schema) -> str | None:
    """The qualified name of a user's type: of its own, the rows of a table, or an array of either."""
    found = schema.type(names)
    if found is not None:
        return found.qualified_name
    relation = schema.relation(".".join(map(quote_identifier, names)))
    if relation is not None:
        return relation.qualified_name
    if names[-1].startswith("_") and len(names[-1]) > 1:
        element = schema.type([*names[:-1], names[-1][1:]])
        if element is not None:
            return f"{element.qualified_name}[]"
    return None


def _modifier(name: str, written: list[Node] | tuple[Node, ...]) -> str:
    if not written:
        return ""
    values: list[str] = []
    for one in written:
        constant = one.get("A_Const")
        if constant is not None and "ival" in constant:
            values.append(str(constant["ival"].get("ival", 0)))
        elif constant is not None and "sval" in constant:
            values.append(constant["sval"].get("sval", ""))
        elif constant is not None and "fval" in constant:
            values.append(constant["fval"].get("fval", ""))
        elif "ColumnRef" in one:
            values.append(".".join(part.get("String", {}).get("sval", "") for part in one["ColumnRef"]["fields"]))
        else:
            return ""
    if name == "interval" and values:
        fields = _INTERVAL_FIELDS.get(int(values[0]), "") if values[0].isdigit() else ""
        return fields + (f"({values[1]})" if len(values) > 1 else "")
    if name == "numeric" and len(values) == 1:
        values.append("0")
    return ",".join(values)


def user_type(name: str, schema: Schema) -> Type | None:
    """The user's type of that qualified name; ``None`` when it is PostgreSQL's own, an array, or not known."""
    if name in builtins_of(None).types or name.endswith("[]"):
        return None
    try:
        return schema.type(name)
    except ValueError:
        return None


def base_type(name: str, schema: Schema) -> str:
    """The type that a domain rests on, through domains over domains, without its modifier; else the type itself."""
    if name in builtins_of(None).types:
        return name
    for _ in range(64):
        found = user_type(name, schema)
        if found is None or found.base_type is None:
            break
        name = parse_type(found.base_type).bare
    return name
