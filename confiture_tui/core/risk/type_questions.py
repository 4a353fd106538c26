"""Which values of a column do not fit a new type, as a condition in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from confiture_tui.core.effects.type_names import parse_type

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column

_TEXTS: Final = frozenset({"text", "character varying", "character", '"char"', "name"})
_NUMBERS: Final = frozenset({"smallint", "integer", "bigint", "numeric", "real", "double precision"})
_RANGES: Final = {
    "smallint": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
}
_READ_FROM_TEXT: Final = frozenset(
    {
        *_NUMBERS,
        "boolean",
        "date",
        "uuid",
        "json",
        "jsonb",
        "inet",
        "cidr",
        "interval",
        "time without time zone",
        "time with time zone",
        "timestamp without time zone",
        "timestamp with time zone",
    }
)
_IS_VALID_SINCE: Final = 160000
"""``pg_input_is_valid`` is there from 16 on."""


def values_that_do_not_fit(
    column: Column, new: str, labels: Sequence[str] | None, using: Mapping[str, Any] | None, server_version_num: int
) -> str | None:
    """A condition that is true for the values that the server would refuse; ``None`` where it is not known.

    Args:
        column: as it is.
        new: the new type, as format_type writes it.
        labels: of the new type, when it is an enum.
        using: the tree of the USING expression; only a plain cast of the column itself is understood.
        server_version_num: the server that is asked.
    """
    old_type, new_type = parse_type(column.type), parse_type(new)
    value = column.quoted_name
    if old_type.is_array or new_type.is_array or (using is not None and not _casts_itself(using, column.name)):
        return None
    from_text = old_type.name in _TEXTS
    if labels is not None:
        return f"{value}::pg_catalog.text NOT IN ({', '.join(map(_literal, labels))})" if from_text and labels else None
    if new_type.name in ("character varying", "character"):
        # A cast that is asked for (USING) cuts off silently; one on assignment refuses all but trailing blanks.
        if using is not None or not new_type.numbers:
            return None
        return f"pg_catalog.length(pg_catalog.rtrim({value}::pg_catalog.text, ' ')) > {new_type.numbers[0]}"
    if old_type.name in _NUMBERS and new_type.name in _RANGES:
        low, high = _RANGES[new_type.name]
        return f"pg_catalog.round({value}::pg_catalog.numeric) NOT BETWEEN {low} AND {high}"
    if old_type.name in _NUMBERS and new_type.name == "numeric" and new_type.numbers:
        precision, scale = (*new_type.numbers, 0)[:2]
        number = f"{value}::pg_catalog.numeric"
        return f"({number} <> 'NaN' AND abs(round({number}, {scale})) >= 1e{precision - scale}::pg_catalog.numeric)"
    if old_type.name == "date" and new_type.name.startswith("timestamp"):
        return f"({value} > '294276-12-31' AND {value} <> 'infinity')"
    if from_text and new_type.name in _READ_FROM_TEXT and server_version_num >= _IS_VALID_SINCE:
        return f"NOT pg_catalog.pg_input_is_valid({value}::pg_catalog.text, {_literal(new)})"
    return None


def value_of_default(constraints: Sequence[Mapping[str, Any]]) -> str | None:
    """The value that a new column has in the rows that are there, in SQL; ``None`` where it is no plain constant."""
    kinds = {each.get("contype") for each in constraints}
    if kinds & {"CONSTR_IDENTITY", "CONSTR_GENERATED"}:
        return None
    default = next((each.get("raw_expr") for each in constraints if each.get("contype") == "CONSTR_DEFAULT"), None)
    if default is None:
        return "NULL"
    constant = default.get("A_Const") if isinstance(default, dict) else None
    if not isinstance(constant, dict):
        return None
    if "sval" in constant:
        return _literal(str(constant["sval"].get("sval", "")))
    if "boolval" in constant:
        return "true" if constant["boolval"].get("boolval") else "false"
    if "fval" in constant:
        return str(constant["fval"].get("fval", "0"))
    return str(constant["ival"].get("ival", 0)) if "ival" in constant else "NULL"


def _casts_itself(using: Mapping[str, Any], column: str) -> bool:
    """Whether it is ``column::type`` (to whatever type: the server then casts on from there by itself)."""
    inner: Any = using
    while isinstance(inner, dict) and "TypeCast" in inner:
        inner = inner["TypeCast"].get("arg")
    fields = inner.get("ColumnRef", {}).get("fields", []) if isinstance(inner, dict) else []
    return len(fields) == 1 and fields[0].get("String", {}).get("sval") == column


def _literal(text: str) -> str:
    """A string constant; standard_conforming_strings is on while questions are asked."""
    return "'" + text.replace("'", "''") + "'"
