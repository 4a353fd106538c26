"""Values given to columns: what the server is certain to refuse, whatever is in the table."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.columns import Generated, Identity
from confiture_tui.core.effects.builtins import CastContext
from confiture_tui.core.effects.expressions.conversions import cast_between, category_of, tables
from confiture_tui.core.effects.literals import Refusal, unreadable
from confiture_tui.core.effects.type_names import UNKNOWN, TypeRef, base_type, parse_type, user_type

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.expressions.reads import Value
    from confiture_tui.core.effects.schema import Schema

_WHOLE = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}


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
        return None if value.null or not isinstance(value.literal, str) else unreadable(kind, value.literal, schema)
    if value.type is None:
        return None
    have, want = base_type(value.type, schema), base_type(kind.bare, schema)
    if schema.extension_made and not (_is_known(have, schema) and _is_known(want, schema)):
        return None
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
    if kind.name == "numeric" and not kind.is_array and _overflows(kind, value.literal):
        return "22003", "numeric field overflow"
    return None


def _is_known(name: str, schema: Schema) -> bool:
    """Whether a type is PostgreSQL's own, or made by what we have read: else an extension has brought it."""
    element = name.removesuffix("[]")
    return element in tables(schema).types or user_type(element, schema) is not None


def _overflows(kind: TypeRef, literal: object) -> bool:
    """Whether a number has more digits before the point than ``numeric(precision, scale)`` has room for."""
    numbers = kind.numbers
    if len(numbers) != 2 or isinstance(literal, bool) or not isinstance(literal, int | str):
        return False
    try:
        number = Decimal(literal)
        return number.is_finite() and abs(round(number, numbers[1])) >= Decimal(10) ** (numbers[0] - numbers[1])
    except InvalidOperation:
        return False


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
