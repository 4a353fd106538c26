"""What a WHERE or ON says of the single tables: the conditions that an index may serve."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.columns import Volatility
from confiture_tui.core.effects.builtins import CastMethod
from confiture_tui.core.effects.expressions.conversions import cast_between
from confiture_tui.core.effects.expressions.reads import Comparison, Condition, Node, Read
from confiture_tui.core.effects.type_names import base_type, parse_type

if TYPE_CHECKING:
    from confiture_tui.core.effects.expressions.base import Reader

_COMPARISONS = {
    "=": Comparison.EQUAL,
    "<": Comparison.TO,
    "<=": Comparison.TO,
    ">": Comparison.FROM,
    ">=": Comparison.FROM,
}
_TURNED = {Comparison.TO: Comparison.FROM, Comparison.FROM: Comparison.TO}


def conjuncts(node: Node) -> Iterator[Node]:
    """The parts of a condition of which all must hold."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        inside = one.get("BoolExpr")
        if inside is not None and inside.get("boolop") == "AND_EXPR":
            waiting.extend(reversed(inside.get("args", [])))
        else:
            yield one


def joined_sublinks(where: Node) -> set[int]:
    """The EXISTS and IN of a WHERE that the planner turns into joins, by the identity of their nodes."""
    found = set()
    for one in conjuncts(where):
        negated = one.get("BoolExpr", {})
        if negated.get("boolop") == "NOT_EXPR":
            inside = negated["args"][0].get("SubLink")
            if inside is not None and inside.get("subLinkType", "EXISTS_SUBLINK") == "EXISTS_SUBLINK":
                found.add(id(inside))
        link = one.get("SubLink")
        if link is not None and link.get("subLinkType", "EXISTS_SUBLINK") in ("EXISTS_SUBLINK", "ANY_SUBLINK"):
            found.add(id(link))
    return found


def note_conditions(reader: Reader, where: Node) -> None:
    """Give each table that is read the conditions that all of its rows must meet."""
    for one in conjuncts(where):
        for read, condition in _conditions(reader, one):
            read.conditions.append(condition)
        inside = one.get("BoolExpr", {})
        if inside.get("boolop") == "OR_EXPR":
            _note_alternatives(reader, inside.get("args", []))


def _note_alternatives(reader: Reader, arms: list[Node]) -> None:
    found: list[tuple[Read, Condition]] = []
    for arm in arms:
        first = next((pair for part in conjuncts(arm) for pair in _conditions(reader, part)), None)
        if first is None or first[1].others:
            return
        found.append(first)
    if len({id(read) for read, _ in found}) == 1:
        found[0][0].alternatives.append([condition for _, condition in found])


def _conditions(reader: Reader, node: Node) -> list[tuple[Read, Condition]]:
    ((kind, fields),) = node.items() if len(node) == 1 else (("", {}),)
    match kind:
        case "A_Expr":
            return _comparison(reader, fields)
        case "NullTest" if fields.get("nulltesttype") == "IS_NULL":
            return _single(reader, fields.get("arg", {}), Comparison.IS_NULL)
        case "ColumnRef":
            return _single(reader, node, Comparison.EQUAL, (True,))
        case "BoolExpr" if fields.get("boolop") == "NOT_EXPR":
            argument = fields["args"][0]
            return _single(reader, argument, Comparison.EQUAL, (False,)) if "ColumnRef" in argument else []
        case "BooleanTest" if fields.get("booltesttype") in ("IS_TRUE", "IS_FALSE"):
            return _single(reader, fields.get("arg", {}), Comparison.EQUAL, (fields.get("booltesttype") == "IS_TRUE",))
        case "SubLink" if fields.get("subLinkType") == "ANY_SUBLINK":
            return _among_rows(reader, fields)
    return []


def _origin(reader: Reader, node: Node | None) -> tuple[Read, str] | None:
    """The table and column that a node is, where it is a column of this query level."""
    while node is not None and "CollateClause" in node:
        node = node["CollateClause"].get("arg")
    reference = (node or {}).get("ColumnRef")
    meaning = reader.meanings.get(id(reference)) if reference is not None else None
    if meaning is None or meaning.column is None or meaning.parameter:
        return None
    return meaning.column.origin


def _single(
    reader: Reader, node: Node, comparison: Comparison, values: tuple[object, ...] = ()
) -> list[tuple[Read, Condition]]:
    origin = _origin(reader, node)
    return [] if origin is None else [(origin[0], Condition(origin[1], comparison, values=values))]


def _plain_values(nodes: list[Node]) -> tuple[object, ...]:
    """The values of constants that are written plainly, one each; empty when one is not."""
    found: list[object] = []
    for node in nodes:
        while "TypeCast" in node:
            node = node["TypeCast"].get("arg", {})
        constant = node.get("A_Const")
        if constant is None or constant.get("isnull"):
            return ()
        if "ival" in constant:
            found.append(int(constant["ival"].get("ival", 0)))
        elif "boolval" in constant:
            found.append(bool(constant["boolval"].get("boolval", False)))
        elif "fval" in constant:
            found.append(str(constant["fval"].get("fval", "")))
        else:
            found.append(str(constant.get("sval", {}).get("sval", "")))
    return tuple(found)


def _comparison(reader: Reader, node: Node) -> list[tuple[Read, Condition]]:
    kind = node.get("kind", "AEXPR_OP")
    left, right = node.get("lexpr"), node.get("rexpr")
    operator = node["name"][-1]["String"].get("sval", "") if node.get("name") else ""
    if kind in ("AEXPR_IN", "AEXPR_BETWEEN", "AEXPR_OP_ANY"):
        origin = _origin(reader, left)
        if origin is None or operator == "<>" or not _suits(reader, node, origin, 0):
            return []
        others = _others(reader, right)
        if others is None or others:
            return []
        if kind == "AEXPR_BETWEEN":
            bounds = (right or {}).get("List", {}).get("items", [])
            both = zip((Comparison.FROM, Comparison.TO), bounds, strict=False)
            return [(origin[0], Condition(origin[1], one, values=_plain_values([bound]))) for one, bound in both]
        items = (right or {}).get("List", {}).get("items") or (right or {}).get("A_ArrayExpr", {}).get("elements", [])
        among = Condition(origin[1], Comparison.AMONG, values=_plain_values(items))
        return [(origin[0], among)] if operator == "=" else []
    if kind not in ("AEXPR_OP", "AEXPR_LIKE", "AEXPR_ILIKE"):
        return []
    found = []
    for place, (mine, other) in enumerate(((left, right), (right, left))):
        origin = _origin(reader, mine)
        others = _others(reader, other)
        if origin is None or others is None or origin[0] in others or not _suits(reader, node, origin, place):
            continue
        comparison = _COMPARISONS.get(operator, Comparison.OTHER)
        if place == 1:
            comparison = _TURNED.get(comparison, comparison)
        partner = _origin(reader, other)
        # What depends on the session's settings is compared when the statement runs, not when it is planned.
        stable = any(one.volatility is not Volatility.IMMUTABLE for one in reader.operators.get(id(node), ()))
        values = _plain_values([other] if other and not stable else [])
        found.append(
            (
                origin[0],
                Condition(origin[1], comparison, tuple(others), partner[1] if partner else None, operator, values),
            )
        )
    return found


def _among_rows(reader: Reader, node: Node) -> list[tuple[Read, Condition]]:
    """``column IN (SELECT …)``: a join with what the sub-select reads."""
    origin = _origin(reader, node.get("testexpr"))
    output = reader.outputs.get(id(node))
    if origin is None:
        return []
    inner = output.origin if output is not None else None
    found = [(origin[0], Condition(origin[1], Comparison.EQUAL, (inner[0],) if inner else (origin[0],)))]
    if inner is not None:
        found.append((inner[0], Condition(inner[1], Comparison.EQUAL, (origin[0],), origin[1])))
    return found


def _suits(reader: Reader, node: Node, origin: tuple[Read, str], place: int) -> bool:
    """Whether the operator compares the column itself, not what the column is converted to."""
    chosen = reader.operators.get(id(node), ())
    relation = origin[0].found.relation
    column = relation.column(origin[1]) if relation is not None else None
    if column is None or not chosen:
        return True
    have = base_type(parse_type(column.type).bare, reader.schema)
    # Of several the other side's type is not known to us: a parameter mostly, which takes the column's.
    return any(_takes(reader, one.arguments[place], have) for one in chosen if len(one.arguments) > place)


def _takes(reader: Reader, want: str, have: str) -> bool:
    """Whether an operand of the one type is taken as it is for the other."""
    if have == want or not _is_plain(want):
        return True
    cast = cast_between(have, want, reader.schema)
    return cast is not None and cast.method is CastMethod.BINARY


def is_never(where: Node) -> bool:
    """Whether a condition is false whatever the rows hold, so that none is read."""
    for one in conjuncts(where):
        constant = one.get("A_Const", {})
        if constant.get("isnull") or ("boolval" in constant and not constant["boolval"].get("boolval", False)):
            return True
    return False


def _is_plain(name: str) -> bool:
    return not name.startswith("any")


def _others(reader: Reader, node: Node | None) -> list[Read] | None:
    """The tables of this query level whose columns a node uses; ``None``: it cannot be told, or it is volatile."""
    found: list[Read] = []
    waiting: list[object] = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            reference = one.get("ColumnRef")
            if reference is None:
                waiting.extend(inside for inside in one.values() if isinstance(inside, dict | list))
                continue
            meaning = reader.meanings.get(id(reference))
            if meaning is None or (meaning.column is None and not meaning.parameter):
                return None
            if meaning.parameter or meaning.column is None:
                continue
            if meaning.column.origin is None:
                return None
            if meaning.column.origin[0] not in found:
                found.append(meaning.column.origin[0])
    return found
