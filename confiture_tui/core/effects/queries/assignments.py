"""Values given to columns: what the server is certain to refuse, whatever is in the table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.columns import Generated, Identity
from confiture_tui.core.effects.builtins import CastContext
from confiture_tui.core.effects.expressions.conversions import cast_between, category_of
from confiture_tui.core.effects.type_names import UNKNOWN, TypeRef, base_type, parse_type, user_type

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.expressions.reads import Value
    from confiture_tui.core.effects.schema import Schema

Refusal = tuple[str, str]
"""SQLSTATE and message."""

_WHOLE = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
_WHOLE_TEXT = re.compile(r"\s*[+-]?(\d[\d_]*|0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+)\s*")
_UUID = re.compile(r"\s*\{?[0-9a-fA-F]{4}(-?[0-9a-fA-F]{4}){7}\}?\s*")
_BOOLEAN = re.compile(r"\s*(t|tr|tru|true|f|fa|fal|fals|false|y|ye|yes|n|no|on|of|off|1|0)\s*", re.IGNORECASE)


def missing_column(relation: Relation, name: str) -> Refusal:
    """A column that is written to is not there."""
    return "42703", f'column "{name}" of relation "{relation.name}" does not exist'


def written(column: Column, *, default: bool, inserts: bool, override: str = "") -> Refusal | None:
    """Whether a column refuses to be given a value (PostgreSQL documentation, INSERT, UPDATE).

    Args:
        column: that is given a value.
        default: the value is DEFAULT.
        inserts: by INSERT; else by UPDATE.
        override: the OVERRIDING of an INSERT, as the syntax tree has it.
    """
    if default:
        return None
    if column.generated in (Generated.STORED, Generated.VIRTUAL):
        if inserts:
            return "428C9", f'cannot insert a non-DEFAULT value into column "{column.name}"'
        return "428C9", f'column "{column.name}" can only be updated to DEFAULT'
    if column.identity is Identity.ALWAYS:
        if not inserts:
            return "428C9", f'column "{column.name}" can only be updated to DEFAULT'
        if override not in ("OVERRIDING_SYSTEM_VALUE", "OVERRIDING_USER_VALUE"):
            return "428C9", f'cannot insert a non-DEFAULT value into column "{column.name}"'
    return None


def mismatch(column: Column, value: Value, schema: Schema) -> Refusal | None:
    """Why a value cannot be stored in a column at all; ``None`` when it may be."""
    kind = parse_type(column.type)
    if value.type == UNKNOWN:
        return None if value.null or not isinstance(value.literal, str) else _unreadable(kind, value.literal, schema)
    if value.type is None:
        return None
    have, want = base_type(value.type, schema), base_type(kind.bare, schema)
    if not _assignable(have, want, schema):
        return (
            "42804",
            f'column "{column.name}" is of type {column.type} but expression is of type {value.type}',
        )
    limit = _WHOLE.get(want)
    if limit is not None and value.literal is not None and str(value.literal).lstrip("-").isdecimal():
        number = int(str(value.literal))
        if not -limit <= number < limit:
            return "22003", f"{want} out of range"
    return None


def _assignable(have: str, want: str, schema: Schema) -> bool:
    if have == want or "record" in (have, want):
        return True
    if have.endswith("[]") and want.endswith("[]"):
        return _assignable(have[:-2], want[:-2], schema)
    cast = cast_between(have, want, schema)
    if cast is not None:
        return cast.context is not CastContext.EXPLICIT
    if user_type(have, schema) is not None or user_type(want, schema) is not None:
        # Types of extensions and composite types have rules of their own.
        return not (category_of(have, schema)[0] in "NBDS" and category_of(want, schema)[0] == "E")
    return category_of(want, schema)[0] == "S"


def _unreadable(kind: TypeRef, text: str, schema: Schema) -> Refusal | None:
    """A literal that its column's type does not accept, as far as that is plain."""
    if kind.is_array:
        return None
    name = base_type(kind.bare, schema)
    if name in _WHOLE:
        if not _WHOLE_TEXT.fullmatch(text):
            return "22P02", f'invalid input syntax for type {name}: "{text}"'
        return None
    if name == "uuid" and not _UUID.fullmatch(text):
        return "22P02", f'invalid input syntax for type uuid: "{text}"'
    if name == "boolean" and not _BOOLEAN.fullmatch(text):
        return "22P02", f'invalid input syntax for type boolean: "{text}"'
    if kind.name in ("character varying", "character") and kind.numbers and len(text.rstrip(" ")) > kind.numbers[0]:
        return "22001", f"value too long for type {kind}"
    return None
