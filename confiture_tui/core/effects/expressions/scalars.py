"""Reading expressions: constants, columns, operators, functions, casts, and the forms that SQL has of its own."""

from __future__ import annotations

from dataclasses import replace

from confiture_tui.core.catalog.models.columns import Volatility
from confiture_tui.core.catalog.models.routines import RoutineKind
from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.effects.expressions.base import NOTHING, Reader, Visitor, Walk, names_of
from confiture_tui.core.effects.expressions.calls import functions_called
from confiture_tui.core.effects.expressions.conversions import (
    POLYMORPHIC,
    cast_volatility,
    common_type,
    element_of,
    is_known_type,
    tables,
)
from confiture_tui.core.effects.expressions.reads import Call, Node, Value
from confiture_tui.core.effects.expressions.resolution import Resolved, function, of_candidates, operator
from confiture_tui.core.effects.expressions.scope import look_up
from confiture_tui.core.effects.type_names import UNKNOWN, base_type, parse_type, type_of_node, user_type
from confiture_tui.core.effects.types_known import COLLATABLE, missing_type

BOOLEAN = "boolean"
_INT4, _INT8 = 2**31, 2**63

_VALUE_FUNCTIONS = {
    "CURRENT_DATE": "date",
    "CURRENT_TIME": "time with time zone",
    "CURRENT_TIMESTAMP": "timestamp with time zone",
    "LOCALTIME": "time without time zone",
    "LOCALTIMESTAMP": "timestamp without time zone",
}
# PostgreSQL documentation, 9.9.5 "Current Date/Time"; all others (CURRENT_USER, …) are names.

_MAYBE_NULL_OPERATORS = frozenset({"->", "->>", "#>", "#>>"})
# PostgreSQL's own operators whose result may be NULL although no operand is: looking into json.


def _constant(_reader: Reader, node: Node) -> Value:
    if node.get("isnull"):
        return Value(UNKNOWN, null=True, constant=True)
    if "ival" in node:
        return Value("integer", null=False, constant=True, literal=int(node["ival"].get("ival", 0)))
    if "boolval" in node:
        return Value(BOOLEAN, null=False, constant=True, literal=bool(node["boolval"].get("boolval", False)))
    if "fval" in node:
        text = str(node["fval"].get("fval", ""))
        kind = "bigint" if text.isdecimal() and int(text) < _INT8 else "numeric"
        return Value(kind, null=False, constant=True, literal=text)
    if "bsval" in node:
        return Value("bit", null=False, constant=True, literal=str(node["bsval"].get("bsval", "")))
    return Value(UNKNOWN, null=False, constant=True, literal=str(node.get("sval", {}).get("sval", "")))


def _column(reader: Reader, node: Node) -> Value:
    fields = node.get("fields", [])
    parts = tuple(names_of(fields))
    if not parts or (len(parts) < len(fields) and any("A_Star" in part for part in fields)):
        return NOTHING
    reader.facts.columns.append(parts)
    meaning = look_up(parts, reader.scope)
    reader.meanings[id(node)] = meaning
    if meaning.ambiguous and parts[0] not in reader.scope.aliases:
        reader.problem("42702", f'column reference "{parts[0]}" is ambiguous')
    if meaning.missing_table:
        if reader.schema.known:
            reader.problem("42P01", f'missing FROM-clause entry for table "{parts[-2]}"')
    elif meaning.missing and reader.schema.known:
        reader.problem(
            "42703", f"column {'.'.join(parts) if len(parts) > 1 else chr(34) + parts[0] + chr(34)} does not exist"
        )
    if meaning.column is None:
        return NOTHING
    return Value(meaning.column.type, null=False if meaning.column.not_null else None)


def _parameter(_reader: Reader, _node: Node) -> Value:
    return NOTHING


def _cast(reader: Reader, node: Node) -> Walk:
    value: Value = yield reader.visit(node.get("arg"))
    written = node.get("typeName", {})
    target = type_of_node(written, reader.schema)
    if target is None:
        missing = missing_type(written, reader.schema)
        if missing is not None:
            reader.problem("42704", f'type "{missing}" does not exist')
        # A type that is not known to us: of a literal the server makes a constant while it reads the statement.
        if value.type != UNKNOWN:
            reader.facts.unknown_casts = True
        return Value(None, value.null, value.constant and value.type == UNKNOWN, value.literal)
    reader.take(target.bare, value)
    volatility = cast_volatility(value.type, target.bare, reader.schema)
    if value.type is not None and value.type != UNKNOWN and not is_known_type(value.type, reader.schema):
        reader.facts.unknown_casts = True
    else:
        reader.worsen(volatility)
    domain = user_type(target.bare, reader.schema)
    constant = value.constant and volatility is not Volatility.VOLATILE and (domain is None or domain.base_type is None)
    constant = constant and (volatility is Volatility.IMMUTABLE or value.type == UNKNOWN)
    return Value(target.bare, value.null, constant, value.literal, target.modifier)


def _operator_name(node: Node) -> str:
    return names_of(node.get("name", []))[-1] if node.get("name") else ""


def _operation(reader: Reader, node: Node) -> Walk:
    kind = node.get("kind", "AEXPR_OP")
    left_node, right_node = node.get("lexpr"), node.get("rexpr")
    if kind in ("AEXPR_IN", "AEXPR_BETWEEN", "AEXPR_NOT_BETWEEN", "AEXPR_BETWEEN_SYM", "AEXPR_NOT_BETWEEN_SYM"):
        left = yield reader.visit(left_node)
        values = yield reader.visit_all((right_node or {}).get("List", {}).get("items", []))
        names = names_of(node["name"]) if kind == "AEXPR_IN" else ["<="]
        for value in values:
            _call_operator(reader, names, [left, value], node)
        return _truth(left, *values)
    left = (yield reader.visit(left_node)) if left_node else None
    right = (yield reader.visit(right_node)) if right_node else NOTHING
    names = names_of(node.get("name", []))
    if kind in ("AEXPR_OP_ANY", "AEXPR_OP_ALL"):
        element = None if right.type is None else element_of(right.type, reader.schema) or right.type
        _call_operator(reader, names, [left or NOTHING, Value(element, right.null)], node)
        return Value(BOOLEAN)
    if kind == "AEXPR_SIMILAR":
        names = ["~"]
    result = _call_operator(reader, names, [right] if left is None else [left, right], node)
    if kind in ("AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT"):
        return Value(BOOLEAN, null=False)
    if kind == "AEXPR_NULLIF":
        chosen = reader.operators.get(id(node), ())
        kind = chosen[0].arguments[0] if len(chosen) == 1 else None
        # The type is that of the first argument as the comparison takes it.
        return Value((left or NOTHING).type if kind in POLYMORPHIC else kind, None, result.constant)
    return result


def _truth(*values: Value) -> Value:
    null = False if all(value.null is False for value in values) else None
    return Value(BOOLEAN, null, all(value.constant for value in values))


def _call_operator(reader: Reader, names: list[str], operands: list[Value], node: Node | None = None) -> Value:
    resolved = operator(names, tuple(one.type for one in operands), reader.schema)
    if len(operands) == 2:
        reader.label(operands[0].type, operands[1])
        reader.label(operands[1].type, operands[0])
    chosen = resolved.candidates
    if not chosen:
        if not resolved.named and reader.schema.known and not reader.schema.extension_made:
            reader.problem("42883", f"operator does not exist: {names[-1]}")
        _refuse_unfitting(reader, f"operator does not exist: {names[-1]}", operands)
    if names[-1] == "||" and len(chosen) == 1 and "anynonarray" in chosen[0].arguments:
        # The planner makes it text || text with a conversion, which is as volatile as the type's output.
        other = operands[chosen[0].arguments.index("anynonarray")].type
        resolved = replace(resolved, volatility=cast_volatility(other, "text", reader.schema))
    if node is not None:
        reader.operators[id(node)] = chosen
    result = _called(reader, names, resolved, operands, (), own=True)
    plain = result.null is None and names[-1] not in _MAYBE_NULL_OPERATORS and len(chosen) == 1 and not chosen[0].oid
    if plain and all(one.null is False for one in operands):
        return Value(result.type, False, result.constant)
    return result


def _refuse_unfitting(reader: Reader, what: str, values: list[Value]) -> None:
    """Nothing takes arguments of these types, if all of them are known for certain."""
    types = [one.type for one in values]
    if (
        reader.schema.known
        and not reader.schema.extension_made
        and any(one != UNKNOWN for one in types)
        and all(_is_certain(reader, one) for one in types)
    ):
        reader.problem("42883", f"{what} ({', '.join(map(str, types))})")


def _is_certain(reader: Reader, name: str | None) -> bool:
    if name in (None, UNKNOWN):
        return name is not None
    base = base_type(name, reader.schema).removesuffix("[]")
    own = tables(reader.schema).types.get(base)
    if own is not None:
        return own.kind == "b" and own.element is None
    found = user_type(base, reader.schema)
    return found is not None and found.kind is TypeKind.ENUM


def _called(
    reader: Reader,
    names: list[str],
    resolved: Resolved,
    arguments: list[Value],
    nodes: tuple[Node, ...],
    *,
    own: bool,
) -> Value:
    """What a call yields; it is noted."""
    name = ".".join(names)
    chosen = resolved.candidates
    system = resolved.system if chosen else own
    reader.facts.calls.append(Call(name, chosen, nodes, system, reader.maybe > 0, resolved.volatility))
    if len(chosen) == 1:
        for want, value in zip(chosen[0].arguments, arguments, strict=False):
            reader.take(_array_meant(want, arguments), value)
    if not chosen:
        # Row comparisons, and types that are not known to us, end here too: of operators nothing worse is to be feared
        # than that they depend on settings, of functions anything.
        if own:
            reader.worsen(Volatility.STABLE)
        else:
            reader.facts.unknown_calls.append(name)
        return NOTHING
    return Value(
        resolved.result,
        True if resolved.strict and any(one.null is True for one in arguments) else None,
        resolved.plain and resolved.volatility is Volatility.IMMUTABLE and all(one.constant for one in arguments),
    )


def _function(reader: Reader, node: Node) -> Walk:
    names = names_of(node.get("funcname", []))
    given: list[str | None] = []
    nodes: list[Node] = []
    for argument in node.get("args", []):
        named = argument.get("NamedArgExpr")
        given.append(named.get("name") if named else None)
        nodes.append(named.get("arg", {}) if named else argument)
    values = yield reader.visit_all(nodes)
    yield reader.visit_all(node.get("agg_order", []))
    yield reader.visit(node.get("agg_filter"))
    if "over" in node:
        yield reader.visit_anything(node["over"])
    types = tuple(one.type for one in values)
    resolved = function(names, types, reader.schema, argument_names=given)
    reader.functions[id(node)] = resolved
    if node.get("agg_star") or node.get("func_variadic") or node.get("agg_within_group"):
        resolved = _of_special_call(reader, node, names, types)
    elif not resolved.named and len(values) == 1 and len(names) == 1:
        cast = _cast_by_name(reader, names, values[0])
        if cast is not None:
            return cast
    if resolved.candidates and all(one.window for one in resolved.candidates) and "over" not in node:
        reader.problem("42809", f"window function {names[-1]} requires an OVER clause")
    if not resolved.named and reader.schema.known and not reader.schema.extension_made:
        reader.problem("42883", f"function {'.'.join(names)} does not exist")
    elif len(resolved.candidates) == 1 and _is_procedure(reader, resolved.candidates[0].oid):
        reader.problem("42809", f"{'.'.join(names)}() is a procedure")
    elif resolved.unfitting and not any(given):
        _refuse_unfitting(reader, f"function {'.'.join(names)} does not exist", values)
    return _called(reader, names, resolved, values, tuple(nodes), own=False)


def _array_meant(want: str, values: list[Value]) -> str:
    """The array type that a polymorphic argument takes beside another array; the argument's own type otherwise."""
    if want not in ("anyarray", "anycompatiblearray"):
        return want
    beside = {one.type for one in values if one.type is not None and one.type.endswith("[]")}
    return beside.pop() if len(beside) == 1 else want


def _is_procedure(reader: Reader, oid: int) -> bool:
    routine = reader.schema.routine_by_oid(oid) if oid else None
    return routine is not None and routine.kind is RoutineKind.PROCEDURE


def _of_special_call(reader: Reader, node: Node, names: list[str], types: tuple[str | None, ...]) -> Resolved:
    """``count(*)``, ``f(VARIADIC array)`` and ``f(…) WITHIN GROUP (…)``, not what they look like."""
    candidates, _ = functions_called(names, reader.schema)
    if node.get("agg_star"):
        fitting = [one for one in candidates if not one.arguments]
    elif node.get("func_variadic"):
        fitting = [one for one in candidates if one.variadic and len(one.arguments) == len(types)]
    else:
        fitting = candidates
    return of_candidates(fitting or candidates, types, reader.schema)


def _cast_by_name(reader: Reader, names: list[str], value: Value) -> Value | None:
    """``date(x)``: a type's name used like a function casts to it."""
    target = type_of_node({"names": [{"String": {"sval": names[0]}}]}, reader.schema)
    if target is None:
        return None
    reader.worsen(cast_volatility(value.type, target.bare, reader.schema))
    return Value(target.bare, value.null)


def _boolean(reader: Reader, node: Node) -> Walk:
    values = yield reader.visit_all(node.get("args", []))
    return _truth(*values)


def _test(reader: Reader, node: Node) -> Walk:
    value = yield reader.visit(node.get("arg"))
    return Value(BOOLEAN, null=False, constant=value.constant)


def _case(reader: Reader, node: Node) -> Walk:
    compared = (yield reader.visit(node["arg"])) if "arg" in node else None
    results: list[Value] = []
    reader.maybe += 1
    for branch in node.get("args", []):
        when = branch.get("CaseWhen", {})
        condition = yield reader.visit(when.get("expr"))
        if compared is not None:
            _call_operator(reader, ["="], [compared, condition])
        results.append((yield reader.visit(when.get("result"))))
    otherwise = (yield reader.visit(node["defresult"])) if "defresult" in node else Value(UNKNOWN, null=True)
    results.insert(0, otherwise)  # the first in the choice of a common type
    reader.maybe -= 1
    return _common(reader, results, "CASE")


def _coalesce(reader: Reader, node: Node) -> Walk:
    values = yield reader.visit_all(node.get("args", []))
    found = _common(reader, values, "COALESCE")
    if any(one.null is False for one in values):
        return Value(found.type, False, found.constant)
    return found


def _greatest(reader: Reader, node: Node) -> Walk:
    values = yield reader.visit_all(node.get("args", []))
    found = _common(reader, values, str(node.get("op", "")).removeprefix("IS_"))
    _call_operator(reader, ["<"], [values[0], values[-1]])
    return Value(found.type, False if any(one.null is False for one in values) else found.null, found.constant)


def _common(reader: Reader, values: list[Value], where: str) -> Value:
    """One of several values; ``where`` they stand, in the server's words."""
    kind, apart = common_type([one.type for one in values], reader.schema)
    if apart is not None:
        reader.problem("42804", f"{where} types {apart[0]} and {apart[1]} cannot be matched")
    for one in values:
        reader.take(kind, one)
    nulls = {one.null for one in values}
    return Value(
        "text" if kind == UNKNOWN else kind,
        nulls.pop() if len(nulls) == 1 else None,
        all(one.constant for one in values),
    )


def _value_function(reader: Reader, node: Node) -> Value:
    reader.worsen(Volatility.STABLE)
    name = str(node.get("op", "")).removeprefix("SVFOP_").removesuffix("_N")
    return Value(_VALUE_FUNCTIONS.get(name, "name"), null=None if name == "CURRENT_SCHEMA" else False)


def _array(reader: Reader, node: Node) -> Walk:
    values = yield reader.visit_all(node.get("elements", []))
    element = _common(reader, values, "ARRAY").type if values else None
    kind = None if element is None else f"{element.removesuffix('[]')}[]"
    return Value(kind, null=False, constant=all(one.constant for one in values))


def _row(reader: Reader, node: Node) -> Walk:
    values = yield reader.visit_all(node.get("args", []))
    return Value("record", null=None, constant=all(one.constant for one in values))


def _indirection(reader: Reader, node: Node) -> Walk:
    value = yield reader.visit(node.get("arg"))
    kind = value.type
    for step in node.get("indirection", []):
        indices = step.get("A_Indices")
        if indices is None:
            kind = _field(reader, kind, step)
            continue
        yield reader.visit(indices.get("lidx"))
        yield reader.visit(indices.get("uidx"))
        if kind is not None and not indices.get("is_slice") and kind != "jsonb":
            kind = element_of(kind, reader.schema)
    return Value(kind)


def _field(reader: Reader, kind: str | None, step: Node) -> str | None:
    """The type of a field of a row, which a composite type or a table must have."""
    name = step.get("String", {}).get("sval")
    row = reader.schema.relation(kind) if kind is not None and "." in kind and not kind.endswith("[]") else None
    if name is None or row is None:
        return None
    column = row.column(name)
    if column is None and reader.schema.known:
        reader.problem("42703", f'column "{name}" not found in data type {kind}')
    return parse_type(column.type).bare if column is not None and column.type else None


def _collate(reader: Reader, node: Node) -> Walk:
    value: Value = yield reader.visit(node.get("arg"))
    kind = base_type(value.type, reader.schema) if value.type not in (None, UNKNOWN) else None
    own = tables(reader.schema).types.get(kind) if kind is not None else None
    if own is not None and own.kind == "b" and own.element is None and kind not in COLLATABLE:
        reader.problem("42804", f"collations are not supported by type {kind}")
    return value


def _default(_reader: Reader, _node: Node) -> Value:
    return NOTHING


def _json(reader: Reader, node: Node) -> Walk:
    """The SQL/JSON forms: what they call depends on the types; none of it is worse than stable."""
    yield reader.visit_anything(node)
    reader.worsen(Volatility.STABLE)
    return NOTHING


SCALARS: dict[str, Visitor] = {
    "A_Const": _constant,
    "ColumnRef": _column,
    "ParamRef": _parameter,
    "TypeCast": _cast,
    "A_Expr": _operation,
    "FuncCall": _function,
    "BoolExpr": _boolean,
    "NullTest": _test,
    "BooleanTest": _test,
    "CaseExpr": _case,
    "CoalesceExpr": _coalesce,
    "MinMaxExpr": _greatest,
    "SQLValueFunction": _value_function,
    "A_ArrayExpr": _array,
    "RowExpr": _row,
    "A_Indirection": _indirection,
    "CollateClause": _collate,
    "SetToDefault": _default,
    **dict.fromkeys(
        (
            "JsonObjectConstructor",
            "JsonArrayConstructor",
            "JsonArrayQueryConstructor",
            "JsonObjectAgg",
            "JsonArrayAgg",
            "JsonIsPredicate",
            "JsonParseExpr",
            "JsonScalarExpr",
            "JsonSerializeExpr",
            "JsonFuncExpr",
            "XmlExpr",
            "XmlSerialize",
        ),
        _json,
    ),
}
"""The visitor of each kind of node that yields one value."""
