"""Partition bounds: what rows they let in, as conditions, and whether CHECK constraints prove it.

Source: ``get_qual_from_partbound`` and ``predicate_implied_by`` of PostgreSQL. What is not understood proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.effects.partition_values import ZONED, moment
from confiture_tui.core.effects.proofs import column_named
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.schema import Schema

Node = dict[str, Any]
Value = Decimal | datetime | str | bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """``column operator value``."""

    column: str
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class NullTest:
    """``column IS [NOT] NULL``."""

    column: str
    is_null: bool


@dataclass(frozen=True, slots=True)
class All:
    """Each must hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One must hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Opaque:
    """Something that is not understood."""


Condition = Comparison | NullTest | All | AnyOf | Opaque

_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "<>", "<>": "="}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}


def bound_of(text: str) -> Node | None:
    """The ``PartitionBoundSpec`` that a bound's text means; ``None`` where it cannot be read."""
    parsed = parse(f"CREATE TABLE t PARTITION OF p {text}")
    return None if isinstance(parsed, SyntaxProblem) else parsed[1].get("partbound")


def bound_text(bound: Node) -> str:
    """A bound as SQL."""
    if bound.get("is_default"):
        return "DEFAULT"
    match bound.get("strategy"):
        case "h":
            return f"FOR VALUES WITH (modulus {bound.get('modulus', 0)}, remainder {bound.get('remainder', 0)})"
        case "l":
            return f"FOR VALUES IN ({_texts(bound.get('listdatums', ()))})"
    return f"FOR VALUES FROM ({_texts(bound.get('lowerdatums', ()))}) TO ({_texts(bound.get('upperdatums', ()))})"


def _texts(values: Any) -> str:
    return ", ".join(_text(one) for one in values)


def _text(node: Node) -> str:
    name = column_named(node)
    if name is not None:
        return name.upper()
    constant = node.get("A_Const")
    if constant is None:
        cast = node.get("TypeCast")
        return _text(cast["arg"]) if cast is not None else "NULL"
    if constant.get("isnull"):
        return "NULL"
    if "sval" in constant:
        return "'" + str(constant["sval"].get("sval", "")).replace("'", "''") + "'"
    if "ival" in constant:
        return str(constant["ival"].get("ival", 0))
    if "fval" in constant:
        return str(constant["fval"].get("fval", "0"))
    return "true" if constant.get("boolval", {}).get("boolval") else "false"


def condition_of_bound(bound: Node, columns: tuple[str | None, ...], types: tuple[str, ...]) -> Condition:
    """What rows of a partition must meet; of a default partition nothing can be said here."""
    column = columns[0] if columns else None
    if bound.get("is_default") or column is None or len(columns) != 1 or bound.get("strategy") == "h":
        return Opaque()
    type_ = types[0]
    if bound.get("strategy") == "l":
        values = [_value(one, type_) for one in bound.get("listdatums", ())]
        nullable = any(_is_null(one) for one in bound.get("listdatums", ()))
        known = [one for one in values if one is not None]
        if len(known) + nullable < len(values):
            return Opaque()
        among: Condition = AnyOf(tuple(Comparison(column, "=", one) for one in known))
        if nullable:
            return AnyOf((NullTest(column, True), *(among.parts if isinstance(among, AnyOf) else ())))
        return All((NullTest(column, False), among))
    parts: list[Condition] = [NullTest(column, False)]
    for operator, side in ((">=", "lowerdatums"), ("<", "upperdatums")):
        datum = bound.get(side, [{}])[0]
        if (column_named(datum) or "").lower() in ("minvalue", "maxvalue"):
            continue
        value = _value(datum, type_)
        if value is None:
            return Opaque()
        parts.append(Comparison(column, operator, value))
    return All(tuple(parts))


def implied_by_constraints(schema: Schema, relation: Relation, condition: Condition) -> bool:
    """Whether a table's NOT NULLs and valid CHECK constraints prove a condition."""
    known: list[Condition] = [NullTest(one.name, False) for one in relation.columns if one.not_null]
    types = {one.name: one.type for one in relation.columns}
    for constraint in relation.constraints:
        if constraint.kind is ConstraintKind.CHECK and constraint.validated and constraint.enforced:
            expression = schema.check_expression(constraint)
            if expression is not None:
                known.append(condition_of(expression, types))
    return implies(All(tuple(known)), condition)


def condition_of(node: Node, types: dict[str, str]) -> Condition:
    """A CHECK's expression as a condition."""
    ((kind, fields),) = node.items()
    if kind == "BoolExpr":
        arguments = fields.get("args", [])
        if fields.get("boolop") == "NOT_EXPR":
            return negated(condition_of(arguments[0], types))
        parts = tuple(condition_of(one, types) for one in arguments)
        return All(parts) if fields.get("boolop") == "AND_EXPR" else AnyOf(parts)
    if kind == "NullTest":
        column = column_named(fields.get("arg"))
        return NullTest(column, fields.get("nulltesttype") == "IS_NULL") if column is not None else Opaque()
    if kind == "A_Expr":
        return _comparison(fields, types)
    return Opaque()


def _comparison(fields: Node, types: dict[str, str]) -> Condition:
    operator = str(fields.get("name", [{}])[-1].get("String", {}).get("sval", ""))
    left, right = fields.get("lexpr", {}), fields.get("rexpr", {})
    column = _column(left)
    kind = fields.get("kind")
    if kind == "AEXPR_BETWEEN" and column is not None:
        low, high = (_value(one, types.get(column, "")) for one in right["List"]["items"])
        if low is None or high is None:
            return Opaque()
        return All((Comparison(column, ">=", low), Comparison(column, "<=", high)))
    if kind in ("AEXPR_IN", "AEXPR_OP_ANY") and column is not None and operator == "=":
        items = right.get("List", {}).get("items") or _elements(right)
        values = [_value(one, types.get(column, "")) for one in items]
        if not values or None in values:
            return Opaque()
        return AnyOf(tuple(Comparison(column, "=", one) for one in values if one is not None))
    if kind != "AEXPR_OP" or operator not in _OPPOSITE:
        return Opaque()
    if column is None:
        column, right, operator = _column(right), left, _MIRRORED[operator]
    if column is None:
        return Opaque()
    value = _value(right, types.get(column, ""))
    return Comparison(column, operator, value) if value is not None else Opaque()


def _elements(node: Node) -> list[Node]:
    """The elements of an array written as ARRAY[…], cast or not."""
    while "TypeCast" in node:
        node = node["TypeCast"].get("arg", {})
    elements: list[Node] = node.get("A_ArrayExpr", {}).get("elements", [])
    return elements


def _column(node: Node) -> str | None:
    while "TypeCast" in node:
        node = node["TypeCast"].get("arg", {})
    return column_named(node)


def negated(condition: Condition) -> Condition:
    """What holds exactly when a condition is false."""
    match condition:
        case Comparison(column, operator, value):
            return Comparison(column, _OPPOSITE[operator], value)
        case NullTest(column, is_null):
            return NullTest(column, not is_null)
        case All(parts):
            return AnyOf(tuple(negated(one) for one in parts))
        case AnyOf(parts):
            return All(tuple(negated(one) for one in parts))
    return Opaque()


def implies(known: Condition, wanted: Condition) -> bool:
    """Whether a condition that is not false proves another one not false."""
    if isinstance(wanted, All):
        return all(implies(known, one) for one in wanted.parts)
    if isinstance(known, AnyOf) and known.parts:
        if all(implies(one, wanted) for one in known.parts):
            return True
    elif isinstance(known, All) and any(implies(one, wanted) for one in known.parts):
        return True
    if isinstance(wanted, AnyOf):
        return any(implies(known, one) for one in wanted.parts)
    if isinstance(known, NullTest) and isinstance(wanted, NullTest):
        return known == wanted
    if isinstance(known, Comparison) and isinstance(wanted, Comparison):
        return known.column == wanted.column and _stronger(known, wanted)
    return False


def _stronger(known: Comparison, wanted: Comparison) -> bool:
    first, second = known.value, wanted.value
    if known.operator == wanted.operator and first == second:
        return True
    order = _order(first, second)
    if order is None:
        return False
    less, equal, more = order < 0, order == 0, order > 0
    match known.operator, wanted.operator:
        case "=", "<":
            return less
        case "=", "<=":
            return less or equal
        case "=", ">":
            return more
        case "=", ">=":
            return more or equal
        case "=", "<>":
            return not equal
        case "<", "<" | "<=":
            return less or equal
        case "<=", "<=":
            return less or equal
        case "<=", "<":
            return less
        case ">", ">" | ">=":
            return more or equal
        case ">=", ">=":
            return more or equal
        case ">=", ">":
            return more
        case "<", "<>":
            return less or equal
        case "<=", "<>":
            return less
        case ">", "<>":
            return more or equal
        case ">=", "<>":
            return more
    return False


def _order(first: Value, second: Value) -> int | None:
    """Below zero when the first comes first; ``None`` where that is not known: how texts sort is the collation's."""
    if isinstance(first, Decimal) and isinstance(second, Decimal):
        return (first > second) - (first < second)
    if isinstance(first, datetime) and isinstance(second, datetime):
        if (first.tzinfo is None) != (second.tzinfo is None):
            return None
        return (first > second) - (first < second)
    if isinstance(first, str) and isinstance(second, str) and first == second:
        return 0
    return None


def overlaps(first: Node, second: Node, type_: str) -> bool:
    """Whether two partitions of one table, divided by one column, certainly let in the same row."""
    if first.get("is_default") or second.get("is_default"):
        return bool(first.get("is_default") and second.get("is_default"))
    if first.get("strategy") == "l":
        values = [_value(one, type_) for one in first.get("listdatums", ())]
        others = [_value(one, type_) for one in second.get("listdatums", ())]
        nulls = [any(map(_is_null, bound.get("listdatums", ()))) for bound in (first, second)]
        return all(nulls) or any(one is not None and one in others for one in values)
    if first.get("strategy") != "r":
        return False
    ends = [_ends(bound, type_) for bound in (first, second)]
    if None in ends:
        return False
    (low, high), (other_low, other_high) = (one for one in ends if one is not None)
    return _below(low, other_high) and _below(other_low, high)


def is_empty(bound: Node, type_: str) -> bool:
    """Whether a range of one column certainly lets in nothing."""
    ends = _ends(bound, type_) if bound.get("strategy") == "r" else None
    if ends is None or ends[0] is None or ends[1] is None:
        return False
    order = _order(ends[0], ends[1])
    return order is not None and order >= 0


def hash_conflict(first: Node, second: Node) -> bool:
    """Whether two hash partitions of one table cannot be there together.

    Of two moduli the smaller one must divide the larger one, and the remainders must differ by the smaller one.
    """
    moduli = sorted([(bound.get("modulus", 1), bound.get("remainder", 0)) for bound in (first, second)])
    (small, left), (large, right) = moduli
    return bool(large % small or right % small == left)


_End = Value | None
_Ends = tuple[_End, _End]
# ``None`` as an end: none, in either direction.


def _ends(bound: Node, type_: str) -> _Ends | None:
    """The lower and upper end of a range of one column; ``None`` where they cannot be read."""
    found: list[_End] = []
    for side, unbounded in (("lowerdatums", "minvalue"), ("upperdatums", "maxvalue")):
        datums = bound.get(side, ())
        if len(datums) != 1:
            return None
        if (column_named(datums[0]) or "").lower() == unbounded:
            found.append(None)
            continue
        value = _value(datums[0], type_)
        if value is None:
            return None
        found.append(value)
    return found[0], found[1]


def _below(low: _End, high: _End) -> bool:
    """Whether a lower end certainly lies below an upper one."""
    if low is None or high is None:
        return True
    order = _order(low, high)
    return order is not None and order < 0


def _is_null(node: Node) -> bool:
    return bool(node.get("A_Const", {}).get("isnull"))


def _value(node: Node, type_: str) -> Value | None:
    while "TypeCast" in node:
        node = node["TypeCast"].get("arg", {})
    constant = node.get("A_Const")
    if constant is None or constant.get("isnull"):
        return None
    if "ival" in constant:
        return Decimal(constant["ival"].get("ival", 0))
    if "boolval" in constant:
        return bool(constant["boolval"].get("boolval"))
    text = str(constant["sval"].get("sval", "") if "sval" in constant else constant["fval"].get("fval", "0"))
    if "fval" in constant or type_.startswith(("smallint", "integer", "bigint", "numeric", "real", "double")):
        try:
            return Decimal(text)
        except InvalidOperation:
            return None
    if type_.startswith(f"{ZONED}@"):
        return moment(text, type_.partition("@")[2])
    if type_.startswith(("date", "timestamp")):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return None
    return text
